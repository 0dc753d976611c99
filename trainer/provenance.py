"""Where a tuned model comes from, written down before its first step: enough to make it again."""

import json
import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version as installed
from pathlib import Path

import psutil
import torch
from transformers import PreTrainedTokenizerBase

from db.settings import REPOSITORY
from db.tables import BaseModel, DatasetVersion
from db.train_spec import TrainSpec
from trainer.models import load
from trainer.models.processes import Processes

FILE = "provenance.json"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")


def identify(
    base: BaseModel, version: DatasetVersion, tokenizer: PreTrainedTokenizerBase, spec: TrainSpec
) -> dict:
    """What makes two runs the same run: weights, data, template and settings. Columns of an adapter, too."""
    return {
        "base_model_id": base.id,
        "base_revision": load.base_revision(base.location, base.revision),
        "template_hash": load.template_hash(tokenizer),
        "dataset_version_id": version.id,
        "data_hash": version.content_hash,
        "seed": spec.seed,
        "spec": asdict(spec),
    }


def describe(identity: dict, base: BaseModel, processes: Processes, dtype: str) -> dict:
    """`identity`, and on what machine with which programs the run is made; `dtype` such as "bf16"."""
    return {
        **identity,
        "base": base.location,
        "packages": packages(),
        "studio_commit": commit(),
        "hardware": hardware(processes.device),
        "device": processes.device.type,
        "precision": dtype,
        "processes": processes.count,
    }


def write(folder: Path, found: dict) -> None:
    """To `folder`/provenance.json, whole or not at all."""
    partial = folder / f"{FILE}.partial"
    partial.write_text(json.dumps(found, indent=2), encoding="utf-8")
    partial.replace(folder / FILE)


def read(folder: Path) -> dict:
    """What an earlier attempt wrote there; empty when none did."""
    try:
        return json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def packages() -> dict[str, str]:
    return {name: installed(name) for name in PACKAGES}


def commit() -> str:
    """The studio's own git commit, "-dirty" behind it when files differ from it; "" outside a checkout."""
    ask = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        answer = subprocess.run(ask, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def hardware(device: torch.device) -> dict:
    """Processor, memory in GiB, and the GPU that computes."""
    found = {
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found |= {
            "gpu": properties.name,
            "gpu_memory_gib": round(properties.total_memory / 2**30, 1),
            "gpus": torch.cuda.device_count(),
            "cuda": torch.version.cuda,
        }
    return found
