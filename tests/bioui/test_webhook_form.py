"""The webhook of a project, as an admin sets it, and what became of its notices."""

import pytest

from bioui.components import webhook_form as form
from db import jobs, notices, processes
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import PolicyError
from db.session import read, write
from db.train_spec import TrainSpec
from tests.bioui.conftest import request_of


def test_a_webhook_is_saved_and_its_notices_are_shown(people, project_id):
    request = request_of(people.admin)
    assert form.show_webhook(project_id, request) == ("", False, "", {"notices": []})
    form.save_webhook(project_id, " http://127.0.0.1:9/run ", True, "WARD_SECRET", request)
    with write() as session:
        spec = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="Ward v1")
        jobs.enqueue(session, people.trainer, project_id, JobKind.TRAIN, spec, name="Ward v1")
        job = jobs.claim_next(session, processes.register(session, ProcessRole.WORKER).id)
        jobs.close(session, job.id, job.attempt, JobStatus.FINISHED)
        notice = notices.list_unsent(session)[0]
        notices.settle(
            session, notices.take(session, notice, address="http://studio"), "It answered with HTTP 500."
        )
    url, private, variable, told = form.show_webhook(project_id, request)
    assert (url, private, variable) == ("http://127.0.0.1:9/run", True, "WARD_SECRET")
    assert [(one["name"], one["status"], one["error"]) for one in told["notices"]] == [
        ("Ward v1", "Finished", "It answered with HTTP 500.")
    ]


def test_a_private_address_wants_consent_and_a_secret_is_never_stored(people, project_id):
    request = request_of(people.admin)
    with pytest.raises(ValueError, match="^webhook: 127.0.0.1 is a private address"):
        form.save_webhook(project_id, "http://127.0.0.1:9/run", False, "", request)
    with pytest.raises(ValueError, match="^secret variable: give the name"):
        form.save_webhook(project_id, "https://example.org/run", False, "s3cr3t", request)
    with read() as session:
        assert form.webhook_values(session, project_id)[0] == ""


def test_only_an_admin_sets_it(people, project_id):
    with pytest.raises(PolicyError):
        form.save_webhook(project_id, "https://example.org/run", False, "", request_of(people.trainer))
