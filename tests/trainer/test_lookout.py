"""What the worker tells people of a live run: silence, a hang, a disk that fills."""

import shutil
from datetime import timedelta

from db.enums import AlertKind
from db.tables import Job
from db.tables.base import utc_now
from trainer import lookout
from trainer.lookout import Lookout


def a_job(**columns) -> Job:
    return Job(
        **{"id": 1, "attempt": 1, "phase": "training", "step": 5, "heartbeat_at": utc_now(), **columns}
    )


def kinds(alerts) -> list[AlertKind]:
    return [kind for kind, _ in alerts if kind is not AlertKind.DISK]  # the disk is this machine's own


def test_a_run_that_tells_nothing_is_silent_and_one_that_tells_late_is_not(tmp_path):
    watch, job = Lookout(), a_job()
    assert kinds(watch.alerts(job, tmp_path, now=0)) == []
    assert kinds(watch.alerts(job, tmp_path, now=lookout.SILENT)) == []
    job.heartbeat_at += timedelta(hours=-7)  # its clock was set, and it lives
    assert kinds(watch.alerts(job, tmp_path, now=lookout.SILENT + 1)) == []
    (kind, sentence), *_ = watch.alerts(job, tmp_path, now=2 * lookout.SILENT + 2)
    assert kind is AlertKind.SILENT
    assert sentence.startswith("No sign of life for 2 minutes, though the process is there")


def test_a_run_that_beats_and_makes_no_step_hangs(tmp_path):
    watch, job, said = Lookout(), a_job(), []
    for now in range(0, int(lookout.STUCK) + 120, 60):
        job.heartbeat_at += timedelta(seconds=60)
        said += watch.alerts(job, tmp_path, now=now)
    hung = [sentence for kind, sentence in said if kind is AlertKind.SILENT]
    assert hung == ["No step for 31 minutes; the run may hang. Look at the log, or cancel."]


def test_a_disk_without_room_for_two_checkpoints_is_told(tmp_path):
    newest = tmp_path / "checkpoints" / "checkpoint-5"
    newest.mkdir(parents=True)
    with (newest / "weights").open("wb") as file:
        file.truncate(shutil.disk_usage(tmp_path).free)  # a hole: it takes no room
    alerts = dict(Lookout().alerts(a_job(), newest.parent, now=0))
    assert alerts[AlertKind.DISK].startswith("The disk is nearly full:")
    assert "two checkpoints take" in alerts[AlertKind.DISK]
