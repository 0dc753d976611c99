"""Which runs a machine starts, on which GPUs; and how its GPUs are found."""

import random

import pytest

from db.enums import JobKind
from db.tables import Job
from trainer import lanes, machine
from trainer.machine import Gpu, Machine

H100 = "NVIDIA H100 80GB HBM3"
LISTED = f"""GPU 0: {H100} (UUID: GPU-11111111-aaaa)
GPU 1: {H100} (UUID: GPU-22222222-bbbb)
  MIG 1g.10gb     Device  0: (UUID: MIG-33333333-cccc)
  MIG 3g.40gb     Device  1: (UUID: MIG-44444444-dddd)
GPU 2: NVIDIA GeForce RTX 4090 (UUID: GPU-55555555-eeee)
"""
CPU = Machine()


def gpus(count, *, slurm=False) -> Machine:
    return Machine(tuple(Gpu(str(number), H100) for number in range(count)), slurm)


def job(number, **spec) -> Job:
    return Job(id=number, kind=JobKind.TRAIN, spec={"processes": 1, "launcher": "here", **spec})


def started(*args) -> list[tuple[int, tuple[str, ...]]]:
    return [(start.job_id, start.places) for start in lanes.plan(*args) if not start.refusal]


def test_one_run_a_gpu_and_one_on_a_machine_without():
    waiting = [job(1), job(2), job(3)]
    assert started(waiting, gpus(2), (), []) == [(1, ("0",)), (2, ("1",))]
    assert started(waiting, gpus(2), ("0",), []) == [(1, ("1",))]
    assert started(waiting, CPU, (), []) == [(1, ("",))]
    assert started(waiting, CPU, ("",), []) == []


def test_processes_share_the_one_place_of_a_machine_without_gpus():
    assert started([job(1, processes=4)], CPU, (), []) == [(1, ("",))]


def test_a_run_over_several_gpus_takes_them_at_once_or_waits_and_none_overtakes_it():
    waiting = [job(1, processes=3), job(2), job(3, launcher="slurm")]
    assert started(waiting, gpus(4), (), []) == [(1, ("0", "1", "2")), (2, ("3",)), (3, ())]
    assert started(waiting, gpus(4, slurm=True), ("1", "2"), []) == [(3, ())]


def test_a_large_run_among_a_stream_of_small_ones_is_started_as_soon_as_those_before_it_end():
    draw = random.Random(3)
    waiting = [job(1), job(2), job(3, processes=2), *(job(number) for number in range(4, 40))]
    running, order = {}, []
    while waiting:
        taken = [place for places in running.values() for place in places]
        for number, places in started(waiting, gpus(2), taken, []):
            running[number] = places
            order.append(number)
            waiting = [one for one in waiting if one.id != number]
        del running[draw.choice(list(running))]
    assert order[:3] == [1, 2, 3]


def test_a_run_is_left_to_a_machine_that_suits_it_better_and_taken_where_none_does():
    two, four = gpus(2).detail(), gpus(4, slurm=True).detail()
    assert started([job(1)], CPU, (), [two]) == []
    assert started([job(1)], CPU, (), [CPU.detail()]) == [(1, ("",))]
    assert started([job(1, processes=4), job(2)], gpus(2), (), [four]) == [(2, ("0",))]
    assert started([job(1, launcher="slurm")], gpus(2), (), [four]) == []
    assert started([job(1, launcher="slurm")], gpus(2), (), [two]) == [(1, ())]


def test_more_gpus_than_any_machine_has_are_refused_in_a_sentence():
    (start,) = lanes.plan([job(1, processes=8)], gpus(2), (), [gpus(4).detail()])
    assert start.refusal == "processes: no machine of the studio has 8 GPUs; give 4 at most."


def test_lanes_have_names_people_know():
    assert lanes.lane_of(job(7), ("",)) == "training"
    assert lanes.lane_of(job(7), ("0", "1")) == "training 0,1"
    assert lanes.lane_of(job(7, launcher="slurm"), ()) == "slurm 7"
    assert lanes.lane_of(Job(id=8, kind=JobKind.DATA_REPORT, spec={}), ()) == "reports"


def test_gpus_and_slices_are_read_from_what_nvidia_smi_lists():
    assert [(gpu.key, gpu.name) for gpu in machine.parse(LISTED)] == [
        ("0", H100),
        ("MIG-33333333-cccc", f"{H100} MIG 1g.10gb"),
        ("MIG-44444444-dddd", f"{H100} MIG 3g.40gb"),
        ("2", "NVIDIA GeForce RTX 4090"),
    ]
    assert machine.parse("No devices were found") == []


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (None, ["0", "1", "2"]),
        ("2,0", ["2", "0"]),
        ("1,9,0", ["1"]),  # as with CUDA, what follows an unknown one is hidden
        ("", []),
        ("-1", []),
        ("GPU-b", ["GPU-b"]),
    ],
)
def test_cuda_visible_devices_is_respected(given, keys):
    found = [Gpu(str(number), H100, f"GPU-{uuid}") for number, uuid in enumerate("abc")]
    environment = {} if given is None else {machine.VISIBLE: given}
    assert [gpu.key for gpu in machine.visible(found, environment)] == keys


def test_a_child_sees_its_gpus_and_no_others():
    assert machine.environment_for(("1", "3"))[machine.VISIBLE] == "1,3"
    assert machine.environment_for(("",)) == machine.environment_for(()) == {}
