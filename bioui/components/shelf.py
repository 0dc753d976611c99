"""The prompt shelf: prompts by category with a search and filters, and a place to begin with a blank page.

Events of the returned View: `pick`, with `picked_id(event)`, the id of a version; 0 means "write my own".
Searching and filtering are the browser's own: a shelf has some dozens of prompts.
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components.view import View
from db.enums import Category
from db.tables import PromptVersion

HEADINGS = {
    Category.QA: "Questions",
    Category.IE: "Extraction",
    Category.GEN: "Writing",
    Category.OTHER: "Other",
}

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def shelf() -> View:
    return View(TEMPLATE, shelf_value(()), on_load=ON_LOAD, elem_classes="shelf-view")


def shelf_value(versions: Sequence[PromptVersion], current_id: int = 0) -> dict:
    """The newest version of each prompt (`prompts.list_shelf`) in the order of the categories.

    `current_id` is that of any version of the prompt on the desk, 0 for a prompt of one's own.
    """
    groups = [
        (heading, [version for version in versions if version.category is category])
        for category, heading in HEADINGS.items()
    ]
    return {
        "count": len(versions),
        "own": current_id == 0,
        "specialties": sorted({version.specialty for version in versions if version.specialty}),
        "tags": sorted({tag for version in versions for tag in version.tags}),
        "groups": [
            {"heading": heading, "prompts": [_item(version, current_id) for version in group]}
            for heading, group in groups
            if group
        ],
    }


def picked_id(event: gr.EventData) -> int:
    """The id of the version that was picked; 0 for a blank page."""
    return int(event.id)


def _item(version: PromptVersion, current_id: int) -> dict:
    about = " · ".join(part.replace("_", " ") for part in (version.task, version.specialty) if part)
    return {
        "id": version.id,
        "title": version.prompt.title,
        "about": about,
        "specialty": version.specialty,
        # A bar at each end, so that the browser finds a whole tag.
        "tags": f"|{'|'.join(version.tags)}|",
        "words": " ".join((version.instruction, version.input, *version.tags)).lower(),
        "version": f"v{version.number}" if version.number > 1 else "",
        "current": current_id in {one.id for one in version.prompt.versions},
    }
