"""What a person does in the browser, a script does with `python -m db`."""

import json

import pytest

from db.__main__ import main


@pytest.fixture
def shell(people, project_id, settings, monkeypatch, capsys):
    """Run a command as somebody; gives (exit code, JSON lines, standard error)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def run(who: str, *command: str):
        code = main(["--as", who, "--project", str(project_id), *command])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err.strip()

    return run


def test_a_script_imports_submits_reviews_freezes_and_exports(shell, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "\n".join(
            json.dumps({"instruction": f"Question {n}?", "output": f"Answer {n}.", "task": "qa"})
            for n in range(4)
        )
    )
    assert shell("author", "import", str(rows)) == (0, [{"imported": 4}], "")
    _, drafts, _ = shell("author", "list", "--status", "draft")
    ids = [str(row["id"]) for row in drafts]
    assert shell("author", "submit", *ids)[0] == 0
    _, decided, _ = shell("reviewer", "review", "approve", *ids)
    assert {row["status"] for row in decided} == {"approved"}
    _, [version], _ = shell("trainer", "freeze", "Ward", "--validation", "0.25", "--test", "0")
    assert (version["number"], version["train"], version["validation"]) == (1, 3, 1)
    _, exported, _ = shell("trainer", "export", str(version["version_id"]))
    assert sorted(row["instruction"] for row in exported) == [f"Question {n}?" for n in range(4)]


def test_a_refusal_is_one_sentence_and_changes_nothing(shell, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"instruction": "Fine?"}\n{"nothing": 1}')
    code, printed, said = shell("author", "import", str(bad))
    assert (code, printed) == (1, [])
    assert said.splitlines()[0] == "line 2: instruction: missing."
    assert shell("clinician", "freeze", "Ward")[0] == 1
    assert shell("author", "list")[1] == []


def test_an_unknown_person_is_refused(shell):
    code, _, said = shell("nobody", "projects")
    assert code == 1
    assert said
