"""The shelf: versions that never change, a stale save refused with both texts, files out and in."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from db import expected, prompt_files, prompts, samples
from db.enums import Category
from db.policy import PolicyError
from db.prompts import PromptDraft, StalePromptError
from db.session import read, write
from db.tables import AuditLine

DRAFT = PromptDraft(
    title="A tick on the leg",
    instruction="Answer in plain words.",
    input="I found a tick. Do I need antibiotics?",
    category=Category.QA,
    task="patient_question",
    specialty="Infectious disease",
    tags=("Lay reader", "safety", "safety "),
    expected=("rash", " flu-like | flu like "),
    watch_for="No routine antibiotics.",
)


@pytest.fixture
def saved(people, project_id):
    with write() as s:
        version = prompts.add(s, people.clinician, project_id, DRAFT)
        s.flush()
        return version.prompt_id


def _save(people, project_id, prompt_id, draft, number):
    with write() as s:
        return prompts.save(s, people.reviewer, project_id, prompt_id, draft, number=number).number


def _deeds(prompt_id):
    with read() as s:
        lines = select(AuditLine).where(AuditLine.subject == "prompts", AuditLine.subject_id == prompt_id)
        return [(line.action, line.detail) for line in s.scalars(lines.order_by(AuditLine.id))]


def test_every_change_is_a_version_with_an_audit_line(people, project_id, saved):
    changed = replace(DRAFT, input="I found two ticks.", expected=("rash",))
    assert _save(people, project_id, saved, changed, 1) == 2
    assert _save(people, project_id, saved, changed, 2) == 2  # the same text: no third version
    with read() as s:
        newest, first = prompts.history(s, project_id, saved)
        assert (first.input, newest.input) == (DRAFT.input, "I found two ticks.")
        assert (first.created_by.username, newest.created_by.username) == ("clinician", "reviewer")
        assert first.tags == ["lay reader", "safety"]
        assert first.expected == ["rash", "flu-like | flu like"]
        assert [v.number for v in prompts.list_shelf(s, project_id)] == [2]
    assert _deeds(saved) == [("created", {"number": 1}), ("saved_prompt", {"number": 2})]


def test_a_stale_save_is_refused_with_both_texts(people, project_id, saved):
    _save(people, project_id, saved, replace(DRAFT, instruction="Theirs."), 1)
    mine = replace(DRAFT, instruction="Mine.")
    with pytest.raises(StalePromptError, match=r"Reviewer saved version 2 in the meantime") as refused:
        _save(people, project_id, saved, mine, 1)
    assert (refused.value.stored.instruction, refused.value.mine.instruction) == ("Theirs.", "Mine.")
    assert _save(people, project_id, saved, mine, 2) == 3


def test_a_removed_prompt_leaves_the_shelf_and_comes_back_with_its_versions(people, project_id, saved):
    with write() as s:
        prompts.remove(s, people.clinician, project_id, saved)
        prompts.remove(s, people.clinician, project_id, saved)
    with read() as s:
        assert prompts.list_shelf(s, project_id) == []
        assert [v.prompt_id for v in prompts.list_shelf(s, project_id, removed=True)] == [saved]
    with pytest.raises(ValueError, match=r"^prompt: it was taken off the shelf"):
        _save(people, project_id, saved, replace(DRAFT, input="x"), 1)
    with write() as s, pytest.raises(ValueError, match=r"^title: .* among the removed; put it back"):
        prompts.add(s, people.clinician, project_id, DRAFT)
    with write() as s:
        prompts.restore(s, people.clinician, project_id, saved)
    with read() as s:
        assert [v.number for v in prompts.list_shelf(s, project_id)] == [1]
    assert [action for action, _ in _deeds(saved)] == ["created", "removed_prompt", "put_back"]


def test_it_is_searched_by_words_specialty_tags_and_category(people, project_id, saved):
    other = PromptDraft(
        title="Read spirometry", instruction="Interpret.", category=Category.IE, tags=("lung",)
    )
    with write() as s:
        prompts.add(s, people.clinician, project_id, other)
    with read() as s:

        def titles(words="", **asked):
            return [v.prompt.title for v in prompts.search(s, project_id, words, **asked)]

        assert titles("TICK leg") == titles(specialty="infectious disease") == ["A tick on the leg"]
        assert titles(tags=("Safety", "lay reader")) == ["A tick on the leg"]
        assert titles(category=Category.IE) == titles("lung") == ["Read spirometry"]
        assert titles("tick spirometry") == titles(tags=("lung",), category=Category.QA) == []


def test_who_may_not_compare_may_not_change_the_shelf(people, project_id, saved):
    for act in (prompts.remove, prompts.restore):
        with write() as s, pytest.raises(PolicyError):
            act(s, people.author, project_id, saved)
    with write() as s, pytest.raises(PolicyError):
        prompts.add(s, people.author, project_id, replace(DRAFT, title="Another"))
    with read() as s, pytest.raises(LookupError, match="This project has no prompt number"):
        prompts.get(s, project_id + 1, saved)


@pytest.mark.parametrize("suffix", ["yaml", "jsonl"])
def test_the_shelf_goes_to_a_file_and_back_unchanged(people, project_id, saved, tmp_path, suffix):
    path = tmp_path / f"shelf.{suffix}"
    to_text = prompt_files.as_yaml if suffix == "yaml" else prompt_files.as_jsonl
    with read() as s:
        path.write_text(to_text(prompts.list_shelf(s, project_id)))
    assert prompt_files.read(path) == [DRAFT]
    with write() as s:
        prompts.remove(s, people.clinician, project_id, saved)
        again = prompt_files.bring_in(s, people.clinician, project_id, prompt_files.read(path))
        assert again == prompt_files.Imported(0, 0, 1)  # put back, and nothing else
        changed = [replace(DRAFT, input="Other."), replace(DRAFT, title="New")]
        done = prompt_files.bring_in(s, people.clinician, project_id, changed)
        assert done == prompt_files.Imported(1, 1, 0)
    with read() as s:
        assert [(v.prompt.title, v.number) for v in prompts.list_shelf(s, project_id)] == [
            ("A tick on the leg", 2),
            ("New", 1),
        ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"title": "A", "instruction": "Do."}\n{"title": ', r"line 2, column 11: not JSON"),
        ("a.jsonl", '\n{"title": "A"}', r"line 2: instruction: write what models are asked"),
        ("a.jsonl", '{"title": "A", "instruction": "x", "colour": 1}', r"line 1: colour: no such field"),
        (
            "a.yaml",
            "- title: A\n  instruction: x\n- title: A\n  instruction: y\n",
            r"line 3: title: a",
        ),
        ("a.yaml", "- title: 'A\n", r"line 2, column 1: not YAML"),
        ("a.yaml", "title: A", r"not a list of prompts"),
        ("a.yaml", "- title: A\n  instruction: x\n  tags: lung", r"line 1: tags: must be a list"),
        ("a.txt", "x", r"a.txt is no shelf"),
    ],
)
def test_a_bad_file_is_told_by_its_line_and_field(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^file: {said}"):
        prompt_files.read(path)


@pytest.mark.parametrize("name", ["prompts.yaml", "prompts-demo.yaml"])
def test_every_expected_fact_of_a_shipped_prompt_is_supported(name):
    """Where the answer is in the passage (tag *passage*), so is the fact; elsewhere the clinician's own note
    on what to watch for holds it, or the question does."""
    shelf = prompt_files.read(samples.SAMPLES / name)
    assert sum("passage" in draft.tags for draft in shelf) >= 5
    for draft in shelf:
        support = draft.input
        if "passage" not in draft.tags:
            support = "\n".join((draft.instruction, draft.input, draft.watch_for))
        assert 1 <= len(draft.expected) <= 4, draft.title
        unsupported = [fact.text for fact in expected.check(draft.expected, support) if not fact.is_found]
        assert not unsupported, (draft.title, unsupported)
