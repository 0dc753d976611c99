"""Tasks from the shell: frozen from a file or a dataset, listed, shown, removed."""

import json

import pytest

from db.session import write
from db.task_versions import list_tasks
from tests.db.frozen import add_questions, freeze, new_dataset
from tests.db.tasks import samples
from trainer.__main__ import main


@pytest.fixture
def task(settings, project_id, monkeypatch, capsys):
    """task("add", ...) -> (exit code, what it printed, what it complained of)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def call(*arguments):
        code = main(["task", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def test_a_script_freezes_a_file_lists_shows_and_removes_it(task, tmp_path, project_id):
    scored = samples.write(tmp_path, "ner-disease")
    train = samples.write_file(tmp_path / "train.tsv", "Gout\tB-Disease\nis\tO\nold\tO\n")
    code, output, _ = task(
        "add", "Diseases", "--task", "ner-disease", "--file", scored, "--option", "form=json_entities",
        "--option", "scheme=IOB2", "--shots", 1, "--examples", train, "--general", "--licence", "MIT",
    )  # fmt: skip
    assert code == 0
    told = json.loads(task("show", output.strip(), "--rows", 1)[1])
    assert (told["name"], told["rows"], told["is_general"], told["licence"]) == ("Diseases", 2, True, "MIT")
    assert told["settings"]["task"]["form"] == "json_entities"
    assert told["settings"]["source"]["reader"] == {"scheme": "IOB2"}
    assert "Gout" in told["examples"][0]["output"]
    assert "asthma" in told["first_rows"][0]["reference"]
    assert "1-shot   Diseases  general" in task("list")[1]
    assert task("remove", output.strip())[0] == 0
    assert task("list")[1] == ""
    assert task("remove", output.strip(), "--undo")[0] == 0
    with write() as session:
        assert [each.name for each in list_tasks(session, project_id)] == ["Diseases"]


def test_a_script_freezes_a_category_of_a_dataset(task, people, project_id):
    add_questions(people, project_id, 30)
    freeze(people, new_dataset(people, project_id))
    arguments = ("add", "--dataset", "Ward questions", "--category", "QA")
    assert task(*arguments, "--version", 1, "--split", "test")[0] == 0
    assert "instructions-qa" in task("list")[1]
    assert task(*arguments, "--version", 9)[2].startswith(
        "version: Ward questions has no version 9; there is 1."
    )
    assert task(*arguments[:3])[2].startswith("category: say which rows by --category")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "task: say which one by --task"),
        (("--task", "exam"), "task: there is no task 'exam'"),
        (("--task", "medqa"), "file: name the rows by --file, --hub or --dataset."),
        (("--task", "medqa", "--file", "nowhere.jsonl"), "file: nowhere.jsonl cannot be read"),
        (("--task", "medqa", "--option", "form"), "option: 'form' is no NAME=VALUE; write it so."),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(task, arguments, said):
    code, output, complaint = task("add", *arguments)
    assert (code, output) == (1, "")
    assert complaint.startswith(said)


def test_the_kinds_of_task_are_told(task):
    lines = task("kinds")[1].splitlines()
    assert any(line.startswith("medqa ") and "MedQA (USMLE)" in line for line in lines)
