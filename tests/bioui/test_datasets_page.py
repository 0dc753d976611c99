import json

import gradio as gr
import pytest

from bioui.components.freeze_form import NAMES, count_value, recipe_of
from bioui.components.freeze_plan import Looked
from bioui.components.freeze_screening import Sought, evaluation_choices, screening_of
from bioui.components.table import Trail
from bioui.components.version_compare import change_value
from bioui.components.version_hub import hub_values, push
from bioui.components.version_lineage import lineage_value
from bioui.components.version_panel import recipe_sentence
from bioui.components.version_report import report_value
from bioui.components.version_tabs import FILLS, TABS
from bioui.frozen import Reading, hash_notice, row_value, rows_value, versions_value
from bioui.pages import datasets as page
from db import datasets, jobs, registry
from db.content import Content
from db.datasets import FrozenRow, Recipe
from db.enums import Category, JobKind, Split
from db.policy import PolicyError
from db.session import read, write
from db.tables import Instruction, Project, Revision
from db.train_spec import TrainSpec
from db.version_diff import compare_versions
from tests.bioui.conftest import request_of
from tests.db.frozen import add_approved

DEFAULTS = ([], [], "", "", "", 0.1, 0.1, 0, 0.7, "prompt", True, [], [], None, "refuse", "", 13)
UNDER_FORM = len(page.NOT_LOOKED)


@pytest.fixture
def approved(people, project_id):
    """Twelve approved instructions: eight QA, four IE."""
    with write() as session:
        for number in range(12):
            category = Category.QA if number < 8 else Category.IE
            content = Content(
                f"Question {number}?", output="An answer.", category=category, task=category.lower()
            )
            add_approved(session, people, project_id, content)


@pytest.fixture
def long_version(people, project_id) -> int:
    """A frozen version of 120 rows, every tenth of them for validation."""
    rows = [
        FrozenRow(Split.VALIDATION if n % 10 == 0 else Split.TRAIN, Content(f"Ask {n}", output=f"Say {n}"))
        for n in range(120)
    ]
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Long")
        return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id


def changed(**values) -> tuple:
    """The form as it opens, but for these inputs."""
    return tuple(values.get(name, value) for name, value in zip(NAMES, DEFAULTS, strict=True))


def press_freeze(actor, project_id, name="Ward questions", form=DEFAULTS, looked=Looked()):
    """What the handler last says of the pane."""
    return list(page.freeze(project_id, looked, name, *form, request_of(actor)))[-1][UNDER_FORM:]


def press_look(actor, project_id, name="Ward questions", form=DEFAULTS):
    """What the handler last shows under the form: progress, report, hits, page of hits, what was seen."""
    return list(page.look_first(project_id, name, *form, request_of(actor)))[-1]


def names_of(value):
    return [row["cells"][0]["text"] for row in value["rows"]]


def test_the_count_names_the_categories_and_the_split(project_id, approved):
    with read() as session:
        value = count_value(session, project_id, recipe_of(*DEFAULTS[:10]), 0.25, 0.25)
    assert value["count"] == "12 approved instructions"
    assert value["rest"] == ": 8 QA, 4 IE. Split: 6 to train, 3 to validation, 3 to test."


def test_the_count_stands_while_a_share_is_being_typed(project_id, approved):
    with read() as session:
        assert count_value(session, project_id, Recipe(), None, 7)["rest"] == ": 8 QA, 4 IE."


def test_freezing_opens_the_new_version_and_names_the_next_step(people, project_id, approved):
    listed, _, form, version, said, panel, *_ = press_freeze(people.trainer, project_id)
    assert names_of(listed) == ["Ward questions"]
    assert (form.visible, version.visible) == (False, True)
    assert said["links"] == [
        {"text": "Train on this", "href": f"/train?project={project_id}&version={panel['id']}"}
    ]
    assert panel["recipe"].startswith("All approved instructions; shuffled with seed 0")


def test_the_same_name_again_makes_the_next_version(people, project_id, approved):
    press_freeze(people.trainer, project_id)
    panel = press_freeze(people.reviewer, project_id, form=changed(categories=["IE"]))[5]
    assert panel["name"] == "Ward questions, version 2"
    assert panel["train_href"] == ""  # a reviewer freezes, and leaves the training to others


def test_freezing_nothing_says_so_and_leaves_no_empty_dataset(people, project_id, approved):
    with pytest.raises(ValueError, match=r"^filter: "):
        press_freeze(people.trainer, project_id, form=changed(task="no such task"))
    with read() as session:
        assert datasets.list_datasets(session, project_id) == []


