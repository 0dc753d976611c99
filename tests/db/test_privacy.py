import pytest
from sqlalchemy import select

from db import audit, instructions, privacy, privacy_sweep
from db.content import Content
from db.enums import InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine, Instruction, PrivacyFlag, Revision

CLEAN = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")
LETTER = Content(
    "Summarise the letter.",
    input="Ms Example, MRN 1234567, was admitted on 3 March 2025.",
    output="Admitted on 3 March 2025.",
    task="summarization",
)
INVENTED = "An invented patient."


def stored(people, project_id, content=LETTER) -> int:
    """The id of a new record of the author's, flagged as a save does it."""
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, content)
        privacy.flag(session, row)
        return row.id


def edited(people, instruction_id, content, *, version=1) -> None:
    with write() as session:
        row = instructions.edit_instruction(session, people.author, instruction_id, content, version=version)
        privacy.flag(session, row)


def flagged() -> set[int]:
    """The records with an open flag on the head."""
    with read() as session:
        return set(session.scalars(select(Instruction.id).where(privacy.has_open_flag())))


def clear_all(actor, instruction_id, version=1) -> None:
    with write() as session:
        for one in privacy.open_flags(session, instruction_id, version):
            privacy.clear(session, actor, one.id, INVENTED)


def open_texts(instruction_id, version) -> list[tuple[str, str]]:
    with read() as session:
        query = select(Revision).where(Revision.instruction_id == instruction_id, Revision.number == version)
        revision = session.scalars(query).one()
        return [
            (one.field, privacy.text_of(revision, one.field)[one.span_start : one.span_end])
            for one in privacy.open_flags(session, instruction_id, version)
        ]


# Scanning -----------------------------------------------------------------------------------------------


def test_a_scan_names_field_place_and_kind_and_says_what_it_could_not_check():
    report = privacy.scan(LETTER)
    assert [(one.field, one.kind) for one in report.flags] == [
        ("input", "record number"),
        ("input", "date"),
        ("output", "date"),
    ]
    first = report.flags[0]
    assert LETTER.input[first.start : first.end] == "1234567"
    assert any("dates" in line for line in report.checked)
    assert any("names of people" in line for line in report.not_checked)


def test_every_field_is_scanned_tags_too():
    content = Content(
        "MRN 1234567",
        task="call 01632 960456",
        specialty="a@b.de",
        tags=("old", "mrn 7654321"),
        source="SSN 536-90-4399",
    )
    found = [
        (one.field, privacy.text_of(content, one.field)[one.start : one.end])
        for one in privacy.scan(content).flags
    ]
    assert found == [
        ("instruction", "1234567"),
        ("task", "01632 960456"),
        ("specialty", "a@b.de"),
        ("tags", "7654321"),
        ("source", "536-90-4399"),
    ]


def test_a_web_address_is_welcome_in_the_source_alone():
    address = "https://www.some-journal.org/article/77"
    assert privacy.scan(Content("Explain.", source=address)).flags == ()
    assert len(privacy.scan(Content("Explain.", input=address)).flags) == 1


# Storing ------------------------------------------------------------------------------------------------


def test_flags_are_stored_once_however_often_a_version_is_checked(people, project_id):
    id = stored(people, project_id)
    with write() as session:
        again = privacy.flag(session, session.get_one(Instruction, id))
        assert len(again) == 3
    with read() as session:
        assert len(list(session.scalars(select(PrivacyFlag)))) == 3


def test_the_flagged_text_is_in_no_flag_and_no_audit_line(people, project_id):
    id = stored(people, project_id)
    clear_all(people.reviewer, id)
    with read() as session:
        rows = [*session.scalars(select(PrivacyFlag)), *session.scalars(select(AuditLine))]
        kept = repr([{c.name: getattr(row, c.name) for c in row.__table__.columns} for row in rows])
        assert "1234567" not in kept
        assert "March" not in kept


def test_a_clean_record_gets_no_flag(people, project_id):
    id = stored(people, project_id, CLEAN)
    with read() as session:
        assert privacy.list_flags(session, id, 1) == []


def test_many_are_flagged_at_once_with_findings_made_before_the_lock(people, project_id):
    contents = [CLEAN, LETTER, Content("Call 01632 960456."), CLEAN]
    found = [privacy.find_flags(content) for content in contents]
    with write() as session:
        rows = [
            instructions.create_instruction(session, people.author, project_id, content)
            for content in contents
        ]
        assert privacy.flag_many(session, rows, found) == 4
        assert privacy.flag_many(session, rows) == 0
        ids = [row.id for row in rows]
    assert flagged() == {ids[1], ids[2]}


def test_revisions_can_be_flagged_as_the_heads_are(people, project_id):
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, LETTER)
        id = row.id
        instructions.edit_instruction(session, people.author, id, CLEAN, version=1)
        revisions = list(session.scalars(select(Revision).where(Revision.instruction_id == id)))
        assert privacy.flag_many(session, revisions) == 3
    with read() as session:
        assert len(privacy.open_flags(session, id, 1)) == 3
        assert privacy.open_flags(session, id, 2) == []


# Clearing -----------------------------------------------------------------------------------------------


