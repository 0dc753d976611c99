"""Endpoints: servers that speak the OpenAI protocol, and what may be said to them.

A row holds the name of the environment variable with the key, never the key. The studio's own model server
is an endpoint too: its address and token change with every start, so its row says OWN and they are looked up.
"""

import os
import re
from dataclasses import asdict, dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import addresses, audit, processes
from db.enums import ProcessRole
from db.policy import Actor, Right, require
from db.tables import Endpoint
from db.tables.base import utc_now

OWN = "studio:model-server"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_API_KEY")
_LONGEST_NAME = 80  # characters


@dataclass(frozen=True)
class Offer:
    """What a person enters for an endpoint. Raises ValueError naming the field that cannot be."""

    name: str
    base_url: str
    model: str
    key_variable: str = ""  # empty: the server asks for none
    price_in: float | None = None  # money per million prompt tokens
    price_out: float | None = None  # money per million completion tokens
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int = 4

    def __post_init__(self) -> None:
        for name in ("name", "model", "key_variable"):
            object.__setattr__(self, name, getattr(self, name).strip())
        if not 0 < len(self.name) <= _LONGEST_NAME:
            raise ValueError(f"name: give the endpoint a name of at most {_LONGEST_NAME} characters.")
        if not self.model:
            raise ValueError("model: write the model's name as the server knows it.")
        if self.base_url.strip() != OWN:
            object.__setattr__(self, "base_url", addresses.parse_base_url(self.base_url))
        _check_variable(self.key_variable)
        for name in ("price_in", "price_out"):
            _check_range(self, name, 0, 100_000, (int, float))
        for name, most in (("requests_per_minute", 10**6), ("tokens_per_minute", 10**9)):
            _check_range(self, name, 1, most, (int,))
        if self.concurrency is None:
            raise ValueError("concurrency: say how many requests may be under way at once.")
        _check_range(self, "concurrency", 1, 256, (int,))

    @property
    def is_private(self) -> bool:
        """Written so that only this machine or its neighbours can be meant."""
        return self.base_url != OWN and addresses.is_named_private(addresses.host_and_port(self.base_url)[0])


@dataclass(frozen=True)
class Reach:
    """How to talk to an endpoint now. Never stored and never logged: it holds the key."""

    base_url: str
    model: str
    key: str = field(repr=False)
    key_variable: str = ""
    private: bool = False  # its address may be private
    knows_schema: bool | None = None


def list_endpoints(session: Session) -> list[Endpoint]:
    return list(session.scalars(select(Endpoint).where(Endpoint.deleted_at.is_(None)).order_by(Endpoint.id)))


def get_endpoint(session: Session, endpoint_id: int) -> Endpoint:
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None or endpoint.deleted_at is not None:
        raise LookupError(f"There is no endpoint number {endpoint_id}.")
    return endpoint


def find_endpoint(session: Session, name: str) -> Endpoint:
    """The endpoint of that name. Raises LookupError."""
    query = select(Endpoint).where(Endpoint.name == name.strip(), Endpoint.deleted_at.is_(None))
    endpoint = session.scalar(query)
    if endpoint is None:
        known = ", ".join(row.name for row in list_endpoints(session)) or "none yet"
        raise LookupError(f"endpoint: there is none named {name}; there is {known}.")
    return endpoint


def add(session: Session, actor: Actor, offer: Offer, *, private: bool = False) -> Endpoint:
    """Enter an endpoint. `private` is an admin's consent to loopback and private addresses.

    Raises ValueError for a taken name, for a private address without the consent, and for a key variable
    that no admin named.
    """
    require(actor, Right.RUN_FACTORY)
    _require_free(session, offer.name)
    if offer.key_variable:
        _require_key_holder(actor, "key variable")
    _require_consent(offer, private)
    endpoint = Endpoint(**asdict(offer))
    session.add(endpoint)
    audit.record(session, actor, "added", endpoint, host=_host(offer.base_url))
    if private:
        consent(session, actor, endpoint.id)
    return endpoint


def add_own(session: Session, actor: Actor, *, model: str, name: str = "") -> Endpoint:
    """Offer a base model or an adapter of the studio's own model server."""
    return add(session, actor, Offer(name or f"This studio: {model}", OWN, model, concurrency=1))


def change(
    session: Session, actor: Actor, endpoint_id: int, offer: Offer, *, private: bool = False
) -> Endpoint:
    """Replace what was entered. Another address needs its own test, and an admin's consent of its own.

    Raises what `add` raises, and ValueError where someone else than an admin moves an endpoint with a key.
    """
    require(actor, Right.RUN_FACTORY)
    endpoint = get_endpoint(session, endpoint_id)
    if offer.name != endpoint.name:
        _require_free(session, offer.name)
    moved = offer.base_url != endpoint.base_url
    if offer.key_variable and offer.key_variable != endpoint.key_variable:
        _require_key_holder(actor, "key variable")
    elif offer.key_variable and moved:
        _require_key_holder(actor, "base url")
    _require_consent(offer, private or (not moved and endpoint.private_consent_at is not None))
    if moved:
        endpoint.private_consent_at = endpoint.private_consent_by_id = None
    if tested_subject(offer) != tested_subject(endpoint):
        endpoint.knows_schema = endpoint.tested_at = endpoint.test_failed_at = None
        endpoint.test_trouble = ""
    for column, value in asdict(offer).items():
        setattr(endpoint, column, value)
    audit.record(session, actor, "changed", endpoint, host=_host(offer.base_url))
    if private and endpoint.private_consent_at is None:
        consent(session, actor, endpoint_id)
    return endpoint


