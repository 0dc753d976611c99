"""Judge runs from the shell: queue one, read what it came to, and set judges beside people. See
trainer.__main__.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from db import brought_answers, endpoints, evaluations, jobs, judge_runs, projects, rater_agreement
from db.brought_answers import Columns
from db.enums import JobKind
from db.judge_spec import JudgeSpec
from db.metrics.interval import Interval
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

    bringing = action("bring-answers", bring, "store answers with people's scores, and print their number")
    bringing.add_argument("file", type=Path, help="CSV, TSV, JSON, JSONL or Parquet with a row an answer")
    bringing.add_argument("--name", required=True, help="what the answers go by")
    for column in ("prompt", "reference", "answer"):
        bringing.add_argument(f"--{column}", required=True, help=f"the column that holds the {column}")
    bringing.add_argument("--instruction", default="", help="what was asked of each prompt")
    bringing.add_argument("--scores", type=Path, help="a second file with people's scores, row by row")
    bringing.add_argument("--project", help="name of the project; the first unless given")
    add_acting(bringing)

    checking = action("rater-agreement", agree, "how far measures and judges agree with people's scores")
    checking.add_argument("evaluation", type=int, help="number of answers that were brought")
    checking.add_argument("--human", help="one of the people's scores; the first unless given")
    checking.add_argument("--judges", type=int, nargs="*", default=[], help="numbers of judge runs over them")


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


def bring(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    columns = Columns(options.prompt, options.reference, options.answer)
    rows = brought_answers.read(options.file, columns, options.scores)
    with write() as s:
        project_id = named(projects.list_projects(s), options.project, "project").id
        actor, more = actor_of(s, options), {"name": options.name, "instruction": options.instruction}
        evaluation_id = brought_answers.bring(s, actor, project_id, rows, **more).id
    with read() as s:
        summary = evaluations.summarise(s, evaluation_id)
    with write() as s:
        evaluations.close(evaluations.find(s, evaluation_id), summary)
    say(str(evaluation_id))
    return 0


def agree(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        human = options.human or next(iter(rater_agreement.human_scores(s, options.evaluation)), "")
        judges = [jobs.get_job(s, number) for number in options.judges]
        found = rater_agreement.agreement(s, options.evaluation, human, judges=judges)
    say(f"{'beside ' + human:<36}{'Spearman':>24}{'ICC(2,1)':>24}{'weighted kappa':>24}{'left out':>10}")
    for one in found:
        figures = "".join(f"{_figure(each):>24}" for each in (one.spearman, one.icc, one.kappa))
        say(f"{one.rater:<36}{figures}{one.left_out:>10,}")
    return 0


def _figure(interval: Interval) -> str:
    if interval.value is None:
        return "-"
    bounds = "" if interval.low is None else f" [{interval.low:.2f}, {interval.high:.2f}]"
    return f"{interval.value:.2f}{bounds}"


def _add_option(parser: argparse.ArgumentParser, option) -> None:
    said = f"{help_for(JudgeSpec, option.name)} ({option.default})".replace("%", "%%")
    flag = f"--{option.name.removesuffix('_id').replace('_', '-')}"
    kind = {"action": argparse.BooleanOptionalAction} if option.type is bool else {"type": option.type}
    parser.add_argument(flag, dest=option.name, default=option.default, help=said, **kind)
