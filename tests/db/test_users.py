from datetime import timedelta

import pytest

from db import users
from db.enums import Role
from db.policy import PolicyError
from db.session import read, write
from db.tables.base import utc_now
from tests.conftest import PASSWORD


def test_the_set_up_link_makes_the_first_admin_once(database):
    with write() as session:
        token = users.create_set_up_link(session)
        users.redeem_set_up(session, token, username="ada", full_name="Ada", password=PASSWORD)
    with pytest.raises(LookupError, match="already used"), write() as session:
        users.redeem_set_up(session, token, username="eve", full_name="Eve", password=PASSWORD)


def test_a_short_password_is_refused_and_the_link_still_works(database):
    with write() as session:
        token = users.create_set_up_link(session)
    with pytest.raises(ValueError, match="^password:"), write() as session:
        users.redeem_set_up(session, token, username="ada", full_name="Ada", password="short")
    with write() as session:
        users.redeem_set_up(session, token, username="ada", full_name="Ada", password=PASSWORD)


def test_a_link_dies_of_age(database):
    with write() as session:
        token = users.create_set_up_link(session)
    with read() as session, pytest.raises(LookupError):
        users.find_link(session, token, now=utc_now() + users.LINK_LIFE + timedelta(seconds=1))


def test_neither_tokens_nor_passwords_are_stored_in_the_clear(people, settings):
    with write() as session:
        user = users.authenticate(session, "author", PASSWORD)
        token = users.open_session(session, user)
    stored = b"".join(path.read_bytes() for path in settings.data_dir.glob("studio.db*"))
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored


def test_a_wrong_password_and_an_unknown_name_look_the_same(people):
    with read() as session:
        assert users.authenticate(session, "author", "wrong password") is None
        assert users.authenticate(session, "nobody", PASSWORD) is None
        assert users.authenticate(session, " Author ", PASSWORD).username == "author"


def test_a_session_ends_with_its_time_and_with_its_person(people):
    with write() as session:
        token = users.open_session(session, users.authenticate(session, "author", PASSWORD))
    with read() as session:
        assert users.session_username(session, token) == "author"
        late = utc_now() + users.SESSION_LIFE + timedelta(seconds=1)
        assert users.session_username(session, token, now=late) is None
    with write() as session:
        users.set_active(session, people.admin, people.author.id, active=False)
    with read() as session:
        assert users.session_username(session, token) is None
        with pytest.raises(PolicyError):
            users.get_actor(session, "author")


def test_the_last_admin_stays(people):
    with pytest.raises(ValueError, match="one active admin"), write() as session:
        users.set_roles(session, people.admin, people.admin.id, [Role.AUTHOR])


def test_only_an_admin_invites(people):
    with pytest.raises(PolicyError), write() as session:
        users.invite(session, people.trainer, username="x1", full_name="X", roles=[Role.ADMIN])


@pytest.mark.parametrize(
    ("field", "given"),
    [("user name", {"username": "a b"}), ("user name", {"username": "author"}), ("roles", {"roles": []})],
)
def test_a_bad_invitation_names_its_field(people, field, given):
    invitation = {"username": "grace", "full_name": "Grace", "roles": [Role.AUTHOR], **given}
    with pytest.raises(ValueError, match=f"^{field}:"), write() as session:
        users.invite(session, people.admin, **invitation)
