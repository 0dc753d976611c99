"""No patient data: said once a login, and warned of before a prompt is sent."""

import pytest

from db import acknowledgements, prompt_privacy, users
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine

NOTE = "Mr Example, born on 12 March 1950, tel. 020 7946 0958"


def log_in(actor) -> str:
    with write() as session:
        return users.open_session(session, users.get_user(session, actor.id))


def lines(action) -> list[AuditLine]:
    with read() as session:
        return [line for line in session.query(AuditLine) if line.action == action]


def test_it_is_asked_once_a_login_and_noted_once(people):
    token = log_in(people.clinician)
    with read() as session, pytest.raises(PolicyError, match="I will type no patient data"):
        acknowledgements.require_given(session, token)
    for _ in range(2):
        with write() as session:
            acknowledgements.give(session, people.clinician, token)
    with read() as session:
        acknowledgements.require_given(session, token)
    assert [line.actor_id for line in lines("acknowledged")] == [people.clinician.id]
    other = log_in(people.clinician)  # another browser, or tomorrow
    with read() as session, pytest.raises(PolicyError):
        acknowledgements.require_given(session, other)


def test_nobody_says_it_for_another_or_without_a_session(people):
    token = log_in(people.clinician)
    for actor, cookie in ((people.admin, token), (people.clinician, "made up"), (people.clinician, "")):
        with write() as session, pytest.raises(PolicyError, match="session has ended"):
            acknowledgements.give(session, actor, cookie)
    with read() as session:
        assert acknowledgements.given_at(session, token) is None


def test_what_may_tell_who_a_person_is_is_named_by_kind_and_place():
    found = prompt_privacy.look(
        {"instruction": "Summarise the note.", "input": NOTE, "turn 2": "At 94 years?"}
    )
    assert {
        (one.field, one.kind, (NOTE if one.field == "input" else "")[one.start : one.end]) for one in found
    } >= {
        ("input", "date", "12 March 1950"),
        ("input", "phone number", "020 7946 0958"),
    }
    (date,) = [one for one in found if one.kind == "date"]
    assert date.sentence == f"Input, characters {date.start + 1} to {date.end}: a date."


def test_sending_it_anyway_is_noted_without_the_text(people, project_id):
    found = prompt_privacy.look({"input": NOTE})
    with write() as session:
        prompt_privacy.note_sent(session, people.clinician, project_id, found)
    with write() as session:
        prompt_privacy.note_sent(session, people.clinician, project_id, ())  # nothing found, nothing to note
    (line,) = lines("sent_despite_warning")
    assert (line.subject, line.subject_id, line.actor_id) == ("projects", project_id, people.clinician.id)
    assert {"field": "input", "kind": "date", "count": 1} in line.detail["found"]
    assert not any(word in str(line.detail) for word in ("Example", "1950", "7946"))
    with write() as session, pytest.raises(PolicyError):
        prompt_privacy.note_sent(session, people.author, project_id, found)
