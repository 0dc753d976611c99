"""What the tests of frozen versions share: approved instructions, stored without the steps before."""

from db import datasets
from db.content import Content
from db.datasets import Recipe
from db.enums import Category, Origin, Provenance
from db.session import read, write
from db.tables import Instruction, Revision


def add_approved(session, people, project_id, content: Content, **columns) -> int:
    """An approved instruction with one revision; its id."""
    columns = {"origin": Origin.SEED, "provenance": Provenance.NATIVE, **columns}
    row = Instruction(
        project_id=project_id,
        author_id=people.author.id,
        status="approved",
        approved_version=1,
        **columns,
        **content.columns(),
    )
    session.add(row)
    session.flush()
    add_revision(session, people, row.id, 1, content)
    return row.id


def add_revision(session, people, instruction_id, number, content: Content) -> None:
    session.add(
        Revision(
            instruction_id=instruction_id, number=number, author_id=people.author.id, **content.columns()
        )
    )
    session.flush()


def question(number, **fields) -> Content:
    """A question that shares too few words with any other to be near to it."""
    words = " ".join(f"{letter}{number}" for letter in "abcdef")
    fields = {"output": f"Answer {number}.", "category": Category.QA, "task": "qa", **fields}
    return Content(f"What about {words}?", **fields)


def add_questions(people, project_id, number) -> list[int]:
    """The ids of that many approved questions, none near to another."""
    with write() as session:
        return [add_approved(session, people, project_id, question(place)) for place in range(number)]


def new_dataset(people, project_id, name="Ward questions") -> int:
    """The id of a dataset without versions."""
    with write() as session:
        return datasets.create_dataset(session, people.trainer, project_id, name=name).id


def rows_of(version_id):
    with read() as session:
        return datasets.list_rows(session, version_id)


def freeze(people, dataset_id, recipe=None, **how):
    with write() as session:
        return datasets.freeze(session, people.trainer, dataset_id, recipe or Recipe(), **how)
