"""The Convert page: files as they become instructions, mixtures, jobs, taking back, composition."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from bioui.components import composition_tab, convert_form, convert_source
from bioui.components.convert_annotation import marked_parts
from bioui.components.convert_draft import Draft
from bioui.components.convert_fields import NAMES, OPTIONS
from bioui.components.convert_mixture import plan_value
from bioui.components.convert_source import Brought
from bioui.components.convert_templates import Typed, body_of, editor_values, form_choices, template_of
from bioui.components.table import Trail
from bioui.pages import convert
from db import conversion_figures, conversions, instructions, jobs, processes
from db.corpora import presets, templates
from db.corpora.schema import Entity
from db.enums import JobStatus, ProcessRole
from db.policy import PolicyError
from db.session import read, write
from db.tables import ConvertedRow, Instruction
from tests.bioui.conftest import request_of
from tests.corpora import corpus
from trainer.context import JobContext
from trainer.run import carry_out


@pytest.fixture(autouse=True)
def _own_data_folder(settings, monkeypatch):
    """What is brought is kept under this test's data folder."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))


def tagged(count: int) -> str:
    """Invented sentences of four tokens, all different; every third has no mention."""
    lines = (
        f"Patient\tO\nx{number}\tO\nhas\tO\ngout\t{'O' if number % 3 == 2 else 'B-Disease'}\n\n"
        for number in range(count)
    )
    return "".join(lines)


@pytest.fixture
def file(tmp_path):
    """file(name, text) -> the path of a file that was uploaded."""

    def write_file(name: str, text: str):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def last(steps):
    *_, end = steps
    return end


def choose(actor, path, brought=None, name="", format=None) -> tuple[Brought, dict]:
    """(what was brought, the form's fields as they are after it)."""
    answer = last(
        convert_source.choose_file(str(path), brought or Brought(), name, format, request_of(actor))
    )
    fields = dict.fromkeys(NAMES) | {f"option_{name}": option.default for name, option in OPTIONS.items()}
    for option, update in zip(OPTIONS, answer[7:], strict=True):
        fields[f"option_{option}"] = update.get("value", fields[f"option_{option}"])
    return answer[1], fields | {"name": answer[4], "format": answer[5]["value"], "provenance": "native"}


def look(actor, project_id, brought, fields, read_back=False) -> tuple[Brought, dict, dict]:
    """(what was read, the fields with the template filled in, the preview)."""
    values = [fields[name] for name in NAMES]
    answer = last(convert_source.look(project_id, brought, read_back, *values, request_of(actor)))
    filled = fields | {"template": answer[3].value, "form": answer[4].value}
    if isinstance(answer[5], str):
        filled |= dict(zip(("wordings", "input", "labels"), answer[5:8], strict=True))
    return answer[1], filled, answer[8]


def add(actor, project_id, brought, draft, fields) -> Draft:
    values = [fields[name] for name in NAMES]
    return convert_form.add(project_id, brought, draft, *values, request_of(actor))[0]


@pytest.fixture
def put_together(people, project_id, file):
    """put_together(name, text) -> a draft with that one file."""

    def make(name="wards.tsv", text=tagged(30)) -> Draft:
        brought, fields = choose(people.reviewer, file(name, text))
        brought, fields, _ = look(people.reviewer, project_id, brought, fields)
        return add(people.reviewer, project_id, brought, Draft(), fields)

    return make


def run(settings, actor, project_id, draft, key="k") -> int:
    """Start the draft as the page does and carry the job out; the job's id."""
    convert.start(project_id, key, draft, "", True, request_of(actor))
    with write() as session:
        job = jobs.claim_next(session, processes.register(session, ProcessRole.WORKER).id)
        job_id, attempt = job.id, job.attempt
    context = JobContext(settings, job_id, attempt)
    carry_out(context)
    context.fall_silent()
    return job_id


# A file ------------------------------------------------------------------------------------------------


def test_a_file_is_recognised_read_whole_and_shown_beside_what_is_stored(people, project_id, file):
    brought, fields = choose(people.reviewer, file("wards.tsv", tagged(30)))
    assert (fields["format"], fields["name"]) == ("iob", "wards")
    brought, fields, shown = look(people.reviewer, project_id, brought, fields)
    assert (brought.looked.rows, brought.template.name) == (30, "ner-disease")
    assert len(shown["rows"]) == 5
    first = shown["rows"][0]
    assert first["output"] == "Patient : O\nx0 : O\nhas : O\ngout : B"
    assert [part for part in first["blocks"][0]["parts"] if part["kind"]] == [
        {"text": "gout", "kind": "Disease"}
    ]
    assert any(row["blocks"][-1]["label"] == "Mentions" for row in shown["rows"])  # one has nothing to find


