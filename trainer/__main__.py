"""`python -m trainer`: the worker, the model server, and the queue for people at a shell.

What a person does in the browser a script can do here: submit, status, logs, cancel, resume. No torch.
"""

import argparse
import json
import logging
import os
import sys
import time
from functools import partial
from pathlib import Path

from sqlalchemy import select

from db import jobs, queue, users
from db.enums import StopMode
from db.policy import PolicyError
from db.session import Session, read, write
from db.settings import Settings, from_environment
from db.tables import Job
from trainer import (
    compare_shell,
    convert_shell,
    encoder_shell,
    evaluate_shell,
    gate_shell,
    generate_shell,
    judge_shell,
    preferences_shell,
    prompts_shell,
    retention_shell,
    rounds_shell,
    study_shell,
    tasks_shell,
    train_shell,
    verdict_shell,
)
from trainer.shell import actor_of, open_studio


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 well, 1 refused or failed, 2 not understood."""
    if arguments[:1] == ["serve"]:  # reads its own flags
        from trainer.serve.main import main as serve

        return serve(arguments[1:])
    options = _parser().parse_args(arguments)
    if getattr(options, "data_dir", None):
        os.environ["STUDIO_DATA_DIR"] = str(options.data_dir)
    try:
        return options.act(from_environment(), options)
    except (ValueError, LookupError, PolicyError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", type=Path, help="the studio's data folder (STUDIO_DATA_DIR)")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    worker = _action(actions, "worker", _work, "claim jobs and carry them out until told to stop")
    worker.add_argument("--once", action="store_true", help="end when nothing is queued")

    run = _action(actions, "run", _run, "carry out one attempt at a job (the worker calls this)")
    run.add_argument("job", type=int)
    run.add_argument("attempt", type=int)

    actions.add_parser("serve", help="the model server; see serve --help")

    train_shell.add_commands(partial(_action, actions))
    convert_shell.add_commands(partial(_action, actions))
    generate_shell.add_commands(partial(_action, actions))
    tasks_shell.add_commands(partial(_action, actions))
    evaluate_shell.add_commands(partial(_action, actions))
    gate_shell.add_commands(partial(_action, actions))
    encoder_shell.add_commands(partial(_action, actions))
    judge_shell.add_commands(partial(_action, actions))
    preferences_shell.add_commands(partial(_action, actions))
    retention_shell.add_commands(partial(_action, actions))
    rounds_shell.add_commands(partial(_action, actions))
    compare_shell.add_commands(partial(_action, actions))
    prompts_shell.add_commands(partial(_action, actions))
    study_shell.add_commands(partial(_action, actions))
    verdict_shell.add_commands(partial(_action, actions))

    status = _action(actions, "status", _status, "the latest jobs, or all about one")
    status.add_argument("job", type=int, nargs="?")
    cancel = _action(actions, "cancel", _cancel, "stop a job, after a last checkpoint where it makes any")
    cancel.add_argument("job", type=int)
    cancel.add_argument("--discard", action="store_true", help="leave nothing behind")
    resume = "queue a job that stopped early again; it goes on from its last checkpoint"
    _action(actions, "resume", _resume, resume).add_argument("job", type=int)
    move = _action(actions, "move", _move, "let a waiting job go before another, or last")
    move.add_argument("job", type=int)
    move.add_argument("--before", type=int, metavar="JOB", help="the job it goes before; last unless given")
    priority = _action(actions, "priority", _prioritise, "let a waiting job go before all of lower priority")
    priority.add_argument("job", type=int)
    priority.add_argument("priority", type=int, help="-9 to 9; 0 unless told, higher goes first")
    logs = _action(actions, "logs", _logs, "what a job's process printed")
    logs.add_argument("job", type=int)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    return parser


def _action(actions, name: str, act, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(act=act)
    parser.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    if name in ("cancel", "resume", "move", "priority"):
        parser.add_argument("--as", dest="username", default=users.STUDIO, help="act as this person")
    return parser


def _work(settings: Settings, options: argparse.Namespace) -> int:
    from trainer import worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    open_studio(settings)
    return worker.main(settings, once=options.once)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    from trainer import run

    return run.main(settings, options.job, options.attempt)


def _status(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        if options.job is None:
            for job in s.scalars(select(Job).order_by(Job.id.desc()).limit(20)):
                print(_line(job))
            return 0
        job = jobs.get_job(s, options.job)
        print(_line(job))
        print(json.dumps({"spec": job.spec, "result": job.result, "attempt": job.attempt}, indent=2))
    return 0


def _cancel(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        mode = StopMode.DISCARD if options.discard else StopMode.SAVE
        print(_line(jobs.request_cancel(s, actor_of(s, options), options.job, mode)))
    return 0


def _move(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        queue.move(s, actor_of(s, options), options.job, before=options.before)
        _print_waiting(s)
    return 0


def _prioritise(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        queue.set_priority(s, actor_of(s, options), options.job, options.priority)
        _print_waiting(s)
    return 0


def _print_waiting(session: Session) -> None:
    session.flush()
    for job in queue.list_waiting(session):
        print(_line(job))


def _resume(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        print(_line(jobs.requeue(s, actor_of(s, options), options.job)))
    return 0


def _logs(settings: Settings, options: argparse.Namespace) -> int:
    """Print the log; followed, until the job is closed. Returns 1 when the job failed."""
    open_studio(settings)
    path, at = settings.jobs_dir / str(options.job) / "log.txt", 0
    while True:
        with read() as s:
            job = jobs.get_job(s, options.job)
            error, is_open = job.error, job.status.is_open
        at = _print_from(path, at)
        if not options.follow or not is_open:
            break
        time.sleep(0.5)
    if error:
        print(error, file=sys.stderr)
    return 1 if error else 0


def _print_from(path: Path, at: int) -> int:
    """Print the file from byte `at` on; returns where it ends now."""
    if not path.is_file():
        return at
    with path.open("rb") as file:
        file.seek(at)
        piece = file.read()
    print(piece.decode(errors="replace"), end="", flush=True)
    return at + len(piece)


def _line(job: Job) -> str:
    step = f"  step {job.step} of {job.total_steps}" if job.total_steps else ""
    return f"{job.id:>5}  {job.kind:<12} {job.status:<12} {job.name}{step}  {job.error}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
