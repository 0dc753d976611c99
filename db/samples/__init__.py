"""What a fresh studio ships with: the seed library, the prompt shelf, the starter model and its demo set."""

import json
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit, privacy, registry, users
from db.content import Content
from db.datasets import FrozenRow, create_dataset, freeze_rows
from db.enums import InstructionStatus, Origin, Provenance, Split
from db.instructions import create_instruction
from db.policy import Actor
from db.settings import STARTER_DIR
from db.tables import BaseModel, DatasetVersion, Project, Prompt, PromptVersion

SAMPLES = Path(__file__).parent
SEED_FILES = ("qa", "ie", "gen", "other")
DEMO_NAME = "Starter demo"


def load(session: Session) -> bool:
    """Fill an empty database with the sample project; True when it was empty."""
    if session.scalar(select(Project.id).limit(1)) is not None:
        return False
    studio = users.studio_account(session)
    project = Project(
        name="Sample project",
        description="80 seed instructions, a shelf of prompts, and a small model to try every step on.",
    )
    session.add(project)
    audit.record(session, studio, "created", project)
    _load_seeds(session, studio, project)
    _load_prompts(session, project)
    base = _register_starter(session)
    version = _freeze_demo(session, studio, project)
    _register_demo_adapter(session, project, base, version)
    return True


def read_seeds() -> list[dict]:
    """The 80 seeds of the library, as written."""
    return [seed for name in SEED_FILES for seed in _read_yaml(f"seeds/{name}.yaml")]


def read_seed_flags() -> dict[str, tuple[privacy.Flag, ...]]:
    """What the privacy check finds in the seeds, by key; those it finds nothing in are left out."""
    flags = _read_yaml("seed-flags.yaml")
    return {key: tuple(privacy.Flag(*flag) for flag in found) for key, found in flags.items()}


def _load_seeds(session: Session, studio: Actor, project: Project) -> None:
    flags = read_seed_flags()
    for seed in read_seeds():
        key = seed.pop("id")
        content = Content(**{**seed, "tags": tuple(seed["tags"])})
        instruction = create_instruction(
            session,
            studio,
            project.id,
            content,
            origin=Origin.SEED,
            key=key,
            reason="Shipped with the studio",
        )
        instruction.status = InstructionStatus.APPROVED
        instruction.approved_version = instruction.version
        privacy.flag_many(session, [instruction], [flags.get(key, ())])
        for flag in privacy.list_flags(session, instruction.id, instruction.version):
            privacy.clear(session, studio, flag.id, "Invented for the seed library: no such person.")


def _load_prompts(session: Session, project: Project) -> None:
    for prompt in [*_read_yaml("prompts-demo.yaml"), *_read_yaml("prompts.yaml")]:
        prompt.pop("id", None)
        title = prompt.pop("title")
        session.add(Prompt(project_id=project.id, title=title, versions=[PromptVersion(number=1, **prompt)]))


def _register_starter(session: Session) -> BaseModel:
    folder = STARTER_DIR / "weights"
    config = json.loads((folder / "config.json").read_text())
    base = BaseModel(
        name=registry.STARTER,
        location=str(folder),
        description="A miniature that ships with the studio, to try every step on. Not a medical model.",
        context_length=config["max_position_embeddings"],
    )
    session.add(base)
    session.flush()
    return base


def _freeze_demo(session: Session, studio: Actor, project: Project) -> DatasetVersion:
    dataset = create_dataset(
        session,
        studio,
        project.id,
        name=DEMO_NAME,
        description="Notes, questions and summaries written by code from a table of facts. "
        "The test split holds facts, names and wordings that the train split lacks.",
    )
    rows = [
        FrozenRow(split, Content(**{**row, "tags": tuple(row["tags"])}))
        for split, name in ((Split.TRAIN, "demo-train.jsonl"), (Split.TEST, "demo-test.jsonl"))
        for row in _read_jsonl(name)
    ]
    return freeze_rows(
        session, studio, dataset, rows, recipe={"shipped": True, "provenance": Provenance.SYNTHETIC}
    )


def _register_demo_adapter(
    session: Session, project: Project, base: BaseModel, version: DatasetVersion
) -> None:
    folder = STARTER_DIR / "adapter"
    registry.register_adapter(
        session,
        project_id=project.id,
        name="Starter demo",
        path=str(folder),
        adapter_hash=registry.hash_file(folder / "adapter_model.safetensors"),
        base_model_id=base.id,
        dataset_version_id=version.id,
        **json.loads((folder / "provenance.json").read_text()),
    )


def _read_yaml(name: str) -> list[dict]:
    return yaml.safe_load((SAMPLES / name).read_text(encoding="utf-8"))


def _read_jsonl(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]
