"""Which base and adapter a name or a side in a request stands for: all that is read from the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from db import registry
from db.compare_spec import SideSpec
from db.session import read
from db.tables import Adapter, BaseModel


@dataclass(frozen=True)
class Base:
    """A base model as the generation thread needs to know it. `parameters` are None where nobody counted."""

    name: str
    location: str
    revision: str
    parameters: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Tuned:
    """An adapter, or with a `step` its checkpoint, with what its registration promises about it."""

    id: int
    name: str
    path: str
    hash: str  # "" promises nothing: a checkpoint's is told once it is loaded
    base_revision: str
    template_hash: str
    step: int | None = None

    @property
    def title(self) -> str:
        return self.name if self.step is None else f"{self.name}, step {self.step:,}"


@dataclass(frozen=True)
class Target:
    """What a request wants an answer of: a base, or an adapter on its base."""

    base: Base
    adapter: Tuned | None = None


def find_adapter(adapter_id: int) -> Target:
    """Raises LookupError when there is no such adapter."""
    with read() as session:
        return _of_adapter(registry.get_adapter(session, adapter_id))


def find_sides(sides: Sequence[SideSpec]) -> list[Target]:
    """What each side stands for, in their order; all are on one base.

    Raises LookupError for what is not there, ValueError naming "sides" for an endpoint's model, which this
    server does not have, and for sides on several bases.
    """
    with read() as session:
        targets = [_of_side(session, side) for side in sides]
    others = {target.base.name for target in targets} - {targets[0].base.name}
    if others:
        raise ValueError(
            f"sides: all are answered from one base, and these are on {targets[0].base.name} and on "
            f"{', '.join(sorted(others))}; choose sides of one base."
        )
    return targets


def find_model(name: str) -> Target:
    """The base or the adapter of that name. Raises LookupError when there is neither."""
    with read() as session:
        model = registry.find_model(session, name)
        return Target(_base(model)) if isinstance(model, BaseModel) else _of_adapter(model)


def list_names() -> list[tuple[str, int]]:
    """(name, seconds since the epoch when it was made) of every base, then of every adapter."""
    with read() as session:
        bases, adapters = registry.list_base_models(session), registry.list_all_adapters(session)
        models: list[BaseModel | Adapter] = [*bases, *adapters]
        return [(model.name, int(model.created_at.timestamp())) for model in models]


def _of_side(session: Session, side: SideSpec) -> Target:
    if side.base_model_id is not None:
        return Target(_base(registry.get_base_model(session, side.base_model_id)))
    if side.adapter_id is None:
        raise ValueError("sides: an endpoint's model is asked at that endpoint; leave it out here.")
    return _of_adapter(registry.get_adapter(session, side.adapter_id), side.step)


def _of_adapter(adapter: Adapter, step: int | None = None) -> Target:
    tuned = Tuned(
        id=adapter.id,
        name=adapter.name,
        path=adapter.path if step is None else str(_checkpoint(adapter, step)),
        hash=adapter.adapter_hash if step is None else "",
        base_revision=adapter.base_revision,
        template_hash=adapter.template_hash,
        step=step,
    )
    return Target(_base(adapter.base_model), tuned)


def _checkpoint(adapter: Adapter, step: int) -> Path:
    """Where the adapter's weights of that step lie. Raises LookupError for a step that was not kept."""
    kept = registry.steps_of(adapter)
    if step not in kept:
        told = f"it has {', '.join(f'{one:,}' for one in kept)}" if kept else "none of its steps were kept"
        raise LookupError(f"{adapter.name} has no step {step:,}; {told}.")
    return registry.step_folder(adapter, step)


def _base(base: BaseModel) -> Base:
    return Base(base.name, base.location, base.revision, base.parameters)
