"""Files of records, made as they are read: every writer is a generator of bytes.

What one writes, `sniff` and `read_rows` read back to the same records.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from db import audit
from db.datasets import get_version
from db.enums import Split
from db.exchange.cells import defused, tags_cell
from db.exchange.conversations import as_turns
from db.exchange.records import Records, Row
from db.policy import Actor, Right, require
from db.projects import get_project

_ARROW_NAME = "data-00000-of-00001.arrow"


class Format(StrEnum):
    ALPACA = "alpaca"
    JSONL = "jsonl"
    MESSAGES = "messages"
    SHAREGPT = "sharegpt"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    DATASETS = "datasets"

    @property
    def suffix(self) -> str:
        own = {"alpaca": ".json", "messages": ".messages.jsonl", "sharegpt": ".sharegpt.jsonl"}
        return own.get(self.value, ".zip" if self is Format.DATASETS else f".{self.value}")


def write_records(records: Records, format: Format) -> Iterator[bytes]:
    """The records as a file of this format, a piece at a time. The session that chose them must be open."""
    return _WRITERS[format](records)


def file_name(records: Records, format: Format) -> str:
    return records.stem + format.suffix


def save_records(
    records: Records, format: Format, path: Path, report: Callable[[int], None] = lambda rows: None
) -> int:
    """Write the file; its size in bytes. A file that is there is the whole file: it takes its name last.

    `report` is told after each chunk how many rows are written.
    """
    records = _counted(records, report)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            for piece in write_records(records, format):
                file.write(piece)
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path.stat().st_size


def _counted(records: Records, report: Callable[[int], None]) -> Records:
    """The same records, which say how many were read."""

    def read(split: Split | None) -> Iterator[list[Row]]:
        nonlocal done
        for rows in records.read(split):
            yield rows
            done += len(rows)
            report(done)

    done = 0
    return replace(records, read=read)


@dataclass(frozen=True)
class Taken:
    """What a file was made of, once its records are closed: the fields are those of Records."""

    subject: str
    subject_id: int
    rows: int
    restricted: int

    @classmethod
    def of(cls, records: Records) -> "Taken":
        return cls(records.subject, records.subject_id, records.rows, records.restricted)


def record_export(session: Session, actor: Actor, records: Records | Taken, format: Format) -> None:
    """The audit line of an export: who took how many rows, and how many stayed."""
    require(actor, Right.READ)
    is_version = records.subject == "dataset_versions"
    subject = (get_version if is_version else get_project)(session, records.subject_id)
    counts = {"rows": records.rows, "restricted_left_out": records.restricted}
    audit.record(session, actor, "exported", subject, format=format.value, **counts)


# Text -------------------------------------------------------------------------------------------------


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _alpaca(records: Records) -> Iterator[bytes]:
    opening = "["
    for rows in records.chunks():
        yield (opening + "\n" + ",\n".join(map(_json, rows))).encode()
        opening = ","
    yield b"\n]\n" if opening == "," else b"[]\n"


def _lines(records: Records, shaped: Callable[[Row], Row]) -> Iterator[bytes]:
    for rows in records.chunks():
        yield "".join(_json(shaped(row)) + "\n" for row in rows).encode()


def _conversation(row: Row, column: str, **names: str) -> Row:
    labels = {name: value for name, value in row.items() if name not in ("instruction", "input", "output")}
    told = {column: as_turns(row, **names), **labels}
    # By itself once more: behind the instruction nobody could tell where it begins.
    return {**told, "input": row["input"]} if row["input"] else told


def _messages(row: Row) -> Row:
    return _conversation(row, "messages", role="role", text="content", user="user", assistant="assistant")


def _sharegpt(row: Row) -> Row:
    return _conversation(row, "conversations", role="from", text="value", user="human", assistant="gpt")


def _cells(records: Records, delimiter: str) -> Iterator[bytes]:
    """With a byte-order mark, without which a spreadsheet reads UTF-8 as something else."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writerow(records.columns)
    for rows in records.chunks():
        for row in rows:
            row = {**row, "tags": tags_cell(row["tags"])}
            writer.writerow([defused(str(row[column])) for column in records.columns])
        yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    taken = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return taken


# Arrow ------------------------------------------------------------------------------------------------


class Sink(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _schema(records: Records):
    import pyarrow as pa

    kinds = {"difficulty": pa.int64(), "tags": pa.list_(pa.string()), "is_unreviewed": pa.bool_()}
    return pa.schema([(column, kinds.get(column, pa.string())) for column in records.columns])


def write_parquet(records: Records, split: Split | None = None) -> Iterator[bytes]:
    """Parquet, a row group a chunk; of one split where told."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, sink = _schema(records), Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for rows in records.chunks(split):
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
            yield sink.take()
    yield sink.take()


def _datasets_zip(records: Records) -> Iterator[bytes]:
    """What `datasets.load_from_disk` reads once unzipped: with splits a folder each."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if records.splits:
            archive.writestr(
                "dataset_dict.json", _json({"splits": [split.value for split in records.splits]})
            )
        for split in records.splits or (None,):
            folder = f"{split.value}/" if split else ""
            yield from _saved(archive, folder, records, split, sink)
    yield sink.take()


def _saved(
    archive: zipfile.ZipFile, folder: str, records: Records, split: Split | None, sink: Sink
) -> Iterator[bytes]:
    import pyarrow as pa

    schema, arrow, digest = _schema(records), Sink(), sha256()
    with archive.open(folder + _ARROW_NAME, "w", force_zip64=True) as entry:
        with pa.ipc.new_stream(arrow, schema) as writer:
            for rows in records.chunks(split):
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
                part = arrow.take()
                digest.update(part)
                entry.write(part)
                yield sink.take()
        entry.write(arrow.take())
    archive.writestr(folder + "dataset_info.json", _json({"features": _features(records)}))
    state = {
        "_data_files": [{"filename": _ARROW_NAME}], "_fingerprint": digest.hexdigest()[:16],
        "_format_columns": None, "_format_kwargs": {}, "_format_type": None,
        "_output_all_columns": False, "_split": split.value if split else None,
    }  # fmt: skip
    archive.writestr(folder + "state.json", _json(state))


def _features(records: Records) -> dict:
    text = {"dtype": "string", "_type": "Value"}
    # "Sequence" is what every version of datasets reads; newer ones write "List".
    kinds = {
        "difficulty": {"dtype": "int64", "_type": "Value"},
        "tags": {"feature": text, "_type": "Sequence"},
        "is_unreviewed": {"dtype": "bool", "_type": "Value"},
    }
    return {column: kinds.get(column, text) for column in records.columns}


_WRITERS: dict[Format, Callable[[Records], Iterator[bytes]]] = {
    Format.ALPACA: _alpaca,
    Format.JSONL: lambda records: _lines(records, lambda row: row),
    Format.MESSAGES: lambda records: _lines(records, _messages),
    Format.SHAREGPT: lambda records: _lines(records, _sharegpt),
    Format.CSV: lambda records: _cells(records, ","),
    Format.TSV: lambda records: _cells(records, "\t"),
    Format.PARQUET: write_parquet,
    Format.DATASETS: _datasets_zip,
}
