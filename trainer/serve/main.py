"""`python -m trainer serve`: the model server as a process of its own, on loopback unless told otherwise.

It speaks OpenAI's protocol at /v1, so any client of that can use it with a token of yours. Alone on a GPU, it
ends when a job of the studio needs that GPU; while a job has the only one, the CPU answers for small bases.
"""

import argparse
import logging
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from sqlalchemy import inspect

from db import session
from db.settings import Settings, from_environment
from db.tables import Process
from trainer import machine
from trainer.serve import lifecycle, places
from trainer.serve.app import create_app
from trainer.serve.engine import Engine
from trainer.serve.places import Place

LOCK = "model_server.lock"
TOKEN = "STUDIO_SERVE_TOKEN"
_SHORTEST_TOKEN = 16  # characters
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How to serve."""

    host: str = "127.0.0.1"
    port: int = 0
    idle_seconds: float = 900.0
    device: str = "auto"
    four_bit: bool = False
    token: str = ""  # of other clients, beside the private one


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until nobody asked for a while. Returns the exit code."""
    given = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = from_environment()
        settings = replace(settings, data_dir=(given.data_dir or settings.data_dir).resolve())
        settings.make_folders()
        options = Options(
            host=given.host,
            port=given.port,
            idle_seconds=given.idle_minutes * 60,
            device=given.device,
            four_bit=given.four_bit,
            token=read_token(given.token_file),
        )
        return serve_alone(settings, options)
    except ValueError as error:
        logger.error("%s", error)
        return 1


def serve_alone(settings: Settings, options: Options) -> int:
    """Serve unless another server does already. Raises ValueError when port, device or 4 bits cannot be
    had."""
    lock = lifecycle.take_lock(settings.data_dir / LOCK)
    if lock is None:
        logger.info("a model server already runs for %s; this one ends", settings.data_dir)
        return 0
    with lock:
        open_database(settings)
        place = find_place(options)
        try:
            family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
            # early callers wait in its backlog
            listener = socket.create_server((options.host, options.port), family=family)
        except OSError as error:
            raise ValueError(
                f"port: {options.port} on {options.host} cannot be had ({error.strerror}); choose another."
            ) from error
        serve(listener, options, place)
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainer serve",
        description=__doc__,
        epilog="Requests bear a token (Authorization: Bearer ...). The studio's pages have a private one, "
        f"new with every start; give your own clients one by --token-file or {TOKEN}. There is no TLS: "
        "before --host lets other machines in, put a proxy that has it in front.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; only this machine reaches the default"
    )
    parser.add_argument(
        "--port", type=int, default=0, choices=range(65536), metavar="PORT", help="0 is a free one"
    )
    parser.add_argument(
        "--token-file", type=Path, help=f"a file with a token for other clients (else {TOKEN})"
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto: a GPU that no job has, else the CPU",
    )
    parser.add_argument(
        "--four-bit",
        action="store_true",
        help="pack bases into 4 bits, as QLoRA does: a quarter of the memory; needs an NVIDIA GPU and the "
        "package bitsandbytes",
    )
    parser.add_argument(
        "--idle-minutes", type=float, default=15.0, help="end after so long without a request"
    )
    parser.add_argument("--data-dir", type=Path, help="the studio's data folder (STUDIO_DATA_DIR)")
    return parser.parse_args(argv)


def read_token(path: Path | None) -> str:
    """The token of other clients, from the file or from the environment; "" when they have none.

    Raises ValueError for a file that cannot be read and for a token that is guessed too easily.
    """
    try:
        token = (path.read_text(encoding="utf-8") if path else os.environ.get(TOKEN, "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"token file: {path} cannot be read; write a token into it.") from error
    if (token or path) and (len(token) < _SHORTEST_TOKEN or not token.isascii() or token.split() != [token]):
        raise ValueError(
            f"token: write at least {_SHORTEST_TOKEN} letters and digits on one line; "
            'python -c "import secrets; print(secrets.token_urlsafe(32))" makes a good one.'
        )
    return token


def find_place(options: Options) -> Place:
    """Where to compute; from here on torch sees nothing else. Raises ValueError naming what cannot be had."""
    gpus = machine.look().gpus
    with session.read() as s:
        place = places.choose(options.device, gpus, places.taken(s))
    places.settle(place)
    if options.four_bit:
        from trainer.models import fourbit  # imports torch

        if place.reason:
            raise ValueError(f"four-bit: {place.reason} Try again when it has ended.")
        if (lacking := fourbit.fault(has_gpu=bool(place.gpu))) is not None:
            raise ValueError(f"four-bit: it needs {lacking}, or leave it out.")
    return place


def serve(listener: socket.socket, options: Options, place: Place) -> None:
    engine, token = Engine(four_bit=options.four_bit), secrets.token_urlsafe(32)
    presence = lifecycle.Presence(
        engine=engine,
        place=place,
        address=address_of(listener),
        token=token,
        idle_seconds=options.idle_seconds,
        leave=lambda: setattr(server, "should_exit", True),
    )
    tokens = [token, options.token] if options.token else [token]
    app = create_app(engine, tokens=tokens, place=place, lifespan=presence.kept)
    config = uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=10)
    server = lifecycle.Server(config, engine)
    logger.info("listening on %s, answering on the %s", presence.address, place.gpu or place.device)
    if options.host not in _LOOPBACK:
        logger.warning("other machines may reach this server, and there is no TLS before it")
    server.run(sockets=[listener])
    logger.info("signed off")
    leave_now(engine)


def address_of(listener: socket.socket) -> str:
    """The base URL under which the studio's own pages reach it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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
