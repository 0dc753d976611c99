import json
from dataclasses import replace

import pytest

from db import duplicates, instructions
from db.checks.contamination import EvaluationSet, HitKind
from db.content import Content
from db.duplicates import DuplicateRule
from db.enums import Category, Origin
from db.exchange.plan import Outcome, PlannedRow
from db.exchange.screening import Kind, Screening
from db.generating.dry_run import MOST_EXAMPLES, dry_run
from db.generating.funnel import Counts, Funnel, Stage, Verdict
from db.generating.grounding import Lack
from db.generating.profiles import BIOMEDICAL, CLASSIC, PhiRule
from db.generating.replies import Item
from db.projects import get_project
from db.session import read, write

METFORMIN = Content(
    "Describe in plain words the common side effects of metformin in adults.", output="Nausea."
)
LISINOPRIL = replace(METFORMIN, instruction=METFORMIN.instruction.replace("metformin", "lisinopril"))
REWORDED = replace(METFORMIN, instruction=METFORMIN.instruction.replace("Describe", "Explain"))
BONES = Content("Which eight bones form the human wrist?", output="Scaphoid and seven more.")


def store(actor, project_id, *contents: Content, origin=Origin.SEED) -> list[int]:
    with write() as session:
        return [
            instructions.create_instruction(session, actor, project_id, content, origin=origin).id
            for content in contents
        ]


def funnel(project_id, profile=BIOMEDICAL, eval_sets=()) -> Funnel:
    with read() as session:
        return Funnel(session, get_project(session, project_id), profile, eval_sets)


def judge(project_id, *contents: Content, profile=BIOMEDICAL, eval_sets=(), **how) -> list[Verdict]:
    return funnel(project_id, profile, eval_sets).judge(list(map(Item, contents)), **how)


def stages(verdicts) -> list[Stage]:
    return [verdict.stage for verdict in verdicts]


# One filter after another ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Content("Define sepsis.", output="a"), "instruction too short"),
        (Content("word " * 401, output="a"), "instruction too long"),
        (Content("What is asked here?", "word " * 1_501, "a"), "input too long"),
        (Content("What is asked here?", "text"), "output too short"),
        (Content("What is asked here?", "text", "word " * 1_501), "output too long"),
    ],
)
def test_lengths_are_counted_in_words_of_each_field(project_id, content, reason):
    [verdict] = judge(project_id, content)
    assert (verdict.stage, verdict.reason) == (Stage.LENGTH, reason)
    assert verdict.detail.startswith(f"{reason.split()[0]}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (replace(BONES, instruction="Sum up the following passage in a sentence."), "input: empty, though"),
        (replace(BONES, output="As an AI language model I cannot say."), "output: speaks as a model"),
        (replace(BONES, output="Scaphoid, lunate,"), "output: ends in the middle"),
        (replace(BONES, input="An x-ray.", output="An X-ray."), "output: repeats the input"),
    ],
)
def test_an_unsound_text_falls_by_default(project_id, content, reason):
    [verdict] = judge(project_id, content)
    assert verdict.stage is Stage.BLACKLIST
    assert verdict.reason.startswith(reason)


