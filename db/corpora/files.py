"""The corpora that curators brought: one copy each within the data folder, in a folder named by its hash.

So a conversion that was interrupted goes on with the very file that it began with. The file keeps its own
name there: readers tell the split from it, and name rows by it.
"""

import shutil
from hashlib import sha256
from pathlib import Path

FOLDER = "corpora"  # within the data folder
_PIECE = 1 << 20  # bytes
_HASH = 16  # hexadecimal digits of SHA-256: enough to tell a studio's files apart


def folder_of(data_dir: Path) -> Path:
    return data_dir / FOLDER


def keep(data_dir: Path, path: Path, name: str = "") -> str:
    """Copy a file, or a folder of files, into the studio; the path by which a Source names it.

    `name` is what the curator called it, where `path` is a temporary one. What is there already is not copied
    again. Raises ValueError when it cannot be read or is empty.
    """
    try:
        digest, size = _fingerprint(path)
        if not size:
            raise ValueError(f"file: {name or path.name} is empty; choose one that holds rows.")
        kept = f"{digest[:_HASH]}/{_plain(name or path.name)}"
        target = folder_of(data_dir) / kept
        if not target.exists():
            _copy(path, target)
    except OSError as error:
        raise ValueError(f"file: {name or path.name} cannot be read ({error.strerror}).") from error
    return kept


def locate(data_dir: Path, kept: str) -> Path:
    """Where a kept file lies. Raises ValueError when it is not there, or not inside the folder of corpora."""
    folder = folder_of(data_dir).resolve()
    path = (folder / kept).resolve()
    if path == folder or not path.is_relative_to(folder):
        raise ValueError(f"path: {kept} lies outside the studio's folder of corpora; bring it first.")
    if not path.exists():
        raise ValueError(f"path: {kept} is not among the studio's corpora; bring the file again.")
    return path


def _files(path: Path) -> list[Path]:
    """The files of a folder, links left out: they may point anywhere."""
    if not path.is_dir():
        return [path]
    found = (each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
    return sorted(found)


def _fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 over names and content, as hexadecimal, and the bytes in all."""
    digest, size = sha256(), 0
    for file in _files(path):
        if file != path:
            digest.update(f"{file.relative_to(path).as_posix()}\0".encode())
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    return digest.hexdigest(), size


def _copy(path: Path, target: Path) -> None:
    """Copied under another name first: what bears the hash's name is always whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    if path.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
        for file in _files(path):
            place = partial / file.relative_to(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    else:
        shutil.copyfile(path, partial)
    partial.rename(target)


def _plain(name: str) -> str:
    """The name with letters, digits, dots, hyphens and underscores only, its end kept: readers go by it."""
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return plain.lstrip(".")[-80:] or "corpus"
