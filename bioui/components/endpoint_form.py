"""The form of an endpoint: another server by its address, or a model of the studio's own server.

The name of the key's environment variable is asked for, never the key. What looks like a key is wiped from
the form and refused without being repeated, whatever field it was typed in.
"""

import re
from dataclasses import dataclass

import gradio as gr

from bioui.components.endpoint_rows import host_words
from bioui.components.endpoint_start import Way
from bioui.components.problem import problem_area
from bioui.components.view import View
from db import addresses, registry
from db.endpoints import OWN, Offer
from db.policy import Actor, Right
from db.session import Session
from db.tables import Endpoint

NAMES = (
    "kind", "name", "base_url", "model", "own_model", "key_variable", "price_in", "price_out",
    "requests_per_minute", "tokens_per_minute", "concurrency", "private",
)  # fmt: skip
TYPED = ("name", "base_url", "model", "key_variable")  # where a key may be pasted by mistake
WHOLE = ("requests_per_minute", "tokens_per_minute", "concurrency")
OTHER_KIND, OWN_KIND = "other", "own"
KINDS = [("Another server, by its address", OTHER_KIND), ("This studio's model server", OWN_KIND)]
MAY_BE_PRIVATE = "Let its name lead to a private address"
ADDRESS_HINT = "Up to /v1, as the server's own documentation gives it."
KEY_EXAMPLE = "OPENAI_API_KEY"
KEY_HINT = "Its name only, ending in _API_KEY. The key stays where the studio runs. Empty: none is sent."
NEEDS_KEY = "This service needs a key. Give its variable's name; the key stays where the studio runs."
ADMIN_HINT = "Only an admin sets it: the key is sent to the address above."
NEEDS_ADMIN = "This service needs a key. Only an admin sets it: save, then ask one."
HEAD = "{{#if value}}<h2>{{value}}</h2>{{/if}}"
# The beginnings that services give their keys, wherever they stand; and what only a random text looks like.
_KEY = re.compile(r"(?:\b|_)(?:sk-|sk_|hf_|gsk_|xai-|nvapi-|AIza|Bearer )[A-Za-z0-9_\-]{12,}")
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*\d)\S{16,}|(?=.*\d)[A-Z0-9]{16,}")
_EMPTY = {"price_in": None, "price_out": None, "requests_per_minute": None, "tokens_per_minute": None}


@dataclass(frozen=True)
class EndpointForm:
    """The form's components. `inputs` stand in the order of NAMES."""

    head_html: View
    other_col: gr.Column
    own_col: gr.Column
    inputs: list
    problem: View
    save_btn: gr.Button
    close_btn: gr.Button

    def input(self, name: str):
        return self.inputs[NAMES.index(name)]

    @property
    def typed(self) -> list:
        return [self.input(name) for name in TYPED]

    @property
    def filled(self) -> list:
        """What `blank` and `of_endpoint` fill, in their order."""
        return [self.head_html, self.other_col, self.own_col, *self.inputs]


def endpoint_form() -> EndpointForm:
    """Lay the form out where it is called."""
    with gr.Row(elem_classes="pane-head"):
        head_html = View(HEAD, "")
        close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
    problem = problem_area()
    kind_radio = gr.Radio(KINDS, value=OTHER_KIND, label="Kind", elem_classes="stacked")
    name_tb = gr.Textbox(
        label="Name", max_lines=1, max_length=80, elem_id="field-name",
        info="What it is called in lists and in the records of its runs.",
    )  # fmt: skip
    with gr.Column(elem_classes="factory-fields") as other_col:
        other = _other_fields()
    with gr.Column(elem_classes="factory-fields", visible=False) as own_col:
        own_dd = gr.Dropdown([], label="Model", elem_id="field-own-model", info="A base model or an adapter.")
    with gr.Row(elem_classes="actions"):
        save_btn = gr.Button("Save endpoint", variant="primary", elem_id="save-btn")
    inputs = [kind_radio, name_tb, *other[:2], own_dd, *other[2:]]
    return EndpointForm(head_html, other_col, own_col, inputs, problem, save_btn, close_btn)


def blank(session: Session, actor: Actor, way: Way | None = None) -> tuple:
    """The form for a new endpoint, begun for that kind of server."""
    url = way.base_url if way else ""
    values = {"kind": OTHER_KIND, "name": "", "base_url": url, "model": "", "concurrency": Offer.concurrency}
    key = key_field(actor, way.key_variable if way else "", is_new=True)
    values |= {"base_url": address_field(actor, url), "key_variable": key, **_EMPTY}
    return _filled("Add an endpoint", session, values, consent_field(actor, url, given=False))


def of_endpoint(session: Session, actor: Actor, endpoint: Endpoint) -> tuple:
    """The form with what is stored."""
    is_own = endpoint.base_url == OWN
    given = endpoint.private_consent_at is not None
    url = "" if is_own else endpoint.base_url
    values = {name: getattr(endpoint, name) for name in NAMES if hasattr(endpoint, name)}
    values |= {
        "kind": OWN_KIND if is_own else OTHER_KIND,
        "base_url": address_field(actor, url, endpoint.key_variable),
        "key_variable": key_field(actor, endpoint.key_variable),
    }
    return _filled(
        "Change the endpoint", session, values, consent_field(actor, url, given=given), own=is_own,
    )  # fmt: skip


def address_field(actor: Actor, url: str, key_variable: str = "") -> dict:
    """The base URL. Where a key is sent, only an admin may have it sent elsewhere."""
    if key_variable and not actor.can(Right.MANAGE_PROJECT):
        why = f"Only an admin changes it: the key in {key_variable} is sent there."
        return gr.update(value=url, interactive=False, info=why)
    return gr.update(value=url, interactive=True, info=ADDRESS_HINT)


