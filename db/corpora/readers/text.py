"""Text out of a file, plain or gzip, a line at a time: its encoding checked, nothing endless believed."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from db.corpora.schema import CorpusError

MAX_LINE = 4_000_000  # characters; far above any record of text
MAX_UNPACKED = 4 << 30  # bytes that a gzip file or a zip may grow to
MAX_RATIO = 200  # times that packed text may grow; real text grows three- to tenfold
_ALWAYS_FINE = 64 << 20  # bytes up to which the ratio says nothing
MAX_WHOLE = 16_000_000  # characters of a small companion file
_CHUNK = 1 << 20
_GUESSES = ["cp1252", "cp1251", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"]


@contextmanager
def open_text(path: Path, encoding: str = "", *, newline: str | None = None) -> Iterator[TextIO]:
    """The file as text, UTF-8 (with or without its mark) unless `encoding` names another.

    Raises ValueError for an encoding that does not exist, and CorpusError, by line, for text in another one,
    a gzip file that is broken, cut off or too large, and a file that cannot be opened.
    """
    codec = codec_of(encoding)
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=codec, newline=newline) as text:
        try:
            yield text
        except UnicodeError:
            raise _encoding_fault(path, codec) from None


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked where it is gzip. Raises CorpusError as `open_text` does."""
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] != b"\x1f\x8b":
                yield file
            else:
                with gzip.GzipFile(fileobj=file) as packed:
                    yield io.BufferedReader(_Bounded(packed, path.stat().st_size))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise CorpusError("the gzip file is broken or cut off; fetch or pack it again.") from None
    except OSError as error:
        raise CorpusError(f"{path.name} cannot be read ({error.strerror}); choose another.") from None


def lines(path: Path, encoding: str = "") -> Iterator[tuple[int, str]]:
    """Each line with its number from 1, without its end. Raises CorpusError as `open_text`, or if huge."""
    with open_text(path, encoding) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise CorpusError(f"it is longer than {MAX_LINE:,} characters; split it.", line=number)
            yield number, line.rstrip("\n")


def codec_of(encoding: str) -> str:
    """The codec to read with. Raises ValueError for one that does not exist or does not make text."""
    if not encoding or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return "utf-8-sig"
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(
            f"encoding: {encoding[:40]!r} is not known; write one such as cp1252 or utf-16."
        ) from None


class Growth:
    """Counts unpacked bytes, and refuses what grows as no text does."""

    def __init__(self, packed: int) -> None:
        self._packed, self._unpacked = packed, 0

    def add(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > MAX_UNPACKED:
            raise CorpusError(f"unpacked it is more than {MAX_UNPACKED >> 30} GiB; split it.")
        if self._unpacked > max(_ALWAYS_FINE, MAX_RATIO * self._packed):
            raise CorpusError(
                f"it grows more than {MAX_RATIO}-fold when unpacked; no text does, so it is refused."
            )


class _Bounded(io.RawIOBase):
    """A packed file's bytes, up to what is believed of it."""

    def __init__(self, packed: gzip.GzipFile, size: int) -> None:
        self._file, self._growth = packed, Growth(size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._file.read(len(buffer))
        self._growth.add(len(data))
        buffer[: len(data)] = data
        return len(data)


# Encodings --------------------------------------------------------------------------------------------


def _encoding_fault(path: Path, codec: str) -> CorpusError:
    """Read again for the line: the fast way decodes in pieces and does not know it."""
    decoder, line = codecs.getincrementaldecoder(codec)(), 1
    with open_bytes(path) as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(codec, errors="ignore")
                return not_text(error.object, error.start, codec, line=line + before.count("\n"))
            except UnicodeError:
                break
            if not chunk:
                break
    return CorpusError(f"it is not {codec} text; name its encoding.")


def not_text(data: bytes, at: int, codec: str, *, line: int | None = None, record: str = "") -> CorpusError:
    """What to say of bytes that `codec` cannot read, with the encoding that they may be."""
    name = "UTF-8" if codec.startswith("utf-8") else codec
    guess = _guess(data[max(0, at - 4000) : at + 4000] if at > 4000 else data[: at + 4000])
    mend = f'it may be {guess}: read it with encoding="{guess}", or ' if guess else ""
    return CorpusError(
        f"byte {data[at]:#04x} is not {name} text; {mend}save it as UTF-8.", line=line, record=record
    )


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes  # only where something is wrong: it takes a while to load

    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data.count(0) > len(data) // 5:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    best = from_bytes(data, cp_isolation=_GUESSES).best()
    return best.encoding if best else ""
