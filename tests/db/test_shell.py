"""What a person does in the browser, a script does with `python -m db`."""

import json

import pytest

from db.__main__ import main
from db.session import write
from tests.db.frozen import add_approved, question


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
    stored = {"imported": 4, "changed": 0, "duplicates": 0, "near_copies": 0, "flagged": 0}
    assert shell("author", "import", str(rows)) == (0, [stored], "")
    assert shell("author", "import", str(rows))[1] == [{**stored, "imported": 0, "duplicates": 4}]
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
    assert said.splitlines()[:2] == ["Columns not taken: nothing.", "line 2: instruction: missing."]
    assert shell("clinician", "freeze", "Ward")[0] == 1
    assert shell("author", "list")[1] == []


def test_an_unknown_person_is_refused(shell):
    code, _, said = shell("nobody", "projects")
    assert code == 1
    assert said


def test_a_file_is_previewed_mapped_and_its_faults_written_down(shell, tmp_path):
    table, faults = tmp_path / "rows.csv", tmp_path / "faults.csv"
    table.write_text("Frage;Antwort;Stufe\nWas ist Ikterus?;Gelbsucht.;2\nUnd Fieber?;Hitze.;12\n")
    columns = ["--map", "instruction=Frage", "--map", "output=Antwort", "--map", "difficulty=Stufe"]
    asked = ["import", str(table), *columns, "--errors", str(faults)]
    code, [seen], _ = shell("author", *asked, "--preview")
    assert (code, seen["format"], seen["new"], seen["invalid"]) == (0, "CSV with semicolons", 1, 1)
    assert shell("author", *asked)[0] == 1
    head, fault = faults.read_text(encoding="utf-8-sig").splitlines()
    assert head == "line,row,field,message"
    assert fault.startswith("3,2,difficulty,difficulty: 12 is not")
    assert shell("author", "list")[1] == []


def test_what_a_filter_finds_is_exported_in_a_format(shell, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("question,answer,category\nWhat is a stent?,A tube.,QA\nName the drug.,Aspirin.,IE\n")
    shell("author", "import", str(rows))
    target = tmp_path / "out.json"
    _, [told], _ = shell("author", "export", "--category", "QA", "--format", "alpaca", "--to", str(target))
    assert (told["rows"], told["left_out"]) == (1, 0)
    assert [row["instruction"] for row in json.loads(target.read_text())] == ["What is a stent?"]


@pytest.fixture
def versions(shell, people, project_id, tmp_path):
    """Two frozen versions of ten questions, split by two seeds; their numbers."""
    with write() as session:
        for number in range(10):
            add_approved(session, people, project_id, question(number))
    numbers = []
    for seed in ("0", "1"):
        code, [told], _ = shell("trainer", "freeze", "Ward", "--test", "0.3", "--seed", seed)
        assert (code, told["new"]) == (0, True)
        numbers.append(str(told["version_id"]))
    return numbers


def test_freezing_the_same_twice_says_so_and_makes_no_version(shell, versions):
    code, [told], _ = shell("trainer", "freeze", "Ward", "--test", "0.3", "--seed", "1")
    assert (code, told["new"], str(told["version_id"])) == (0, False, versions[1])
    assert told["said"].startswith("Nothing has changed since version 2 of Ward")


def test_two_versions_are_compared_page_by_page(shell, versions):
    _, [counts, *changes], _ = shell("clinician", "diff", *versions)
    assert counts["moved"] == len(changes) > 1
    assert counts["unchanged"] == 10 - len(changes)
    assert changes[0]["differences"] == ["moved"]
    _, [_, *rest], _ = shell("clinician", "diff", *versions, "--behind", str(changes[0]["key"]))
    assert rest == changes[1:]


def test_what_lines_prints_is_checked_against_the_version(shell, versions, tmp_path):
    _, printed, _ = shell("clinician", "lines", versions[0])
    file = tmp_path / "lines.jsonl"
    file.write_text("".join(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in printed))
    assert shell("clinician", "check", versions[0])[1] == [{"version_id": int(versions[0]), "intact": True}]
    assert shell("clinician", "check", versions[0], "--file", str(file))[1][0]["intact"]
    assert not shell("clinician", "check", versions[1], "--file", str(file))[1][0]["intact"]


def test_a_test_split_and_a_file_are_held_against_a_freeze(shell, versions, tmp_path):
    exam = tmp_path / "exam.jsonl"
    rows = [{"question": question(3).instruction}, "a plain text"]
    exam.write_text("\n".join(map(json.dumps, rows)))
    against = ("--against", f"{versions[0]}:test", "--against-file", str(exam))
    code, _, said = shell("trainer", "freeze", "Clean", *against)
    assert code == 1
    assert said.startswith("contamination: ")
    code, [told], _ = shell("trainer", "freeze", "Clean", *against, "--contaminated", "drop")
    _, [described], _ = shell("trainer", "report", str(told["version_id"]))
    found = described["report"]["contamination"]
    assert [each["texts"] for each in found["against"]] == [3, 2]
    assert described["report"]["rows"] == 10 - found["dropped"]
    assert found["dropped"] in (3, 4)
    exam.write_text('{"answer": "none"}')
    assert "line 1 of exam.jsonl" in shell("trainer", "freeze", "Clean", *against)[2]


def test_lineage_lists_the_versions_of_an_instruction(shell, versions):
    _, [first, *_], _ = shell("author", "list")
    _, found, _ = shell("author", "lineage", "--instruction", str(first["id"]))
    assert [row["number"] for row in found] == [2, 1]
    assert shell("author", "lineage", versions[0]) == (0, [], "")


def test_the_card_is_printed_as_it_is(people, project_id, settings, monkeypatch, capfdbinary):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))
    with write() as session:
        add_approved(session, people, project_id, question(1))
    ours = ("--project", str(project_id))
    assert main(["--as", "trainer", *ours, "freeze", "Ward", "--test", "0", "--validation", "0"]) == 0
    version = json.loads(capfdbinary.readouterr().out)["version_id"]
    assert main(["--as", "clinician", "card", str(version)]) == 0
    assert capfdbinary.readouterr().out.startswith(b"---\npretty_name: Ward, version 1\n")
