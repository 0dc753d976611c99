"""Base models and adapters: what can be tuned, and what was tuned."""

import json
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit
from db.policy import Actor, Right, require
from db.tables import Adapter, BaseModel
from db.tables.base import utc_now

STARTER = "starter"
STEPS = "steps"  # in an adapter's folder: the adapter as it was at some steps of its run


def list_base_models(session: Session) -> list[BaseModel]:
    return list(session.scalars(select(BaseModel).order_by(BaseModel.id)))


def get_base_model(session: Session, base_model_id: int) -> BaseModel:
    base = session.get(BaseModel, base_model_id)
    if base is None:
        raise LookupError(f"There is no base model number {base_model_id}.")
    return base


def add_base_model(
    session: Session,
    actor: Actor,
    *,
    name: str,
    location: str,
    revision: str = "",
    description: str = "",
    **facts,
) -> BaseModel:
    """Make a model folder, or a repository of the Hub, available for tuning.

    Raises ValueError when the name is taken, or when a folder has no config.json or no safetensors.
    """
    require(actor, Right.TRAIN)
    name, location = name.strip(), location.strip()
    if not name:
        raise ValueError("name: give the base model a name.")
    if session.scalar(select(BaseModel.id).where(BaseModel.name == name)) is not None:
        raise ValueError(f"name: there is already a base model named {name}; choose another.")
    _require_location(location)
    facts.setdefault("context_length", _read_context_length(location))
    base = BaseModel(
        name=name, location=location, revision=revision.strip(), description=description, **facts
    )
    session.add(base)
    audit.record(session, actor, "added", base)
    return base


def list_adapters(session: Session, project_id: int) -> list[Adapter]:
    """The adapters of a project, newest first."""
    query = select(Adapter).where(Adapter.project_id == project_id, Adapter.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Adapter.id.desc())))


def list_all_adapters(session: Session) -> list[Adapter]:
    """The adapters of every project, newest first."""
    return list(
        session.scalars(select(Adapter).where(Adapter.deleted_at.is_(None)).order_by(Adapter.id.desc()))
    )


def find_model(session: Session, name: str) -> BaseModel | Adapter:
    """The base model or, when there is none, the adapter of that name. Raises LookupError."""
    base = session.scalar(select(BaseModel).where(BaseModel.name == name))
    adapter = session.scalar(select(Adapter).where(Adapter.name == name, Adapter.deleted_at.is_(None)))
    if base is None and adapter is None:
        raise LookupError(f"There is no model named {name}; GET /v1/models lists them.")
    return base or adapter


def get_adapter(session: Session, adapter_id: int) -> Adapter:
    adapter = session.get(Adapter, adapter_id)
    if adapter is None or adapter.deleted_at is not None:
        raise LookupError(f"There is no adapter number {adapter_id}.")
    return adapter


def steps_of(adapter: Adapter) -> list[int]:
    """The steps of its run whose weights were kept, so that it can be asked as it was then."""
    found = Path(adapter.path, STEPS).glob("*")
    return sorted(int(folder.name) for folder in found if folder.name.isdecimal() and folder.is_dir())


def step_folder(adapter: Adapter, step: int) -> Path:
    """Where the weights of that step lie."""
    return Path(adapter.path, STEPS, str(step))


def delete_adapter(session: Session, actor: Actor, adapter_id: int, *, deleted: bool = True) -> Adapter:
    """Take an adapter out of the lists, or with deleted=False put it back. Its files stay where they are."""
    require(actor, Right.TRAIN)
    adapter = session.get(Adapter, adapter_id)
    if adapter is None:
        raise LookupError(f"There is no adapter number {adapter_id}.")
    adapter.deleted_at = utc_now() if deleted else None
    audit.record(session, actor, "deleted" if deleted else "restored", adapter)
    return adapter


def register_base_model(session: Session, **columns) -> BaseModel:
    """Enter a whole model that a job has tuned. A taken name gets a number behind it."""
    name, number, columns["name"] = columns["name"].strip(), 1, columns["name"].strip()
    while _is_taken(session, columns["name"]):
        number += 1
        columns["name"] = f"{name} {number}"
    base = BaseModel(**columns)
    session.add(base)
    audit.record(session, None, "registered", base, job=base.job_id)
    return base


def register_adapter(session: Session, **columns) -> Adapter:
    """Enter a finished adapter, with all of its provenance. A taken name gets a number behind it."""
    columns["name"] = free_adapter_name(session, columns["name"])
    adapter = Adapter(**columns)
    session.add(adapter)
    audit.record(session, None, "registered", adapter, job=adapter.job_id, data_hash=adapter.data_hash)
    return adapter


def free_adapter_name(session: Session, name: str) -> str:
    name, number = name.strip(), 1
    taken = set(session.scalars(select(Adapter.name).where(Adapter.name.startswith(name, autoescape=True))))
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate


def _is_taken(session: Session, name: str) -> bool:
    """True when a base model or an adapter is found by that name."""
    base = session.scalar(select(BaseModel.id).where(BaseModel.name == name))
    return base is not None or session.scalar(select(Adapter.id).where(Adapter.name == name)) is not None


def hash_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _require_location(location: str) -> None:
    folder = Path(location).expanduser()
    if folder.is_absolute():
        if not (folder / "config.json").is_file():
            raise ValueError(
                f"location: {folder} holds no config.json; point to the folder of a saved model."
            )
        if not any(folder.glob("*.safetensors")):
            raise ValueError(f"location: {folder} holds no .safetensors weights; convert the model first.")
    elif location.count("/") != 1 or not all(location.split("/")):
        raise ValueError("location: give an absolute folder, or owner/name of a repository on the Hub.")


def _read_context_length(location: str) -> int | None:
    """Tokens, from a folder's config.json; None for a repository of the Hub or a config that does not say."""
    config = Path(location).expanduser() / "config.json"
    if not Path(location).expanduser().is_absolute():
        return None
    try:
        stored = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(
            f"location: {config} is not readable JSON; save or download the model again."
        ) from error
    length = {**stored.get("text_config", {}), **stored}.get("max_position_embeddings")
    return length if isinstance(length, int) else None
