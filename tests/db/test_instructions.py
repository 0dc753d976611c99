import pytest

from db import audit, instructions, search
from db.content import Content, content_of
from db.enums import Category, InstructionStatus
from db.instructions import StaleVersionError
from db.policy import PolicyError
from db.search import InstructionQuery
from db.session import read, write

ASPIRIN = Content(
    instruction="Name the drug class of the medicine in the note.",
    input="Started aspirin 75 mg daily.",
    output="Antiplatelet.",
    category=Category.IE,
    task="drug_class",
)


def write_draft(actor, project_id, content=ASPIRIN) -> int:
    with write() as session:
        return instructions.create_instruction(session, actor, project_id, content).id


def test_a_new_instruction_is_a_draft_with_one_revision(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    with read() as session:
        stored = instructions.get_instruction(session, instruction_id)
        assert stored.status is InstructionStatus.DRAFT
        assert [content_of(revision) for revision in stored.revisions] == [ASPIRIN]


def test_every_edit_adds_a_revision_and_keeps_the_earlier_text(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    longer = Content(**{**ASPIRIN.__dict__, "output": "Antiplatelet agent."})
    with write() as session:
        instructions.edit_instruction(
            session, people.author, instruction_id, longer, version=1, reason="precise"
        )
    with read() as session:
        stored = instructions.get_instruction(session, instruction_id)
        assert [revision.output for revision in stored.revisions] == ["Antiplatelet.", "Antiplatelet agent."]
        assert stored.revisions[1].reason == "precise"


def test_saving_an_unchanged_text_adds_no_revision(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    with write() as session:
        stored = instructions.edit_instruction(session, people.author, instruction_id, ASPIRIN, version=1)
        assert stored.version == 1


def test_the_second_of_two_writers_is_refused_and_shown_what_is_stored(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    first = Content(**{**ASPIRIN.__dict__, "output": "First."})
    second = Content(**{**ASPIRIN.__dict__, "output": "Second."})
    with write() as session:
        instructions.edit_instruction(session, people.author, instruction_id, first, version=1)
    with pytest.raises(StaleVersionError) as refused, write() as session:
        instructions.edit_instruction(session, people.reviewer, instruction_id, second, version=1)
    assert refused.value.stored == first
    assert refused.value.stored_version == 2


def test_an_author_cannot_change_the_draft_of_another(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    with pytest.raises(PolicyError), write() as session:
        instructions.edit_instruction(session, people.other_author, instruction_id, ASPIRIN, version=1)


@pytest.mark.parametrize("role", ["trainer", "clinician"])
def test_only_writers_write(people, project_id, role):
    with pytest.raises(PolicyError, match="author"):
        write_draft(getattr(people, role), project_id)


def test_an_incomplete_draft_cannot_be_submitted(people, project_id):
    instruction_id = write_draft(
        people.author, project_id, Content("Name the drug class.", task="drug_class")
    )
    with pytest.raises(ValueError, match="^output:"), write() as session:
        instructions.submit_for_review(session, people.author, instruction_id, version=1)


def test_a_deleted_instruction_leaves_every_list_and_can_come_back(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    with write() as session:
        instructions.delete_instruction(session, people.author, instruction_id)
    with read() as session:
        assert search.search_instructions(session, project_id, InstructionQuery()).total == 0
        with pytest.raises(LookupError):
            instructions.get_instruction(session, instruction_id)
    with write() as session:
        instructions.delete_instruction(session, people.author, instruction_id, deleted=False)
    with read() as session:
        assert search.search_instructions(session, project_id, InstructionQuery()).total == 1


def test_pages_follow_each_other_without_gap_or_repeat(people, project_id):
    written = [write_draft(people.author, project_id, Content(f"Question {number}")) for number in range(7)]
    seen, after = [], None
    with read() as session:
        while True:
            page = search.search_instructions(session, project_id, InstructionQuery(), after=after, limit=3)
            seen += [row.id for row in page.rows]
            after = page.next_after
            if after is None:
                break
    assert seen == written[::-1]
    assert page.total == 7


def test_search_finds_text_literally_and_ignores_case(people, project_id):
    write_draft(people.author, project_id, Content("Explain a 50% reduction in eGFR."))
    write_draft(people.author, project_id, Content("Explain a 500 mg dose."))
    with read() as session:
        found = search.search_instructions(session, project_id, InstructionQuery(text="50% REDUCTION"))
        assert [row.instruction for row in found.rows] == ["Explain a 50% reduction in eGFR."]


def test_the_audit_tells_of_the_submission_without_its_text(people, project_id):
    instruction_id = write_draft(people.author, project_id)
    with write() as session:
        instructions.submit_for_review(session, people.author, instruction_id, version=1)
    with read() as session:
        line = audit.list_lines(session, limit=1)[0]
        assert (line.action, line.subject_id, line.actor_id) == (
            "submitted",
            instruction_id,
            people.author.id,
        )
        assert "aspirin" not in str(line.detail).lower()


COMPLETE = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")


def test_what_one_may_submit_at_once_are_ones_own_complete_drafts_among_the_matches(people, project_id):
    write_draft(people.author, project_id, COMPLETE)
    write_draft(people.author, project_id, Content("Which organ does nephritis inflame?", task="qa"))
    write_draft(people.other_author, project_id, COMPLETE)
    write_draft(people.author, project_id)
    query = InstructionQuery(text="inflame")
    with read() as session:
        assert instructions.count_ready_drafts(session, people.author, project_id, query) == 1
