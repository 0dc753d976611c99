"""The pages in the order of the work, each on its own route, under one navigation bar."""

from types import ModuleType

import gradio as gr

from bioui import balloting
from bioui.components.navigation import navigation_bar
from bioui.handling import NOTHING, actor_of, needs, on, project_of
from bioui.pages import (
    admin,
    batches,
    blind,
    convert,
    coverage,
    curate,
    datasets,
    encoders,
    endpoints,
    evaluate,
    generate,
    guidelines,
    home,
    imports,
    judge,
    models,
    playground,
    results,
    review,
    rounds,
    studies,
    tasks,
    train,
)
from bioui.present import initials
from db import projects, reviews
from db.policy import Actor, Right
from db.session import Session, read
from db.tables import Project

# The order of the work. A new page is one more name here; one that says UNDER is not in the bar, which then
# shows the page of that path as open. Pages of one SECTION share a place in the bar, and have a row below it.
PAGES: tuple[ModuleType, ...] = (
    home, curate, imports, review, coverage, guidelines, generate, convert, endpoints, datasets, train,
    evaluate, tasks, results, encoders, studies, judge, playground, batches, rounds, blind, models, admin,
)  # fmt: skip
AT_ONCE = 32  # calls of one handler that may run side by side; Gradio's default of 1 makes people wait


def build(pages: tuple[ModuleType, ...] = PAGES) -> gr.Blocks:
    """The whole browser side as one multipage Blocks; the first page is at /."""
    demo = gr.Blocks(title="BioInstruct Studio", analytics_enabled=False)
    for page in pages[1:]:
        demo.route(page.TITLE, page.PATH, show_in_navbar=False)
    with demo:  # once: Gradio makes a whole web app whenever it is left, which took most of the start
        for page, (route, *_) in zip(pages, demo.pages, strict=True):
            demo.current_page = route
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
                "title": getattr(shown, "SECTION", shown.TITLE),
                "href": shown.PATH + query,
                "current": shown is page or _is_part(page, shown),
                **_waiting(session, actor, project, shown),
            }
            for shown in _first_of_sections(actor, pages)
        ],
        **_section(session, actor, project, page, pages, query),
        **_person(actor),
    }


def _first_of_sections(actor: Actor, pages: tuple[ModuleType, ...]) -> list[ModuleType]:
    """The pages with a place in the bar: of a section the first that this person may use."""
    by_place: dict[object, ModuleType] = {}
    for page in pages:
        if actor.can(page.RIGHT) and not hasattr(page, "UNDER"):
            by_place.setdefault(getattr(page, "SECTION", page), page)
    return list(by_place.values())


def _is_part(page: ModuleType, shown: ModuleType) -> bool:
    """Whether `page` stands under `shown`, or in one section with it."""
    section = getattr(page, "SECTION", "")
    is_of_section = bool(section) and getattr(shown, "SECTION", "") == section
    return is_of_section or getattr(page, "UNDER", "") == shown.PATH


def _section(
    session: Session,
    actor: Actor,
    project: Project | None,
    page: ModuleType,
    pages: tuple[ModuleType, ...],
    query: str,
) -> dict:
    """The row of the open page's section; empty where the section has one page, or the page has none."""
    section = getattr(page, "SECTION", "")
    parts = [
        {
            "title": part.TITLE,
            "href": part.PATH + query,
            "current": part is page,
            **(_waiting(session, actor, project, part) if part is blind else {}),
        }
        for part in pages
        if section and getattr(part, "SECTION", "") == section and actor.can(part.RIGHT)
    ]
    return {"section": section, "parts": parts if len(parts) > 1 else []}


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


def _waiting(session: Session, actor: Actor, project: Project | None, shown: ModuleType) -> dict:
    """How much waits for this person on a page, or in the section that it begins, and what it waits for."""
    if project and shown is review:
        count = reviews.count_waiting(session, actor, project.id)
        return {"count": count, "count_title": "waiting for your review"}
    if project and getattr(shown, "SECTION", "") == blind.SECTION:
        count = balloting.count_waiting(session, actor, project.id)
        return {"count": count, "count_title": "waiting for your vote"}
    return {"count": 0, "count_title": ""}


def _person(actor: Actor) -> dict:
    return {
        "person": actor.full_name,
        "initials": initials(actor.full_name),
        "roles": ", ".join(sorted(actor.roles)),
    }
