"""Rows of Parquet files and of saved `datasets` folders, zipped ones safely unpacked."""

import json
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

MAX_UNPACKED = 1 << 30
MAX_MEMBERS = 1_000
_BATCH = 500
_WANTED = (".arrow", ".json")


def parquet_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a Parquet file, a few hundred in memory at a time. Raises ValueError when it is broken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError("file: the Parquet in it is broken; write it again.") from error


def saved_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a folder that `Dataset.save_to_disk` wrote, or of a zip of one: split after split.

    Of a folder with splits each row says its own in `split`, unless it has such a column.
    """
    if path.is_dir():
        yield from _folder_rows(path)
    else:
        with unpacked(path) as folder:
            yield from _folder_rows(folder)


@contextmanager
def unpacked(path: Path, most: int = MAX_UNPACKED) -> Iterator[Path]:
    """The arrow and JSON files of a zip in a folder of their own, gone afterwards.

    Raises ValueError for a path that leads out, a link, too many files, or more than `most` bytes,
    counted while they are unpacked: what a zip says of its sizes is not believed.
    """
    with tempfile.TemporaryDirectory(prefix="studio-import-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, folder, most)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise ValueError("file: the zip is broken or locked; zip the folder again.") from error
        yield folder


def _unpack(archive: zipfile.ZipFile, folder: Path, most: int) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"file: the zip holds {len(members):,} files; {MAX_MEMBERS:,} is the most.")
    left = most
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if place.is_absolute() or ".." in place.parts or ":" in member.filename or is_link:
            raise ValueError("file: the zip holds a path that leads out of it; zip the folder again.")
        if member.is_dir() or place.suffix not in _WANTED:
            continue
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as copy:
            while chunk := source.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise ValueError(f"file: unpacked it is more than {most >> 20} MiB; split it.")
                copy.write(chunk)


def _folder_rows(folder: Path) -> Iterator[dict[str, object]]:
    files = _arrow_files(folder)
    if not files:
        raise ValueError(
            "file: the zip holds no saved dataset (no arrow file); zip the folder that has them."
        )
    has_splits = len({file.parent for file in files}) > 1
    for file in files:
        for row in _arrow_rows(file):
            yield {"split": file.parent.name, **row} if has_splits else row


def _arrow_files(folder: Path) -> list[Path]:
    """The data files, in the order that each folder's state.json gives; caches beside them do not count."""
    files = []
    for state in sorted(folder.rglob("state.json")):
        try:
            names = [one["filename"] for one in json.loads(state.read_text("utf-8"))["_data_files"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("file: the folder's state.json is broken; save the dataset again.") from error
        files += [state.parent / Path(str(name)).name for name in names]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"file: the folder lacks {missing[0][:80]}; save the dataset again.")
    return files or sorted(folder.rglob("*.arrow"))


def _arrow_rows(path: Path) -> Iterator[dict[str, object]]:
    import pyarrow as pa

    try:
        # Read, not mapped: pages of a mapped file count as this process's memory.
        with pa.OSFile(str(path), "rb") as source:
            for batch in _batches(source):
                for start in range(0, batch.num_rows, _BATCH):
                    yield from batch.slice(start, _BATCH).to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"file: {path.name[:80]} in it is broken; save the dataset again.") from error


def _batches(source) -> Iterator:
    """Record batches of either form: `datasets` writes streams, other tools often files."""
    import pyarrow as pa

    is_file = source.read(6) == b"ARROW1"
    source.seek(0)
    if is_file:
        reader = pa.ipc.open_file(source)
        yield from map(reader.get_batch, range(reader.num_record_batches))
    else:
        yield from pa.ipc.open_stream(source)
