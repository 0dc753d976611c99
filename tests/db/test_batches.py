"""Batches: what a file holds, what is stored before anything is asked, and what the answers come to."""

import csv
import io
import json

import pytest

from db import assignments, batch_export, batch_figures, batch_prompts, batches, prompts
from db.batch_figures import Show
from db.batch_prompts import BatchPrompt
from db.compare_spec import CompareSpec, SideSpec
from db.comparisons import AnswerText
from db.enums import Category, Choice, JobStatus
from db.prompts import PromptDraft
from db.session import read, write
from db.tables import Adapter, Assignment, BaseModel, Round, RoundPair, Vote


@pytest.fixture
def sides(people, project_id):
    """A base and an adapter on it."""
    with write() as s:
        base = BaseModel(name="tiny", location="/nowhere")
        s.add(base)
        s.flush()
        adapter = Adapter(
            project_id=project_id, name="mine", path="/nowhere", base_model_id=base.id, adapter_hash="0",
            base_revision="", template_hash="", data_hash="", seed=0, spec={}, packages={},
        )  # fmt: skip
        s.add(adapter)
        s.flush()
        return SideSpec(base_model_id=base.id), SideSpec(adapter_id=adapter.id)


PROMPTS = [
    BatchPrompt(
        "Which drug?", "He takes 5 mg of ramipril.", key="a", slice="drugs", expected=("ramipril", "5 mg")
    ),
    BatchPrompt("Which organ?", "Hepatitis.", key="b", slice="organs", expected=("liver",)),
    BatchPrompt("Which organ?", "Nephritis.", key="c", slice="organs"),
]


@pytest.fixture
def batch(people, project_id, sides):
    with write() as s:
        spec = CompareSpec(sides, max_tokens=20)
        return batches.start(s, people.clinician, project_id, spec, PROMPTS, name="Round one").id


def _answer(side, text, **more):
    return AnswerText(side, text, more.pop("finish_reason", "stop"), tokens=10, tokens_per_second=5.0, **more)


def _answer_all(job_id, sides, texts):
    with write() as s:
        for row, both in zip(batches.waiting(s, job_id, [0], limit=10), texts, strict=True):
            batches.keep(s, row.id, {at: _answer(sides[at], text) for at, text in enumerate(both)})


TEXTS = [
    ("Ramipril 5mg daily.", "Ramipril 10 mg daily."),
    ("The liver is inflamed.", "The kidney is inflamed."),
    ("The same.", "The same."),
]


