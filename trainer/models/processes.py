"""The processes of one run: which one this is, and what all of them agree on.

`accelerate launch` sets RANK and WORLD_SIZE; without them there is one process and nothing is ever sent. What
is agreed on travels between the CPUs (gloo), so that no GPU waits for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env

from db.train_spec import TrainSpec
from trainer.models import load


@dataclass(frozen=True)
class Processes:
    """`rank` of `count` processes, this one computing on `device`."""

    rank: int
    count: int
    device: torch.device
    group: dist.ProcessGroup | None = None

    @property
    def is_main(self) -> bool:
        """True for the one that decides, logs and saves."""
        return self.rank == 0

    def split(self, spec: TrainSpec) -> bool:
        """True when each holds only a share of the weights (FSDP), and none can do without the others."""
        return spec.strategy == "fsdp" and self.count > 1

    def agree(self, *values: int) -> tuple[int, ...]:
        """The main process's `values`, told to every process. All of them have to ask."""
        if self.group is None:
            return values
        told = torch.tensor(values, dtype=torch.long)
        dist.broadcast(told, src=0, group=self.group)
        return tuple(told.tolist())

    def total(self, *values: float) -> tuple[float, ...]:
        """Each value summed over the processes. All of them have to ask."""
        if self.group is None:
            return values
        summed = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(summed, group=self.group)
        return tuple(summed.tolist())

    def wait(self) -> None:
        """Until every process is here."""
        if self.group is not None:
            dist.barrier(group=self.group)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """The main process goes through the block alone, then the others: what it left on disk they find."""
        if not self.is_main:
            self.wait()
        yield
        if self.is_main:
            self.wait()


def join(expected: int) -> Processes:
    """Meet the other processes of this run, if there are any.

    Raises ValueError when there are not as many as expected: each would take the wrong share of the rows.
    """
    state = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    if state.num_processes != expected:
        raise ValueError(
            f"processes: the settings say {expected} in all and {state.num_processes} were started; give as "
            "many as there are GPUs, or 1."
        )
    if state.num_processes == 1:
        return Processes(0, 1, load.pick_device())
    return Processes(state.process_index, state.num_processes, state.device, dist.new_group(backend="gloo"))
