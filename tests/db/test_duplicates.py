from dataclasses import replace

import pytest

from db import audit, duplicates, instructions
from db.content import Content
from db.duplicates import DuplicateRule, Kind
from db.exchange.plan import Outcome, PlannedRow
from db.exchange.screening import NearCopy, Screening
from db.policy import PolicyError
from db.projects import create_project, get_project
from db.session import read, write

METFORMIN = Content("Describe in plain words the common side effects of metformin in adults.")
LISINOPRIL = Content("Describe in plain words the common side effects of lisinopril in adults.")
REWORDED = Content("Explain in plain words the common side effects of metformin in adults.")
OTHER = Content("Which bones form the wrist?")


def store(actor, project_id, *contents: Content) -> list[int]:
    with write() as session:
        return [
            instructions.create_instruction(session, actor, project_id, content).id for content in contents
        ]


def find(project_id, content, *, except_ids=()):
    with read() as session:
        return duplicates.find_near(session, project_id, content, except_ids=except_ids)


def stops(project_id, content) -> bool:
    found = find(project_id, content)
    return found is not None and found.stops


def require_no_copy(actor, instruction_id) -> None:
    with write() as session:
        duplicates.require_no_copy(session, actor, instructions.get_instruction(session, instruction_id))


def waive(actor, instruction_id, near_id, *, version=1, reason="Both wordings are asked for."):
    with write() as session:
        duplicates.waive(session, actor, instruction_id, near_id, version=version, reason=reason)


def screened(project_id, *contents) -> list[tuple | None]:
    """What stops each row of a list: (id, row, score, kind), the row by its place from 0."""
    with read() as session:
        screening = Screening(session, project_id)
        screening.look([PlannedRow(row, row, Outcome.NEW, one) for row, one in enumerate(contents)])
    near = {found.row.number: found for found in screening.result().first_near}
    return [_near(near.get(row)) for row in range(len(contents))]


def _near(found: NearCopy | None) -> tuple | None:
    return found and (found.id, found.line, found.score, found.kind)


# The nearest one ------------------------------------------------------------------------------------