def consent(session: Session, actor: Actor, endpoint_id: int, *, given: bool = True) -> Endpoint:
    """Record, or with given=False take back, an admin's consent to a private address of this endpoint."""
    require(actor, Right.MANAGE_PROJECT)
    endpoint = get_endpoint(session, endpoint_id)
    endpoint.private_consent_at = utc_now() if given else None
    endpoint.private_consent_by_id = actor.id if given else None
    audit.record(session, actor, "private_consent", endpoint, given=given)
    return endpoint


def delete(session: Session, actor: Actor, endpoint_id: int, *, deleted: bool = True) -> Endpoint:
    """Take an endpoint out of the lists, or with deleted=False put it back.

    A removed one's name is free: ValueError when another has it by the time this one comes back.
    """
    require(actor, Right.RUN_FACTORY)
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None:
        raise LookupError(f"There is no endpoint number {endpoint_id}.")
    if not deleted and endpoint.deleted_at is not None and _is_taken(session, endpoint.name):
        raise ValueError(
            f"name: another endpoint is named {endpoint.name} by now; rename that one, then put this back."
        )
    endpoint.deleted_at = utc_now() if deleted else None
    audit.record(session, actor, "deleted" if deleted else "restored", endpoint)
    return endpoint


def reach(session: Session, endpoint_id: int) -> Reach:
    """Address and key of an endpoint as they are now.

    Raises ValueError when the key's variable is not set here, LookupError when the model server is not up.
    """
    endpoint = get_endpoint(session, endpoint_id)
    if endpoint.base_url == OWN:
        return _reach_own(session, endpoint)
    key = os.environ.get(endpoint.key_variable, "").strip() if endpoint.key_variable else ""
    if endpoint.key_variable and not key:
        raise ValueError(
            f"key variable: {endpoint.key_variable} is not set for this process; "
            "set it where the studio is started, and start it again."
        )
    return Reach(
        base_url=endpoint.base_url,
        model=endpoint.model,
        key=key,
        key_variable=endpoint.key_variable,
        private=endpoint.private_consent_at is not None,
        knows_schema=endpoint.knows_schema,
    )


def note_schema(session: Session, endpoint_id: int, knows: bool) -> None:
    """Remember whether the endpoint answers in a JSON schema."""
    get_endpoint(session, endpoint_id).knows_schema = knows


def note_test(session: Session, endpoint_id: int, *, knows_schema: bool) -> None:
    """Remember that the endpoint answered a test."""
    endpoint = get_endpoint(session, endpoint_id)
    endpoint.knows_schema, endpoint.tested_at = knows_schema, utc_now()
    endpoint.test_failed_at, endpoint.test_trouble = None, ""


def note_failure(session: Session, endpoint_id: int, trouble: str) -> None:
    """Remember that a test failed, and our own sentence for why: never a key nor what a server said."""
    endpoint = get_endpoint(session, endpoint_id)
    endpoint.test_failed_at, endpoint.test_trouble = utc_now(), trouble


def tested_subject(endpoint: Endpoint | Offer) -> tuple[str, str, str]:
    """What a test is a test of: another address, model or key needs its own."""
    return endpoint.base_url, endpoint.model, endpoint.key_variable


def price(endpoint: Endpoint, tokens_in: int, tokens_out: int) -> float:
    """Money for so many tokens; a price that nobody entered counts as 0."""
    return (tokens_in * (endpoint.price_in or 0) + tokens_out * (endpoint.price_out or 0)) / 1e6


def _reach_own(session: Session, endpoint: Endpoint) -> Reach:
    server = processes.find_alive(session, ProcessRole.MODEL_SERVER)
    if server is None:
        raise LookupError(
            "endpoint: the studio's model server is not running; start it with "
            "`python -m trainer serve`, or by a question in the playground, and try again."
        )
    return Reach(f"{server.address}/v1", endpoint.model, server.token, private=True, knows_schema=False)


def _check_variable(name: str) -> None:
    """A name of ours to give away: a key pasted here, or another secret's name, must never be sent."""
    if name and not (len(name) <= 64 and _VARIABLE.fullmatch(name)):
        raise ValueError(
            "key variable: give the name of an environment variable that ends in _API_KEY, such as "
            "OPENAI_API_KEY; the key itself is never stored."
        )


def _check_range(offer: Offer, name: str, low: float, high: float, kinds: tuple[type, ...]) -> None:
    value = getattr(offer, name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise ValueError(f"{name.replace('_', ' ')}: {value} cannot be; give {low:,} to {high:,}.")


def _is_taken(session: Session, name: str) -> bool:
    query = select(Endpoint.id).where(Endpoint.name == name, Endpoint.deleted_at.is_(None))
    return session.scalar(query) is not None


def _require_free(session: Session, name: str) -> None:
    if _is_taken(session, name):
        raise ValueError(f"name: there is an endpoint named {name} already; choose another.")


def _require_consent(offer: Offer, given: bool) -> None:
    if offer.is_private and not given:
        raise ValueError(
            f"base url: {_host(offer.base_url)} is a private address; an admin must agree to that."
        )


def _require_key_holder(actor: Actor, field: str) -> None:
    """Who pairs a key with an address decides to whom it is sent. `field` is the one that was changed."""
    if actor.can(Right.MANAGE_PROJECT):
        return
    mends = {"key variable": "leave it empty", "base url": "keep the address"}
    raise ValueError(
        f"{field}: the key is sent to the address beside it, so only an admin may set the two; "
        f"{mends[field]}, or ask an admin."
    )


def _host(base_url: str) -> str:
    return base_url if base_url == OWN else addresses.host_and_port(base_url)[0]
