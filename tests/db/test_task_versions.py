"""Tasks frozen with their rows, prompts and examples: drawn alike, hashed, refused whole or stored whole."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from db import datasets
from db.content import Content
from db.corpora import files
from db.corpora.schema import CorpusError
from db.enums import Category, Split
from db.policy import PolicyError
from db.session import read, write
from db.tables import TaskRow, TaskVersion
from db.task_drafts import TaskDraft, prepare
from db.task_versions import (
    freeze,
    freeze_dataset,
    get_task,
    list_rows,
    list_tasks,
    put_back,
    remove,
    set_general,
)
from db.tasks import from_json, of_version
from db.tasks.task import TaskError
from tests.db.frozen import add_approved, new_dataset
from tests.db.frozen import freeze as freeze_version
from tests.db.tasks import samples


def questions(number, start=0):
    """So many rows of MedQA's form."""
    options = {"A": "Vitamin A", "B": "Vitamin C"}
    return [
        {
            "id": f"q{n}",
            "question": f"What prevents disease {n}?",
            "options": options,
            "answer_idx": "AB"[n % 2],
        }
        for n in range(start, start + number)
        for letter in "AB"[n % 2]
    ]


@pytest.fixture
def keep(settings, tmp_path):
    """keep(content, name) -> the path by which a draft names a file of that content."""

    def kept(content, name="medqa.jsonl"):
        return files.keep(settings.data_dir, samples.write_file(tmp_path / name, content))

    return kept


@pytest.fixture
def draft(keep):
    """draft(content, **fields): a draft of MedQA over that content."""
    return lambda content, **fields: TaskDraft(fields.pop("task", "medqa"), keep(content), **fields)


@pytest.fixture
def store(people, project_id):
    def stored(prepared):
        with write() as session:
            return freeze(session, people.trainer, project_id, prepared)

    return stored


def refusal(data_dir, draft):
    with pytest.raises(ValueError) as refused:
        prepare(data_dir, draft)
    said = str(refused.value)
    assert "\n" not in said
    assert said.endswith(".")
    return said


def test_a_frozen_task_has_its_prompts_and_can_score_its_rows(settings, draft, store):
    version = store(prepare(settings.data_dir, draft(questions(4), name="Exam", licence="MIT")))
    with read() as session:
        rows = list_rows(session, version.id)
        later = list_rows(session, version.id, after=1, limit=1)
    assert [row.position for row in rows] == [0, 1, 2, 3]
    assert [row.position for row in later] == [2]
    assert rows[1].input == "What prevents disease 1?\n\nA. Vitamin A\nB. Vitamin C"
    assert (rows[1].key, rows[1].document, rows[1].reference) == ("q1", "q1", "B")
    task = of_version(version)
    assert task.score(from_json(rows[1].source), "The answer is B.").is_right
    assert (version.rows, version.task, version.licence, version.name) == (4, "medqa", "MIT", "Exam")


def test_the_same_content_is_one_version_whatever_its_file_is_called(settings, draft, keep, store):
    first = store(prepare(settings.data_dir, draft(questions(3), name="Exam")))
    again = store(prepare(settings.data_dir, TaskDraft("medqa", keep(questions(3), "other.jsonl"), name="B")))
    assert (again.id, again.name) == (first.id, "Exam")
    otherwise = store(prepare(settings.data_dir, draft(questions(3), settings={"form": "choice_text"})))
    assert otherwise.id != first.id
    assert otherwise.name == "MedQA (USMLE)"


def test_what_is_right_is_part_of_the_hash(settings, keep):
    """Two files that ask the same and differ in a synonym of the answer."""
    hashes = set()
    for synonym in ("ascorbic acid", "ascorbate"):
        content = json.loads(json.dumps(samples.FILES["bioasq-factoid"][1]))
        content["questions"][1]["exact_answer"] = [["vitamin C", synonym]]
        path = keep(content, "bioasq.json")
        hashes.add(prepare(settings.data_dir, TaskDraft("bioasq-factoid", path)).content_hash)
    assert len(hashes) == 2


def test_a_limit_draws_the_same_rows_in_every_order(settings, draft):
    forward = prepare(settings.data_dir, draft(questions(50), limit=10, seed=3))
    backward = prepare(settings.data_dir, draft(questions(50)[::-1], limit=10, seed=3))
    other = prepare(settings.data_dir, draft(questions(50), limit=10, seed=4))
    keys = [row.key for row in forward.rows]
    assert keys == sorted(keys, key=lambda key: int(key[1:]))
    assert set(keys) == {row.key for row in backward.rows}
    assert set(keys) != {row.key for row in other.rows}


