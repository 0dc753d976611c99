"""The pages before the studio: log in, set up the first admin, accept an invitation. Plain forms, no scripts.

Hashing a password takes tens of milliseconds, so it happens in a thread, two at a time.
"""

import time
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates

from bioui.gate import COOKIE, HEADERS, POLICY, safe_next
from bioui.handling import Problem
from bioui.limiter import Limiter
from db import users
from db.session import read, write

router = APIRouter()
templates = Jinja2Templates(Path(__file__).parent / "templates")
by_name = Limiter(tries=5, window=60)
by_address = Limiter(tries=30, window=60)
_hashing = CapacityLimiter(2)

WRONG = "User name or password is wrong. Check both and try again."


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:
    with read() as session:
        if not users.has_admin(session):
            return _page(request, "first_start.html")
    return _page(request, "login.html", next=safe_next(next))


@router.post("/login")
async def log_in(request: Request) -> Response:
    form = await _fields(request, "username", "password", "next")
    keys = (by_name, form["username"].strip().lower()), (by_address, _address(request))
    wait = max(limiter.wait(key, time.monotonic()) for limiter, key in keys)
    if wait:
        text = f"Too many tries. Wait {wait:.0f} seconds, then try again."
        return _login_again(request, form, text, status_code=429)
    token = await to_thread.run_sync(_open_session, form["username"], form["password"], limiter=_hashing)
    if token is None:
        for limiter, key in keys:
            limiter.note(key, time.monotonic())
        return _login_again(request, form, WRONG, status_code=401)
    by_name.forget(keys[0][1])
    return _welcome(request, token, safe_next(form["next"]))


@router.get("/setup")
def set_up_page(request: Request, token: str = "") -> Response:
    return _link_page(request, "setup.html", token)


@router.post("/setup")
async def set_up(request: Request) -> Response:
    form = await _fields(request, "token", "username", "full_name", "password", "again")
    return await _redeem(request, "setup.html", form, _make_first_admin)


@router.get("/invite")
def invite_page(request: Request, token: str = "") -> Response:
    return _link_page(request, "invite.html", token)


@router.post("/invite")
async def accept_invite(request: Request) -> Response:
    form = await _fields(request, "token", "password", "again")
    return await _redeem(request, "invite.html", form, _choose_password)


@router.post("/logout")
def log_out(request: Request) -> Response:
    with write() as session:
        users.close_session(session, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/logout")
def no_log_out_by_link() -> Response:
    return RedirectResponse("/", status_code=303)


def refusal_page(request: Request, sentence: str) -> Response:
    """The page that says why someone logged in may not open a page."""
    return _page(request, "notice.html", status_code=403, title="Not your page", sentence=sentence)


def _link_page(request: Request, template: str, token: str) -> Response:
    try:
        return _page(request, template, token=token, person=_invited(token), fields={})
    except LookupError as error:
        return _spent(request, error)


async def _redeem(request: Request, template: str, form: dict[str, str], redeem) -> Response:
    try:
        token = await to_thread.run_sync(redeem, form, limiter=_hashing)
    except LookupError as error:
        return _spent(request, error)
    except ValueError as error:
        typed = {name: value for name, value in form.items() if name not in ("password", "again")}
        problem = Problem.of(error)
        return _page(
            request, template, status_code=400, problem=problem, token=form["token"], fields=typed,
            person=_invited(form["token"]),
        )  # fmt: skip
    return _welcome(request, token, "/")


def _make_first_admin(form: dict[str, str]) -> str:
    _require_same(form)
    with write() as session:
        user = users.redeem_set_up(
            session,
            form["token"],
            username=form["username"],
            full_name=form["full_name"],
            password=form["password"],
        )
        return users.open_session(session, user)


def _choose_password(form: dict[str, str]) -> str:
    _require_same(form)
    with write() as session:
        user = users.redeem_invite(session, form["token"], password=form["password"])
        return users.open_session(session, user)


def _require_same(form: dict[str, str]) -> None:
    if form["password"] != form["again"]:
        raise ValueError("password again: the two passwords differ; type the same one twice.")


def _open_session(username: str, password: str) -> str | None:
    with read() as session:
        user = users.authenticate(session, username, password)
        user_id = user.id if user else None
    if user_id is None:
        return None
    with write() as session:
        return users.open_session(session, users.get_user(session, user_id))


def _invited(token: str) -> dict[str, str] | None:
    """Who a link is for; None for the set-up link. Raises LookupError for a spent one."""
    with read() as session:
        link = users.find_link(session, token)
        if link.user_id is None:
            return None
        person = users.get_user(session, link.user_id)
        return {"username": person.username, "full_name": person.full_name}


def _login_again(request: Request, form: dict[str, str], text: str, *, status_code: int) -> Response:
    return _page(
        request, "login.html", status_code=status_code, next=safe_next(form["next"]),
        username=form["username"], problem=Problem(text),
    )  # fmt: skip


def _spent(request: Request, error: LookupError) -> Response:
    return _page(
        request,
        "notice.html",
        status_code=410,
        title="This link no longer works",
        sentence=str(error.args[0]),
    )


def _welcome(request: Request, token: str, target: str) -> Response:
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(users.SESSION_LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


def _page(request: Request, template: str, *, status_code: int = 200, **values) -> Response:
    headers = {**HEADERS, "Content-Security-Policy": POLICY.format(eval=""), "Cache-Control": "no-store"}
    return templates.TemplateResponse(request, template, values, status_code=status_code, headers=headers)


async def _fields(request: Request, *names: str) -> dict[str, str]:
    form = await request.form()
    return {name: value if isinstance(value := form.get(name, ""), str) else "" for name in names}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
