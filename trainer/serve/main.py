"""`python -m trainer serve`: the model server as a process of its own, on loopback."""

import argparse
import logging
import secrets
import socket
from collections.abc import Sequence

import uvicorn

from db import session
from db.settings import Settings, from_environment
from trainer.serve import lifecycle
from trainer.serve.app import create_app
from trainer.serve.engine import Engine

LOCK = "model_server.lock"

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until nobody asked for a while. Returns the exit code."""
    options = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = from_environment()
    settings.make_folders()
    lock = lifecycle.take_lock(settings.data_dir / LOCK)
    if lock is None:
        logger.info("a model server already runs for %s; this one ends", settings.data_dir)
        return 0
    with lock:
        try:
            listener = socket.create_server(("127.0.0.1", options.port))  # early callers wait in its backlog
        except OSError as error:
            logger.error("port: %d cannot be had (%s); choose another", options.port, error.strerror)
            return 1
        serve(settings, listener, idle_seconds=options.idle_minutes * 60)
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
    return parser.parse_args(argv)


def serve(settings: Settings, listener: socket.socket, *, idle_seconds: float) -> None:
    session.connect(settings.url)
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
