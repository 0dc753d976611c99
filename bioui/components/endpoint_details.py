"""The reading view of one endpoint: where its texts go, what it costs, and what the last test found."""

from pathlib import Path

from bioui.components import facts
from bioui.components.endpoint_rows import failure_words, host_words, is_set, limit_words, price_words
from bioui.components.facts import fact
from bioui.components.view import View
from bioui.present import ago, exact
from db import addresses, users
from db.endpoints import OWN
from db.session import Session
from db.tables import Endpoint

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@facts", facts.TEMPLATE)
NOTHING_OPEN = {"title": "", "leaves": "", "facts": [], "broken": ""}
SCHEMAS = {
    True: "Known: replies are held to the schema",
    False: "Not known: replies are read as they come, and mended where they can be",
    None: "Not tried yet; the test finds out",
}


def endpoint_details() -> View:
    return View(TEMPLATE, NOTHING_OPEN, elem_classes="endpoint-details")


def details_value(session: Session, endpoint: Endpoint, *, is_told: bool = False) -> dict:
    """Everything that was entered and found out; of the key only the variable's name.

    `is_told`: a notice beneath says why the test failed.
    """
    found = [
        fact("Model", endpoint.model, mono=True),
        fact(
            "Last test",
            _tested(endpoint, is_told),
            title=exact(endpoint.test_failed_at or endpoint.tested_at),
        ),
        fact("JSON schemas", SCHEMAS[endpoint.knows_schema]),
    ]
    if endpoint.base_url != OWN:
        found.insert(0, fact("Base URL", endpoint.base_url, mono=True))
        found += [
            fact("Key", _key_words(endpoint)),
            fact("Private address", _consent_words(session, endpoint)),
        ]
    found += [
        fact("Price", ", ".join(filter(None, price_words(endpoint))) + _unit(endpoint)),
        fact("Limits", ", ".join(limit_words(endpoint))),
        fact("Added", ago(endpoint.created_at), title=exact(endpoint.created_at)),
    ]
    return {
        "title": endpoint.name,
        "leaves": leaves_words(endpoint),
        "facts": found,
        "broken": "" if endpoint.test_failed_at else _key_warning(endpoint),
    }


def leaves_words(endpoint: Endpoint) -> str:
    """Where what is sent goes."""
    if endpoint.base_url == OWN:
        return "The studio's own model server. Nothing leaves the machine."
    host = addresses.host_and_port(endpoint.base_url)[0]
    if addresses.is_named_private(host):
        return f"Prompts go to {host_words(endpoint.base_url)}, on this machine or in its network."
    return f"Prompts, with the seeds and passages in them, leave for {host_words(endpoint.base_url)}."


def _tested(endpoint: Endpoint, is_told: bool) -> str:
    answered = f"Answered {ago(endpoint.tested_at)}" if endpoint.tested_at else ""
    if not endpoint.test_failed_at:
        return answered or "Not tested"
    failed = f"{ago(endpoint.test_failed_at)}." if is_told else failure_words(endpoint)
    return f"Failed, {failed}" + (f" {answered}." if answered else "")


def _key_words(endpoint: Endpoint) -> str:
    if not endpoint.key_variable:
        return "None is sent"
    told = "set" if is_set(endpoint.key_variable) else "not set"
    return f"In {endpoint.key_variable}, {told} on this machine"


def _key_warning(endpoint: Endpoint) -> str:
    if not endpoint.key_variable or is_set(endpoint.key_variable):
        return ""
    return (
        f"{endpoint.key_variable} is not set where the studio runs, so this endpoint cannot be asked. Set it "
        "there, and start the studio and its worker again."
    )


def _consent_words(session: Session, endpoint: Endpoint) -> str:
    if endpoint.private_consent_at is None:
        return "Not agreed to: refused where the address is, or leads to, a private one"
    admin = users.get_user(session, endpoint.private_consent_by_id)
    return f"Agreed to by {admin.full_name}, {ago(endpoint.private_consent_at)}"


def _unit(endpoint: Endpoint) -> str:
    has_price = endpoint.price_in is not None or endpoint.price_out is not None
    return ", per million tokens" if has_price and endpoint.base_url != OWN else ""