def test_a_copy_falls_and_names_the_stored_record_and_another_drug_is_kept(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    copy, variant = judge(project_id, REWORDED, LISINOPRIL)
    assert (copy.stage, copy.reason) == (Stage.DUPLICATE, "copy of a stored record")
    assert (copy.near.id, copy.near.row, copy.near.score, copy.near.kind) == (
        stored,
        None,
        11 / 12,
        Kind.COPY,
    )
    assert f"number {stored} " in copy.detail
    assert variant.is_kept


def test_a_copy_of_one_kept_earlier_falls_and_of_one_that_fell_does_not(project_id):
    phi = replace(METFORMIN, output="Call 020 7946 0958 for advice.")
    first, second, third, fourth = judge(project_id, phi, METFORMIN, BONES, REWORDED)
    assert stages([first, second, third, fourth]) == [Stage.PHI, Stage.KEPT, Stage.KEPT, Stage.DUPLICATE]
    assert (fourth.near.id, fourth.near.row) == (None, 0)
    assert fourth.reason == "copy of one kept earlier"


def test_earlier_ones_count_over_all_calls_of_a_run(project_id):
    one = funnel(project_id)
    assert stages(one.judge([Item(METFORMIN)])) == [Stage.KEPT]
    assert stages(one.judge([Item(REWORDED)])) == [Stage.DUPLICATE]
    assert one.kept == 1


def test_the_projects_rule_of_duplicates_is_the_defaults(people, project_id):
    store(people.author, project_id, METFORMIN)
    with write() as session:
        duplicates.set_rule(session, people.admin, project_id, DuplicateRule(copy=0.95, variant=0.95))
    assert stages(judge(project_id, REWORDED)) == [Stage.KEPT]


def test_it_decides_as_the_duplicate_gate_does(people, project_id):
    drugs, verbs = ["metformin", "lisinopril", "aspirin"], ["Describe", "Explain", "Sum up", "Ask about"]
    rows = [
        Content(f"{verb} the side effects of {drug} in adults over {age}.", output="a")
        for verb in verbs
        for drug in drugs
        for age in (60, 70)
    ]
    store(people.author, project_id, *rows[:3])
    with read() as session:
        screening = Screening(session, project_id, first=len(rows))
        screening.look([PlannedRow(row, row, Outcome.NEW, one) for row, one in enumerate(rows)])
    near = screening.result().near
    theirs = [row in near for row in range(len(rows))]
    ours = [verdict.stage is Stage.DUPLICATE for verdict in judge(project_id, *rows)]
    assert ours == theirs
    assert 0 < sum(ours) < len(ours)


def test_deleted_records_are_no_duplicates_and_new_ones_are_after_catching_up(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    one = funnel(project_id)
    with write() as session:
        instructions.delete_instruction(session, people.author, stored)
    store(people.author, project_id, BONES)
    with read() as session:
        assert one.catch_up(session) == 1
        assert one.catch_up(session) == 0
    assert stages(one.judge([Item(REWORDED), Item(BONES)])) == [Stage.KEPT, Stage.DUPLICATE]


def test_a_record_that_is_restored_is_a_duplicate_again(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    for deleted, stage in ((True, Stage.KEPT), (False, Stage.DUPLICATE)):
        one = funnel(project_id)
        with write() as session:
            instructions.delete_instruction(session, people.author, stored, deleted=deleted)
        with read() as session:
            one.catch_up(session)
        assert stages(one.judge([Item(REWORDED)])) == [stage]
    one = funnel(project_id)
    for deleted in (True, False):
        with write() as session:
            instructions.delete_instruction(session, people.author, stored, deleted=deleted)
        with read() as session:
            one.catch_up(session)
    assert stages(one.judge([Item(REWORDED)])) == [Stage.DUPLICATE]


def test_two_questions_on_one_passage_are_kept_and_the_same_one_twice_is_not(people, project_id):
    passage = " ".join(f"Finding {number} was seen on day {number}." for number in range(40))
    first = Content("On which day was finding 3 seen?", passage, "Day 3.", Category.QA)
    other = Content("Which finding was seen on day 9, by number?", passage, "Finding 9.", Category.QA)
    again = replace(first, instruction="On which day was finding 3 seen, please?")
    (stored,) = store(people.author, project_id, first)
    verdicts = judge(project_id, other, again, other, from_passage=True)
    assert stages(verdicts) == [Stage.KEPT, Stage.DUPLICATE, Stage.DUPLICATE]
    assert (verdicts[1].near.id, verdicts[2].near.row) == (stored, 0)
    assert stages(judge(project_id, other)) == [Stage.DUPLICATE]
    assert stages(judge(project_id, other, shares_input=True)) == [Stage.KEPT]
    moved = replace(first, input=f"{passage} Nothing else.")
    assert stages(judge(project_id, moved, from_passage=True)) == [Stage.DUPLICATE]


def test_an_edited_record_is_compared_by_its_newest_text(people, project_id):
    (stored,) = store(people.author, project_id, METFORMIN)
    with write() as session:
        instructions.edit_instruction(session, people.author, stored, BONES, version=1)
    assert stages(judge(project_id, REWORDED, BONES)) == [Stage.KEPT, Stage.DUPLICATE]


def test_patient_data_falls_or_is_kept_with_its_flags(project_id):
    text = replace(BONES, input="Seen on 14 March 2021, MRN 4471882.")
    [dropped] = judge(project_id, text)
    assert (dropped.stage, dropped.reason) == (Stage.PHI, dropped.flags[0].kind)
    assert "4471882" not in dropped.detail
    [kept] = judge(project_id, text, profile=replace(BIOMEDICAL, phi=PhiRule.FLAG))
    assert kept.is_kept
    assert kept.flags == dropped.flags != ()


def test_a_record_with_an_evaluation_text_falls_and_names_it(project_id):
    sets = [EvaluationSet.of_texts("held out", ["What is QT?", BONES.instruction])]
    first, second = judge(project_id, METFORMIN, BONES, eval_sets=sets)
    assert first.is_kept
    assert (second.stage, second.reason) == (Stage.CONTAMINATED, HitKind.EXACT)
    assert (second.hit.set_name, second.hit.probe) == ("held out", 1)
    assert second.detail == "It holds text 2 of held out (exact, 1)."


def test_a_draft_from_a_passage_falls_where_the_passage_does_not_support_it(project_id):
    passage = "Amoxicillin 500 mg was given for five days. There was no rash."
    good = Content("Which drug was given, and how long?", passage, "Amoxicillin for five days.", Category.QA)
    bad = Content("Was there a rash on the skin?", passage, "There was a rash.", Category.QA)
    first, second = judge(project_id, good, bad, from_passage=True)
    assert first.is_kept
    assert (second.stage, second.reason) == (Stage.GROUNDED, "not in the passage: denial")
    assert second.lacks[0].lack is Lack.DENIAL
    assert stages(judge(project_id, bad)) == [Stage.KEPT]


def test_the_first_filter_that_stops_a_record_is_the_one_named(people, project_id):
    store(people.author, project_id, METFORMIN)
    sets = [EvaluationSet.of_texts("held out", [METFORMIN.instruction])]
    rows = [
        replace(METFORMIN, output=""),
        replace(METFORMIN, output="Nausea, on 14 March 2021,"),
        replace(METFORMIN, output="Nausea on 14 March 2021."),
        replace(BONES, input="Seen on 14 March 2021.", output=METFORMIN.instruction),
        replace(BONES, output=METFORMIN.instruction),
        BONES,
    ]
    assert stages(judge(project_id, *rows, eval_sets=sets)) == [
        Stage.LENGTH,
        Stage.BLACKLIST,
        Stage.DUPLICATE,
        Stage.PHI,
        Stage.CONTAMINATED,
        Stage.KEPT,
    ]


def test_a_verdict_is_plain_values_for_the_database(people, project_id):
    store(people.author, project_id, METFORMIN)
    phi = replace(BONES, input="Seen on 14 March 2021.")
    for verdict in judge(project_id, REWORDED, phi, BONES):
        stored = json.loads(json.dumps(verdict.record()))
        assert stored["stage"] == verdict.stage
    assert stored == {"stage": "kept"}


def test_details_never_quote_the_record(project_id):
    rows = [
        replace(METFORMIN, output=""),
        replace(METFORMIN, output="As an AI language model, sesquipedalian."),
        replace(METFORMIN, input="MRN 4471882 sesquipedalian."),
    ]
    for verdict in judge(project_id, *rows):
        assert not verdict.is_kept
        assert not {"metformin", "sesquipedalian", "4471882"} & set(verdict.detail.replace(".", " ").split())


# The two profiles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instruction",
    [
        "Describe what this CT image of the chest would show in sarcoidosis.",
        "Explain how to read a Kaplan-Meier plot to a junior doctor.",
        "State how much blood to draw for two sets of cultures.",
        "Name what a complete patient file should hold after surgery.",
        "β-blockers or ACE inhibitors: which lower mortality after infarction?",
        "5 units of insulin were given: what should the nurse check next?",
    ],
)
def test_what_the_classic_rules_drop_wrongly_the_default_keeps(project_id, instruction):
    content = Content(instruction, output="An answer.")
    assert stages(judge(project_id, content)) == [Stage.KEPT]
    if instruction[0] != "5":
        assert stages(judge(project_id, content, profile=CLASSIC)) == [Stage.BLACKLIST]


@pytest.mark.parametrize(
    ("instruction", "stage", "reason"),
    [
        ("Name three antibiotics", Stage.LENGTH, "instruction too short"),
        ("word " * 151, Stage.LENGTH, "instruction too long"),
        ("Name three good antibiotics", Stage.KEPT, ""),
        ("word " * 150, Stage.KEPT, ""),
        ("Please Draw a table of drugs", Stage.BLACKLIST, "blacklisted word"),
        ("Withdraw the drug and watch", Stage.KEPT, ""),
        ("Now go to the next ward", Stage.BLACKLIST, "blacklisted word"),
        ("Write a program that sorts drugs", Stage.BLACKLIST, "blacklisted start"),
        ("(a) Name three good antibiotics", Stage.BLACKLIST, "starts with punctuation"),
        ("Ärzte: name three good antibiotics", Stage.BLACKLIST, "starts outside ASCII"),
    ],
)
def test_the_classic_rules_are_the_classic_rules(project_id, instruction, stage, reason):
    [verdict] = judge(project_id, Content(instruction), profile=CLASSIC)
    assert (verdict.stage, verdict.reason) == (stage, reason)


def test_the_classic_rules_call_another_drug_and_another_letter_a_copy(people, project_id):
    catenin = Content("Which signalling pathway does α-catenin take part in?", output="Adhesion.")
    other = replace(catenin, instruction=catenin.instruction.replace("α", "β"), output="Wnt.")
    store(people.author, project_id, METFORMIN, catenin)
    assert stages(judge(project_id, LISINOPRIL, other, profile=CLASSIC)) == [Stage.DUPLICATE] * 2
    assert judge(project_id, other, profile=CLASSIC)[0].near.score == 1
    assert stages(judge(project_id, LISINOPRIL, other)) == [Stage.KEPT] * 2


def test_the_classic_rules_compare_instructions_alone_and_the_default_the_whole_prompt(people, project_id):
    note = Content(
        "List every drug that the note names.", "Took ibuprofen and paracetamol for the pain.", "Both."
    )
    other = replace(note, input="Warfarin was stopped a week before the operation; heparin was begun.")
    store(people.author, project_id, note)
    assert stages(judge(project_id, other, profile=CLASSIC)) == [Stage.DUPLICATE]
    assert stages(judge(project_id, other)) == [Stage.KEPT]


# Counts and the dry run -----------------------------------------------------------------------------


def test_counts_are_a_funnel():
    counts = Counts()
    for stage in (Stage.LENGTH, Stage.DUPLICATE, Stage.KEPT, Stage.KEPT):
        counts.add(Verdict(stage, "" if stage is Stage.KEPT else "why"))
    assert counts.seen == 4
    assert [counts.left_after(stage) for stage in (Stage.PARSED, Stage.LENGTH, Stage.PHI)] == [4, 3, 2]
    assert counts.reasons == {"why": 2}


def test_a_dry_run_tells_what_the_filters_would_do_to_what_is_stored(people, project_id):
    short = Content("Define sepsis.", output="a")
    ids = store(people.author, project_id, METFORMIN, short, REWORDED, BONES, LISINOPRIL)
    gone = store(people.author, project_id, BONES)
    with write() as session:
        instructions.delete_instruction(session, people.author, gone[0])
    with read() as session:
        *_, last = dry_run(session, project_id, BIOMEDICAL)
    assert (last.done, last.total, last.counts.seen) == (5, 5, 5)
    assert last.counts.stages[Stage.KEPT] == 3
    [length], [copy] = last.examples[Stage.LENGTH], last.examples[Stage.DUPLICATE]
    assert (length.id, copy.id) == (ids[1], ids[2])
    assert (copy.verdict.near.id, copy.verdict.near.row) == (ids[0], None)
    assert f"number {ids[0]} " in copy.verdict.detail


def test_a_dry_run_reports_progress_and_a_few_examples_of_each_reason(people, project_id):
    rows = [Content(f"Define condition{number}.", output="a") for number in range(450)]
    store(people.author, project_id, *rows)
    with read() as session:
        reports = list(dry_run(session, project_id, BIOMEDICAL))
    assert [(report.done, report.total) for report in reports] == [(200, 450), (400, 450), (450, 450)]
    assert len(reports[-1].examples[Stage.LENGTH]) == MOST_EXAMPLES
    assert reports[-1].counts.reasons == {"instruction too short": 450}


def test_a_dry_run_can_look_at_one_origin_and_at_nothing(people, project_id):
    store(people.author, project_id, METFORMIN)
    store(people.author, project_id, BONES, origin=Origin.GENERATED)
    with read() as session:
        *_, generated = dry_run(session, project_id, BIOMEDICAL, origin=Origin.GENERATED)
        *_, nothing = dry_run(session, project_id, BIOMEDICAL, origin=Origin.FEEDBACK)
    assert (generated.counts.seen, nothing.total, nothing.done) == (1, 0, 0)
