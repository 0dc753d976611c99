"""Tasks to evaluate on, from the shell: freeze, list, show. See trainer.__main__.

python -m trainer task add "USMLE" --task medqa --file test.jsonl --shots 3 --examples train.jsonl
python -m trainer task add --dataset "Ward questions" --version 2 --category QA
"""

import argparse
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db import datasets, projects, task_versions
from db.corpora import files, readers
from db.corpora.hub import Wanted
from db.enums import Category, Split
from db.session import Session, read, write
from db.settings import Settings
from db.tables import DatasetVersion, TaskVersion
from db.task_drafts import TaskDraft, bring_from_hub, prepare
from db.tasks import TASKS
from trainer.shell import actor_of, add_acting, named, open_studio, say

logger = logging.getLogger("trainer")
Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    parser = action("task", list_all, "tasks to evaluate on: add, list, show, remove, kinds")
    parts = parser.add_subparsers(required=True, metavar="WHAT")

    adding = _part(
        parts, "add", add, "freeze a task from a file, or from a frozen dataset, and print its number"
    )
    adding.add_argument(
        "name", nargs="?", default="", help="what it goes by; the task's own title unless given"
    )
    adding.add_argument("--task", help="which one; see `task kinds`")
    adding.add_argument("--file", type=Path, help="the rows that are scored")
    adding.add_argument("--hub", help="a dataset of the Hub in place of a file, such as owner/name")
    adding.add_argument("--config", default="", help="of the dataset of the Hub")
    adding.add_argument("--column", action="append", default=[], metavar="FIELD=COLUMN", help="of the Hub's")
    adding.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of the task (form, labels, wording) or an option of its reader, as often as needed",
    )  # fmt: skip
    adding.add_argument("--dataset", help="name of a frozen dataset, in place of a file")
    adding.add_argument("--version", type=int, help="of the dataset; the newest unless given")
    adding.add_argument("--category", choices=list(Category), help="of the dataset's rows")
    adding.add_argument("--split", choices=list(Split), help="test unless told; of a file also all")
    adding.add_argument("--shots", type=int, default=0, help="examples shown before each row")
    adding.add_argument("--examples", type=Path, help="the file they are drawn from")
    adding.add_argument("--limit", type=int, default=0, help="rows, drawn by the seed; all unless given")
    adding.add_argument("--seed", type=int, default=0)
    adding.add_argument("--licence", default="")
    adding.add_argument("--restricted", action="store_true", help="its texts must not leave the machine")
    adding.add_argument("--general", action="store_true", help="the regression gate looks at it")
    adding.add_argument("--leave-out", action="store_true", help="rows that the answer's form cannot write")
    adding.add_argument("--project", help="name of the project; the first unless given")
    add_acting(adding)

    listing = _part(parts, "list", list_all, "the frozen tasks")
    listing.add_argument("--project", help="name of the project; the first unless given")
    showing = _part(parts, "show", show, "a task and its first rows, as JSON")
    showing.add_argument("task", type=int)
    showing.add_argument("--rows", type=int, default=3)
    showing.add_argument("--project", help="name of the project; the first unless given")
    removing = _part(parts, "remove", remove, "take a task off the list; what was scored on it stays")
    removing.add_argument("task", type=int)
    removing.add_argument("--undo", action="store_true", help="put it back")
    removing.add_argument("--project", help="name of the project; the first unless given")
    add_acting(removing)
    _part(parts, "kinds", list_kinds, "the tasks there are, what each asks and which files it reads")


def add(settings: Settings, options: argparse.Namespace) -> int:
    """Raises ValueError naming what is missing, or wrong with the file."""
    open_studio(settings)
    if options.dataset:
        return _add_dataset(options)
    if not options.task:
        raise ValueError(f"task: say which one by --task; there is {', '.join(TASKS)}.")
    prepared = prepare(settings.data_dir, _draft(settings, options), tell=_tell)
    for reason, rows in prepared.left_out.items():
        logger.info("%d rows left out: %s", rows, reason)
    with write() as s:
        project_id = _project_id(s, options)
        say(str(task_versions.freeze(s, actor_of(s, options), project_id, prepared).id))
    return 0


