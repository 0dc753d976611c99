"""What a person says once a login before typing prompts: that no patient data goes into them.

It stands at the login session, so another browser, or the same one tomorrow, is asked again.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from db import audit, users
from db.policy import Actor, PolicyError
from db.tables.base import utc_now

SENTENCE = "I will type no patient data"
ASKED_FIRST = (
    f"Say first that you will type no patient data: press “{SENTENCE}” at the top of the page. "
    "It is asked once a login."
)


def given_at(session: Session, token: str) -> datetime | None:
    """When it was said in the login session of this cookie; None where it was not."""
    login = users.find_login(session, token)
    return login.acknowledged_at if login else None


def give(session: Session, actor: Actor, token: str) -> datetime:
    """Note that `actor` says it, with an audit line; again changes nothing.

    Raises PolicyError where the cookie opens no session of the actor's own.
    """
    login = users.find_login(session, token)
    if login is None or login.user_id != actor.id:
        raise PolicyError("Your session has ended. Log in again; what you typed is still on the page.")
    if login.acknowledged_at is None:
        login.acknowledged_at = utc_now()
        audit.record(session, actor, "acknowledged", login.user)
    return login.acknowledged_at


def require_given(session: Session, token: str) -> None:
    """Raises PolicyError until it was said in this login session."""
    if given_at(session, token) is None:
        raise PolicyError(ASKED_FIRST)
