"""The bar at the top: which pages a person sees, the project they are in, and what waits for them."""

from types import ModuleType

from bioui import main
from bioui.main import bar_value
from bioui.pages import endpoints, home, review
from db import instructions
from db.content import Content
from db.enums import Category
from db.policy import Right
from db.session import read, write
from db.tables import Project
from tests.bioui.conftest import request_of


def bar(actor, page=home, **query: str) -> dict:
    with read() as session:
        return bar_value(session, request_of(actor, **query), page, main.PAGES)


def titles(value: dict) -> list[str]:
    return [page["title"] for page in value["pages"]]


def test_pages_stand_in_the_order_of_the_work(people, project_id):
    order = "Home Curate Review Coverage Guidelines Factory Datasets Train Evaluate Playground Models Admin"
    assert titles(bar(people.admin)) == order.split()


def test_a_person_sees_only_the_pages_they_may_use(people, project_id):
    assert "Review" not in titles(bar(people.author))
    assert "Admin" not in titles(bar(people.trainer))
    assert "Playground" in titles(bar(people.clinician))


def test_submissions_of_others_are_counted_beside_review(people, project_id):
    content = Content(instruction="Name the drug.", output="Metformin", category=Category.QA, task="qa")
    with write() as session:
        draft = instructions.create_instruction(session, people.author, project_id, content)
        instructions.submit_for_review(session, people.author, draft.id, version=1)
    counts = {page["title"]: page["count"] for page in bar(people.reviewer, review)["pages"]}
    assert counts["Review"] == 1
    assert counts["Home"] == 0


def test_links_keep_the_project_that_was_chosen(people, project_id):
    with write() as session:
        session.add(Project(name="Ward 8"))
    value = bar(people.author, project=str(project_id + 1))
    assert value["project"] == "Ward 8"
    assert all(page["href"].endswith(f"?project={project_id + 1}") for page in value["pages"])
    assert [choice["current"] for choice in value["choices"]] == [False, True]


def test_an_unknown_project_leaves_the_way_out_open(people, project_id):
    value = bar(people.author, project="999")
    assert value["project"] == ""
    assert "Home" in titles(value)
    assert value["pages"][0]["href"] == "/"


def section_page(name: str, title: str, right: Right) -> ModuleType:
    """A page that shares the factory's place in the bar."""
    made = ModuleType(name)
    made.TITLE, made.PATH, made.RIGHT, made.SECTION = title, f"/{name}", right, endpoints.SECTION
    return made


def test_pages_of_one_section_share_a_place_in_the_bar_and_have_a_row_of_their_own(people, project_id):
    generate = section_page("generate", "Generate", Right.RUN_FACTORY)
    pages = (home, generate, endpoints)
    with read() as session:
        value = bar_value(session, request_of(people.reviewer), endpoints, pages)
        assert [(page["title"], page["href"], page["current"]) for page in value["pages"]] == [
            ("Home", "/", False), ("Factory", "/generate", True),
        ]  # fmt: skip
        assert [(part["title"], part["current"]) for part in value["parts"]] == [
            ("Generate", False), ("Endpoints", True),
        ]  # fmt: skip
        assert bar_value(session, request_of(people.reviewer), home, pages)["parts"] == []
        # Who may use one page of the section only is led there, without a row.
        value = bar_value(session, request_of(people.clinician), endpoints, pages)
        assert [page["href"] for page in value["pages"]] == ["/", "/endpoints"]
        assert value["parts"] == []
