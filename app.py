"""BioInstruct Studio on one command: settings, migrate, start what is missing, serve the browser side."""

import argparse
import logging
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn

from db import jobs, migrate, processes, samples, settings, users
from db.enums import ProcessRole
from db.session import connect, read, write
from db.settings import Settings


def main() -> None:
    studio = _settings()
    listener = listen(studio)
    migrate.upgrade(connect(studio.url))
    with write() as session:
        if samples.load(session):
            print("The sample project is ready: 80 seeds, a prompt shelf and the starter model.")
    if not studio.no_worker:
        start_worker(studio)
    print_address(studio)
    serve(studio, listener)
    if not studio.no_worker:
        stop_idle_processes()


def listen(studio: Settings) -> socket.socket:
    """Take the port before anything is started; one sentence and the end when it is not to be had."""
    family = socket.AF_INET6 if ":" in studio.host else socket.AF_INET
    try:
        return socket.create_server((studio.host, studio.port), family=family)
    except OSError as error:
        sys.exit(
            f"BioInstruct Studio cannot start. port: {studio.port} on {studio.host} cannot be used "
            f"({error.strerror}); stop what listens there or give another with --port."
        )


def serve(studio: Settings, listener: socket.socket) -> None:
    """Answer browsers until Ctrl-C."""
    from bioui.server import create_server  # imports gradio, some seconds: after the console has spoken

    # Access lines would carry one-time links; uvicorn's own errors still show.
    # An open page holds a connection for as long as it stays open: Ctrl-C waits for none of them.
    config = uvicorn.Config(
        create_server(studio), log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[listener])


def start_worker(studio: Settings) -> None:
    """Start a worker in its own session, unless one of this machine already works."""
    with read() as session:
        if processes.find_alive(session, ProcessRole.WORKER, here=True):
            return
    with (studio.logs_dir / "worker.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "trainer", "worker"],
            cwd=settings.REPOSITORY,
            env={**os.environ, **studio.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop_idle_processes() -> None:
    """End the worker and the model server with the studio, unless a job is still under way."""
    with read() as session:
        if jobs.count_open(session):
            print("Jobs go on in the background; start the studio again to watch them.")
            return
        for role in ProcessRole:
            processes.terminate(session, role)


def print_address(studio: Settings) -> None:
    address = f"http://{studio.host}:{studio.port}"
    with write() as session:
        if users.has_admin(session):
            print(f"BioInstruct Studio: {address}")
        else:
            token = users.create_set_up_link(session)
            print(f"First start. Make the first admin here (works once):\n  {address}/setup?token={token}")
    sys.stdout.flush()


def _settings() -> Settings:
    """Settings from the environment, overruled by flags; one sentence and the end when one cannot be."""
    try:
        given = settings.from_environment()
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--host", default=given.host, help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", default=given.port, type=int, help="port (default: %(default)s)")
        parser.add_argument("--data-dir", default=given.data_dir, type=Path, help="where all state is kept")
        parser.add_argument(
            "--no-worker", action="store_true", default=given.no_worker, help="start no worker"
        )
        flags = parser.parse_args()
        studio = replace(
            given,
            host=flags.host,
            port=flags.port,
            data_dir=flags.data_dir.expanduser().resolve(),
            no_worker=flags.no_worker,
        )
        studio.make_folders()
        return studio
    except ValueError as error:
        sys.exit(f"BioInstruct Studio cannot start. {error}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    main()
