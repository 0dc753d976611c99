"""The files of a folder or of a zip, in order of their names; nothing is unpacked to disk."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from db.corpora.readers.text import Growth, codec_of, not_text, open_bytes
from db.corpora.schema import CorpusError

MAX_MEMBERS = 200_000
MAX_MEMBER = 64 << 20  # bytes of one document


@dataclass(frozen=True)
class Member:
    """One file of a folder or a zip; `name` is its path inside."""

    name: str
    read: Callable[[], bytes]

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    def stream(self) -> io.BytesIO:
        return io.BytesIO(self.read())

    def text(self, encoding: str = "") -> str:
        """The whole file as text, line ends as they are: offsets count them."""
        codec, data = codec_of(encoding), self.read()
        try:
            return data.decode(codec)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise not_text(data, error.start, codec, record=f"{self.name}, line {line}") from None
        except UnicodeError:
            raise CorpusError(f"it is not {codec} text; name its encoding.", record=self.name) from None


@contextmanager
def members(path: Path, *suffixes: str) -> Iterator[list[Member]]:
    """The files with one of these suffixes under a folder, in a zip, or the file itself, sorted by name.

    Raises CorpusError for a zip that is broken, locked or grows as no text does, and for a file too large.
    """
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.suffix.lower() in suffixes and file.is_file()]
        _refuse_many(len(found))
        yield sorted((on_disk(file, path) for file in found), key=lambda member: member.name)
    elif is_zip(path):
        with _opened(path) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir()]
            _refuse_many(len(listed))
            growth = Growth(path.stat().st_size)
            zipped = [_zipped(archive, info, growth) for info in listed if not _is_litter(info.filename)]
            yield sorted(
                (member for member in zipped if member.suffix in suffixes), key=lambda member: member.name
            )
    else:
        yield [on_disk(path, path.parent)]


def is_zip(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def _refuse_many(count: int) -> None:
    if count > MAX_MEMBERS:
        raise CorpusError(f"it holds {count:,} files, and {MAX_MEMBERS:,} is the most; split it.")


def _is_litter(name: str) -> bool:
    """What a Mac puts into every zip: shadows of the files, under their names."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("._")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError):
        raise CorpusError("the zip is broken or packed in an unknown way; zip the folder again.") from None
    except RuntimeError as error:
        if "password" not in str(error) and "encrypted" not in str(error):
            raise
        raise CorpusError("the zip is locked with a password; zip the folder without one.") from None


def on_disk(file: Path, folder: Path) -> Member:
    """A file of a folder, by its path inside."""

    def read() -> bytes:
        with open_bytes(file) as source:
            return _bounded(source.read(MAX_MEMBER + 1), file.name)

    return Member(file.relative_to(folder).as_posix(), read)


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, growth: Growth) -> Member:
    def read() -> bytes:
        # The sizes that a zip tells of itself are not believed.
        with archive.open(info) as source:
            data = source.read(MAX_MEMBER + 1)
        growth.add(len(data))
        return _bounded(data, info.filename)

    return Member(info.filename, read)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_MEMBER:
        raise CorpusError(f"it is larger than {MAX_MEMBER >> 20} MiB; split it.", record=name)
    return data
