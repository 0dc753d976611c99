"""The pages in the order of the work, each on its own route, under one navigation bar."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import gradio as gr

from bioui.components.navigation import navigation_bar
from bioui.handling import NOTHING, actor_of, needs, on, project_of
from bioui.present import initials
from db import projects, reviews
from db.policy import Actor, Right
from db.session import Session, read

ORDER = ("home", "curate", "review", "datasets", "train", "playground", "models", "admin")
PAGES: tuple[ModuleType, ...] = tuple(
    import_module(f"bioui.pages.{name}") for name in ORDER if find_spec(f"bioui.pages.{name}")
)
AT_ONCE = 32  # calls of one handler that may run side by side; Gradio's default of 1 makes people wait


def build(pages: tuple[ModuleType, ...] = PAGES) -> gr.Blocks:
    """The whole browser side as one multipage Blocks; the first page is at /."""
    with gr.Blocks(title="BioInstruct Studio", analytics_enabled=False) as demo:
        _lay_out(demo, pages[0], pages)
    for page in pages[1:]:
        with demo.route(page.TITLE, page.PATH, show_in_navbar=False):
            _lay_out(demo, page, pages)
    demo.queue(default_concurrency_limit=AT_ONCE)
    return demo


def rights_of(pages: tuple[ModuleType, ...] = PAGES) -> dict[str, Right]:
    """Path -> the right that opens it."""
    return {page.PATH: page.RIGHT for page in pages}


def _lay_out(demo: gr.Blocks, page: ModuleType, pages: tuple[ModuleType, ...]) -> None:
    bar = navigation_bar(page.TITLE)
    with gr.Column(elem_classes=["page", f"page-{page.__name__.rpartition('.')[2]}"], elem_id="main"):
        page.build()

    @needs(Right.READ)
    def show_bar(request: gr.Request):
        with read() as session:
            return bar_value(session, request, page, pages)

    on(demo.load, show_bar, None, bar, problem=gr.State(NOTHING))


def bar_value(session: Session, request: gr.Request, page: ModuleType, pages: tuple[ModuleType, ...]) -> dict:
    """What the navigation bar shows to this person on this page."""
    actor = actor_of(session, request)
    project = project_of(session, request)
    known = projects.list_projects(session)
    query = f"?project={project.id}" if request.query_params.get("project") else ""
    counts = {"/review": reviews.count_waiting(session, actor, project.id)} if actor.can(Right.REVIEW) else {}
    return {
        "query": query,
        "project": project.name,
        "choices": [
            {"name": other.name, "href": f"{page.PATH}?project={other.id}", "current": other.id == project.id}
            for other in known
            if len(known) > 1
        ],
        "pages": [
            {
                "title": shown.TITLE,
                "href": shown.PATH + query,
                "current": shown is page,
                "count": counts.get(shown.PATH, 0),
                "count_title": "waiting for a review",
            }
            for shown in pages
            if actor.can(shown.RIGHT)
        ],
        **_person(actor),
    }


def _person(actor: Actor) -> dict:
    return {
        "person": actor.full_name,
        "initials": initials(actor.full_name),
        "roles": ", ".join(sorted(actor.roles)),
    }
