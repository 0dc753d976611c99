"""What the readers' tests share: the invented files, and a way to hear what is wrong with one."""

from pathlib import Path

import pytest

from db.corpora.readers import read
from db.corpora.schema import CorpusError, Row

FILES = Path(__file__).parent / "files"


def rows_of(name: str, format: str, **options: object) -> list[Row]:
    return list(read(FILES / name, format, **options))


def written(folder: Path, text: str | bytes, name: str = "corpus.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault_of(path: Path, format: str, **options: object) -> str:
    """The one sentence that the file is refused with."""
    with pytest.raises(CorpusError) as refused:
        list(read(path, format, **options))
    said = str(refused.value)
    assert said.startswith("file: ")
    assert "\n" not in said
    assert said.endswith(".")
    return said
