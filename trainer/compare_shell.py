"""Batches of comparisons from the shell: queue one, take its answers. See trainer.__main__.

python -m trainer compare prompts.csv --side starter --side "My adapter" --side "My adapter@40"
python -m trainer compare --shelf --specialty cardiology --side starter --side endpoint:gpt
python -m trainer compared 7 --out answers.csv
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from db import batch_export, batch_figures, batch_prompts, batches, endpoints, jobs, projects, registry
from db.batch_prompts import Found
from db.compare_spec import CompareSpec, SideSpec
from db.enums import JobKind
from db.session import Session, read, write
from db.settings import Settings
from db.specs import help_for
from db.tables import BaseModel
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
_SETTINGS = {"max_tokens": int, "temperature": float, "seed": int, "resumes": int}


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    asking = action("compare", compare, "put many prompts to the same sides, and print the job's number")
    asking.add_argument("file", type=Path, nargs="?", help="CSV, JSONL, or text with a prompt a line")
    asking.add_argument("--shelf", action="store_true", help="the prompts of the shelf, in place of a file")
    asking.add_argument("--specialty", default="", help="only those of the shelf")
    asking.add_argument("--tag", default="", help="only those of the shelf")
    asking.add_argument("--task", type=int, help="number of a frozen task, in place of a file")
    asking.add_argument("--limit", type=int, default=100, help="rows of that task")
    asking.add_argument(
        "--side", action="append", required=True,
        help="a base or an adapter by name, NAME@STEP for a checkpoint, endpoint:NAME or endpoint:NAME:MODEL",
    )  # fmt: skip
    for name, kind in _SETTINGS.items():
        default = getattr(CompareSpec, name)
        said = f"{help_for(CompareSpec, name)} ({default})"
        asking.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=said)
    asking.add_argument("--name", help="what the batch goes by; the file's name unless given")
    asking.add_argument("--checked", action="store_true", help="what looks like patient data is none")
    asking.add_argument("--project", help="name of the project; the first unless given")
    add_acting(asking)

    taking = action("compared", take, "the answers of a batch, as CSV or JSONL")
    taking.add_argument("job", type=int)
    taking.add_argument("--out", type=Path, required=True, help="a file that ends in .csv or .jsonl")


def compare(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = {name: getattr(options, name) for name in _SETTINGS}
    with write() as s:
        project_id = named(projects.list_projects(s), options.project, "project").id
        spec = CompareSpec(tuple(side_named(s, project_id, name) for name in options.side), **given)
        found = _prompts(s, project_id, options)
        if not options.checked:
            _require_no_suspects(found)
        name = options.name or (options.file.name if options.file else "Shelf" if options.shelf else "Task")
        job = batches.start(
            s, actor_of(s, options), project_id, spec, found.prompts, name=name, task_version_id=options.task
        )
        say(str(job.id))
    return 0


def take(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        job = jobs.get_job(s, options.job)
        if job.kind is not JobKind.COMPARE:
            raise ValueError(f"job: number {job.id} is no batch; it is a run of kind {job.kind}.")
        titles = batches.titles(s, job)
        rows = batch_figures.read(s, job.id, len(titles)).rows
    pieces = list(batch_export.pieces(rows, titles, options.out.suffix.removeprefix(".")))
    with options.out.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
    say(f"{len(rows):,} rows written to {options.out}")
    return 0


def side_named(session: Session, project_id: int, text: str) -> SideSpec:
    """Who a person means by `starter`, `My adapter@40` or `endpoint:gpt:gpt-4`. Raises LookupError."""
    if text.startswith("endpoint:"):
        _, name, *model = text.split(":", 2)
        return SideSpec(
            endpoint_id=endpoints.find_endpoint(session, name).id, model=model[0] if model else ""
        )
    name, at, step = text.rpartition("@")
    if at and step.isdecimal():
        adapter = named(registry.list_adapters(session, project_id), name, "adapter")
        return SideSpec(adapter_id=adapter.id, step=int(step))
    model = registry.find_model(session, text)
    return SideSpec(base_model_id=model.id) if isinstance(model, BaseModel) else SideSpec(adapter_id=model.id)


def _prompts(session: Session, project_id: int, options: argparse.Namespace) -> Found:
    ways = [options.file is not None, options.shelf, options.task is not None]
    if sum(ways) != 1:
        raise ValueError("prompts: give a file, or --shelf, or --task, and one of them only.")
    if options.shelf:
        return batch_prompts.of_shelf_where(session, project_id, specialty=options.specialty, tag=options.tag)
    if options.task is not None:
        return batch_prompts.of_task(session, project_id, options.task, limit=options.limit)
    return batch_prompts.read_file(options.file)


def _require_no_suspects(found: Found) -> None:
    if suspects := batches.suspects(found.prompts):
        first = suspects[0]
        raise ValueError(
            f"prompts: {len(suspects):,} may hold patient data, the first being {first.key} "
            f"({', '.join(first.kinds)}); take it out, or say --checked where it is none."
        )
