"""Experts merged: several adapters of one base made one, by peft's weighted merge, each weighing the same.

Only the adapters' own weights enter, so the base is laid out without its weights:
merging the experts of a 7B base takes megabytes. `linear` adds the two factors of each update, so products of
different experts' factors come in; `svd` adds the updates themselves and cuts the sum to the experts' rank;
`ties` (Yadav et al. 2023) and `dare` (Yu et al. 2024) first drop most of each update.
"""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from sqlalchemy.orm import Session
from transformers import AutoConfig, AutoModelForCausalLM

from db import registry
from db.registry import hash_file
from db.settings import Settings
from db.study_spec import StudySpec
from db.tables import Adapter, BaseModel, Study
from trainer import provenance
from trainer.models import lora

DENSITY = 0.5  # share of each update that ties and dare keep
MERGED = "merged"


def merge(
    settings: Settings,
    base: BaseModel,
    experts: Sequence[Adapter],
    spec: StudySpec,
    name: str,
    study_id: int,
) -> dict[str, Any]:
    """Write the merged adapter; the columns to register it by.

    Raises ValueError, one sentence, where the adapters cannot be merged so.
    """
    _require_alike(experts)
    torch.manual_seed(spec.seed)  # dare drops by chance
    model = _laid_out(base, experts)
    how = {} if spec.merge in ("linear", "svd") else {"density": DENSITY}
    weights = [1 / len(experts)] * len(experts)
    names = [_name(at) for at in range(len(experts))]
    model.add_weighted_adapter(names, weights, MERGED, combination_type=spec.merge, **how)
    model.set_adapter(MERGED)
    home = settings.adapters_dir / f"study-{study_id}-merged-{spec.merge.replace('_', '-')}"
    save(model, home, base.location)
    return {
        "name": name,
        "path": str(home),
        "adapter_hash": hash_file(home / lora.WEIGHTS),
        "base_model_id": base.id,
        "base_revision": experts[0].base_revision,
        "template_hash": experts[0].template_hash,
        "data_hash": sha256("".join(expert.data_hash for expert in experts).encode()).hexdigest(),
        "seed": spec.seed,
        "spec": {
            "merged": [expert.name for expert in experts],
            "merged_adapters": [expert.id for expert in experts],
            "combination": spec.merge,
            "weights": weights,
            **how,
        },
        "packages": provenance.packages(),
    }


def register(session: Session, study: Study, position: int, columns: dict[str, Any], job_id: int) -> Adapter:
    """Enter the merged adapter as the arm's."""
    adapter = registry.register_adapter(session, **columns, project_id=study.project_id, job_id=job_id)
    session.flush()
    study.arms[position].adapter_id = adapter.id
    return adapter


def save(model: PeftModel, home: Path, base: str) -> None:
    """Write the merged adapter alone to `home`, whole or not at all. peft puts it in a folder of its name."""
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.peft_config[MERGED].base_model_name_or_path = base
    model.save_pretrained(
        partial, selected_adapters=[MERGED], safe_serialization=True, save_embedding_layers=False
    )
    shutil.rmtree(home, ignore_errors=True)
    (partial / MERGED).rename(home)
    shutil.rmtree(partial, ignore_errors=True)


def _laid_out(base: BaseModel, experts: Sequence[Adapter]) -> PeftModel:
    """The base's shape with the experts' weights in it."""
    config = AutoConfig.from_pretrained(
        base.location, revision=base.revision or None, trust_remote_code=False
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    model.to_empty(device="cpu")  # room that is never written to, so the machine never gives it
    tuned = PeftModel.from_pretrained(
        model, experts[0].path, adapter_name=_name(0), low_cpu_mem_usage=True, torch_device="cpu"
    )
    for at, expert in enumerate(experts[1:], start=1):
        tuned.load_adapter(expert.path, _name(at), low_cpu_mem_usage=True, torch_device="cpu")
    return tuned


def _require_alike(experts: Sequence[Adapter]) -> None:
    bases = {expert.base_model_id for expert in experts}
    if len(bases) > 1:
        raise ValueError("experts: they were tuned on different bases; only those of one base can be merged.")


def _name(at: int) -> str:
    return f"expert-{at}"
