"""How long texts of the playground are kept, as an admin sets it."""

from datetime import timedelta

import pytest

from bioui.components import retention_form as form
from db import retention
from db.policy import PolicyError
from db.projects import get_project
from db.session import read, write
from db.tables import Comparison
from db.tables.base import utc_now
from tests.bioui.conftest import request_of
from tests.db.compared import pairs
from tests.db.compared import sides as sides


def test_an_admin_hears_what_would_go_before_it_is_saved(people, project_id, sides):
    request = request_of(people.admin)
    pairs(people.trainer, project_id, sides, 2)
    with write() as session:
        session.get_one(Comparison, 1).created_at = utc_now() - timedelta(days=40)
    assert form.show_retention(project_id, request) == (0, {"told": form.FOR_EVER})
    told = "Older now: 1 comparison. Once saved, their texts are gone for good within the hour."
    assert form.preview_retention(project_id, 30, request) == {"told": told}
    nothing = "Kept for 60 days, nothing would be emptied now."
    assert form.preview_retention(project_id, 60, request) == {"told": nothing}
    assert _days(project_id) is None
    assert form.save_retention(project_id, 30.0, request) == {"told": told}
    assert (_days(project_id), form.show_retention(project_id, request)[0]) == (30, 30)
    form.save_retention(project_id, 0, request)
    assert _days(project_id) is None


def test_only_an_admin_sets_it_and_only_whole_days(people, project_id):
    for deed in (form.preview_retention, form.save_retention):
        with pytest.raises(PolicyError):
            deed(project_id, 30, request_of(people.trainer))
        for wrong in (1.5, "soon", -3, 1e9):
            with pytest.raises(ValueError, match="days: "):
                deed(project_id, wrong, request_of(people.admin))


def _days(project_id) -> int | None:
    with read() as session:
        return retention.days_of(get_project(session, project_id))