# Files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.csv",
            'Prompt,input,slice,expected,key,by\nWhich drug?,Note.,drugs,"ramipril; 5 mg",r1,I\nNext?,,,,,\n',
        ),
        ("a.csv", "question;context;group;expected;id\nWhich drug?;Note.;drugs;ramipril|x;r1\nNext?;;;;\n"),
        (
            "a.jsonl",
            '{"instruction": "Which drug?", "input": "Note.", "slice": "drugs", "key": "r1",'
            ' "expected": ["ramipril", "5 mg"]}\n\n{"prompt": "Next?"}\n',
        ),
    ],
)
def test_a_file_is_read_by_its_columns(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = batch_prompts.read_file(tmp_path / name)
    first, second = found.prompts
    assert (first.instruction, first.input, first.slice, first.key) == ("Which drug?", "Note.", "drugs", "r1")
    assert first.expected[0].startswith("ramipril")
    assert (second.instruction, second.key, second.expected) == ("Next?", "2", ())
    assert found.slices == {"drugs": 1, "": 1}
    assert found.passed_over == (("by",) if "key,by" in text else ())


def test_a_text_file_has_a_prompt_a_line(tmp_path):
    (tmp_path / "a.txt").write_text("First?\n\n  Second?  \n")
    found = batch_prompts.read_file(tmp_path / "a.txt")
    assert [(prompt.key, prompt.instruction) for prompt in found.prompts] == [
        ("1", "First?"),
        ("2", "Second?"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.csv",
            b"instruction,key\nOne?,k\nTwo?,k\n",
            r"line 3, column key: the row in line 2 has the same",
        ),
        ("a.csv", b"instruction,input\nOne?,x\n,y\n", r"line 3, column instruction: empty; write what"),
        ("a.csv", b"text,input\nOne?,x\n", r"line 1: no column instruction; it has text, input"),
        ("a.csv", b"instruction,input\nOne?,x,y\n", r"line 2: 3 cells, the first line has 2"),
        ("a.csv", b'instruction,expected\nOne?,"[1"\n', r"line 2, column expected: no JSON list"),
        ("a.jsonl", b'{"prompt": "One?"}\n{"prompt": 5}\n', r"line 2, column instruction: must be text"),
        ("a.jsonl", b'{"prompt": "One?"}\n{"prompt": }', r"line 2: not JSON: .* at column 12"),
        ("a.csv", b"instruction,input\nOne?,x\nTwo?,\xff\n", r"line 3"),
        ("a.txt", b"One?\n\xff\n", r"line 2"),
        ("a.txt", b"\n\n", r"it holds no prompt"),
        (
            "a.csv",
            b"instruction,input\n" + b"x" * 20_001 + b",\n",
            r"line 2, column instruction: 20,001 char",
        ),
    ],
)
def test_a_bad_file_is_told_in_one_sentence_with_line_and_column(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^file: .*{said}") as refused:
        batch_prompts.read_file(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_prompts_come_from_the_shelf_too(people, project_id):
    draft = PromptDraft("Organ", "Which?", specialty="hepatology", tags=("x",), expected=("liver",))
    with write() as s:
        version = prompts.add(s, people.clinician, project_id, draft)
        prompts.add(s, people.clinician, project_id, PromptDraft("Other", "What?", category=Category.GEN))
        s.flush()
        found = batch_prompts.of_shelf_where(s, project_id)
        first, second = found.prompts
        assert (first.key, first.slice, first.prompt_version_id) == ("Organ", "hepatology", version.id)
        assert second.slice == "GEN"
        assert [p.key for p in batch_prompts.of_shelf_where(s, project_id, tag="x").prompts] == ["Organ"]
        with pytest.raises(ValueError, match=r"^prompts: the shelf has none like that"):
            batch_prompts.of_shelf_where(s, project_id, specialty="urology")


def test_what_looks_like_patient_data_is_told_by_row():
    rows = [BatchPrompt("Summarise.", "NHS number 943 476 5919, born 3 May 1948.", key="r7"), *PROMPTS]
    [found] = batches.suspects(rows)
    assert found.key == "r7"
    assert "national identity number" in found.kinds


# Storing --------------------------------------------------------------------------------------------------


def test_the_prompts_are_stored_before_anything_is_asked_and_once(people, project_id, sides):
    spec = CompareSpec(sides, max_tokens=20)
    with write() as s:
        first = batches.start(s, people.clinician, project_id, spec, PROMPTS, name="One", request_key="k")
        again = batches.start(s, people.clinician, project_id, spec, PROMPTS, name="One", request_key="k")
        assert first.id == again.id
        rows = batches.list_rows(s, first.id)
        assert (rows[0].key, rows[0].slice, rows[0].expected) == ("a", "drugs", ["ramipril", "5 mg"])
        assert rows[0].sampling == {"max_tokens": 20, "temperature": 0.0, "seed": 0}
        assert [row.key for row in batches.waiting(s, first.id, [0, 1], limit=2)] == ["a", "b"]
        assert first.status is JobStatus.QUEUED


def test_a_side_of_another_project_or_gone_is_refused(people, project_id, sides):
    with write() as s:
        for wrong in (SideSpec(adapter_id=999), SideSpec(base_model_id=999), SideSpec(endpoint_id=9)):
            with pytest.raises(LookupError):
                batches.start(s, people.clinician, project_id, CompareSpec((wrong,)), PROMPTS, name="x")
        with pytest.raises(LookupError, match="no adapter number"):
            batches.start(s, people.clinician, project_id + 1, CompareSpec(sides), PROMPTS, name="x")
        with pytest.raises(ValueError, match=r"^prompts: there are none"):
            batches.start(s, people.clinician, project_id, CompareSpec(sides), [], name="x")


def test_only_rows_without_answers_wait(batch, sides):
    with write() as s:
        first = batches.waiting(s, batch, [0, 1], limit=1)[0]
        batches.keep(s, first.id, {0: _answer(sides[0], "x"), 1: _answer(sides[1], "y")})
        second = batches.waiting(s, batch, [0, 1], limit=1)[0]
        assert second.key == "b"
        batches.keep(s, second.id, {0: _answer(sides[0], "x")})  # one group of columns
        assert [row.key for row in batches.waiting(s, batch, [0], limit=9)] == ["c"]
        assert [row.key for row in batches.waiting(s, batch, [1], limit=9)] == ["b", "c"]
        assert batches.count_answers(s, batch) == 3


# Figures --------------------------------------------------------------------------------------------------


def test_figures_by_slice_facts_overlap_and_votes(people, project_id, batch, sides):
    _answer_all(batch, sides, TEXTS)
    with write() as s:
        row = batches.list_rows(s, batch)[1]
        one, other = row.answers
        vote = {"comparison_id": row.id, "one_id": one.id, "other_id": other.id, "rubric": {}}
        s.add(Vote(**vote, voter_id=people.clinician.id, choice=Choice.ONE))
        s.add(Vote(**vote, voter_id=people.reviewer.id, choice=Choice.TIE))
    with read() as s:
        figures = batch_figures.read(s, batch, 2)
    base, tuned = figures.total.columns
    assert (figures.total.rows, figures.total.whole) == (3, 3)
    assert (base.found, base.facts, tuned.found, tuned.facts) == (3, 3, 1, 3)
    assert base.seconds == pytest.approx(6.0)
    assert base.compared == 0
    assert tuned.compared == 3
    assert [part.name for part in figures.slices] == ["drugs", "organs"]
    organs = figures.slices[1]
    assert (organs.votes, organs.undecided, organs.columns[0].preferred) == (2, 1, 1)
    assert figures.rows[2].overlap == (None, 1.0)

    def keys(**asked):
        return [row.comparison.key for row in batch_figures.chosen(figures.rows, **asked)]

    assert keys(show=Show.DIFFER) == keys(show=Show.APART) == keys(show=Show.MISSING) == ["a", "b"]
    assert keys(slice="organs", words="KIDNEY") == ["b"]
    assert keys(show=Show.WAITING) == keys(show=Show.CUT) == []


def test_word_overlap_is_a_share_of_both():
    assert batch_figures.overlap("5 mg ramipril", "Ramipril 5mg.") == 1.0
    assert batch_figures.overlap("a b", "b c") == 0.5
    assert batch_figures.overlap("a a b", "a") == 0.5
    assert batch_figures.overlap("", "!") is None


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_answers_are_exported_with_facts_and_provenance(batch, sides, suffix):
    _answer_all(batch, sides, [("=1+1", "5 mg ramipril"), *TEXTS[1:]])
    with read() as s:
        titles = batches.titles(s, batches.find(s, 1, batch))
        rows = batch_figures.read(s, batch, 2).rows
    text = "".join(batch_export.pieces(rows, titles, suffix))
    if suffix == "jsonl":
        first = json.loads(text.splitlines()[0])
        assert [each["side"] for each in first["answers"]] == ["tiny", "mine"]
        assert first["answers"][1]["found"] == ["ramipril", "5 mg"]
        assert first["answers"][0]["missing"] == ["ramipril", "5 mg"]
        assert first["sampling"]["max_tokens"] == 20
    else:
        first = next(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert first["tiny: answer"] == "'=1+1"  # a spreadsheet would run it
        assert first["mine: facts found"] == "ramipril; 5 mg"
        assert first["mine: seconds"] == "2.00"


def test_answers_that_a_rater_is_still_to_judge_blind_are_withheld(people, project_id, batch, sides):
    _answer_all(batch, sides, TEXTS)
    with write() as s:
        row = batches.list_rows(s, batch)[0]
        round = Round(project_id=project_id, title="R", seed=1, created_by_id=people.reviewer.id)
        s.add(round)
        s.flush()
        one, other = row.answers
        pair = RoundPair(
            round_id=round.id, position=0, comparison_id=row.id, one_id=one.id, other_id=other.id
        )
        s.add(pair)
        s.flush()
        turn = Assignment(pair_id=pair.id, rater_id=people.clinician.id, position=0, is_flipped=True)
        s.add(turn)
        s.flush()
        assert set(assignments.still_blind(s, people.clinician, project_id)) == {row.id}
        assert assignments.still_blind(s, people.reviewer, project_id) == {}
        turn.done_at = row.created_at
        s.flush()
        assert assignments.still_blind(s, people.clinician, project_id) == {}
