"""What is exported comes back to the same records, in every format, whatever the text holds."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.content import Content, content_of
from db.enums import Category, Provenance
from db.exchange.cells import as_written, defused, tags_cell, tags_of
from db.exchange.plan import ImportOptions
from db.exchange.preview import apply_import, preview_import
from db.exchange.records import of_query
from db.exchange.writers import Format, save_records
from db.imports import Draft, store_drafts
from db.search import InstructionQuery
from db.session import read, write
from db.tables import Instruction, Project
from db.tables.base import utc_now

NASTY = [
    "=1+1", "'=1+1", "''+x", "-", "@SUM(A1)", "'", '"', '""', "a,b;c|d\te", "two\r\nlines", "old\rMac", "[",
    "\ufeffmark", "\u2028separator\u2029", "e\u0301 and \u00e9", "\U0001f9ec", "ضغط الدم \u202e120/80\u202c",
    "null", "{}", "NaN", "\\n", "User: x\n\nAssistant: y", "\x7f\x1b[0m", "β-catenin",
]  # fmt: skip
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.lists(st.sampled_from(NASTY), max_size=3).map("\n\n".join),
    st.sampled_from(NASTY),
)
WRITTEN = TEXT.filter(lambda text: text.strip())
CONTENT = st.builds(
    Content,
    instruction=WRITTEN,
    input=TEXT,
    output=TEXT,
    category=st.sampled_from(Category),
    task=TEXT,
    specialty=TEXT,
    difficulty=st.integers(1, 5),
    tags=st.lists(TEXT, max_size=3).map(tuple),
    source=TEXT,
)
DRAFT = st.builds(
    Draft,
    content=CONTENT,
    provenance=st.sampled_from(Provenance),
    licence=st.sampled_from(["", "CC0", "=CC BY"]),
)
DRAFTS = st.lists(
    DRAFT, max_size=4, unique_by=lambda one: (one.content.instruction, one.content.input, one.content.output)
)
NAMES = count()


def new_project(session) -> Project:
    project = Project(name=f"Project {next(NAMES)}")
    session.add(project)
    session.flush()
    return project


def records_of(project_id):
    with read() as session:
        rows = session.query(Instruction).filter_by(project_id=project_id).order_by(Instruction.id)
        return [(content_of(row), row.provenance, row.licence) for row in rows]


@pytest.mark.parametrize("format", Format)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=DRAFTS)
def test_every_format_gives_back_what_it_was_given(people, tmp_path, format, drafts):
    with write() as session:
        source, target = (new_project(session) for _ in range(2))
        store_drafts(session, people.author, source, drafts, "Written", utc_now())
    path = tmp_path / "file"
    with read() as session:
        save_records(of_query(session, people.author, source.id, InstructionQuery()), format, path)
    if not drafts:
        return
    with read() as session:
        seen = preview_import(session, people.author, target.id, path)
    assert not seen.faults
    with write() as session:
        apply_import(session, people.author, target.id, path, ImportOptions(), fingerprint=seen.fingerprint)
    expected = [(draft.content, draft.provenance, draft.licence) for draft in drafts]
    assert records_of(target.id) == expected
    with read() as session:
        again = [preview_import(session, people.author, id, path) for id in (source.id, target.id)]
    assert [seen.counts["duplicate"] for seen in again] == [len(drafts)] * 2


@given(TEXT)
def test_a_defused_cell_never_starts_a_formula_and_can_be_told_back(text):
    cell = defused(text)
    assert not cell.startswith(tuple("=+-@\t\r\n"))
    assert as_written(cell) == text


@given(st.lists(WRITTEN.map(lambda tag: tag.strip().lower()), unique=True))
def test_tags_come_back_out_of_their_cell(tags):
    assert [tag.strip() for tag in tags_of(tags_cell(tags))] == tags