@pytest.mark.parametrize(
    ("shares", "field"),
    [
        ((1.5, 0.1, 0), "validation"),
        ((0.1, None, 0), "test"),
        ((0.5, 0.5, 0), "test"),
        ((0.1, 0.1, 0.5), "seed"),
    ],
)
def test_a_share_or_seed_that_cannot_be_is_named(people, project_id, approved, shares, field):
    validation, test, seed = shares
    with pytest.raises(ValueError, match=f"^{field}: "):
        press_freeze(people.trainer, project_id, form=changed(validation=validation, test=test, seed=seed))


def test_a_dataset_without_a_name_is_refused(people, project_id, approved):
    with pytest.raises(ValueError, match=r"^name: "):
        press_freeze(people.trainer, project_id, name=None)


@pytest.mark.parametrize("role", ["author", "clinician"])
def test_who_may_not_freeze_is_refused_by_the_handlers_themselves(people, project_id, approved, role):
    actor = getattr(people, role)
    with pytest.raises(PolicyError):
        press_freeze(actor, project_id)
    with pytest.raises(PolicyError):
        page.open_form(project_id, request_of(actor))
    assert page.show_page(project_id, request_of(actor))[1].visible is False


def test_rows_are_paged_by_position_and_come_back(people, long_version):
    with read() as session:
        first, reading = rows_value(session, Reading(long_version))
        second, _ = rows_value(session, Reading(long_version, trail=reading.trail.older(reading.following)))
    assert first["range"] == "1–50 of 120"
    assert second["rows"][0]["id"] == 50
    assert reading.trail.older(reading.following).newer() == Trail()


def test_a_split_is_paged_alone(long_version):
    with read() as session:
        value, reading = rows_value(session, Reading(long_version, "validation"))
    assert len(value["rows"]) == 12
    assert reading.following is None


def test_one_row_is_shown_in_full_and_one_that_is_not_there_is_said_to_be_missing(project_id, long_version):
    with read() as session:
        value = row_value(session, Reading(long_version), 7, project_id)
        assert (value["position"], value["instruction"], value["output"]) == (8, "Ask 7", "Say 7")
        with pytest.raises(LookupError, match="row number 1,?000"):
            row_value(session, Reading(long_version), 999, project_id)


def test_a_version_of_another_project_does_not_open(people, project_id, long_version):
    event = gr.EventData(None, {"id": long_version})
    with pytest.raises(LookupError, match="This project"):
        page.open_version(project_id + 1, event, request_of(people.trainer))


def test_the_link_of_a_version_opens_it(people, project_id, long_version):
    opened = page.show_page(project_id, request_of(people.clinician, version=str(long_version)))
    assert opened[5]["name"] == "Long, version 1"


def test_the_hash_is_verified(long_version):
    with read() as session:
        assert hash_notice(session, long_version)["title"] == "The hash is right"


def test_an_empty_project_says_what_comes_first(project_id):
    with read() as session:
        assert versions_value(session, project_id)["empty"]["href"] == f"/review?project={project_id}"


def test_a_recipe_reads_as_a_sentence():
    recipe = {"categories": ["QA", "IE"], "task": "ner", "text": "sepsis", "validation": 0.1, "test": 0.2}
    assert recipe_sentence(recipe) == (
        "Approved instructions of category QA or IE, task ner, text containing “sepsis”; "
        "shuffled with seed 0, a share of 0.1 to validation and 0.2 to test."
    )


def test_the_export_goes_to_a_logged_in_person_and_to_nobody_else(people, studio, long_version):
    path = f"/datasets/versions/{long_version}.jsonl"
    answer = studio.browser(people.clinician).get(path)
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 120
    assert rows[3]["instruction"] == "Ask 3"
    assert answer.headers["content-disposition"] == 'attachment; filename="Long-v1.jsonl"'
    assert studio.browser().get(path).status_code in (401, 303)
    assert studio.browser(people.clinician).get("/datasets/versions/999.jsonl").status_code == 404


# Look first, decontamination, tabs ----------------------------------------------------------------------


@pytest.fixture
def exam(tmp_path):
    """A file of evaluation texts that hold two of the approved questions."""
    path = tmp_path / "exam.jsonl"
    lines = ['"Question 3?"', '{"question": "question 9", "answer": "no"}', '"What nobody asks here"']
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_a_look_stores_nothing_and_its_plan_is_what_is_frozen(people, project_id, approved):
    progress, report, _, _, looked = press_look(people.trainer, project_id)
    assert (progress["phase"], report["title"]) == ("", "12 rows would be frozen")
    with read() as session:
        assert datasets.list_versions(session, project_id) == []
    panel = press_freeze(people.trainer, project_id, looked=looked)[5]
    assert panel["hash"] == looked.plan.content_hash