def test_answers_are_read_back_and_compared(people, project_id, file):
    brought, fields = choose(people.reviewer, file("wards.tsv", tagged(9)))
    _, _, shown = look(people.reviewer, project_id, brought, fields, read_back=True)
    assert [row["back"]["equal"] for row in shown["rows"]] == [True] * 5
    assert shown["rows"][0]["back"]["items"] == ["gout (Disease)"]


def test_what_a_form_cannot_carry_is_counted_over_the_whole_file(people, project_id, file):
    lines = ["1|t|Colon cancer cells", "1|a|They grow.", "1\t0\t12\tColon cancer\tDisease\tD1"]
    overlapping = "\n".join([*lines, "1\t0\t5\tColon\tDisease\tD2"])
    plain = "\n".join(lines).replace("1|", "2|").replace("1\t0\t12", "2\t0\t12")
    brought, fields = choose(people.reviewer, file("wards.txt", f"{overlapping}\n\n{plain}\n\n"))
    brought, fields, shown = look(people.reviewer, project_id, brought, fields)
    assert (brought.looked.rows, brought.looked.obstacles.total()) == (2, 1)
    assert shown["lost"][0].startswith("1 row: two mentions overlap")
    draft = add(people.reviewer, project_id, brought, Draft(), fields)
    assert draft.entries[0].lost == 1


def test_mentions_nobody_asks_for_are_told_and_the_files_own_labels_can_be_used(people, project_id, file):
    brought, fields = choose(people.reviewer, file("spice.tsv", tagged(2).replace("Disease", "Spice")))
    brought, fields, shown = look(people.reviewer, project_id, brought, fields)
    assert "Spice 2" in shown["unasked"]
    fields |= {"labels": convert_source.use_labels(brought, request_of(people.reviewer))}
    brought, fields, shown = look(people.reviewer, project_id, brought, fields)
    assert (fields["labels"], shown["unasked"]) == ("Spice", "")


def test_a_broken_file_tells_its_line_in_one_sentence(people, project_id, file):
    brought, fields = choose(people.reviewer, file("wards.tsv", "Patient\tO\nhas\tO\n\ngout\n\n"))
    fields["format"] = "iob"
    with pytest.raises(ValueError, match=r"^file: line 4: "):
        look(people.reviewer, project_id, brought, fields)


def test_a_file_that_no_format_fits_asks_for_one(people, project_id, file):
    brought, fields = choose(people.reviewer, file("notes.txt", "nothing of the kind\n"))
    assert fields["format"] is None
    with pytest.raises(ValueError, match=r"^format: "):
        look(people.reviewer, project_id, brought, fields)


def test_a_file_changed_in_the_form_since_it_was_read_is_not_added(people, project_id, file):
    brought, fields = choose(people.reviewer, file("wards.tsv", tagged(6)))
    brought, fields, _ = look(people.reviewer, project_id, brought, fields)
    with pytest.raises(ValueError, match="read it again"):
        add(people.reviewer, project_id, brought, Draft(), fields | {"option_type": "Illness"})


def test_a_preset_fills_the_form_and_leaves_the_licence_to_the_curator(people):
    answer = convert_source.pick_preset(
        SimpleNamespace(name="i2b2-2010"), Brought(), request_of(people.reviewer)
    )
    assert (answer[0].preset, answer[1], answer[3], answer[4]) == (
        "i2b2-2010", "i2b2-2010", True, "masked_pair"
    )  # fmt: skip


# Templates ---------------------------------------------------------------------------------------------


def test_every_shipped_template_comes_out_of_the_editor_as_it_went_in():
    for name, template in templates.read_library().items():
        typed = Typed(name.partition(":")[0], template.form, *editor_values(template))
        assert template_of(typed, ()) == template, name
        assert template.form in [form for _, form in form_choices(template)]


