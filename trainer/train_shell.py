"""Training runs from the shell: submit one by flags or by a YAML file, write one down as YAML."""

import argparse
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path

from sqlalchemy.orm import Session

from db import datasets, exports, jobs, projects, registry, train_presets, train_yaml
from db.enums import JobKind
from db.export_spec import FORMS, ExportSpec
from db.session import read, write
from db.settings import Settings
from db.specs import from_json, help_for
from db.tables import DatasetVersion
from db.train_spec import TrainSpec
from db.train_yaml import SETTINGS, Recipe
from trainer.shell import actor_of, add_acting, named, open_studio, say

KINDS = {"train": JobKind.TRAIN, "report": JobKind.DATA_REPORT}

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    submit = action("submit", _submit, "queue a training run, or a report of what it would do")
    submit.add_argument("kind", choices=KINDS)
    submit.add_argument("--spec", type=Path, help="a YAML file that describes the run; flags go before it")
    submit.add_argument("--preset", help=f"settings to begin with: {', '.join(_preset_names())}")
    submit.add_argument("--base", help="name of a base model")
    submit.add_argument("--dataset", help="name of a dataset")
    submit.add_argument("--version", type=int, help="frozen version; the latest unless given")
    submit.add_argument("--project", help="name of the project; the first unless given")
    submit.add_argument("--name", help=help_for(TrainSpec, "adapter_name"))
    for option in fields(TrainSpec):
        if option.name in SETTINGS:
            _add_setting(submit, option)
    add_acting(submit)
    exporting = action("export", _export, "write an adapter as other tools take it, and print its number")
    exporting.add_argument("adapter", help="name of an adapter")
    exporting.add_argument("--form", choices=FORMS, default=FORMS[0], help=help_for(ExportSpec, "form"))
    exporting.add_argument("--repository", default="", help=help_for(ExportSpec, "repository"))
    exporting.add_argument("--public", action="store_true", help="the repository can be seen by everyone")
    add_acting(exporting)
    action("spec", _print_spec, "a run's settings as YAML, for submit --spec").add_argument("job", type=int)


def _add_setting(parser: argparse.ArgumentParser, option: Field) -> None:
    many = {"nargs": "*"} if isinstance(option.default, tuple) else {}
    kind = str if many else type(option.default)
    said = f"{option.metadata['help']} ({option.default})".replace("%", "%%")
    flag = f"--{option.name.replace('_', '-')}"
    parser.add_argument(flag, type=kind, default=argparse.SUPPRESS, help=said, **many)


def _submit(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    recipe = _recipe(options)
    with write() as s:
        project_id = named(projects.list_projects(s), options.project, "project").id
        version = _version(s, project_id, recipe)
        base = named(registry.list_base_models(s), recipe.base, "base")
        spec = recipe.spec(base.id, version.id)
        job = jobs.enqueue(s, actor_of(s, options), project_id, KINDS[options.kind], spec, name=recipe.name)
        s.flush()
        say(str(job.id))
    return 0


def _recipe(options: argparse.Namespace) -> Recipe:
    """What the preset, the file and the flags say, the later before the earlier."""
    found = train_yaml.read(_text_of(options.spec)) if options.spec else None
    settings = dict(train_presets.find(options.preset).settings) if options.preset else {}
    settings |= found.settings if found else {}
    settings |= {name: getattr(options, name) for name in SETTINGS if hasattr(options, name)}
    said = {
        name: getattr(options, name) or getattr(found, name, None) for name in ("base", "dataset", "name")
    }
    for name, value in said.items():
        if not value:
            raise ValueError(f"{name}: say it with --{name}, or in a file given by --spec.")
    version = options.version or (found.version if found else None)
    return Recipe(version=version, settings=settings, **said)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"spec: {path} cannot be read ({error}).") from error


def _version(session: Session, project_id: int, recipe: Recipe) -> DatasetVersion:
    versions = [v for v in datasets.list_versions(session, project_id) if v.dataset.name == recipe.dataset]
    wanted = [v for v in versions if recipe.version in (None, v.number)]
    if not wanted:
        which = f"version {recipe.version}" if recipe.version else "frozen version"
        raise LookupError(f"dataset: there is no {which} of a dataset named {recipe.dataset}.")
    return max(wanted, key=lambda v: v.number)


def _export(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        adapter = named(registry.list_all_adapters(s), options.adapter, "adapter")
        spec = ExportSpec(adapter.id, options.form, options.repository, private=not options.public)
        job = exports.start(s, actor_of(s, options), adapter.project_id, spec)
        s.flush()
        say(str(job.id))
    return 0


def _print_spec(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        job = jobs.get_job(s, options.job)
        if job.kind not in KINDS.values():
            raise ValueError(f"job: {job.id} is no training run but {job.kind}.")
        spec: TrainSpec = from_json(job.kind, job.spec)
        version = datasets.get_version(s, spec.dataset_version_id)
        base = registry.get_base_model(s, spec.base_model_id)
        said = train_yaml.write(spec, base=base.name, dataset=version.dataset.name, version=version.number)
        say(said.rstrip())
    return 0


def _preset_names() -> list[str]:
    return [preset.name for preset in train_presets.PRESETS]