def test_examples_come_from_their_file_and_never_ask_what_is_scored(settings, draft, keep):
    examples = keep([*questions(4), *questions(3, start=90)], "train.jsonl")
    prepared = prepare(settings.data_dir, draft(questions(4), shots=3, examples=examples))
    scored = {row.input for row in prepared.rows}
    assert len(prepared.examples) == 3
    assert not scored & {example["input"] for example in prepared.examples}
    assert prepared.examples[0].keys() == {"instruction", "input", "output"}
    assert prepare(settings.data_dir, draft(questions(4), shots=3, examples=examples)) == prepared
    said = refusal(settings.data_dir, draft(questions(4), shots=4, examples=examples))
    assert said == (
        "shots: 4 examples are asked for and 3 rows serve as one (4 more are scored themselves, or stand "
        "there twice); bring a file of examples, or ask for fewer."
    )


def test_a_file_that_tells_its_test_rows_gives_examples_from_the_others(settings, keep):
    path = keep(samples.FILES["pubmedqa"][1], "pqal.json")
    test = keep({"12": "maybe"}, "test_ground_truth.json")
    told = TaskDraft("pubmedqa", path, reader={"test_ids": test}, shots=2)
    prepared = prepare(settings.data_dir, told)
    assert [row.key for row in prepared.rows] == ["12"]
    assert prepared.split == Split.TEST
    assert sorted(example["output"] for example in prepared.examples) == ["no", "yes"]
    said = refusal(settings.data_dir, replace(told, split="validation"))
    assert said.startswith("split: the file has no validation rows but ")


def test_rows_of_a_file_without_documents_are_each_their_own(settings, keep):
    tagged = keep(samples.FILES["ner-disease"][1], "t.tsv")
    prepared = prepare(settings.data_dir, TaskDraft("ner-disease", tagged))
    assert [row.document for row in prepared.rows] == [row.key for row in prepared.rows]
    coreference = TaskDraft("coreference", keep(samples.FILES["coreference"][1], "c.jsonl"))
    assert [row.document for row in prepare(settings.data_dir, coreference).rows] == ["n1", "n1"]


@pytest.mark.parametrize(
    ("task", "content", "said"),
    [
        ("medqa", "", "file: it is empty; choose another."),
        ("medqa", [{"question": "Q", "options": {"A": "x", "B": "y"}}], "line 1: the question has no answer"),
        ("mednli", [{"sentence1": "a", "sentence2": "b", "gold_label": "maybe"}],
         "row 1: its label 'maybe' is not entailment, contradiction or neutral; mend it, or name yours in "),
        ("medication-status", [{"snippet": "On aspirin.", "medication": "aspirin", "status": "on"}],
         "row 1: its label 'on' is not active, discontinued or neither"),
        ("hoc", [{"text": "x", "label": []}, {"text": "y", "label": ["luck"]}], "row 2: its label 'luck' "),
        ("coreference", [{"text": "<< He >> sat.", "label": "same"}], "line 1: it needs [[ once"),
        ("mts-dialog", "ID,section_header,section_text,dialogue\n7,,None,Doctor: Hi\n",
         "row 1 (7): it has no section_header"),
        ("conclusion", {"11": {"QUESTION": "q", "CONTEXTS": ["c"], "final_decision": "yes"}},
         "row 1 (11): it has no LONG_ANSWER"),
        ("bioasq-list", {"questions": [samples.FILES["bioasq-list"][1]["questions"][0]]},
         "file: it holds no row for BioASQ, list, but 1 of yesno; choose another file or task."),
        ("ner-gene", samples.FILES["ner-disease"][1],
         "labels: the file has no mention of Gene but Disease (2); name its types in labels."),
        ("instructions-qa", "x", "task: it takes its rows from a frozen dataset version"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_scored_is_refused_in_one_sentence(settings, keep, task, content, said):
    name = "x.tsv" if task.startswith("ner") else "mts.csv" if task == "mts-dialog" else "x.json"
    assert said in refusal(
        settings.data_dir, TaskDraft(task, keep(content, name) if content else _empty(settings))
    )


def _empty(settings):
    """A file that lost its rows after it was brought: an empty one is not kept at all."""
    path = files.folder_of(settings.data_dir) / "0" / "empty.jsonl"
    path.parent.mkdir(parents=True)
    path.touch()
    return "0/empty.jsonl"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"split": "exam"}, "split: 'exam' is none of train, validation, test; choose one."),
        ({"shots": 33}, "shots: it is 33; write a whole number from 0 to 32."),
        ({"limit": -1}, "limit: it is -1; write a whole number from 0 to 200,000."),
    ],
)
def test_a_draft_that_cannot_be_names_its_field(fields, said):
    with pytest.raises(TaskError) as refused:
        TaskDraft("medqa", "x/y.jsonl", **fields)
    assert str(refused.value) == said


def test_a_draft_reads_nothing_outside_the_studio(settings):
    with pytest.raises(ValueError, match="lies outside the studio's folder"):
        prepare(settings.data_dir, TaskDraft("medqa", "../../etc/passwd"))