def list_all(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        for task in task_versions.list_tasks(s, _project_id(s, options)):
            general = "  general" if task.is_general else ""
            shots = f"{len(task.examples)}-shot"
            say(f"{task.id:>5}  {task.task:<18} {task.rows:>7,} rows  {shots:<7}  {task.name}{general}")
    return 0


def show(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        task = task_versions.get_task(s, _project_id(s, options), options.task)
        rows = task_versions.list_rows(s, task.id, limit=max(0, options.rows))
        say(
            json.dumps(
                {**_told(task), "first_rows": [_row(row) for row in rows]}, indent=2, ensure_ascii=False
            )
        )
    return 0


def remove(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    change = task_versions.put_back if options.undo else task_versions.remove
    with write() as s:
        change(s, actor_of(s, options), _project_id(s, options), options.task)
    return 0


def list_kinds(settings: Settings, options: argparse.Namespace) -> int:
    for name, task in TASKS.items():
        formats = ", ".join(task.formats) or "a frozen dataset"
        say(f"{name:<18} {task.category:<5} {task.title} ({formats})")
    return 0


def _add_dataset(options: argparse.Namespace) -> int:
    if not options.category:
        raise ValueError(f"category: say which rows by --category; there is {', '.join(Category)}.")
    with write() as s:
        project_id = _project_id(s, options)
        version = _dataset_version(s, project_id, options)
        frozen = task_versions.freeze_dataset(
            s,
            actor_of(s, options),
            project_id,
            dataset_version_id=version.id,
            split=options.split or Split.TEST,
            category=options.category,
            shots=options.shots,
            seed=options.seed,
            limit=options.limit,
            name=options.name,
            is_general=options.general,
        )
        say(str(frozen.id))
    return 0


def _draft(settings: Settings, options: argparse.Namespace) -> TaskDraft:
    """What the options say, the files brought into the studio. Raises ValueError by field."""
    told = dict(_pair(each, "option") for each in options.option)
    if options.task not in TASKS:
        raise ValueError(f"task: there is no task {options.task!r}; there is {', '.join(TASKS)}.")
    own = {option.name for option in TASKS[options.task].options_of()}
    reader = {name: value for name, value in told.items() if name not in own}
    hub: dict[str, Any] = {}
    if options.hub:
        wanted = Wanted(
            options.hub, options.config, columns=dict(_pair(each, "column") for each in options.column)
        )
        path = bring_from_hub(settings.data_dir, wanted)
        hub = {"name": wanted.name, "config": wanted.config, "columns": dict(wanted.columns)}
    elif options.file:
        path = files.keep(settings.data_dir, options.file)
    else:
        raise ValueError("file: name the rows by --file, --hub or --dataset.")
    return TaskDraft(
        options.task,
        path,
        options.name,
        format=reader.pop("format", ""),
        reader=_kept(settings, options.task, reader),
        settings={name: value for name, value in told.items() if name in own},
        split=options.split or "",
        shots=options.shots,
        examples=files.keep(settings.data_dir, options.examples) if options.examples else "",
        seed=options.seed,
        limit=options.limit,
        is_general=True if options.general else None,
        licence=options.licence,
        is_restricted=options.restricted,
        hub=hub,
        leave_out=options.leave_out,
    )


def _kept(settings: Settings, task: str, reader: dict[str, str]) -> dict[str, str]:
    """The reader's options, files that they name brought into the studio."""
    named_files = {
        option.name
        for format in TASKS[task].formats
        for option in readers.get_format(format).options
        if option.kind == "file"
    }
    return {
        name: files.keep(settings.data_dir, Path(value)) if name in named_files else value
        for name, value in reader.items()
    }


def _dataset_version(session: Session, project_id: int, options: argparse.Namespace) -> DatasetVersion:
    dataset = named(datasets.list_datasets(session, project_id), options.dataset, "dataset")
    numbers = {version.number: version for version in dataset.versions}
    if not numbers:
        raise LookupError(f"version: {dataset.name} has no frozen version yet.")
    number = options.version or max(numbers)
    if number not in numbers:
        there = ", ".join(map(str, numbers))
        raise LookupError(f"version: {dataset.name} has no version {number}; there is {there}.")
    return numbers[number]


def _project_id(session: Session, options: argparse.Namespace) -> int:
    return named(projects.list_projects(session), options.project, "project").id


def _told(task: TaskVersion) -> dict[str, Any]:
    names = ("id", "name", "task", "category", "split", "rows", "is_general", "licence", "is_restricted")
    told = {name: getattr(task, name) for name in (*names, "content_hash", "settings", "examples")}
    return told | {"frozen_at": task.created_at.isoformat(), "is_removed": task.deleted_at is not None}


def _row(row: Any) -> dict[str, Any]:
    names = ("position", "key", "document", "instruction", "input", "reference")
    return {name: getattr(row, name) for name in names}


def _pair(written: str, field: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{field}: {written[:40]!r} is no NAME=VALUE; write it so.")
    return name.strip(), value.strip()


def _part(parts: Any, name: str, act: Act, text: str) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.set_defaults(act=act)
    return parser


def _tell(rows: int) -> None:
    logger.info("%d rows read", rows)
