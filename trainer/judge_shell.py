"""Judge runs from the shell: queue one, and read what it came to. See trainer.__main__."""

import argparse
import json
from collections.abc import Callable
from dataclasses import fields

from db import endpoints, jobs, judge_runs, projects
from db.enums import JobKind
from db.judge_spec import JudgeSpec
from db.session import read, write
from db.settings import Settings
from db.specs import help_for
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
_GIVEN = ("endpoint_id", "evaluation_id")


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    judging = action("judge", judge, "let a model compare and grade answers, and print the run's number")
    judging.add_argument("--endpoint", required=True, help="name of an endpoint")
    judging.add_argument("--evaluation", type=int, required=True, help="number of an evaluation")
    judging.add_argument("--name", default="Judge", help="what the run goes by")
    judging.add_argument("--project", help="name of the project; the first unless given")
    judging.add_argument("--estimate", action="store_true", help="only say what it would ask and cost")
    for option in fields(JudgeSpec):
        if option.name not in _GIVEN:
            _add_option(judging, option)
    add_acting(judging)
    action("judged", judged, "what a judge run came to, as JSON").add_argument("job", type=int)


def judge(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = {f.name: getattr(options, f.name) for f in fields(JudgeSpec) if f.name not in _GIVEN}
    with write() as s:
        endpoint = endpoints.find_endpoint(s, options.endpoint)
        project_id = named(projects.list_projects(s), options.project, "project").id
        spec = JudgeSpec(endpoint.id, options.evaluation, **given)
        if options.estimate:
            most = judge_runs.estimate(s, project_id, spec)
            say(
                f"{most.calls:,} calls for {most.rows:,} rows; at most {most.tokens:,} tokens and "
                f"{most.money:,.2f} at the endpoint's prices."
            )
            return 0
        job = judge_runs.start(s, actor_of(s, options), project_id, spec, name=options.name)
        s.flush()
        say(str(job.id))
    return 0


def judged(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        job = jobs.get_job(s, options.job)
        if job.kind is not JobKind.JUDGE:
            raise ValueError(f"job: number {job.id} is no judge run; it is a run of kind {job.kind}.")
        say(json.dumps(job.result, indent=2))
    return 0


def _add_option(parser: argparse.ArgumentParser, option) -> None:
    said = f"{help_for(JudgeSpec, option.name)} ({option.default})".replace("%", "%%")
    flag = f"--{option.name.removesuffix('_id').replace('_', '-')}"
    kind = {"action": argparse.BooleanOptionalAction} if option.type is bool else {"type": option.type}
    parser.add_argument(flag, dest=option.name, default=option.default, help=said, **kind)
