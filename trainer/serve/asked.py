"""What a request asks of the model, once names are looked up and texts are token ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from db.compare_spec import Sampling
from trainer.serve.catalog import Base, Target, Tuned

Passes = Literal["one", "alternating"]


@dataclass(frozen=True)
class Asked:
    """One row a side, in their order, all on one base and drawn with the same dice.

    `passes` "one" answers all rows in one batch; "alternating" gives each a pass of its own, a token each in
    turn: where prompts differ, and where peft cannot mix rows (DoRA; bases held as GPTQ or AWQ).
    """

    base: Base
    adapters: tuple[Tuned | None, ...]  # None is the base itself
    prompts: tuple[tuple[int, ...], ...]  # token ids
    sampling: Sampling
    passes: Passes = "one"

    @property
    def rows(self) -> int:
        return len(self.adapters)


def of(
    targets: Sequence[Target], prompts: Sequence[Sequence[int]], sampling: Sampling, passes: Passes
) -> Asked:
    """`targets` are on one base (see `catalog.find_sides`)."""
    return Asked(
        base=targets[0].base,
        adapters=tuple(target.adapter for target in targets),
        prompts=tuple(tuple(ids) for ids in prompts),
        sampling=sampling,
        passes=passes,
    )
