"""Encoder baselines from the shell. See trainer.__main__."""

import argparse
from collections.abc import Callable
from dataclasses import fields

from db import encoders, projects, task_versions
from db.encoder_spec import STAND_IN, EncoderSpec
from db.session import write
from db.settings import Settings
from db.specs import help_for
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
_GIVEN = {"location", "train_task_id", "tasks", "name"}


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's command; `action(name, act, help)` gives its parser."""
    tuning = action("encoder", tune, "queue an encoder baseline, and print the job's number")
    tuning.add_argument(
        "--location", required=True, help=f"owner/name on the Hub, a folder, or {STAND_IN} (never pretrained)"
    )
    tuning.add_argument("--name", required=True, help=help_for(EncoderSpec, "name"))
    tuning.add_argument("--train", required=True, metavar="TASK", help="frozen task with the training rows")
    tuning.add_argument(
        "--task", required=True, action="append", metavar="TASK", help="frozen task to score; may be repeated"
    )
    tuning.add_argument("--project", help="name of the project; the first unless given")
    for option in fields(EncoderSpec):
        if option.name not in _GIVEN:
            flag = f"--{option.name.replace('_', '-')}"
            tuning.add_argument(flag, type=option.type, help=f"{option.metadata['help']} [{option.default}]")
    add_acting(tuning)


def tune(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    told = {
        option.name: getattr(options, option.name)
        for option in fields(EncoderSpec)
        if option.name not in _GIVEN
    }
    given = {name: value for name, value in told.items() if value is not None}
    if options.location == STAND_IN:
        given = encoders.STAND_IN_SETTINGS | given
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        there = task_versions.list_tasks(s, project.id)
        spec = EncoderSpec(
            location=options.location,
            train_task_id=named(there, options.train, "task").id,
            tasks=tuple(named(there, name, "task").id for name in options.task),
            name=options.name,
            **given,
        )
        job = encoders.start(s, actor_of(s, options), project.id, spec)
        s.flush()
        say(str(job.id))
    return 0
