"""Which columns of a batch are answered together: all that are on one base, or one at its endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.compare_spec import SideSpec
from trainer.serve import catalog
from trainer.serve.catalog import Target


@dataclass(frozen=True)
class Columns:
    """Columns whose answers to a row are stored together; `targets` are those of local ones."""

    positions: tuple[int, ...]
    sides: tuple[SideSpec, ...]
    targets: tuple[Target, ...] = ()

    @property
    def is_local(self) -> bool:
        return bool(self.targets)


def together(sides: Sequence[SideSpec]) -> list[Columns]:
    """The columns in groups: a base with its adapters is loaded once, each endpoint's model is asked alone.

    Raises LookupError for a side that is gone, or a step that was not kept.
    """
    local: dict[object, list[tuple[int, SideSpec, Target]]] = {}
    groups = []
    for position, side in enumerate(sides):
        if side.endpoint_id is not None:
            groups.append(Columns((position,), (side,)))
        else:
            [target] = catalog.find_sides([side])
            local.setdefault(target.base, []).append((position, side, target))
    return [Columns(*map(tuple, zip(*members, strict=True))) for members in local.values()] + groups