def test_a_look_at_contaminated_rows_shows_what_they_share_before_anything_is_decided(
    people, project_id, approved, exam
):
    form = changed(against_file=exam)
    _, report, hits, _, looked = press_look(people.trainer, project_id, form=form)
    assert report["title"] == "It cannot be frozen like this"
    assert [hit["passage"] for hit in hits["rows"]] == ["question 3", "question 9"]
    assert {hit["kind"] for hit in hits["rows"]} == {"The same words"}
    with pytest.raises(ValueError, match=r"^contamination: 2 of 12 .* exam.jsonl"):
        press_freeze(people.trainer, project_id, form=form, looked=looked)
    with pytest.raises(ValueError, match=r"^contamination: "):  # nor without a look
        press_freeze(people.trainer, project_id, form=form)
    with read() as session:
        assert datasets.list_datasets(session, project_id) == []


def test_contaminated_rows_are_dropped_or_stay_with_a_reason(people, project_id, approved, exam):
    with pytest.raises(ValueError, match="^reason: "):
        press_freeze(people.trainer, project_id, form=changed(against_file=exam, then="waive"))
    dropped = press_freeze(people.trainer, project_id, form=changed(against_file=exam, then="drop"))[5]
    assert dropped["recipe"].endswith("Texts of exam.jsonl were looked for: rows with them were dropped.")
    stay = changed(against_file=exam, then="waive", reason="The exam is retired.")
    kept = press_freeze(people.trainer, project_id, form=stay)[5]
    with read() as session:
        versions = [datasets.get_version(session, panel["id"]) for panel in (dropped, kept)]
        reports = [version.report for version in versions]
    assert [report["rows"] for report in reports] == [10, 12]
    assert [hit["row"] for hit in reports[0]["contamination"]["hits"]] == [None, None]
    checks = {check["name"]: check["text"] for check in report_value(project_id, {}, reports[1])["checks"]}
    assert checks["Evaluation texts"].endswith("They stay. Why: The exam is retired.")


def test_a_split_of_another_projects_version_can_be_kept_out(people, project_id, approved, long_version):
    with write() as session:
        other = Project(name="Ward 8")
        session.add(other)
        session.flush()
        choices = evaluation_choices(session, other.id)
        other_id = other.id
    assert ("Ward 7: Long, version 1, validation (12 rows)", f"{long_version}:validation") in choices
    with read() as session:
        sought = Sought((f"{long_version}:validation",))
        found = screening_of(session, other_id, sought).against[0]
    assert (found.name, len(found.probes)) == ("Ward 7: Long, version 1, validation", 12)