def key_field(actor: Actor, variable: str, *, is_new: bool = False) -> dict:
    """The key's variable, which only an admin sets. A form begun for a service that needs one says so."""
    is_needed = is_new and bool(variable)
    if actor.can(Right.MANAGE_PROJECT):
        hint = NEEDS_KEY if is_needed else KEY_HINT
        return gr.update(value=variable, interactive=True, info=hint, placeholder=KEY_EXAMPLE)
    hint = NEEDS_ADMIN if is_needed else ADMIN_HINT
    return gr.update(value="" if is_new else variable, interactive=False, info=hint, placeholder="")


def consent_field(actor: Actor, url: str, *, given: bool) -> dict:
    """The checkbox of an admin's consent, worded for the address; others read what it is about."""
    near = _private_host(url)
    label = f"Let the studio talk to {near}, a private address" if near else MAY_BE_PRIVATE
    if actor.can(Right.MANAGE_PROJECT):
        why = (
            "What stands there may trust whoever is near. Tick it for a server of yours on this machine or "
            "in its network."
        )
    elif given:
        why = "An admin agreed to this. Another address needs it again."
    else:
        why = "Only an admin can agree to this: what stands there may trust whoever is near. Ask one."
    return gr.update(label=label, value=given, interactive=actor.can(Right.MANAGE_PROJECT), info=why)


def key_fields(values: tuple) -> list[str]:
    """The text fields that hold what looks like a key."""
    given = dict(zip(NAMES, values, strict=True))
    found = [name for name in TYPED if _KEY.search(given[name] or "")]
    variable = (given["key_variable"] or "").strip()
    is_name = variable.upper().endswith("_API_KEY")
    if "key_variable" not in found and not is_name and _RANDOM.fullmatch(variable):
        found.append("key_variable")
    return found


def refuse_key(field: str) -> ValueError:
    """What is said of a key that was typed; it does not repeat it."""
    return ValueError(
        f"{field}: that looks like a key, so it was taken out again; nothing was stored. Keep it in an "
        "environment variable where the studio runs, and give that variable's name here."
    )


def offer_of(values: tuple) -> Offer:
    """What the inputs, in the order of NAMES, say. Raises ValueError naming the field."""
    given = dict(zip(NAMES, values, strict=True))
    name = given["name"] or ""
    if given["kind"] == OWN_KIND:
        if not given["own_model"]:
            raise ValueError("own model: choose a base model or an adapter.")
        return Offer(name, OWN, given["own_model"], concurrency=1)
    fields = {field: _whole(given[field]) for field in WHOLE}
    return Offer(
        name=name,
        base_url=given["base_url"] or "",
        model=given["model"] or "",
        key_variable=given["key_variable"] or "",
        price_in=given["price_in"],
        price_out=given["price_out"],
        **fields,
    )


def wants_private(values: tuple) -> bool:
    given = dict(zip(NAMES, values, strict=True))
    return given["kind"] == OTHER_KIND and bool(given["private"])


def own_models(session: Session) -> list[str]:
    """Names of the base models, then of the adapters, as the model server knows them."""
    bases, adapters = registry.list_base_models(session), registry.list_all_adapters(session)
    return list(dict.fromkeys(model.name for model in [*bases, *adapters]))


def _filled(title: str, session: Session, values: dict, consent: dict, *, own: bool = False) -> tuple:
    models = own_models(session)
    chosen = values["model"] if own and values["model"] in models else (models[0] if models else None)
    inputs = {
        **values,
        "own_model": gr.update(choices=[(name, name) for name in models], value=chosen),
        "private": consent,
    }
    if own:
        inputs["model"] = ""
    return (
        title, gr.update(visible=not own), gr.update(visible=own), *(inputs[name] for name in NAMES),
    )  # fmt: skip


def _other_fields() -> list:
    """Base URL, model, key variable, the prices and limits, the consent: as NAMES names them."""
    url_tb = gr.Textbox(
        label="Base URL", max_lines=1, elem_id="field-base-url", placeholder="https://host/v1",
        info=ADDRESS_HINT,
    )  # fmt: skip
    model_tb = gr.Textbox(
        label="Model", max_lines=1, elem_id="field-model", info="Its name as the server knows it."
    )
    key_tb = gr.Textbox(
        label="Environment variable of the key", max_lines=1, elem_id="field-key-variable",
        placeholder=KEY_EXAMPLE, info=KEY_HINT,
    )  # fmt: skip
    with gr.Row(elem_classes="field-grid"):
        numbers = [
            gr.Number(None, label="Price per million prompt tokens", elem_id="field-price-in",
                      info="In the currency of your bill."),
            gr.Number(None, label="Price per million reply tokens", elem_id="field-price-out",
                      info="Runs count their cost by both."),
            gr.Number(None, label="Requests a minute", elem_id="field-requests-per-minute",
                      info="At most. Empty: no limit."),
            gr.Number(None, label="Tokens a minute", elem_id="field-tokens-per-minute",
                      info="Prompts and replies. Empty: no limit."),
            gr.Number(Offer.concurrency, label="Requests at once", elem_id="field-concurrency",
                      info="How many may be under way together."),
        ]  # fmt: skip
    consent_cb = gr.Checkbox(False, label=MAY_BE_PRIVATE, interactive=False, elem_id="field-private")
    return [url_tb, model_tb, key_tb, *numbers, consent_cb]


def _private_host(url: str) -> str:
    """The host and port of an address that can only be private, else ""."""
    try:
        url = addresses.parse_base_url(url)
    except ValueError:
        return ""  # said at the field when it is saved
    return host_words(url) if addresses.is_named_private(addresses.host_and_port(url)[0]) else ""


def _whole(value: float | None) -> float | int | None:
    """A whole number as one; anything else as it is, for the offer to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
