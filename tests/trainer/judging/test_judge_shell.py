"""A judge run is reckoned, queued and read back from the shell."""

import json

from db import session
from db.enums import JobStatus
from db.tables import Job
from tests.scripted_endpoint import ScriptedEndpoint
from tests.trainer.conftest import claim
from tests.trainer.judging.conftest import ROWS, verdict
from tests.trainer.judging.test_judge import attempt


def test_a_run_is_reckoned_queued_and_read_back(settings, judge, answered, shell):
    with ScriptedEndpoint(write=verdict) as scripted:
        judge(scripted)  # enters the endpoint
        asked = ("judge", "--endpoint", scripted.url, "--evaluation", answered[0], "--against", answered[1])
        code, said, _ = shell(*asked, "--estimate", "--limit", 2)
        assert (code, said.split(";")[0]) == (0, "8 calls for 2 rows")
        code, number, _ = shell(*asked, "--no-grades", "--timeout", 5)
        assert code == 0
        with session.write() as s:
            s.get_one(Job, 1).status = JobStatus.CANCELLED
        attempt(settings, int(number), claim(int(number)))
    result = json.loads(shell("judged", number.strip())[1])
    assert result["pairs"]["n"] == ROWS
    assert "grades" not in result


def test_what_cannot_be_judged_is_refused_before_it_is_queued(judge, answered, shell):
    with ScriptedEndpoint(write=verdict) as scripted:
        judge(scripted)
        asked = ("judge", "--endpoint", scripted.url, "--evaluation")
        assert shell(*asked, 99)[2].startswith("evaluation id: there is no such evaluation")
        assert shell(*asked, answered[0], "--rubric", "beauty")[2].startswith(
            "rubric: 'beauty' is not one of"
        )
    assert len(shell("status")[1].splitlines()) == 1
