"""The metrics of a run, written beside the studio's own for TensorBoard or trackio, into the run's folder.

Local files only: neither talks to a server. trackio brings a web server with it and is no requirement of the
studio; who wants it installs it.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tensorboardX import SummaryWriter

from db.train_spec import TrainSpec


class Tracker(Protocol):
    def add(self, step: int, values: dict[str, float]) -> None: ...

    def close(self) -> None: ...


def require_ready(spec: TrainSpec) -> None:
    """Raises ValueError when the package the settings ask for is not there."""
    if spec.track == "trackio" and find_spec("trackio") is None:
        raise ValueError(
            "track: trackio is not installed; pip install trackio, or choose tensorboard or none."
        )


def open_tracker(spec: TrainSpec, folder: Path, begins: bool) -> Tracker | None:
    """What the settings ask for, or None. A run that `begins` anew drops what an earlier attempt wrote."""
    place = folder / spec.track
    if begins:
        shutil.rmtree(place, ignore_errors=True)
    if spec.track == "tensorboard":
        return TensorBoard(place)
    if spec.track == "trackio":
        return Trackio(place, spec.adapter_name)
    return None


class TensorBoard:
    """Event files; `tensorboard --logdir FOLDER` shows them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._writer = folder, None

    def add(self, step: int, values: dict[str, float]) -> None:
        if self._writer is None:  # what an attempt that died wrote from this step on is void
            self._writer = SummaryWriter(str(self._folder), purge_step=step)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class Trackio:
    """trackio's own database; `TRACKIO_DIR=FOLDER trackio show` shows it."""

    def __init__(self, folder: Path, name: str) -> None:
        os.environ["TRACKIO_DIR"] = str(folder)
        import trackio

        self._run = trackio.init(
            project="studio", name=name, resume="allow", embed=False, auto_log_gpu=False, auto_log_cpu=False
        )

    def add(self, step: int, values: dict[str, float]) -> None:
        self._run.log(values, step=step)

    def close(self) -> None:
        self._run.finish()
