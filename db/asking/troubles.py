"""What went wrong when an endpoint was asked, as one sentence, and whether asking again can help.

The sentences name the host, the model and the key's variable; never a key, a prompt, or what a server said:
servers quote both in their errors.
"""

import re
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx2
import openai

from db.addresses import host_and_port
from db.asking.transport import AddressRefused, ReplyTooLong
from db.endpoints import Reach
from db.tables.base import utc_now

_LONGEST_WAIT = 600.0  # seconds that a server's Retry-After is believed
_BUSY = {408, 409, 425, 429}
# As OpenAI, vLLM, llama.cpp and our own server say it.
_TOO_LONG = re.compile(r"context_length|context (length|window|size)|tokens long and .* fit")


class Reason(StrEnum):
    """Why there is no completion. Three refusals in a row for the same one stop a run."""

    KEY = "key"
    MODEL = "model"
    ADDRESS = "address"
    CERTIFICATE = "certificate"
    REQUEST = "request"
    BUSY = "busy"
    SERVER = "server"
    SILENCE = "silence"  # no answer in time, or none that ends
    CONNECTION = "connection"
    ANSWER = "answer"  # not what the protocol says


@dataclass(eq=False)
class Trouble(Exception):
    """A request without a completion."""

    reason: Reason
    sentence: str
    passes: bool  # asking again may help
    paid: bool  # the request may have been carried out
    wait: float | None = None  # seconds the server asks to wait
    refuses_schema: bool = False  # worth asking again in another form
    refuses_limit: bool = False

    def __str__(self) -> str:
        return self.sentence


def trouble_of(error: BaseException, reach: Reach) -> Trouble:
    """What an error of the client means."""
    host = host_and_port(reach.base_url)[0]
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, reach, host)
    if isinstance(error, openai.APIResponseValidationError | openai.APIError) and not isinstance(
        error, openai.APIConnectionError
    ):
        return _strange(host)
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, AddressRefused):
            return Trouble(Reason.ADDRESS, str(cause), False, False)
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = f"base url: the certificate of {host} is not trusted ({_plainly(cause.verify_message)})."
            return Trouble(Reason.CERTIFICATE, said, False, False)
        if isinstance(cause, ssl.SSLError):
            said = f"base url: {host} does not speak TLS as it should; check https or http, and the port."
            return Trouble(Reason.CERTIFICATE, said, False, False)
    if any(isinstance(cause, ReplyTooLong) for cause in chain):
        return Trouble(Reason.SILENCE, f"The reply of {host} did not end; it was cut off.", True, True)
    return _of_connection(chain, host)


def _of_status(error: openai.APIStatusError, reach: Reach, host: str) -> Trouble:
    status = error.status_code
    if status in (401, 403):
        key = f"the key in {reach.key_variable}" if reach.key_variable else "a request without a key"
        said = f"key: {host} refused {key} (HTTP {status}); set the right one, and start the studio again."
        return Trouble(Reason.KEY, said, False, False)
    if status == 402:
        return Trouble(Reason.KEY, f"key: the account at {host} has no credit left (HTTP 402).", False, False)
    if 300 <= status < 400:
        said = f"base url: {host} sends us elsewhere (HTTP {status}); write the address it stands for now."
        return Trouble(Reason.ADDRESS, said, False, False)
    if status == 404:
        said = f"model: {host} knows no model {reach.model} or no such path (HTTP 404); check both."
        return Trouble(Reason.MODEL, said, False, False)
    if status == 429 and _code(error) == "insufficient_quota":
        return Trouble(Reason.KEY, f"key: the account at {host} has no credit left (HTTP 429).", False, False)
    if status in _BUSY:
        return Trouble(Reason.BUSY, f"{host} is busy (HTTP {status}).", True, False, _wait(error))
    if status >= 500:
        return Trouble(Reason.SERVER, f"{host} failed (HTTP {status}).", True, False, _wait(error))
    told = _told(error)
    if _TOO_LONG.search(told):
        said = (
            f"request: {host} cannot take a prompt with a reply of that length; lower the longest reply, "
            "show fewer or shorter seeds, or choose a model with more room."
        )
        return Trouble(Reason.REQUEST, said, False, False)
    return Trouble(
        Reason.REQUEST,
        f"request: {host} refused the request (HTTP {status}); lower the longest reply, or check the model.",
        passes=False,
        paid=False,
        refuses_schema="response_format" in told or "json_schema" in told or "max_tokens" not in told,
        refuses_limit="max_tokens" in told,
    )


def _of_connection(chain: list[BaseException], host: str) -> Trouble:
    if any(isinstance(cause, httpx2.ConnectTimeout) for cause in chain):
        return Trouble(Reason.CONNECTION, f"base url: {host} cannot be reached in time.", True, False)
    if any(
        isinstance(cause, openai.APITimeoutError | TimeoutError | httpx2.TimeoutException) for cause in chain
    ):
        return Trouble(Reason.SILENCE, f"{host} did not answer in time.", True, True)
    if any(isinstance(cause, OSError) and type(cause).__name__ == "gaierror" for cause in chain):
        said = f"base url: the name {host} cannot be found; check how it is spelled, and the network."
        return Trouble(Reason.CONNECTION, said, True, False)
    if any(isinstance(cause, httpx2.ConnectError) for cause in chain):
        said = f"base url: nothing answers at {host}; check the address and that the server runs."
        return Trouble(Reason.CONNECTION, said, True, False)
    if any(isinstance(cause, httpx2.TransportError) for cause in chain):
        return Trouble(Reason.CONNECTION, f"The connection to {host} was lost.", True, True)
    return _strange(host)


def _strange(host: str) -> Trouble:
    said = f"base url: what {host} answers is no chat completion; check that it speaks the OpenAI protocol."
    return Trouble(Reason.ANSWER, said, False, True)


def _causes(error: BaseException | None):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _wait(error: openai.APIStatusError) -> float | None:
    """Seconds of a Retry-After header: a number, or a date."""
    value = error.response.headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - utc_now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None


def _code(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("code") or "")


def _told(error: openai.APIStatusError) -> str:
    """What the server said, to look for the name of a setting in: it goes no further."""
    return str(error.body or error.message)[:4000].lower()


def _plainly(message: str) -> str:
    return message.replace("\n", " ")[:120]
