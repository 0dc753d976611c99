"""The gate in front of every request: known host, same origin, logged in, safe headers.

Stands outside Gradio, so that endpoints Gradio leaves open (heartbeat, cancel, stream ...) are behind it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from db import users
from db.policy import Actor, PolicyError, Right, require
from db.session import read

COOKIE = "studio_session"
OPEN_PATHS = {"/healthz", "/login", "/setup", "/invite", "/favicon.ico", "/robots.txt", "/theme.css"}
OPEN_FOLDERS = ("/studio/", "/static/", "/assets/")  # the look: our files and Gradio's, no data
# What Gradio offers beyond events and files, and the studio does not.
SHUT = ("/gradio_api/proxy=", "/gradio_api/vibe", "/gradio_api/undo-vibe", "/gradio_api/run-history",
        "/gradio_api/runs", "/gradio_api/deep_link", "/gradio_api/dev", "/monitoring")  # fmt: skip
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'{eval}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Gradio's templates are compiled in the browser, hence 'unsafe-eval'.
    "Content-Security-Policy": POLICY.format(eval=" 'unsafe-eval'"),
}

# Gradio shows it to someone whose session ends while a page is open.
ENDED = (
    "Your session has ended. Log in again in a new tab, then repeat your last step here: "
    "what you typed is still on the page."
)


@dataclass(frozen=True)
class Gate:
    """ASGI middleware. `page_rights`: which right opens which page; `refuse` renders a page that says no."""

    app: Callable
    page_rights: dict[str, Right]
    refuse: Callable[[Request, str], Response]

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = await self._answer(request)
        await (answer or self.app)(scope, receive, _with_headers(send, request))

    async def _answer(self, request: Request) -> Response | None:
        """The response that ends this request here, or None to let it pass."""
        if is_cross_site(request):
            return JSONResponse({"detail": "This request came from another site."}, status_code=403)
        path = request.url.path
        if path.startswith(SHUT):
            return JSONResponse({"detail": "There is nothing here."}, status_code=404)
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
            return None
        actor = await run_in_threadpool(_visitor, request.cookies.get(COOKIE, ""))
        if actor is None:
            return _login_first(request)
        request.scope["studio_user"] = actor.username
        return self._page_refusal(request, actor)

    def _page_refusal(self, request: Request, actor: Actor) -> Response | None:
        right = self.page_rights.get("/" + request.url.path.strip("/"))
        try:
            if right is not None:
                require(actor, right)
        except PolicyError as error:
            return self.refuse(request, str(error))
        return None


def user_of(request: Request) -> str | None:
    """The user name that the gate found behind a request: Gradio's auth_dependency."""
    return request.scope.get("studio_user")


def is_cross_site(request: Request) -> bool:
    """True for a request that changes something and was not sent by a page of ours."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def safe_next(target: str) -> str:
    """`target` when it is a path of this studio, else the home page."""
    is_local = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if is_local and target.isprintable() else "/"


def _visitor(token: str) -> Actor | None:
    with read() as session:
        username = users.session_username(session, token) if token else None
        return users.get_actor(session, username) if username else None


def _login_first(request: Request) -> Response:
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/login" + (f"?next={quote(path)}" if path != "/" else ""), status_code=303)
    return JSONResponse({"detail": ENDED}, status_code=401)


def _with_headers(send: Callable, request: Request) -> Callable:
    async def send_with_headers(message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return send_with_headers