def test_a_fault_of_a_template_tells_its_line_and_the_file_stays(people, project_id, file):
    brought, fields = choose(people.reviewer, file("wards.tsv", tagged(6)))
    brought, fields, _ = look(people.reviewer, project_id, brought, fields)
    broken = fields | {"input": "{{ text }}\n{% include 'secrets' %}"}
    values = [broken[name] for name in NAMES]
    shown = convert_source.follow_typing(project_id, brought, False, *values, request_of(people.reviewer))
    assert "Line 2" in shown["fault"]


def test_an_edited_template_is_a_version_of_its_own(people, project_id):
    base = templates.get("ner-disease")
    edited = template_of(Typed("ner-disease", base.form, *editor_values(base)[:1], "Text: {{ text }}",
                               editor_values(base)[2]), ())  # fmt: skip
    first = conversion_figures.versioned(edited, [])
    kept = [{**body_of(first), "name": first.name}]
    assert (first.name, first.version) == ("own-ner-disease", 1)
    assert conversion_figures.versioned(edited, kept).version == 1
    other = template_of(Typed("own-ner-disease@1", base.form, *editor_values(base)[:1], "{{ text }} .",
                              editor_values(base)[2]), kept)  # fmt: skip
    assert conversion_figures.versioned(other, kept).version == 2


def test_overlapping_mentions_are_both_named():
    entities = (
        Entity("1", "Disease", ("colon cancer",), ((0, 12),)),
        Entity("2", "Organ", ("colon",), ((0, 5),)),
    )
    parts = marked_parts("colon cancer cells", entities)
    assert [(part["text"], part["kind"]) for part in parts] == [
        ("colon", "Disease, Organ"), (" cancer", "Disease"), (" cells", "")
    ]  # fmt: skip


# The mixture -------------------------------------------------------------------------------------------


def test_the_plan_follows_the_shares(put_together):
    draft = put_together().changed("wards", "rows", "12").changed("wards", "negatives", "0.5")
    shown = plan_value(draft)
    assert shown["rows"][0] | {"train": "12", "have": "30", "state": "as wanted"} == shown["rows"][0]
    assert plan_value(draft.changed("wards", "rows", "50"))["rows"][0]["state"] == "short by 20"


def test_the_papers_shares_show_what_is_missing(put_together):
    draft = put_together().like_the_paper()
    plan = draft.plan()
    assert sum(part.rows for part in draft.mixture.parts) == presets.ROWS == 200_252
    assert len(plan.missing) == 11
    assert "Still to be brought: ncbi-disease" in plan_value(draft)["missing"]


def test_the_first_releases_shares_have_gad_as_well(people):
    request = request_of(people.reviewer)
    draft, _, plan, _ = convert_form.like_the_paper(Draft(), convert_form.FIRST_RELEASE, request)
    assert sum(part.rows for part in draft.mixture.parts) == presets.ROWS + 4_796
    assert "gad" in plan["missing"]
    draft, *_ = convert_form.like_the_paper(draft, convert_form.OWN_SHARES, request)
    assert not draft.mixture.parts
    with pytest.raises(ValueError, match=r"^mixture: "):
        convert_form.like_the_paper(draft, "third", request)


@pytest.mark.parametrize(("field", "value"), [("rows", "many"), ("weight", "0"), ("split-train", "maybe")])
def test_a_share_that_cannot_be_is_refused_and_the_draft_stays(put_together, people, field, value):
    draft = put_together()
    for split in ("split-validation", "split-test"):
        draft = draft.changed("wards", split, "false")
    event = SimpleNamespace(source="wards", field=field, value=value)
    with pytest.raises(ValueError, match=r"^\w+: "):
        convert_form.share(draft, event, request_of(people.reviewer))


def test_nothing_starts_without_a_file_or_the_right(put_together, people, project_id):
    with pytest.raises(ValueError, match=r"^file: "):
        convert.start(project_id, "k", Draft(), "", True, request_of(people.reviewer))
    with pytest.raises(PolicyError):
        convert.start(project_id, "k", put_together(), "", True, request_of(people.author))


# The job -----------------------------------------------------------------------------------------------


def test_a_double_click_is_one_job_and_its_rows_are_shown(settings, put_together, people, project_id):
    draft = put_together()
    for _ in range(2):
        convert.start(project_id, "same", draft, "", True, request_of(people.reviewer))
    with read() as session:
        assert conversion_figures.list_runs(session, project_id).total == 1
        waiting = convert.open_run(session, project_id, 1, Trail())
    assert waiting[12]["phase"] == "Waiting for a worker"


