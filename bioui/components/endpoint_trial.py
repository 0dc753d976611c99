"""The test of an endpoint, as a page follows it: the request leaves in a thread of its own, once.

The studio's own model server is started first where it is not up. What the test found, an answer or why
there was none, is stored by the thread, so that a reader who goes away loses nothing; but not when the
endpoint was changed or removed meanwhile.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bioui.answering import LOOK, launch
from bioui.components.notice import notice_value
from bioui.components.progress import progress_value
from bioui.handling import Problem
from bioui.model_server import START_WITHIN
from bioui.present import duration
from bioui.work import Work
from db import endpoints
from db.endpoints import OWN, Reach, tested_subject
from db.session import read, write
from db.settings import from_environment

if TYPE_CHECKING:
    from db.asking.client import Tested

ANSWER_WITHIN = 30.0  # seconds, as `db.asking` waits unless told
OWN_WITHIN = 120.0  # a large base has to be loaded first


def follow(endpoint_id: int) -> Iterator[dict]:
    """Values of a progress bar until the test is over; the generator's own value is what it found.

    Raises ValueError or LookupError with one sentence, of the mend too.
    """
    with read() as session:
        endpoint = endpoints.get_endpoint(session, endpoint_id)
        subject, is_own = tested_subject(endpoint), endpoint.base_url == OWN
    with _remembered(endpoint_id, subject):
        if is_own:
            yield from _start_own()
        with read() as session:
            reach = endpoints.reach(session, endpoint_id)
    within = OWN_WITHIN if is_own else ANSWER_WITHIN
    work = Work(lambda report: _ask(endpoint_id, subject, reach, within))
    for _ in work.watch():
        yield _waiting("Asking for one small reply", work.seconds, within)
    return work.result()


def found_value(name: str, found: "Tested") -> dict:
    """The notice of a test that was answered."""
    schemas = (
        "It holds its replies to a JSON schema."
        if found.knows_schema
        else "It does not hold its replies to a JSON schema: they are read as they come, and mended where "
        "they can be."
    )
    return notice_value(
        f"{name} answers.", f"{_seconds(found.seconds)}, as {found.model}.", schemas, hue="approved"
    )


def failed_value(name: str, error: Exception) -> dict:
    """The notice of a test that was not."""
    return notice_value(f"{name} cannot be used yet.", Problem.of(error).text, hue="attention")


def _start_own() -> Iterator[dict]:
    settings = from_environment()
    while launch.step(settings) is None:
        yield _waiting("Starting the model server", launch.seconds, START_WITHIN)
        time.sleep(LOOK)


def _ask(endpoint_id: int, subject: tuple, reach: Reach, within: float) -> "Tested":
    from db.asking import client  # takes a second to load, which only who tests should wait

    # Asked anew whether it knows schemas: a server may have learnt. The studio's own has not.
    afresh = reach if subject[0] == OWN else replace(reach, knows_schema=None)
    with _remembered(endpoint_id, subject):
        tested = client.check(afresh, timeout=within)
    _note(endpoint_id, subject, endpoints.note_test, knows_schema=tested.knows_schema)
    return tested


@contextmanager
def _remembered(endpoint_id: int, subject: tuple) -> Iterator[None]:
    """Store the sentence of what goes wrong inside."""
    try:
        yield
    except (ValueError, LookupError) as error:
        _note(endpoint_id, subject, endpoints.note_failure, trouble=str(error.args[0]))
        raise


def _note(endpoint_id: int, subject: tuple, note: Callable[..., None], **found) -> None:
    """Store what was found, unless the endpoint is another by now or gone."""
    with write() as session:
        known = {endpoint.id: tested_subject(endpoint) for endpoint in endpoints.list_endpoints(session)}
        if known.get(endpoint_id) == subject:
            note(session, endpoint_id, **found)


def _waiting(phase: str, seconds: float, within: float) -> dict:
    left = max(0.0, within - seconds)
    note = f"{duration(seconds)} so far; given up in {duration(left)}"
    return progress_value(phase, 0, 0, note=note)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"
