"""Files of every kind for the tests of import and export."""

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = [
    {"instruction": "Which vitamin prevents scurvy?", "input": "", "output": "Vitamin C."},
    {
        "instruction": "Name the organ.",
        "input": "Hepatitis B, chronic.\nICD-10 B18.1",
        "output": "The liver.",
    },
    {"instruction": "ما هو فقر الدم؟", "input": "", "output": "نقص الهيموغلوبين."},
]


def turns(row: dict, role: str, text: str, user: str, assistant: str) -> list[dict]:
    asked = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
    return [{role: user, text: asked}, {role: assistant, text: row["output"]}]


def write_json(path: Path, rows: list) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_jsonl(path: Path, rows: list) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def save_folder(path: Path, rows: list) -> Path:
    """As `datasets.Dataset.save_to_disk` does."""
    path.mkdir(parents=True)
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(str(path / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (path / "state.json").write_text(json.dumps(state))
    (path / "dataset_info.json").write_text("{}")
    return path


def zip_folder(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder.parent))
    return path