def test_a_conversion_is_shown_and_taken_back_whole(settings, put_together, people, project_id):
    job_id = run(settings, people.reviewer, project_id, put_together())
    with read() as session:
        assert jobs.get_job(session, job_id).status is JobStatus.FINISHED
        shown = convert.open_run(session, project_id, job_id, Trail())
    assert shown[13]["title"] == "30 records stored"
    assert any(link["href"].endswith(f"&job={job_id}") for link in shown[13]["links"])
    here = request_of(people.reviewer, run=str(job_id))
    _, words, button = convert.ask_take_back(project_id, here)
    assert "30 records will be deleted for good" in words["text"]
    assert button.visible
    end = last(convert.take_back(project_id, Trail(), here))
    assert end[14]["title"] == "Taken back"
    with read() as session:
        assert session.scalar(select(func.count()).select_from(Instruction)) == 0


def test_work_on_a_record_keeps_the_conversion(settings, put_together, people, project_id):
    job_id = run(settings, people.reviewer, project_id, put_together())
    with write() as session:
        row = session.get(Instruction, session.scalar(select(func.min(ConvertedRow.instruction_id))))
        instructions.submit_for_review(session, people.admin, row.id, version=row.version)
        row.status = "approved"
    _, words, button = convert.ask_take_back(project_id, request_of(people.reviewer, run=str(job_id)))
    assert "cannot be taken back whole" in words["text"]
    assert not button.visible
    with pytest.raises(ValueError, match="worked on its records"):
        last(convert.take_back(project_id, Trail(), request_of(people.reviewer, run=str(job_id))))


def test_faults_are_paged_and_a_foreign_run_is_not_found(settings, put_together, people, project_id):
    job_id = run(settings, people.reviewer, project_id, put_together())
    with write() as session:
        found = conversions.of_job(session, job_id)
        found.faults = [
            {"source": "wards", "number": n, "row_id": str(n), "sentence": "output: it is empty."}
            for n in range(1, 31)
        ]
    here = request_of(people.reviewer, run=str(job_id))
    shown, trail = convert.older_faults(project_id, Trail(), here)
    assert [row["id"] for row in shown["rows"]] == list(range(21, 31))
    assert convert.newer_faults(project_id, trail, here)[0]["rows"][0]["id"] == 1
    with pytest.raises(LookupError):
        convert.show_page(project_id, request_of(people.reviewer, run="99"))


# Composition -------------------------------------------------------------------------------------------


def test_the_composition_is_reckoned_from_what_is_stored(settings, put_together, people, project_id):
    job_id = run(settings, people.reviewer, project_id, put_together())
    request = request_of(people.reviewer, of=str(job_id))
    scope, _ = composition_tab.show_tab(project_id, None, request)
    assert scope.value == job_id
    steps = list(composition_tab.show_composition(project_id, job_id, [], False, request))
    _, empty, head, shares, lengths, _, tables, _ = steps[-1]
    assert empty["empty"]["title"] == ""
    assert head["figures"][0] == {"name": "Rows", "text": "30"}
    assert shares["charts"][0]["rows"][0]["figures"] == ["30", "100.0%", "100.0%"]
    assert [chart["title"] for chart in lengths["charts"]] == ["Instruction", "Input", "Output"]
    assert tables["compared"] == ""


def test_a_project_without_records_says_so(people, project_id):
    steps = list(composition_tab.show_composition(project_id, 0, [], False, request_of(people.reviewer)))
    assert steps[-1][1]["empty"]["title"] == "No record."


# The real corpora --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "rows", "template"),
    [
        (("ncbi-disease", "test.tsv"), 940, "ner-disease"),
        (("chemprot", "test.jsonl"), 3469, "re-chemprot"),
        (("gad", "test.jsonl"), 534, "re-gene-disease"),
        (("medqa", "us_4_options_test.jsonl"), 1273, "multiple-choice"),
    ],
)
def test_real_files_are_recognised_and_read_back_equal(people, project_id, parts, rows, template):
    brought, fields = choose(people.reviewer, corpus(*parts))
    brought, _, shown = look(people.reviewer, project_id, brought, fields, read_back=True)
    assert (brought.looked.rows, brought.template.name) == (rows, template)
    assert all(row["back"]["equal"] for row in shown["rows"])
