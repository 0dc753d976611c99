"""Safetensors files as bytes on disk: is the file whole, what is its hash. Loads no tensor and no torch."""

import json
from hashlib import sha256
from math import prod
from pathlib import Path

_MAX_HEADER = 100 << 20  # the format's own limit, bytes


def header(path: Path) -> dict:
    """The JSON header: tensor name -> dtype, shape, data_offsets.

    Raises ValueError when the file is cut short, too long, or no safetensors file at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(_MAX_HEADER, size - 8):
            raise ValueError(f"{path.name} is cut short or is no safetensors file")
        try:
            tensors = json.loads(file.read(length))
        except ValueError as error:
            raise ValueError(f"{path.name} has an unreadable header") from error
    if not isinstance(tensors, dict):
        raise ValueError(f"{path.name} has an unreadable header")
    tensors.pop("__metadata__", None)
    expected = 8 + length + max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    if size != expected:
        raise ValueError(f"{path.name} is {size:,} bytes where its header promises {expected:,}")
    return tensors


def files_of(folder: Path) -> list[Path]:
    """The weight files of a saved model, shards in order.

    Raises ValueError when there is none, or when one named by the index is missing.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"{index.name} cannot be read") from error
        files = [folder / Path(name).name for name in names]
    elif (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    else:
        files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError("it holds no .safetensors weights")
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"its weight file {missing[0]} is missing")
    return files


def hash_files(files: list[Path]) -> str:
    """SHA-256 over the contents of `files` in order. All of it: a retrained model keeps header and size."""
    digest = sha256()
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(1 << 22):
                digest.update(piece)
    return digest.hexdigest()


def count_parameters(location: str) -> int | None:
    """Numbers in the weight files of a model folder; None for what is not in a folder or cannot be read.

    Packed weights (GPTQ, AWQ) count as packed.
    """
    try:
        headers = [header(path) for path in files_of(Path(location))] if Path(location).is_absolute() else []
    except (ValueError, OSError):
        return None
    return sum(prod(tensor["shape"]) for tensors in headers for tensor in tensors.values()) or None