def test_a_file_without_texts_is_refused_at_its_line(people, project_id, approved, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('"Fine"\n{"label": 3}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="^against: line 2 of bad.jsonl has no instruction"):
        press_look(people.trainer, project_id, form=changed(against_file=str(path)))


def test_a_plan_that_went_stale_is_refused_and_forgotten(people, project_id, approved):
    looked = press_look(people.trainer, project_id)[-1]
    with write() as session:
        session.get(Instruction, looked.plan.rows[0].instruction_id).status = "retired"
    said = []
    steps = page.freeze(project_id, looked, "Ward", *DEFAULTS, request_of(people.trainer))
    with pytest.raises(ValueError, match="changed or withdrawn while the version was being made"):
        said.extend(steps)
    assert said[-1][UNDER_FORM - 1] == Looked()
    assert press_freeze(people.trainer, project_id)[5]["name"] == "Ward questions, version 1"


def test_other_settings_than_those_looked_at_are_planned_anew(people, project_id, approved):
    looked = press_look(people.trainer, project_id)[-1]
    panel = press_freeze(people.trainer, project_id, form=changed(categories=["IE"]), looked=looked)[5]
    assert panel["recipe"].startswith("Approved instructions of category IE")


def test_freezing_the_same_again_says_which_version_it_is(people, project_id, approved):
    first = press_freeze(people.trainer, project_id)[5]["id"]
    *_, said, panel = press_freeze(people.trainer, project_id)[:6]
    assert panel["id"] == first
    assert said["title"] == "The same as Ward questions, version 1"
    assert "No new version was made" in said["sentences"][0]
    assert press_look(people.trainer, project_id)[1]["title"] == "Nothing new"


def opened(people, project_id, version_id, **query) -> dict:
    """What the tabs show for an address, by tab."""
    request = request_of(people.clinician, version=str(version_id), **query)
    values = iter(page.show_page(project_id, request)[6 + 1 + len(TABS) :])
    return {name: [next(values) for _ in range(fills)] for name, fills in FILLS.items()}


def test_a_link_opens_a_tab_and_what_a_version_is_compared_with(people, project_id, approved):
    first = press_freeze(people.trainer, project_id)[5]["id"]
    second = press_freeze(people.trainer, project_id, form=changed(categories=["IE"]))[5]["id"]
    shown = opened(people, project_id, second, tab="compare", against=str(first))["compare"]
    counts = {count["kind"]: count["count"] for count in shown[2]["counts"]}
    assert counts["removed"] == "8"
    assert shown[0].value == first
    assert opened(people, project_id, second, tab="nonsense")["rows"][1]["rows"]


def test_a_change_is_read_word_by_word_and_a_split_alone_says_so(people, project_id, approved):
    first = press_freeze(people.trainer, project_id)[5]["id"]
    with write() as session:
        row = session.query(Instruction).order_by(Instruction.id).first()
        content = Content("Question 0, in short?", output="An answer.", category=Category.QA, task="qa")
        session.add(
            Revision(
                instruction_id=row.id, number=2, author_id=people.author.id, reason="", **content.columns()
            )
        )
        row.approved_version = 2
        changed_id = row.id
    second = press_freeze(people.trainer, project_id)[5]["id"]
    with read() as session:
        diff = compare_versions(session, first, second)
        key = next(change.key for change in diff.changes if change.instruction_id == changed_id)
        value = change_value(session, diff, key, project_id)
        became = lineage_value(session, datasets.get_version(session, first))
    parts = value["texts"][0]["changes"][0]["parts"]
    assert [part["text"] for part in parts if part.get("added")] == [", in short"]
    assert "Revision: 1 → 2" in value["terms"]
    assert became["standing"].startswith("Since then: 1 record approved in a newer revision.")


def test_lineage_names_runs_and_says_what_was_shipped(people, project_id, long_version):
    with write() as session:
        base = registry.add_base_model(session, people.admin, name="Tiny", location="ward/tiny")
        spec = TrainSpec(base_model_id=base.id, dataset_version_id=long_version, adapter_name="Mine")
        job = jobs.enqueue(session, people.trainer, project_id, JobKind.TRAIN, spec, name="Mine")
        version = datasets.get_version(session, long_version)
        adapter = registry.register_adapter(
            session, project_id=project_id, name="Mine", path="/none", adapter_hash="a", base_revision="",
            base_model_id=base.id, template_hash="t", dataset_version_id=long_version,
            data_hash=version.content_hash, seed=0, spec={}, packages={}, job_id=job.id,
        )  # fmt: skip
        session.flush()
        job_id, adapter_id = job.id, adapter.id
    shown = opened(people, project_id, long_version, tab="lineage")["lineage"][0]
    assert shown["runs"][0]["href"] == f"/train?project={project_id}&job={job_id}"
    assert shown["adapters"][0]["href"] == f"/models?project={project_id}&adapter={adapter_id}"
    assert shown["records"] == "120 rows shipped or put together outside."


def test_the_hub_is_offered_only_with_a_token_and_to_who_may_freeze(
    people, project_id, long_version, hub_token
):
    for actor, token, shown in (
        (people.trainer, "hf_x", True), (people.trainer, "", False), (people.clinician, "hf_x", False),
    ):  # fmt: skip
        hub_token(token)
        with read() as session:
            version = datasets.get_version(session, long_version)
            assert hub_values(session, actor, version)[0].visible is shown


def test_restricted_rows_keep_a_version_from_the_hub(people, project_id, hub_token):
    hub_token("hf_x")
    rows = [FrozenRow(Split.TRAIN, Content("Ask", output="Say"), is_restricted=True)]
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Held")
        version = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})
        part, intro, form, *_ = hub_values(session, people.trainer, version)
        reading = Reading(version.id)
    assert (part.visible, form.visible) == (True, False)
    assert intro["text"].startswith("1 of its rows are under a data-use agreement")
    steps = push(project_id, reading, "ward/held", True, request_of(people.trainer))
    with pytest.raises(ValueError, match="under a data-use agreement"):
        list(steps)


@pytest.fixture
def hub_token():
    """Sets the Hub's token in the environment, "" for none."""
    with pytest.MonkeyPatch.context() as environment:
        yield lambda token: environment.setenv("HF_TOKEN", token)
