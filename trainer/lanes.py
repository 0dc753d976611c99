"""Lanes: which jobs run side by side. What wants a GPU takes a place a GPU; each other kind goes one at a
time.

A run over n GPUs takes n places at once. While it waits for them, no smaller run behind it in the queue takes
one, so it never starves. A run that another machine suits better is left to that one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.enums import JobKind
from db.tables import Job
from trainer.machine import Machine

TRAINING = "training"
OTHERS: dict[str, tuple[JobKind, ...]] = {
    "factory": (JobKind.GENERATE,),  # waits for an endpoint most of its time
    "corpora": (JobKind.CONVERT,),  # minutes; no reason to wait for an endpoint
    "reports": (JobKind.DATA_REPORT,),  # quick, so they do not queue behind hours of training
    "exports": (JobKind.EXPORT,),
    "judges": (JobKind.JUDGE,),  # waits for an endpoint
    "studies": (JobKind.STUDY,),  # waits for the runs that it queues
}
KINDS = (
    JobKind.TRAIN,
    JobKind.EVALUATE,
    JobKind.TRAIN_ENCODER,
    JobKind.COMPARE,
)  # of the training lanes: they want a GPU


@dataclass(frozen=True)
class Start:
    """A run to be started on `places`, or, with a reason, to be refused."""

    job_id: int
    places: tuple[str, ...] = ()
    refusal: str = ""


def plan(
    waiting: Sequence[Job], machine: Machine, taken: Collection[str], others: Sequence[Mapping[str, Any]]
) -> list[Start]:
    """What a machine starts now of the runs that wait, in their order.

    `taken` are its places in use; `others` the details (see Machine.detail) of the other machines.
    """
    free = [place for place in machine.places if place not in taken]
    starts: list[Start] = []
    for job in waiting:
        if not suits(job.spec, machine.detail()) and any(suits(job.spec, other) for other in others):
            continue
        needed = places_needed(job.spec, machine)
        if needed > len(machine.places):
            starts.append(Start(job.id, refusal=_too_many(job.spec, machine, others)))
        elif needed <= len(free):
            starts.append(Start(job.id, tuple(free[:needed])))
            del free[:needed]
        else:
            free.clear()  # kept for this one; runs for Slurm need none
    return starts


def places_needed(spec: Mapping[str, Any], machine: Machine) -> int:
    """How many places a run takes: none at Slurm's; one without GPUs, however many processes share it."""
    if is_for_slurm(spec):
        return 0
    return spec.get("processes", 1) if machine.gpus else 1


def suits(spec: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    """True when a machine has what the run is best on: Slurm, or as many GPUs as it asks for."""
    if is_for_slurm(spec):
        return bool(detail.get("slurm"))
    return len(detail.get("gpus", ())) >= spec.get("processes", 1)


def is_for_slurm(spec: Mapping[str, Any]) -> bool:
    return spec.get("launcher") == "slurm"


def lane_of(job: Job, places: Sequence[str]) -> str:
    """The name of the lane a job runs in: one job has it at a time."""
    if job.kind not in KINDS:
        return next(lane for lane, kinds in OTHERS.items() if job.kind in kinds)
    if is_for_slurm(job.spec):
        return f"slurm {job.id}"
    return f"{TRAINING} {','.join(places)}".strip()


def _too_many(spec: Mapping[str, Any], machine: Machine, others: Sequence[Mapping[str, Any]]) -> str:
    most = max([len(machine.gpus), *(len(other.get("gpus", ())) for other in others)])
    return f"processes: no machine of the studio has {spec['processes']} GPUs; give {most} at most."