def test_a_reworded_copy_stops_and_a_swapped_drug_passes(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    copy, variant = find(project_id, REWORDED), find(project_id, LISINOPRIL)
    assert (copy.id, copy.kind, copy.stops) == (stored, Kind.COPY, True)
    assert (variant.id, variant.kind, variant.stops) == (stored, Kind.VARIANT, False)
    assert copy.score == variant.score == 11 / 12


def test_a_variant_stops_above_its_own_bound(people, project_id):
    passage = " ".join(f"finding{number}" for number in range(60))
    store(people.author, project_id, replace(METFORMIN, input=passage))
    found = find(project_id, replace(LISINOPRIL, input=f"{passage} again"))
    assert (found.kind, found.stops, found.bound) == (Kind.VARIANT, True, 0.95)


def test_two_questions_on_one_passage_are_no_copies_and_one_question_asked_twice_is(people, project_id):
    passage = " ".join(f"finding{number}" for number in range(60))
    store(people.author, project_id, replace(METFORMIN, input=passage), replace(OTHER, input=passage))
    assert not stops(project_id, replace(LISINOPRIL, input=passage))
    again = find(project_id, replace(REWORDED, input=passage))
    assert (again.kind, again.stops, again.score) == (Kind.COPY, True, 11 / 12)
    rows = [replace(one, input="Quite another passage. " * 20) for one in (METFORMIN, OTHER, REWORDED)]
    assert screened(project_id, *rows) == [None, None, (None, 0, 11 / 12, Kind.COPY)]


def test_what_is_not_near_enough_to_stop_is_shown_and_passes(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    found = find(project_id, Content("Describe the common side effects of metformin for an old nurse."))
    assert (found.id, found.score, found.kind, found.stops) == (stored, 14 / 23, Kind.NONE, False)


def test_nothing_is_told_of_what_lies_far(people, project_id):
    store(people.author, project_id, METFORMIN)
    assert find(project_id, Content("Name the common bones of the wrist in adults.")) is None


def test_a_copy_behind_a_nearer_variant_decides(people, project_id):
    _, copy = store(people.author, project_id, LISINOPRIL, REWORDED)
    found = find(project_id, replace(METFORMIN, instruction=METFORMIN.instruction + " Be brief."))
    assert (found.id, found.stops) == (copy, True)


def test_the_input_counts_and_the_output_does_not(people, project_id):
    (stored,) = store(people.author, project_id, replace(OTHER, input="A fall on the hand.", output="Eight."))
    assert find(project_id, replace(OTHER, input="A fall on the hand.")).score == 1
    assert find(project_id, OTHER, except_ids={stored}) is None
    assert find(project_id, OTHER).score < 1


def test_an_edit_a_deletion_and_its_undoing_are_seen_at_once(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    assert find(project_id, REWORDED).stops
    with write() as session:
        instructions.edit_instruction(session, people.author, stored, OTHER, version=1)
    assert not stops(project_id, REWORDED)
    assert find(project_id, OTHER).score == 1
    with write() as session:
        instructions.delete_instruction(session, people.author, stored)
    assert find(project_id, OTHER) is None
    with write() as session:
        instructions.delete_instruction(session, people.author, stored, deleted=False)
    assert find(project_id, OTHER).id == stored


def test_another_project_is_another_pool(people, project_id):
    store(people.author, project_id, METFORMIN)
    with write() as session:
        other = create_project(session, people.admin, name="Ward 8").id
    assert find(other, METFORMIN) is None


def test_what_was_rolled_back_is_forgotten_even_when_its_number_is_given_again(people, project_id):
    store(people.author, project_id, OTHER)
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, METFORMIN)
        assert duplicates.find_near(session, project_id, METFORMIN).score == 1
        session.rollback()
    assert not stops(project_id, METFORMIN)
    (stored,) = store(people.author, project_id, LISINOPRIL)
    assert (find(project_id, LISINOPRIL).id, find(project_id, LISINOPRIL).score) == (stored, 1)


def test_an_edit_of_the_same_transaction_hides_the_text_before_it(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    assert find(project_id, METFORMIN).score == 1
    with write() as session:
        instructions.edit_instruction(session, people.author, stored, OTHER, version=1)
        assert duplicates.find_near(session, project_id, METFORMIN) is None
        assert duplicates.find_near(session, project_id, OTHER).id == stored


# A list ---------------------------------------------------------------------------------------------


def test_rows_are_held_against_what_is_stored_and_against_the_rows_before_that_passed(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    rows = [OTHER, REWORDED, LISINOPRIL, replace(OTHER, instruction="Which bones form the wrist, please?")]
    assert screened(project_id, *rows) == [
        None,
        (stored, None, 11 / 12, Kind.COPY),
        None,
        (None, 0, 10 / 11, Kind.COPY),
    ]


def test_a_list_decides_as_one_row_after_another_would(people, project_id):
    drugs = ["metformin", "lisinopril", "aspirin"]
    verbs = ["Describe", "Explain", "Sum up", "Ask about"]
    rows = [
        Content(f"{verb} the side effects of {drug} in adults over {age}.")
        for verb in verbs
        for drug in drugs
        for age in (60, 70)
    ]
    at_once = [near is not None for near in screened(project_id, *rows)]
    one_by_one = []
    for row in rows:
        found = find(project_id, row)
        one_by_one.append(bool(found and found.stops))
        if not one_by_one[-1]:
            store(people.author, project_id, row)
    assert at_once == one_by_one
    assert any(at_once)
    assert not all(at_once)


# The gate and its waivers ---------------------------------------------------------------------------


def test_the_gate_names_the_nearest_one_and_what_to_do(people, project_id):
    stored, copy = store(people.author, project_id, METFORMIN, REWORDED)
    with pytest.raises(ValueError, match=f"^instruction: a near copy of number {stored} .*0.917.*why"):
        require_no_copy(people.author, copy)


def test_a_text_far_from_all_others_passes_the_gate(people, project_id):
    _, other = store(people.author, project_id, METFORMIN, OTHER)
    require_no_copy(people.author, other)


def test_a_waiver_lets_one_version_stand_beside_one_record(people, project_id):
    stored, copy = store(people.author, project_id, METFORMIN, REWORDED)
    waive(people.author, copy, stored, reason="  Both wordings are asked for. ")
    require_no_copy(people.author, copy)
    with read() as session:
        (waiver,) = duplicates.list_waivers(session, instructions.get_instruction(session, copy))
        assert (waiver.near_id, waiver.version, waiver.actor_id) == (stored, 1, people.author.id)
        assert (waiver.score, waiver.reason) == (11 / 12, "Both wordings are asked for.")
        line = audit.list_lines(session)[0]
        assert (line.action, line.subject_id) == ("duplicate_waived", copy)
        assert line.detail == {"version": 1, "near_id": stored, "score": 11 / 12}
    third = replace(METFORMIN, instruction=METFORMIN.instruction + " Please.")
    (stored_third,) = store(people.author, project_id, third)
    with pytest.raises(ValueError, match=f"number {stored_third} "):
        require_no_copy(people.author, copy)


def test_the_next_revision_has_to_be_waived_again(people, project_id):
    stored, copy = store(people.author, project_id, METFORMIN, REWORDED)
    waive(people.author, copy, stored)
    with write() as session:
        edited = replace(REWORDED, output="Nausea.")
        instructions.edit_instruction(session, people.author, copy, edited, version=1)
    with pytest.raises(ValueError, match="near copy"):
        require_no_copy(people.author, copy)
    with pytest.raises(ValueError, match="newer version"):
        waive(people.author, copy, stored, version=1)
    waive(people.author, copy, stored, version=2)
    require_no_copy(people.author, copy)


@pytest.mark.parametrize("reason", [" ", "x" * 2001])
def test_a_waiver_needs_a_reason_of_readable_length(people, project_id, reason):
    stored, copy = store(people.author, project_id, METFORMIN, REWORDED)
    with pytest.raises(ValueError, match="^reason:"):
        waive(people.author, copy, stored, reason=reason)


def test_a_waiver_names_another_record_of_the_project(people, project_id):
    (copy,) = store(people.author, project_id, REWORDED)
    with pytest.raises(ValueError, match="^near:"):
        waive(people.author, copy, copy)
    with pytest.raises(LookupError):
        waive(people.author, copy, copy + 1)


def test_only_the_author_or_a_reviewer_waives(people, project_id):
    stored, copy = store(people.author, project_id, METFORMIN, REWORDED)
    for actor in (people.other_author, people.clinician):
        with pytest.raises(PolicyError):
            waive(actor, copy, stored)
    waive(people.reviewer, copy, stored)


# The project's bounds -------------------------------------------------------------------------------


def test_the_bounds_are_the_projects_and_changing_them_changes_what_stops(people, project_id):
    store(people.author, project_id, METFORMIN)
    with write() as session:
        duplicates.set_rule(session, people.admin, project_id, DuplicateRule(copy=0.95, variant=0.95))
        assert audit.list_lines(session)[0].detail == {"copy": 0.95, "variant": 0.95}
    assert not stops(project_id, REWORDED)
    with write() as session:
        duplicates.set_rule(session, people.admin, project_id, DuplicateRule(copy=0.6, variant=0.6))
    with read() as session:
        assert duplicates.rule_of(get_project(session, project_id)) == DuplicateRule(0.6, 0.6)
    assert find(project_id, LISINOPRIL).stops


def test_only_an_admin_sets_the_bounds(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        duplicates.set_rule(session, people.reviewer, project_id, DuplicateRule())


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ({"copy": 0}, "copy"),
        ({"copy": 70}, "copy"),
        ({"copy": float("nan")}, "copy"),
        ({"copy": "0.7"}, "copy"),
        ({"copy": True}, "copy"),
        ({"variant": 1.01}, "variant"),
        ({"copy": 0.8, "variant": 0.75}, "variant"),
        ({"variant": None}, "variant"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(bounds, field):
    with pytest.raises(ValueError, match=f"^{field}:"):
        DuplicateRule(**bounds)
