"""Results and checkpoints kept once more at a place that several machines reach: whatever fsspec can name.

STUDIO_ARTIFACTS names it, such as file:///mnt/share/studio or s3://bucket/studio; without it all is kept in
the data folder alone. There lie adapters/NAME, models/NAME and, while a run is stopped, jobs/NUMBER. A folder
counts once its list of files is there, which is written last: one that was cut short is not taken for whole.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from db.settings import Settings
from trainer.models import checkpoints
from trainer.models.processes import Processes

logger = logging.getLogger("trainer")

LIST = "files.json"  # path -> bytes
_PROVENANCE = "provenance.json"  # tells the number format to go on in


class Store:
    """Folders at one address."""

    def __init__(self, address: str) -> None:
        """Raises ValueError with one sentence when the address cannot be used or written to."""
        if urlsplit(address).password:
            raise ValueError(
                "artifacts: STUDIO_ARTIFACTS holds a password; give it by the store's own variables or files."
            )
        try:
            self._files, self._root = _open(address)
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(f"{self._root}/.studio", b"")
        except ImportError as error:
            raise ValueError(
                f"artifacts: {address} needs a package ({error}); install it with pip beside the studio."
            ) from error
        except ValueError as error:
            raise ValueError(
                f"artifacts: {address} is no address fsspec knows ({error}); write file:///mnt/share/studio "
                "or s3://bucket/studio."
            ) from error
        except OSError as error:
            raise ValueError(
                f"artifacts: {address} cannot be written to ({error}); mend the place or STUDIO_ARTIFACTS."
            ) from error

    def put(self, name: str, files: Mapping[str, Path]) -> str:
        """Keep `files` (path in the folder -> file) as folder `name`; returns its address. Raises OSError."""
        self.remove(name)
        for path, file in files.items():
            target = f"{self._root}/{name}/{path}"
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(file), target)
        sizes = {path: file.stat().st_size for path, file in files.items()}
        self._files.pipe_file(f"{self._root}/{name}/{LIST}", json.dumps(sizes, indent=2).encode())
        return self._files.unstrip_protocol(f"{self._root}/{name}")

    def get(self, name: str, folder: Path) -> bool:
        """Bring folder `name` to `folder`, whole or not at all; False when it is not whole there.

        Raises OSError, ValueError for a list that names a path outside the folder.
        """
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            sizes = json.loads(self._files.cat_file(f"{self._root}/{name}/{LIST}"))
            for path, size in sizes.items():
                target = partial / _inside(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(f"{self._root}/{name}/{path}", str(target))
                if target.stat().st_size != size:
                    return False
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
        except FileNotFoundError:
            return False
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return True

    def names(self, name: str) -> list[str]:
        """The folders in folder `name`, whole ones and others. Raises OSError."""
        self._files.invalidate_cache()  # another machine may have written
        try:
            found = self._files.ls(f"{self._root}/{name}", detail=True)
        except FileNotFoundError:
            return []
        return [
            entry["name"].rstrip("/").rpartition("/")[2] for entry in found if entry["type"] == "directory"
        ]

    def remove(self, name: str) -> None:
        """Remove folder `name`, its list first. Raises OSError."""
        for path, recursive in ((f"{name}/{LIST}", False), (name, True)):
            if self._files.exists(f"{self._root}/{path}"):
                self._files.rm(f"{self._root}/{path}", recursive=recursive)


class Keeper:
    """What one run keeps at the store; without a store, nothing. Trouble there never ends a run."""

    def __init__(self, store: Store | None, job_id: int, processes: int = 1) -> None:
        self._store, self._name, self._processes = store, f"jobs/{job_id}", processes

    def keep_result(self, home: Path) -> dict[str, str]:
        """Keep an adapter or a model; returns what the job's result tells of it."""
        if self._store is None:
            return {}
        try:
            kept = self._store.put(f"{home.parent.name}/{home.name}", _files_of(home))
            self._store.remove(self._name)
        except OSError as error:
            logger.warning("the result is in the data folder only: %s", error)
            return {"artifact_error": f"It is in the data folder only: the shared place failed ({error})."}
        return {"artifact": kept}

    def keep_checkpoint(self, folder: Path) -> None:
        """Keep the newest whole checkpoint of a run that stops, and the best weights it speaks of."""
        newest = checkpoints.last_valid(folder, self._processes) if self._store else None
        if newest is None:
            return
        best = [checkpoints.best_folder(folder, step) for step in checkpoints.best_steps(folder)]
        files = {
            f"{part.name}/{path}": file
            for part in (newest, *(path for path in best if path.exists()))
            for path, file in _files_of(part).items()
        }
        files[checkpoints.IDENTITY] = folder / checkpoints.IDENTITY
        if (folder.parent / _PROVENANCE).exists():
            files[_PROVENANCE] = folder.parent / _PROVENANCE
        try:
            self._store.put(f"{self._name}/{newest.name}", files)
            for name in self._store.names(self._name):
                if name != newest.name:
                    self._store.remove(f"{self._name}/{name}")
            logger.info("%s is kept at the shared place too", newest.name)
        except OSError as error:
            logger.warning("%s is in the data folder only: %s", newest.name, error)

    def bring_checkpoint(self, folder: Path) -> bool:
        """Bring a checkpoint of this very run that is whole, and newer than those in `folder`; True if so.

        `folder` is claimed by the run: it says which run that is.
        """
        if self._store is None:
            return False
        newest = checkpoints.last_valid(folder, self._processes)
        here = checkpoints.step_of(newest) if newest else 0
        try:
            found = sorted(self._store.names(self._name), key=lambda name: checkpoints.step_of(Path(name)))
            return any(
                self._bring(name, folder)
                for name in reversed(found)
                if checkpoints.step_of(Path(name)) > here
            )
        except (OSError, ValueError) as error:
            logger.warning("the shared place cannot be read: %s", error)
            return False

    def forget(self) -> None:
        """Remove what is kept of a run of which nothing is to be kept."""
        if self._store is not None:
            try:
                self._store.remove(self._name)
            except OSError as error:
                logger.warning("what the shared place keeps of the run stays there: %s", error)

    def _bring(self, name: str, folder: Path) -> bool:
        brought = folder / f"brought-{name}"
        try:
            if not self._store.get(f"{self._name}/{name}", brought):
                return False
            own, other = (json.loads((at / checkpoints.IDENTITY).read_text()) for at in (folder, brought))
            if own != other or checkpoints.fault(brought / name, self._processes) is not None:
                return False
            # The checkpoint last: it speaks of the best weights.
            for part in sorted(brought.iterdir(), key=lambda path: path.name == name):
                if part.is_dir():
                    shutil.rmtree(folder / part.name, ignore_errors=True)
                    part.rename(folder / part.name)
                elif part.name == _PROVENANCE:
                    part.replace(folder.parent / part.name)
            logger.info("%s was brought from the shared place", name)
            return True
        finally:
            shutil.rmtree(brought, ignore_errors=True)


def open_keeper(settings: Settings, job_id: int, crew: Processes) -> Keeper:
    """The keeper of a run; of its processes the main one keeps, the others nothing.

    Raises ValueError with one sentence when STUDIO_ARTIFACTS cannot be used.
    """
    store = Store(settings.artifacts) if settings.artifacts and crew.is_main else None
    return Keeper(store, job_id, crew.count)


def _open(address: str) -> tuple[AbstractFileSystem, str]:
    """The file system and the path in it. A plain path is one of this machine."""
    files, root = url_to_fs(address)
    return files, root.rstrip("/")


def _files_of(folder: Path) -> dict[str, Path]:
    return {
        str(path.relative_to(folder).as_posix()): path for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _inside(path: str) -> PurePosixPath:
    """Raises ValueError for a path that leads out of its folder."""
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts:
        raise ValueError(f"{LIST} names {path!r}, which is outside")
    return found
