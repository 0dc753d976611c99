"""Named arrays on disk, one folder an entry: written whole or not at all, checked when opened, memory-mapped.

An entry's name says what is in it, so it is never changed. It knows numpy and files, nothing of rows.
"""

import json
import os
import shutil
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

FACTS = "facts.json"
ROOM = 4 << 30  # bytes that all entries together may take
_BUILDING = "building-"
_FORGOTTEN = 86_400.0  # seconds after which what was being built is taken to be left by a crash


def load(folder: Path) -> tuple[dict, dict[str, np.ndarray]] | None:
    """The facts and the arrays of an entry, or None where it is missing or not as it was written."""
    try:
        written = json.loads((folder / FACTS).read_text())
        arrays = {name: _open(folder, name) for name in written["sums"]}
        if any(_sum(array) != written["sums"][name] for name, array in arrays.items()):
            return None
        os.utime(folder / FACTS)  # lately used
        return written["facts"], arrays
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def store(folder: Path, facts: dict, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an entry in place of whatever is there. Raises OSError when the disk is full."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=_BUILDING, dir=folder.parent) as building:
        made = Path(building) / "made"
        made.mkdir()
        for name, array in arrays.items():
            np.save(made / f"{name}.npy", array, allow_pickle=False)
        sums = {name: _sum(array) for name, array in arrays.items()}
        (made / FACTS).write_text(json.dumps({"facts": facts, "sums": sums}))
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def clean(root: Path, *, keep: Path, room: int = ROOM) -> None:
    """Remove the entries least lately used until the rest take at most `room` bytes; `keep` stays.

    A process that has an entry open keeps what it has mapped: its files live on until it ends.
    """
    for left in root.glob(f"{_BUILDING}*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN:
            shutil.rmtree(left, ignore_errors=True)
    entries = [entry for entry in root.iterdir() if (entry / FACTS).is_file() and entry != keep]
    room -= _size(keep)
    for entry in sorted(entries, key=lambda entry: (entry / FACTS).stat().st_mtime, reverse=True):
        room -= _size(entry)
        if room < 0:
            shutil.rmtree(entry, ignore_errors=True)


def _open(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _sum(array: np.ndarray) -> int:
    """CRC-32 over dtype, shape and content: against accidents, not against malice."""
    return zlib.crc32(np.ascontiguousarray(array), zlib.crc32(f"{array.dtype} {array.shape}".encode()))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir()) if folder.is_dir() else 0
