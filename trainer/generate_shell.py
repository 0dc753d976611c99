"""Endpoints and generation runs from the shell. See trainer.__main__."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, fields

from db import endpoints, generation_audits, jobs, projects
from db import generation_runs as runs
from db.endpoints import OWN, Offer
from db.generate_spec import GenerateSpec
from db.session import read, write
from db.settings import Settings
from db.specs import help_for
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
_GIVEN = {"endpoint_id", "against"}  # by --endpoint, and by a list
_CHANGES = ("target", "budget_tokens", "budget_money", "budget_hours")


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    generating = action("generate", generate, "queue a generation run, and print its number")
    generating.add_argument("--endpoint", required=True, help="name of an endpoint")
    generating.add_argument("--name", required=True, help="what the run goes by")
    generating.add_argument("--project", help="name of the project; the first unless given")
    generating.add_argument("--against", type=int, nargs="*", default=[], help=_help("against"))
    for option in fields(GenerateSpec):
        if option.name not in _GIVEN:
            _add_option(generating, option)
    add_acting(generating)

    going_on = action("generate-on", go_on, "go on with a run that stopped early, or with a higher target")
    going_on.add_argument("job", type=int)
    for option in fields(GenerateSpec):
        if option.name in _CHANGES:
            going_on.add_argument(_flag(option.name), type=option.type, help=_help(option.name))
    add_acting(going_on)

    action("funnel", funnel, "what became of a run's records, as JSON").add_argument("job", type=int)

    adding = action("add-endpoint", add_endpoint, "enter a server that speaks the OpenAI protocol")
    adding.add_argument("--name", required=True)
    adding.add_argument("--base-url", required=True, help=f"such as https://host/v1; {OWN} is this studio's")
    adding.add_argument("--model", required=True, help="as the server knows it")
    adding.add_argument(
        "--key-variable", default="", help="that holds the key; only an admin names one: --as"
    )
    for name, kind in (("price-in", float), ("price-out", float)):
        adding.add_argument(f"--{name}", type=kind, help="money per million tokens")
    for name in ("requests-per-minute", "tokens-per-minute"):
        adding.add_argument(f"--{name}", type=int)
    adding.add_argument("--concurrency", type=int, default=Offer.concurrency)
    adding.add_argument("--private", action="store_true", help="an admin agrees to a private address")
    add_acting(adding)

    trying = action("test-endpoint", try_endpoint, "ask an endpoint for one small reply")
    trying.add_argument("name")


def generate(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = {f.name: getattr(options, f.name) for f in fields(GenerateSpec) if f.name not in _GIVEN}
    with write() as s:
        endpoint = endpoints.find_endpoint(s, options.endpoint)
        spec = GenerateSpec(endpoint_id=endpoint.id, against=tuple(options.against), **given)
        job = runs.start(
            s,
            actor_of(s, options),
            named(projects.list_projects(s), options.project, "project").id,
            spec,
            name=options.name,
        )
        s.flush()
        say(str(job.id))
    return 0


def go_on(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = {name: getattr(options, name) for name in _CHANGES}
    changed = {name: value for name, value in given.items() if value is not None}
    with write() as s:
        runs.resume(s, actor_of(s, options), options.job, **changed)
    return 0


def funnel(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        jobs.get_job(s, options.job)
        standing = generation_audits.audit_of(s, options.job)
        told = {
            **asdict(runs.totals(s, options.job)),
            "wanted": runs.count_wanted(s, options.job),
            "funnel": [asdict(one) for one in runs.funnel_counts(s, options.job)],
            "audit": asdict(standing) if standing else None,
        }
    say(json.dumps(told, indent=2, default=str))  # the time of a draw is text
    return 0


def add_endpoint(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    offer = Offer(**{option.name: getattr(options, option.name) for option in fields(Offer)})
    with write() as s:
        endpoints.add(s, actor_of(s, options), offer, private=options.private)
    return 0


def try_endpoint(settings: Settings, options: argparse.Namespace) -> int:
    from db.asking.client import check  # loads the openai package

    open_studio(settings)
    with read() as s:
        endpoint_id = endpoints.find_endpoint(s, options.name).id
    try:
        with read() as s:
            reach = endpoints.reach(s, endpoint_id)
        tested = check(reach)
    except (ValueError, LookupError) as error:
        with write() as s:
            endpoints.note_failure(s, endpoint_id, str(error))
        raise
    with write() as s:
        endpoints.note_test(s, endpoint_id, knows_schema=tested.knows_schema)
    form = "knows JSON schemas" if tested.knows_schema else "is asked for JSON in words"
    say(f"{tested.model} answered in {tested.seconds:.2f} s and {form}.")
    return 0


def _add_option(parser: argparse.ArgumentParser, option) -> None:
    text = f"{_help(option.name)} ({option.default})"
    if option.type is bool:
        parser.add_argument(_flag(option.name), action="store_true", help=text)
    else:
        parser.add_argument(_flag(option.name), type=option.type, default=option.default, help=text)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _help(name: str) -> str:
    return help_for(GenerateSpec, name).replace("%", "%%")
