"""The web server: our own pages and gate around the mounted Gradio app.

Gradio's own login is not used: its sessions never expire and its check blocks the event loop. Ours is a
cookie whose hash stands in the database, and `auth_dependency` tells Gradio who the gate let in.
"""

import os
import socket
import warnings

import gradio as gr
import psutil
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.staticfiles import StaticFiles

from bioui import downloads, health, login, main, theme
from bioui.gate import Gate, user_of
from db.settings import REPOSITORY, Settings

MAX_UPLOAD = "256mb"


def create_server(settings: Settings) -> FastAPI:
    """The app that uvicorn serves. The database must be connected and migrated."""
    os.environ.update(settings.environment())  # the pages, and what they start, read the same settings
    _keep_uploads_private(settings)
    app = FastAPI(title="BioInstruct Studio", openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(health.router)
    app.include_router(login.router)
    app.include_router(downloads.router)
    app.mount("/studio", StaticFiles(directory=theme.ASSETS))
    with warnings.catch_warnings():  # Gradio warns that it turns off what we turn off
        warnings.filterwarnings("ignore", message="SSR mode")
        _mount_pages(app, settings)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Gate, page_rights=main.rights_of(), refuse=login.refusal_page)
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=host_names(settings))
    return app


def _mount_pages(app: FastAPI, settings: Settings) -> None:
    gr.mount_gradio_app(
        app,
        main.build(),
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        auth_dependency=user_of,
        theme=theme.make_theme(),
        css=theme.CSS,
        head=theme.HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=MAX_UPLOAD,
        allowed_paths=[],
        blocked_paths=_blocked_paths(settings),
    )


def host_names(settings: Settings) -> list[str]:
    """The names a browser may call the studio by; any other could be a rebound DNS name."""
    names = {"localhost", "127.0.0.1", "::1", "[::1]", settings.host}
    if settings.host in ("0.0.0.0", "::"):
        names |= {socket.gethostname(), socket.getfqdn()}
        names |= {own.address for owned in psutil.net_if_addrs().values() for own in owned}
    return sorted(names)


def _keep_uploads_private(settings: Settings) -> None:
    """Have Gradio keep uploads under the data folder, not in the shared temporary one."""
    folder = settings.data_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)


def _blocked_paths(settings: Settings) -> list[str]:
    """What Gradio must never serve, whatever a handler returns: our state and our source."""
    state = [settings.jobs_dir, settings.adapters_dir, settings.logs_dir]
    state += [settings.data_dir / name for name in ("outgoing", "corpora")]
    state += [settings.data_dir / f"studio.db{end}" for end in ("", "-wal", "-shm")]
    rooms = [REPOSITORY / name for name in ("app.py", "bioui", "db", "trainer", "tests", ".git", ".venv")]
    return [str(path) for path in state + rooms]
