"""Checkpoints of a run: which one is whole, and whether it belongs to the run at hand.

Saving is not atomic: a run killed while saving leaves half a folder with the highest number. Loads no tensor.
"""

import json
import shutil
import zipfile
from pathlib import Path

from trainer.models import weights

IDENTITY = "run.json"
_PICKLES = ("optimizer.pt", "scheduler.pt", "rng_state.pth")  # torch writes these as zip archives


def last_valid(folder: Path) -> Path | None:
    """The whole checkpoint of the highest step under `folder`, or None."""
    found = sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)
    return next((checkpoint for checkpoint in found if fault(checkpoint) is None), None)


def fault(checkpoint: Path) -> str | None:
    """Why the checkpoint cannot be resumed from, or None when it can."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text())
        if state["global_step"] != _step(checkpoint):
            return f"its state is of step {state['global_step']}"
        weights.header(checkpoint / "adapter_model.safetensors")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return str(error)
    for name in _PICKLES:
        if not _is_whole_archive(checkpoint / name):
            return f"{name} is cut short or missing"
    return None


def claim(folder: Path, identity: dict) -> bool:
    """Make `folder` the home of the run `identity` describes; True when it already was.

    What another run left there (other data, base or settings) is removed: resuming it would mix two runs.
    """
    note = folder / IDENTITY
    try:
        if json.loads(note.read_text()) == identity:
            return True
    except (OSError, ValueError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note.write_text(json.dumps(identity, indent=2))
    return False


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else -1


def _is_whole_archive(path: Path) -> bool:
    """True when the zip directory, written last, is there and every member lies inside the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
