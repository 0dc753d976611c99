"""What a task is, for people: its own docstring, with its one real-looking row set apart."""

import inspect
from pathlib import Path

from bioui.components.view import View
from db.corpora import readers
from db.metrics import measures
from db.tasks import TASKS, make_task

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_KIND: dict = {"title": "", "paragraphs": [], "foot": ""}
_GROUPS = {"QA": "Questions", "IE": "Extraction", "GEN": "Writing"}


def kind_view() -> View:
    return View(TEMPLATE, NO_KIND, elem_classes="task-kind-view")


def kind_value(name: str) -> dict:
    """The explanation of a task by its name; NO_KIND for one that is not there."""
    if name not in TASKS:
        return NO_KIND
    task = TASKS[name]
    return {
        "title": task.title,
        "paragraphs": [_paragraph(part) for part in inspect.cleandoc(task.__doc__ or "").split("\n\n")],
        "foot": f"Measured: {_measured(name)}. {_files(name)}",
    }


def task_choices() -> list[tuple[str, str]]:
    """Every task by its group and title."""
    found = [(f"{_GROUPS[task.category]}: {task.title}", name) for name, task in TASKS.items()]
    order = list(_GROUPS.values())
    return sorted(found, key=lambda choice: order.index(choice[0].partition(":")[0]))


def is_frozen_dataset(name: str) -> bool:
    """Whether the task takes its rows from a frozen dataset version and not from a file."""
    return name in TASKS and not TASKS[name].formats


def title_of(name: str) -> str:
    return TASKS[name].title if name in TASKS else name


def _paragraph(part: str) -> dict:
    """A paragraph as running text, or the example row, which the docstring indents."""
    if part.startswith("    "):
        return {"code": True, "text": inspect.cleandoc(part).replace("<TAB>", "\t")}
    return {"code": False, "text": " ".join(part.split()).replace("`", "")}


def _measured(name: str) -> str:
    return "; ".join(measures.get(measure).title for measure in make_task(name).measures)


def _files(name: str) -> str:
    titles = [readers.get_format(format).title for format in TASKS[name].formats]
    return f"Reads: {'; '.join(titles)}." if titles else "Its rows are those of a frozen dataset version."