def test_rows_that_a_form_cannot_write_are_left_out_only_when_asked(settings, keep):
    """The second 'gout' is a mention, the first is not: a list of words cannot say which."""
    tagged = "gout\tO\nand\tO\ngout\tB-Disease\n\nasthma\tB-Disease\n"
    fields = {"path": keep(tagged, "x.tsv"), "settings": {"form": "typed_list"}}
    assert "choose another form" in refusal(settings.data_dir, TaskDraft("ner-disease", **fields))
    prepared = prepare(settings.data_dir, TaskDraft("ner-disease", leave_out=True, **fields))
    assert len(prepared.rows) == 1
    assert list(prepared.left_out.values()) == [1]
    assert prepared.settings["left_out"] == prepared.left_out


def test_nothing_is_stored_of_a_task_whose_name_is_taken(settings, draft, store):
    store(prepare(settings.data_dir, draft(questions(3), name="Exam")))
    with pytest.raises(ValueError, match="name: there is already a task named Exam"):
        store(prepare(settings.data_dir, draft(questions(4), name="Exam")))
    with read() as session:
        assert session.scalar(select(func.count()).select_from(TaskRow)) == 3


def test_only_who_may_evaluate_freezes_marks_and_removes(settings, draft, store, people, project_id):
    prepared = prepare(settings.data_dir, draft(questions(2)))
    version = store(prepared)
    with write() as session:
        for call in (
            lambda: freeze(session, people.author, project_id, prepared),
            lambda: remove(session, people.author, project_id, version.id),
            lambda: set_general(session, people.author, project_id, version.id, is_general=True),
        ):
            with pytest.raises(PolicyError, match="You may not start or cancel evaluations"):
                call()


def test_a_removed_task_is_off_the_list_and_comes_back(settings, draft, store, people, project_id):
    prepared = prepare(settings.data_dir, draft(questions(2), name="Exam"))
    version = store(prepared)
    with write() as session:
        remove(session, people.trainer, project_id, version.id)
        assert list_tasks(session, project_id) == []
        assert get_task(session, project_id, version.id).deleted_at
    taken = store(prepare(settings.data_dir, draft(questions(3), name="Exam")))
    with write() as session:
        assert put_back(session, people.trainer, project_id, version.id).name == "Exam 2"
        set_general(session, people.trainer, project_id, taken.id, is_general=True)
    with read() as session:
        assert {task.name: task.is_general for task in list_tasks(session, project_id)} == {
            "Exam": True,
            "Exam 2": False,
        }
        with pytest.raises(LookupError, match="no task number"):
            get_task(session, project_id + 1, version.id)
    with write() as session:
        remove(session, people.trainer, project_id, version.id)
    assert store(prepared).deleted_at is None


# Frozen datasets --------------------------------------------------------------------------------------


@pytest.fixture
def dataset(people, project_id):
    """A frozen version: forty questions, and ten of extraction."""
    with write() as session:
        for number in range(50):
            words = " ".join(f"{letter}{number}" for letter in "abcdef")
            category = Category.IE if number % 5 == 0 else Category.QA
            content = Content(
                f"What about {words}?", output=f"Answer {number}.", category=category, task="qa"
            )
            add_approved(session, people, project_id, content)
    return freeze_version(people, new_dataset(people, project_id))


def test_a_frozen_dataset_is_a_task_of_its_own(people, project_id, dataset):
    with write() as session:
        version = freeze_dataset(
            session, people.trainer, project_id, dataset_version_id=dataset.id, split=Split.TEST,
            category=Category.QA, shots=2, limit=2,
        )  # fmt: skip
        again = freeze_dataset(
            session, people.trainer, project_id, dataset_version_id=dataset.id, split=Split.TEST,
            category=Category.QA, shots=2, limit=2,
        )  # fmt: skip
        rows = list_rows(session, version.id)
        frozen = {row.instruction: row for row in datasets.list_rows(session, dataset.id)}
    assert again.id == version.id
    assert (version.task, version.dataset_version_id, version.rows) == ("instructions-qa", dataset.id, 2)
    assert version.name == "Ward questions 1, QA test"
    assert {frozen[row.instruction].split for row in rows} == {Split.TEST}
    assert {frozen[example["instruction"]].split for example in version.examples} == {Split.TRAIN}
    task = of_version(version)
    assert task.score(from_json(rows[0].source), rows[0].reference.lower()).is_right


def test_a_dataset_without_such_rows_is_refused(people, project_id, dataset):
    asked = {"dataset_version_id": dataset.id, "split": Split.TEST}
    with write() as session:
        with pytest.raises(TaskError, match="version 1 has no test rows of GEN; choose another"):
            freeze_dataset(session, people.trainer, project_id, category=Category.GEN, **asked)
        with pytest.raises(LookupError, match="no dataset version"):
            freeze_dataset(session, people.trainer, project_id + 1, category=Category.QA, **asked)
        assert session.scalar(select(func.count()).select_from(TaskVersion)) == 0


def test_a_broken_line_is_named_by_its_number(settings, keep):
    path = keep('{"question": "Q", "options": {"A": "x", "B": "y"}, "answer_idx": "A"}\n{"question"\n')
    with pytest.raises(CorpusError, match="line 2"):
        prepare(settings.data_dir, TaskDraft("medqa", path))
