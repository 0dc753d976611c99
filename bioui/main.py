"""The pages in the order of the work, each on its own route, under one navigation bar."""

from types import ModuleType

import gradio as gr

from bioui.components.navigation import navigation_bar
from bioui.handling import NOTHING, actor_of, needs, on, project_of
from bioui.pages import (
    admin,
    coverage,
    curate,
    datasets,
    guidelines,
    home,
    imports,
    models,
    playground,
    review,
    train,
)
from bioui.present import initials
from db import projects, reviews
from db.policy import Actor, Right
from db.session import Session, read
from db.tables import Project

# The order of the work. A new page is one more name here; one that says UNDER is not in the bar, which then
# shows the page of that path as open.
PAGES: tuple[ModuleType, ...] = (
    home, curate, imports, review, coverage, guidelines, datasets, train, playground, models, admin,
)  # fmt: skip
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
    project = _open_project(session, request)
    query = f"?project={project.id}" if project and request.query_params.get("project") else ""
    return {
        "query": query,
        "project": project.name if project else "",
        "choices": _choices(session, page, project),
        "pages": [
            {
                "title": shown.TITLE,
                "href": shown.PATH + query,
                "current": shown is page or getattr(page, "UNDER", "") == shown.PATH,
                "count": _waiting(session, actor, project) if shown is review else 0,
                "count_title": "waiting for your review",
            }
            for shown in pages
            if actor.can(shown.RIGHT) and not hasattr(shown, "UNDER")
        ],
        **_person(actor),
    }


def _open_project(session: Session, request: gr.Request) -> Project | None:
    """The project the page is about; None for an unknown one, which must not take the way out with it."""
    try:
        return project_of(session, request)
    except LookupError:
        return None


def _choices(session: Session, page: ModuleType, project: Project | None) -> list[dict]:
    """The projects to switch between; none where there is only one."""
    known = projects.list_projects(session)
    return [
        {"name": other.name, "href": f"{page.PATH}?project={other.id}", "current": other is project}
        for other in known
        if len(known) > 1
    ]


def _waiting(session: Session, actor: Actor, project: Project | None) -> int:
    return reviews.count_waiting(session, actor, project.id) if project else 0


def _person(actor: Actor) -> dict:
    return {
        "person": actor.full_name,
        "initials": initials(actor.full_name),
        "roles": ", ".join(sorted(actor.roles)),
    }
