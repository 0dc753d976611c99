"""What a conversion stores, batch by batch, and how it is taken back."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from db import conversion_undo, conversions, datasets, freezing, instructions, jobs, remarks, session
from db.checks.phi import Kind
from db.composing import stored_rows
from db.content import Content
from db.convert_spec import ConvertSpec, Source
from db.corpora.batches import Converted, Fault, OpenBatch
from db.enums import Category, InstructionStatus, JobKind, JobStatus, Origin, Provenance, Split
from db.policy import PolicyError
from db.privacy import Flag
from db.recipes import Recipe
from db.search import InstructionQuery, count_matching
from db.tables import AuditLine, Base, Conversion, ConvertedRow, Instruction, Job, PrivacyFlag, Revision

SPEC = ConvertSpec((Source("NCBI", "abc-train.tsv", "conll", "disease lines"),))


def converted(number, source="NCBI", text=None, **changes):
    content = Content(
        "Mark each disease.",
        text or f"Patient {number} has gout.",
        "gout",
        Category.IE,
        "ner",
        source=f"{source}, document D{number}",
    )
    row = Converted(
        number, content, source, f"D{number}", f"r{number}", Split.TRAIN, "lines", "2", number % 5
    )
    return replace(row, **changes)


def batch(first, last, rows=None, faults=()):
    opened = OpenBatch(first)
    for number in range(first, last + 1):
        opened.read("NCBI", number)
    for row in [converted(number) for number in range(first, last + 1)] if rows is None else rows:
        opened.add(row)
    return replace(opened.close(), faults=tuple(faults))


@pytest.fixture
def conversion_id(people, project_id) -> int:
    """A conversion that has begun."""
    with session.write() as s:
        job = conversions.start(s, people.reviewer, project_id, SPEC)
        s.flush()
        return conversions.begin(s, job).id


def put(conversion_id, *batches, known=None):
    known = {} if known is None else known
    for each in batches:
        with session.write() as s:
            conversions.store(s, conversion_id, conversions.without_copies(each, known))


def close_job(conversion_id, status=JobStatus.FINISHED):
    with session.write() as s:
        s.get_one(Job, s.get_one(Conversion, conversion_id).job_id).status = status


def count(kind):
    with session.read() as s:
        return s.scalar(select(func.count()).select_from(kind))


# Starting ------------------------------------------------------------------------------------------------


def test_a_conversion_is_queued_as_a_job_whose_settings_come_back_as_they_were(people, project_id):
    spec = replace(SPEC, name="Diseases", max_characters=500)
    with session.write() as s:
        job = conversions.start(s, people.reviewer, project_id, spec)
    assert (job.kind, job.name, job.status) == (JobKind.CONVERT, "Diseases", JobStatus.QUEUED)
    with session.read() as s:
        stored = jobs.get_job(s, job.id).spec
    assert ConvertSpec(**stored) == spec


def test_who_may_not_run_the_factory_starts_none(people, project_id):
    with session.write() as s, pytest.raises(PolicyError):
        conversions.start(s, people.clinician, project_id, SPEC)


def test_the_same_job_has_one_conversion_however_often_it_begins(conversion_id):
    with session.write() as s:
        job = s.get_one(Job, s.get_one(Conversion, conversion_id).job_id)
        assert conversions.begin(s, job).id == conversion_id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: ConvertSpec(()), "sources"),
        (lambda: ConvertSpec(SPEC.sources * 2), "sources"),
        (lambda: replace(SPEC, max_characters=0), "max characters"),
        (lambda: Source("", "a", "conll", "t"), "name"),
        (lambda: Source("a", "../etc/passwd", "conll", "t"), "path"),
        (lambda: Source("a", "/etc/passwd", "conll", "t"), "path"),
        (lambda: Source("a", "b", "conll", "t", licence=None), "licence"),
        (lambda: ConvertSpec(({"name": "a", "speed": 3},)), "speed"),
    ],
)
def test_what_cannot_be_is_refused_by_field(wrong, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        wrong()


# Storing -------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_draft_that_remembers_where_it_stood(people, project_id, conversion_id):
    row = converted(1, licence="CC BY 4.0", is_restricted=True, provenance=Provenance.TRANSLATED)
    put(conversion_id, batch(1, 1, [row]))
    with session.read() as s:
        [stored] = s.scalars(select(Instruction))
        assert (stored.origin, stored.provenance) == (Origin.CONVERTED, Provenance.TRANSLATED)
        assert (stored.author_id, stored.status, stored.version) == (people.reviewer.id, "draft", 1)
        assert (stored.licence, stored.is_restricted) == ("CC BY 4.0", True)
        assert (stored.instruction, stored.output, stored.tags) == ("Mark each disease.", "gout", [])
        [revision] = s.scalars(select(Revision))
        assert (revision.number, revision.input) == (1, stored.input)
        assert revision.reason == "Converted from NCBI"
        place = conversions.came_from(s, stored.id)
        assert (place.source, place.document_id, place.row_id) == ("NCBI", "D1", "r1")
        assert (place.number, place.wording, place.template, place.template_version) == (1, 1, "lines", "2")
        assert conversions.source_splits(s, project_id) == {stored.id: Split.TRAIN}
        assert conversions.source_documents(s, project_id) == {stored.id: ("NCBI", "D1")}


def test_what_was_converted_is_found_by_the_search(project_id, conversion_id):
    put(conversion_id, batch(1, 3, [converted(1, text="Signs of hepatosplenomegaly."), converted(2)]))
    with session.read() as s:
        assert count_matching(s, project_id, InstructionQuery(text="hepatosplenomegaly")) == 1


def test_copies_are_left_out_and_counted_by_where_the_first_one_stood(people, project_id, conversion_id):
    with session.write() as s:
        instructions.create_instruction(s, people.author, project_id, converted(9).content)
    rows = [
        converted(1),
        converted(2, text=converted(1).content.input),
        converted(3, source="BC5CDR", text=converted(1).content.input),
        converted(4, text=converted(9).content.input),
    ]
    with session.read() as s:
        known = conversions.known_texts(s, project_id)
    put(conversion_id, batch(1, 4, rows), known=known)
    with session.read() as s:
        tally = conversions.get_conversion(s, conversion_id).tally
    assert tally["NCBI"] == {"read": 4, "stored": 1, "copies_within": 1, "copies_stored": 1}
    assert tally["BC5CDR"] == {"copies_across": 1}
    assert count(ConvertedRow) == 1


def test_after_a_kill_what_was_stored_still_counts_as_of_its_source(project_id, conversion_id):
    put(conversion_id, batch(1, 2))
    with session.read() as s:
        known = conversions.known_texts(s, project_id)
    put(conversion_id, batch(3, 3, [converted(3, text=converted(1).content.input)]), known=known)
    with session.read() as s:
        assert conversions.get_conversion(s, conversion_id).tally["NCBI"]["copies_within"] == 1


def test_a_batch_out_of_turn_is_refused_and_stores_nothing(conversion_id):
    put(conversion_id, batch(1, 2))
    for wrong in (batch(1, 2), batch(4, 5)):
        with pytest.raises(ValueError, match="was due"), session.write() as s:
            conversions.store(s, conversion_id, wrong)
    assert count(Instruction) == 2
    put(conversion_id, batch(3, 4))
    assert count(Instruction) == 4


def test_faults_are_all_counted_and_the_first_hundred_kept(conversion_id):
    faults = [Fault("NCBI", number, f"r{number}", "output: it is empty.") for number in range(1, 81)]
    put(conversion_id, batch(1, 80, [], faults), batch(81, 160, [], faults))
    with session.read() as s:
        kept = conversions.faults_of(conversions.get_conversion(s, conversion_id))
    assert len(kept) == conversions.MAX_FAULTS
    assert kept[:80] == faults


def test_flags_are_stored_with_their_record(conversion_id):
    flag = Flag("input", 8, 9, Kind.DATE.value, 0.9)
    put(conversion_id, batch(1, 2, [converted(1), converted(2, flags=(flag,))]))
    with session.read() as s:
        [stored] = s.scalars(select(PrivacyFlag))
        assert s.get_one(Instruction, stored.instruction_id).input == converted(2).content.input
        assert (stored.field, stored.span_start, stored.span_end, stored.version) == ("input", 8, 9, 1)
        assert conversions.get_conversion(s, conversion_id).tally["NCBI"]["flagged"] == 1


def test_finishing_twice_leaves_one_line_in_the_audit(people, conversion_id):
    put(conversion_id, batch(1, 3))
    for _ in range(2):
        with session.write() as s:
            found = conversions.finish(s, conversion_id, people.reviewer)
    assert found["totals"] == {"read": 3, "stored": 3}
    with session.read() as s:
        lines = list(s.scalars(select(AuditLine).where(AuditLine.action == "converted")))
    assert [line.detail for line in lines] == [{"rows": 3}]


def test_stored_rows_count_under_their_corpus(project_id, people, conversion_id):
    put(conversion_id, batch(1, 2))
    with session.write() as s:
        instructions.create_instruction(s, people.author, project_id, Content("Explain gout.", output="It."))
    with session.read() as s:
        rows = list(stored_rows(s, [Instruction.project_id == project_id]))
        mine = list(stored_rows(s, conversions.rows_of(conversion_id)))
    assert [row.source for row in rows] == ["NCBI", "NCBI", "seed"]
    assert [row.split for row in rows] == ["train", "train", ""]
    assert mine == rows[:2]


# Taking back ---------------------------------------------------------------------------------------------


def take_back(actor, conversion_id, at_most=2):
    while True:
        with session.write() as s:
            if not conversion_undo.take_back(s, actor, conversion_id, at_most=at_most):
                return


def test_a_conversion_is_taken_back_whole_and_leaves_no_text(people, project_id, conversion_id):
    with session.write() as s:
        mine = instructions.create_instruction(s, people.author, project_id, Content("Explain sepsis.")).id
    flag = Flag("input", 8, 9, Kind.DATE.value, 0.9)
    rows = [converted(number, text=f"cholangiocarcinoma {number}") for number in range(1, 6)]
    put(conversion_id, batch(1, 5, [*rows[:4], replace(rows[4], flags=(flag,))]))
    close_job(conversion_id)
    take_back(people.reviewer, conversion_id)
    with session.read() as s:
        assert list(s.scalars(select(Instruction.id))) == [mine]
        assert count_matching(s, project_id, InstructionQuery(text="cholangiocarcinoma")) == 0
        assert count_matching(s, project_id, InstructionQuery(text="sepsis")) == 1
        conversion = conversions.get_conversion(s, conversion_id)
        assert (conversion.taken_back_by_id, conversion.rows_read) == (people.reviewer.id, 5)
    assert (count(Revision), count(ConvertedRow), count(PrivacyFlag)) == (1, 0, 0)


def frozen(s, people, project_id, id):
    dataset = datasets.create_dataset(s, people.admin, project_id, name="Set")
    row = datasets.FrozenRow(Split.TRAIN, converted(1).content, instruction_id=id, instruction_version=1)
    datasets.freeze_rows(s, people.admin, dataset, [row], recipe={})


def edited(s, people, project_id, id):
    instructions.edit_instruction(s, people.reviewer, id, Content("Other words."), version=1)


def remarked(s, people, project_id, id):
    remarks.add_remark(s, people.reviewer, id, "Is this so?")


def built_upon(s, people, project_id, id):
    child = instructions.create_instruction(s, people.author, project_id, Content("A child."))
    child.parent_id = id


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (edited, "1 edited"),
        (frozen, "1 frozen"),
        (remarked, "1 with remarks"),
        (built_upon, "came from them"),
    ],
)
def test_what_people_have_worked_on_is_not_taken_back(people, project_id, conversion_id, work, told):
    put(conversion_id, batch(1, 3))
    close_job(conversion_id)
    with session.write() as s:
        work(s, people, project_id, s.scalar(select(func.min(Instruction.id))))
    with session.write() as s, pytest.raises(ValueError, match=told):
        conversion_undo.take_back(s, people.reviewer, conversion_id)
    assert count(ConvertedRow) == 3


def test_what_somebody_takes_up_meanwhile_stays(people, project_id, conversion_id):
    put(conversion_id, batch(1, 6))
    close_job(conversion_id)
    with session.write() as s:
        assert conversion_undo.take_back(s, people.reviewer, conversion_id, at_most=2) == 4
    with session.write() as s:
        edited(s, people, project_id, s.scalar(select(func.max(Instruction.id))))
    take_back(people.reviewer, conversion_id)
    with session.read() as s:
        [left] = s.scalars(select(Instruction))
        assert left.instruction == "Other words."
        assert conversions.came_from(s, left.id).source == "NCBI"


def test_a_running_conversion_is_not_taken_back(people, conversion_id):
    put(conversion_id, batch(1, 2))
    with session.write() as s, pytest.raises(ValueError, match="still runs"):
        conversion_undo.take_back(s, people.reviewer, conversion_id)


def test_only_who_started_it_or_an_admin_takes_it_back(people, conversion_id):
    put(conversion_id, batch(1, 2))
    close_job(conversion_id)
    with session.write() as s, pytest.raises(PolicyError):
        conversion_undo.take_back(s, people.other_reviewer, conversion_id)
    take_back(people.admin, conversion_id)
    assert count(Instruction) == 0


def test_nothing_more_is_stored_once_it_was_taken_back(people, conversion_id):
    put(conversion_id, batch(1, 2))
    close_job(conversion_id)
    take_back(people.reviewer, conversion_id)
    with session.write() as s, pytest.raises(ValueError, match="taken back"):
        conversions.store(s, conversion_id, batch(3, 4))
    with session.write() as s, pytest.raises(ValueError, match="taken back"):
        conversions.begin(s, s.get_one(Job, s.get_one(Conversion, conversion_id).job_id))


def test_every_table_that_points_at_records_has_an_index_for_it():
    """Or each deleted record is looked for in every row of that table."""
    found = {}
    for table in Base.metadata.sorted_tables:
        led = {next(iter(index.columns)).name for index in table.indexes}
        led |= {next(iter(each.columns)).name for each in table.constraints if len(each.columns)}
        for column in table.columns:
            if column.references(Instruction.__table__.c.id):
                found[f"{table.name}.{column.name}"] = column.name in led
    assert all(found.values()), found
    assert "dataset_rows.instruction_id" in found


@pytest.mark.parametrize(("by_source", "test_rows"), [(True, 3), (False, 5)])
def test_a_frozen_version_keeps_the_splits_of_the_source_unless_told_otherwise(
    people, project_id, conversion_id, by_source, test_rows
):
    homes = [Split.TEST] * 3 + [Split.TRAIN] * 7
    findings = [
        "gout",
        "mumps",
        "croup",
        "lupus",
        "tetanus",
        "rabies",
        "measles",
        "pertussis",
        "scurvy",
        "rickets",
    ]
    rows = [
        converted(number, text=f"{finding} was found.", split=home)
        for number, (finding, home) in enumerate(zip(findings, homes, strict=True), 1)
    ]
    put(conversion_id, batch(1, 10, rows))
    with session.write() as s:
        for record in s.scalars(select(Instruction)):
            record.status, record.approved_version = InstructionStatus.APPROVED, record.version
    recipe = Recipe(validation=0, test=0.5, near=1, by_source=by_source)
    with session.read() as s:
        plan = freezing.plan_version(s, project_id, recipe)
    assert sum(row.split is Split.TEST for row in plan.rows) == test_rows
    assert plan.report["groups"]["by_source"] == (10 if by_source else 0)


def test_the_records_of_a_conversion_are_found_by_its_job(people, project_id, conversion_id):
    put(conversion_id, batch(1, 3))
    with session.write() as s:
        instructions.create_instruction(s, people.author, project_id, Content("What is gout?"))
        job_id = conversions.get_conversion(s, conversion_id).job_id
    with session.read() as s:
        assert count_matching(s, project_id, InstructionQuery()) == 4
        assert count_matching(s, project_id, InstructionQuery(job_id=job_id)) == 3
        assert count_matching(s, project_id, InstructionQuery(job_id=job_id + 1)) == 0