def test_clearing_takes_the_right_and_a_reason_and_leaves_a_line(people, project_id):
    id = stored(people, project_id)
    with read() as session:
        first = privacy.open_flags(session, id, 1)[0].id
    with pytest.raises(PolicyError, match="clear privacy flags"), write() as session:
        privacy.clear(session, people.author, first, INVENTED)
    with pytest.raises(ValueError, match="^reason:"), write() as session:
        privacy.clear(session, people.reviewer, first, "  ")
    with write() as session:
        privacy.clear(session, people.reviewer, first, INVENTED)
    with read() as session:
        assert len(privacy.open_flags(session, id, 1)) == 2
        line = audit.list_lines(session, limit=1)[0]
        assert (line.action, line.subject_id, line.actor_id) == (
            "cleared_privacy_flag",
            id,
            people.reviewer.id,
        )
        assert line.detail == {"version": 1, "flag_id": first, "field": "input", "kind": "record number"}


def test_a_reason_may_not_quote_the_flagged_text(people, project_id):
    id = stored(people, project_id)
    with read() as session:
        first = privacy.open_flags(session, id, 1)[0].id
    with pytest.raises(ValueError, match="^reason: it repeats"), write() as session:
        privacy.clear(session, people.reviewer, first, "1234567 is made up")


def test_a_flag_is_cleared_once_and_an_unknown_one_never(people, project_id):
    id = stored(people, project_id)
    clear_all(people.reviewer, id)
    with read() as session:
        first = privacy.list_flags(session, id, 1)[0].id
    with pytest.raises(ValueError, match="^flag:"), write() as session:
        privacy.clear(session, people.other_reviewer, first, INVENTED)
    with pytest.raises(LookupError), write() as session:
        privacy.clear(session, people.reviewer, 999, INVENTED)


def test_a_clearance_holds_on_where_the_same_text_stays_in_the_same_field(people, project_id):
    id = stored(people, project_id)
    clear_all(people.reviewer, id)
    moved = Content(
        "Summarise the letter in one sentence.",
        input=f"Dear colleague. {LETTER.input} Ring 01632 960456.",
        output="MRN 1234567 was admitted.",
        task="summarization",
    )
    edited(people, id, moved)
    assert open_texts(id, 2) == [("input", "01632 960456"), ("output", "1234567")]
    with read() as session:
        carried = [one for one in privacy.list_flags(session, id, 2) if one.cleared_at]
        assert [one.kind for one in carried] == ["record number", "date"]
        assert {one.cleared_by_id for one in carried} == {people.reviewer.id}
        assert {one.cleared_reason for one in carried} == {INVENTED}


def test_a_text_that_stood_uncleared_beside_a_cleared_one_stays_open(people, project_id):
    twice = Content("MRN 1234567 and again MRN 1234567.", output="x", task="qa")
    id = stored(people, project_id, twice)
    with write() as session:
        privacy.clear(session, people.reviewer, privacy.open_flags(session, id, 1)[0].id, INVENTED)
    edited(people, id, Content("Now MRN 1234567.", output="x", task="qa"))
    assert open_texts(id, 2) == [("instruction", "1234567")]


def test_a_text_that_was_away_for_a_version_is_asked_about_again(people, project_id):
    id = stored(people, project_id)
    clear_all(people.reviewer, id)
    edited(people, id, CLEAN, version=1)
    edited(people, id, LETTER, version=2)
    assert len(open_texts(id, 3)) == 3


# Blocking -----------------------------------------------------------------------------------------------


def test_a_flagged_record_is_held_back_with_field_and_mend_until_it_is_cleared(people, project_id):
    id = stored(people, project_id)
    with pytest.raises(ValueError, match=r"^input: .*record number and 2 more.*clear each.*to approve\.$"):  # noqa: SIM117
        with write() as session:
            privacy.require_clean(session, session.get_one(Instruction, id))
    clear_all(people.reviewer, id)
    with write() as session:
        privacy.require_clean(session, session.get_one(Instruction, id))


def test_the_refusal_does_not_quote_the_text(people, project_id):
    id = stored(people, project_id)
    with pytest.raises(ValueError) as refusal, write() as session:
        privacy.require_clean(session, session.get_one(Instruction, id), doing="freeze")
    assert "1234567" not in str(refusal.value)
    assert str(refusal.value).endswith("to freeze.")


def test_a_record_from_before_the_check_is_checked_when_it_is_approved(people, project_id):
    with write() as session:
        id = instructions.create_instruction(session, people.author, project_id, LETTER).id
        for one in session.scalars(select(PrivacyFlag)):
            session.delete(one)
    with pytest.raises(ValueError, match="^input:"), write() as session:
        privacy.require_clean(session, session.get_one(Instruction, id))


def test_a_flag_on_the_head_alone_holds_a_record_back(people, project_id):
    id = stored(people, project_id, CLEAN)
    with write() as session:
        row = session.get_one(Instruction, id)
        row.status, row.approved_version = InstructionStatus.APPROVED, 1
    edited(people, id, LETTER)
    assert flagged() == {id}
    edited(people, id, CLEAN, version=2)
    assert flagged() == set()


def test_a_whole_project_is_checked_again_heads_and_texts_in_force(people, project_id):
    id = stored(people, project_id)
    with write() as session:
        session.get_one(Instruction, id).approved_version = 1
    edited(people, id, Content("Call 01632 960456.", output="x", task="qa"))
    with write() as session:
        for one in session.scalars(select(PrivacyFlag)):
            session.delete(one)
    assert privacy_sweep.sweep(people.admin, project_id).flags == 4
    assert privacy_sweep.sweep(people.admin, project_id).flags == 0
    assert len(open_texts(id, 1)) == 3
    assert open_texts(id, 2) == [("instruction", "01632 960456")]
