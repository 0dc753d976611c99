"""The bar at the top of every page: name and project, the pages in the order of the work, the person."""

import json
from pathlib import Path

from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
EMPTY = {
    "query": "", "project": "", "choices": [], "pages": [], "section": "", "parts": [],
    "person": "", "initials": "", "roles": "",
}  # fmt: skip
# On a narrow screen the pages are a row that scrolls: begin with the open one in sight.
ON_LOAD = """
watch('value', () => {
  const nav = element.querySelector('nav'), open = nav && nav.querySelector('[aria-current]');
  if (open) nav.scrollLeft = open.offsetLeft - nav.offsetLeft - (nav.clientWidth - open.offsetWidth) / 2;
});
"""


def navigation_bar(title: str) -> View:
    """An empty bar; `title` is the page's, for the browser's tab."""
    name_tab = f"document.title = {json.dumps(f'{title} · BioInstruct Studio')};"
    return View(TEMPLATE, EMPTY, on_load=name_tab + ON_LOAD, elem_classes="studio-bar")
