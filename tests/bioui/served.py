"""A page of a test's own in a real server: the studio's frame, look and scripts around one `build`."""

import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Page

from bioui import theme

WHO = "who"  # the cookie that holds the user name


def user_of(request: Request) -> str | None:
    return request.cookies.get(WHO)


@contextmanager
def served(build: Callable[[], None]) -> Iterator[str]:
    """The address of a page that `build` lays out."""
    with gr.Blocks(analytics_enabled=False) as demo, gr.Column(elem_classes="page", elem_id="main"):
        build()
    demo.queue(default_concurrency_limit=32)
    app = FastAPI()
    app.mount("/studio", StaticFiles(directory=theme.ASSETS))
    with warnings.catch_warnings():  # Gradio warns that it turns off what we turn off
        warnings.filterwarnings("ignore", message="SSR mode")
        gr.mount_gradio_app(
            app, demo, path="/", auth_dependency=user_of, theme=theme.make_theme(), css=theme.CSS,
            head=theme.HEAD, footer_links=[], run_history=False, ssr_mode=False,
        )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@contextmanager
def tab(browser: Browser, address: str, who: str, **options) -> Iterator[Page]:
    """A Chromium tab of that person's."""
    context = browser.new_context(base_url=address, **{"viewport": {"width": 1440, "height": 900}, **options})
    context.add_cookies([{"name": WHO, "value": who, "url": address}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()
