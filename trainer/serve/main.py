"""`python -m trainer serve`: the model server as a process of its own, on loopback."""

import argparse
import logging
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import uvicorn
from sqlalchemy import inspect

from db import session
from db.settings import Settings, from_environment
from db.tables import Process
from trainer.serve import lifecycle
from trainer.serve.app import create_app
from trainer.serve.engine import Engine

LOCK = "model_server.lock"

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until nobody asked for a while. Returns the exit code."""
    options = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = from_environment()
        settings = replace(settings, data_dir=(options.data_dir or settings.data_dir).resolve())
        settings.make_folders()
        return serve_alone(settings, options.port, options.idle_minutes * 60)
    except ValueError as error:
        logger.error("%s", error)
        return 1


def serve_alone(settings: Settings, port: int, idle_seconds: float) -> int:
    """Serve unless another server does already. Raises ValueError when the port cannot be had."""
    lock = lifecycle.take_lock(settings.data_dir / LOCK)
    if lock is None:
        logger.info("a model server already runs for %s; this one ends", settings.data_dir)
        return 0
    with lock:
        try:
            listener = socket.create_server(("127.0.0.1", port))  # early callers wait in its backlog
        except OSError as error:
            raise ValueError(f"port: {port} cannot be had ({error.strerror}); choose another.") from error
        serve(settings, listener, idle_seconds=idle_seconds)
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainer serve", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        choices=range(65536),
        metavar="PORT",
        help="on 127.0.0.1; 0 is a free one",
    )
    parser.add_argument(
        "--idle-minutes", type=float, default=15.0, help="end after so long without a request"
    )
    parser.add_argument("--data-dir", type=Path, help="the studio's data folder (STUDIO_DATA_DIR)")
    return parser.parse_args(argv)


def serve(settings: Settings, listener: socket.socket, *, idle_seconds: float) -> None:
    open_database(settings)
    engine, token = Engine(), secrets.token_urlsafe(32)
    presence = lifecycle.Presence(
        engine=engine,
        address=f"http://127.0.0.1:{listener.getsockname()[1]}",
        token=token,
        idle_seconds=idle_seconds,
        leave=lambda: setattr(server, "should_exit", True),
    )
    app = create_app(engine, token=token, lifespan=presence.kept)
    config = uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=10)
    server = lifecycle.Server(config, engine)
    logger.info("listening on %s", presence.address)
    server.run(sockets=[listener])
    logger.info("signed off")
    leave_now(engine)


def leave_now(engine: Engine) -> None:
    """End the process without waiting for an import or a load under way: neither can be interrupted, and
    nothing is left to save."""
    if engine.is_busy:
        logging.shutdown()
        os._exit(0)
    engine.close()


def open_database(settings: Settings) -> None:
    """Connect, and lay out the tables in a new folder. Importing Alembic costs time, so only then."""
    engine = session.connect(settings.url)
    if not inspect(engine).has_table(Process.__tablename__):
        from db import migrate

        migrate.upgrade(engine)
