"""Which base and adapter a name or a number in a request stands for: all that is read from the database."""

from dataclasses import dataclass

from db import registry
from db.session import read
from db.tables import Adapter, BaseModel


@dataclass(frozen=True)
class Base:
    """A base model as the generation thread needs to know it."""

    name: str
    location: str
    revision: str


@dataclass(frozen=True)
class Tuned:
    """An adapter, with what its registration promises about it."""

    id: int
    name: str
    path: str
    hash: str
    base_revision: str
    template_hash: str


@dataclass(frozen=True)
class Target:
    """What a request wants an answer of: a base, or an adapter on its base."""

    base: Base
    adapter: Tuned | None = None


def find_adapter(adapter_id: int) -> Target:
    """Raises LookupError when there is no such adapter."""
    with read() as session:
        return _of_adapter(registry.get_adapter(session, adapter_id))


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


def _of_adapter(adapter: Adapter) -> Target:
    tuned = Tuned(
        id=adapter.id,
        name=adapter.name,
        path=adapter.path,
        hash=adapter.adapter_hash,
        base_revision=adapter.base_revision,
        template_hash=adapter.template_hash,
    )
    return Target(_base(adapter.base_model), tuned)


def _base(base: BaseModel) -> Base:
    return Base(base.name, base.location, base.revision)
