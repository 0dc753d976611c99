"""People, their passwords, log-in sessions and one-time links.

Hashing is slow on purpose (argon2, tens of milliseconds): call `authenticate`, `redeem_*` off the event loop.
"""

import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import LinkPurpose, Role
from db.policy import Actor, PolicyError, Right, require
from db.tables import LoginSession, OneTimeLink, User, UserRole
from db.tables.base import utc_now

SESSION_LIFE = timedelta(hours=12)
LINK_LIFE = timedelta(days=3)
MIN_PASSWORD = 12
STUDIO = "studio"  # the account that shipped records are written by; it has no password

_hasher = PasswordHasher()


@cache
def _decoy_hash() -> str:
    """Verified when a user name is unknown, so that the answer takes as long as for a known one.

    Made at the first log-in: every job and every command imports this module, and few of them log anyone in.
    """
    return _hasher.hash(secrets.token_urlsafe(16))


def as_actor(user: User) -> Actor:
    return Actor(user.id, user.username, user.full_name, frozenset(grant.role for grant in user.roles))


def has_admin(session: Session) -> bool:
    query = select(User.id).join(UserRole).where(UserRole.role == Role.ADMIN, User.is_active)
    return session.scalar(query.limit(1)) is not None


def studio_account(session: Session) -> Actor:
    """The studio's own account, made on first use."""
    user = session.scalar(select(User).where(User.username == STUDIO))
    if user is None:
        user = User(username=STUDIO, full_name="BioInstruct Studio", is_active=False)
        user.roles = [UserRole(role=role) for role in Role if role is not Role.ADMIN]
        session.add(user)
        session.flush()
    return as_actor(user)


def list_users(session: Session) -> list[User]:
    return list(session.scalars(select(User).where(User.username != STUDIO).order_by(User.username)))


def get_actor(session: Session, username: str) -> Actor:
    """The active person of that user name, with the roles they hold now. Raises PolicyError for nobody."""
    user = session.scalar(select(User).where(User.username == username, User.is_active))
    if user is None:
        raise PolicyError(f"There is no active account named {username}; log in again.")
    return as_actor(user)


# One-time links -------------------------------------------------------------------------------------


