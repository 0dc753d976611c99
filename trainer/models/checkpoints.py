"""Checkpoints of a run: which one is whole, and whether it belongs to the run at hand.

Saving is not atomic: a run killed while saving leaves half a folder with the highest number. Loads no tensor.
"""

import json
import logging
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from trainer.models import weights

logger = logging.getLogger("trainer")

IDENTITY = "run.json"
KEPT = 10  # steps of a run that can be asked afterwards, spread over all of it
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
STATE = "Reporter"  # under which the run's own state stands in trainer_state.json
# Torch writes these as zip archives.
_ARCHIVES = ("optimizer.pt", "scheduler.pt")
_ARCHIVES_OF_SHARES = ("optimizer.bin", "pytorch_model_fsdp.bin", "scheduler.pt")  # FSDP's


def last_valid(folder: Path, processes: int = 1) -> Path | None:
    """The whole checkpoint of the highest step under `folder`, or None."""
    found = sorted(folder.glob("checkpoint-*"), key=step_of, reverse=True)
    return next((checkpoint for checkpoint in found if fault(checkpoint, processes) is None), None)


def fault(checkpoint: Path, processes: int = 1) -> str | None:
    """Why that many processes cannot resume from the checkpoint, or None when they can."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text())
        if state["global_step"] != step_of(checkpoint):
            return f"its state is of step {state['global_step']}"
        for file in _weights(checkpoint):
            weights.header(file)
        best = _best_step(state)
        if best:
            for file in _weights(best_folder(checkpoint.parent, best)):
                weights.header(file)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return str(error)
    draws = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    archives = _ARCHIVES_OF_SHARES if (checkpoint / "optimizer.bin").exists() else _ARCHIVES
    for name in (*archives, *draws):
        if not _is_whole_archive(checkpoint / name):
            return f"{name} is cut short or missing"
    return None


def prune(folder: Path, keep: int = 2) -> None:
    """Remove all but the latest checkpoints: by their steps, for a clock may be set back."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=step_of)[:-keep]:
        shutil.rmtree(checkpoint, ignore_errors=True)


def keep_step(checkpoint: Path, home: Path) -> None:
    """Keep the adapter of a whole checkpoint in `home`/STEP beside the others, few enough and evenly spread.

    What is no adapter, or split over processes (FSDP), is not kept, nor what the disk has no room for.
    """
    if not all((checkpoint / name).is_file() for name in _ADAPTER):
        return
    place = home / str(step_of(checkpoint))
    partial = home / f"{place.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for name in _ADAPTER:
            link(checkpoint / name, partial / name)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    except OSError as error:
        logger.warning("step %s cannot be asked afterwards: %s", place.name, error.strerror)
        shutil.rmtree(partial, ignore_errors=True)
        return
    kept = sorted(int(folder.name) for folder in home.iterdir() if folder.name.isdecimal())
    for step in set(kept) - set(spread(kept, KEPT)):
        shutil.rmtree(home / str(step), ignore_errors=True)


def spread(steps: Sequence[int], count: int) -> list[int]:
    """At most `count` of the ascending steps, the first and the last among them: while there are more, the
    one goes that its neighbours stand closest around."""
    left = list(steps)
    while len(left) > count:
        middle = range(1, len(left) - 1)
        del left[min(middle, key=lambda place: left[place + 1] - left[place - 1])]
    return left


def link(source: Path, target: Path) -> None:
    """The same file at `target`; on one disk it takes no more room."""
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def claim(folder: Path, identity: dict) -> bool:
    """Make `folder` the home of the run `identity` describes; True when it already was.

    What another run left there (other data, base or settings) is removed: resuming it would mix two runs.
    """
    note = folder / IDENTITY
    try:
        if json.loads(note.read_text()) == json.loads(json.dumps(identity)):
            return True
    except (OSError, ValueError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note.write_text(json.dumps(identity, indent=2))
    return False


def step_of(checkpoint: Path) -> int:
    """The step its name tells; -1 for a name that tells none."""
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else -1


def best_folder(folder: Path, step: int) -> Path:
    """Where the best weights lie that a run in `folder` had at `step`."""
    return folder / f"best-{step}"


def best_steps(folder: Path) -> set[int]:
    """The steps whose weights the checkpoints in `folder` take for the best."""
    found = set()
    for path in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            found.add(_best_step(json.loads(path.read_text())))
        except (OSError, ValueError, AttributeError):
            continue  # cut short: nobody will resume from it
    return found - {0}


def _best_step(state: dict) -> int:
    """The step whose weights are kept as the best; 0 when none are."""
    kept = state.get("stateful_callbacks", {}).get(STATE, {}).get("attributes", {})
    return kept.get("kept_step", 0)


def _weights(folder: Path) -> list[Path]:
    """The weight files of an adapter or of a whole model. Raises ValueError for a folder without."""
    adapter = folder / _ADAPTER[1]
    return [adapter] if adapter.exists() else weights.files_of(folder)


def _is_whole_archive(path: Path) -> bool:
    """True when the zip directory, written last, is there and every member lies inside the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
