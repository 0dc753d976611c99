"""What this machine can train on: its GPUs, found without torch, and whether it can hand runs to Slurm."""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger("trainer.worker")

_GPU = re.compile(r"GPU (\d+): (.+) \(UUID: (GPU-[^)]+)\)")
_SLICE = re.compile(r"\s+MIG (\S+).*\(UUID: (MIG-[^)]+)\)")  # a part of the GPU above it
_DEVICES = Path("/dev")
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """`key` is what CUDA_VISIBLE_DEVICES calls it: a number, or the UUID of a slice."""

    key: str
    name: str
    uuid: str = ""


@dataclass(frozen=True)
class Machine:
    """`places` are what training runs take: one a GPU; one with no name where there is none."""

    gpus: tuple[Gpu, ...] = ()
    has_slurm: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(gpu.key for gpu in self.gpus) or ("",)

    def detail(self) -> dict:
        """What the database is told of it."""
        return {"gpus": [gpu.name for gpu in self.gpus], "slurm": self.has_slurm}


def look() -> Machine:
    """This machine as it is now."""
    gpus = visible(list_gpus(), os.environ)
    return Machine(gpus, has_slurm=shutil.which("sbatch") is not None)


def list_gpus() -> list[Gpu]:
    """All NVIDIA GPUs, in the order of their bus: by `nvidia-smi -L`, else by their device files."""
    program = shutil.which("nvidia-smi")
    if program is not None:
        try:
            told = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=60, check=True)
            return parse(told.stdout)
        except (OSError, subprocess.SubprocessError) as error:
            logger.warning("nvidia-smi does not answer: %s", error)
    files = sorted(_DEVICES.glob("nvidia[0-9]*"), key=lambda path: int(path.name[6:]))
    return [Gpu(str(number), "NVIDIA GPU") for number, _ in enumerate(files)]


def parse(listed: str) -> list[Gpu]:
    """The GPUs in what `nvidia-smi -L` prints. One that is split stands there as its slices."""
    gpus: list[Gpu] = []
    for line in listed.splitlines():
        if whole := _GPU.match(line):
            gpus.append(Gpu(whole[1], whole[2], whole[3]))
        elif part := _SLICE.match(line):
            parent = gpus.pop() if gpus and gpus[-1].uuid.startswith("GPU-") else gpus[-1]
            name = parent.name.partition(" MIG ")[0]
            gpus.append(Gpu(part[2], f"{name} MIG {part[1]}", part[2]))
    return gpus


def visible(gpus: Sequence[Gpu], environment: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Those that CUDA_VISIBLE_DEVICES lets through, called as it calls them; all where it is not set.

    As with CUDA, an entry that names none hides those after it.
    """
    given = environment.get(VISIBLE)
    if given is None:
        return tuple(gpus)
    found: list[Gpu] = []
    for entry in (part.strip() for part in given.split(",")):
        known = next((g for g in gpus if entry and (g.key == entry or g.uuid.startswith(entry))), None)
        if known is None:
            break
        found.append(Gpu(entry, known.name, known.uuid))
    return tuple(found)


def environment_for(devices: Sequence[str]) -> dict[str, str]:
    """What a child's environment gets that it sees `devices` and no others. Empty for a place with no GPU."""
    if not any(devices):
        return {}
    # Numbers of our own are those of nvidia-smi; CUDA would count the fastest first.
    order = {} if VISIBLE in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {VISIBLE: ",".join(devices), **order}