def create_set_up_link(session: Session) -> str:
    """A fresh token for making the first admin; earlier ones stop working."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.SET_UP))
    return _create_link(session, LinkPurpose.SET_UP)


def invite(session: Session, actor: Actor, *, username: str, full_name: str, roles: list[Role]) -> str:
    """Make an account that cannot log in yet; the returned token lets its owner choose a password."""
    require(actor, Right.MANAGE_USERS)
    user = _create_user(session, username=username, full_name=full_name, roles=roles)
    audit.record(session, actor, "invited", user, roles=sorted(roles))
    return _create_link(session, LinkPurpose.INVITE, user)


def reinvite(session: Session, actor: Actor, user_id: int) -> str:
    """A new link for someone who lost theirs or forgot their password. Ends their sessions."""
    require(actor, Right.MANAGE_USERS)
    user = get_user(session, user_id)
    _end_sessions(session, user)
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    audit.record(session, actor, "reinvited", user)
    return _create_link(session, LinkPurpose.INVITE, user)


def find_link(session: Session, token: str, *, now: datetime | None = None) -> OneTimeLink:
    """The link of that token. Raises LookupError when it is unknown, used or over its time."""
    link = session.get(OneTimeLink, _hash(token))
    if link is None or link.used_at is not None or link.expires_at < (now or utc_now()):
        raise LookupError("This link was already used or has expired. Ask for a new one.")
    return link


def redeem_set_up(session: Session, token: str, *, username: str, full_name: str, password: str) -> User:
    """Make the first admin. Raises LookupError for a spent link, ValueError for a bad field."""
    link = find_link(session, token)
    if link.purpose is not LinkPurpose.SET_UP or has_admin(session):
        raise LookupError("This link was already used or has expired. Ask for a new one.")
    user = _create_user(session, username=username, full_name=full_name, roles=list(Role))
    user.password_hash = _hash_password(password)
    link.used_at = utc_now()
    audit.record(session, as_actor(user), "set_up", user)
    return user


def redeem_invite(session: Session, token: str, *, password: str) -> User:
    """Give an invited person their password.

    Raises LookupError for a spent link, ValueError for a bad field.
    """
    link = find_link(session, token)
    if link.purpose is not LinkPurpose.INVITE:
        raise LookupError("This link was already used or has expired. Ask for a new one.")
    user = get_user(session, link.user_id)
    user.password_hash = _hash_password(password)
    link.used_at = utc_now()
    audit.record(session, as_actor(user), "chose_password", user)
    return user


# Log-in ---------------------------------------------------------------------------------------------


def authenticate(session: Session, username: str, password: str) -> User | None:
    """The active user with that password, or None. Takes equally long for unknown names."""
    decoy = _decoy_hash()  # for a known name too: the one log-in that makes it must not tell them apart
    user = session.scalar(select(User).where(User.username == username.strip().lower(), User.is_active))
    try:
        _hasher.verify(user.password_hash if user and user.password_hash else decoy, password)
    except (VerificationError, InvalidHashError):
        return None
    return user


def open_session(session: Session, user: User, *, now: datetime | None = None) -> str:
    """A new cookie value for `user`, good for SESSION_LIFE."""
    token = secrets.token_urlsafe(32)
    now = now or utc_now()
    session.add(LoginSession(token_hash=_hash(token), user_id=user.id, expires_at=now + SESSION_LIFE))
    audit.record(session, as_actor(user), "logged_in", user)
    return token


def find_login(session: Session, token: str, *, now: datetime | None = None) -> LoginSession | None:
    """The session behind a cookie, or None when it is unknown, over its time or the person left."""
    login = session.get(LoginSession, _hash(token))
    if login is None or login.expires_at < (now or utc_now()) or not login.user.is_active:
        return None
    return login


def session_username(session: Session, token: str, *, now: datetime | None = None) -> str | None:
    """The user name behind a cookie, or None as of `find_login`."""
    login = find_login(session, token, now=now)
    return login.user.username if login else None


def close_session(session: Session, token: str) -> None:
    session.execute(delete(LoginSession).where(LoginSession.token_hash == _hash(token)))


def get_user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise LookupError(f"There is no person number {user_id}.")
    return user


def set_roles(session: Session, actor: Actor, user_id: int, roles: list[Role]) -> None:
    """Replace a person's roles. Raises ValueError for none, or when the last admin would be gone."""
    require(actor, Right.MANAGE_USERS)
    user = get_user(session, user_id)
    if not roles:
        raise ValueError("roles: choose at least one role.")
    user.roles = [UserRole(role=role) for role in sorted(set(roles))]
    _keep_an_admin(session)
    audit.record(session, actor, "roles_set", user, roles=sorted(set(roles)))


def set_active(session: Session, actor: Actor, user_id: int, *, active: bool) -> None:
    """Let a person in or keep them out; their work stays. Raises ValueError for the last admin."""
    require(actor, Right.MANAGE_USERS)
    user = get_user(session, user_id)
    user.is_active = active
    if not active:
        _end_sessions(session, user)
    _keep_an_admin(session)
    audit.record(session, actor, "activated" if active else "deactivated", user)


def _keep_an_admin(session: Session) -> None:
    session.flush()
    if not has_admin(session):
        raise ValueError("roles: the studio needs one active admin; make someone else an admin first.")


def _end_sessions(session: Session, user: User) -> None:
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def _create_user(session: Session, *, username: str, full_name: str, roles: list[Role]) -> User:
    username = username.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,31}", username):
        raise ValueError("user name: use 2 to 32 letters, digits, dots, dashes or underscores.")
    if not full_name.strip():
        raise ValueError("full name: write the name others will see beside your work.")
    if not roles:
        raise ValueError("roles: choose at least one role.")
    if session.scalar(select(func.count()).where(User.username == username)):
        raise ValueError(f"user name: {username} is taken; choose another.")
    user = User(username=username, full_name=full_name.strip())
    user.roles = [UserRole(role=role) for role in sorted(set(roles))]
    session.add(user)
    session.flush()
    return user


def _create_link(session: Session, purpose: LinkPurpose, user: User | None = None) -> str:
    token = secrets.token_urlsafe(24)
    session.add(
        OneTimeLink(
            token_hash=_hash(token),
            purpose=purpose,
            user_id=user.id if user else None,
            expires_at=utc_now() + LINK_LIFE,
        )
    )
    return token


def _hash_password(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"password: use at least {MIN_PASSWORD} characters; a short sentence is good.")
    return _hasher.hash(password)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
