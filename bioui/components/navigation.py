"""The bar at the top of every page: name and project, the pages in the order of the work, the person."""

from pathlib import Path

from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")

EMPTY = {"query": "", "project": "", "choices": [], "pages": [], "person": "", "initials": "", "roles": ""}


def navigation_bar() -> View:
    return View(TEMPLATE, EMPTY, elem_classes="studio-bar", elem_id="studio-bar")
