"""Corpus files into rows: `read(path, format, **options)`, `detect(path)`, `FORMATS`."""

from db.corpora.readers.detecting import detect
from db.corpora.readers.formats import Format, Option
from db.corpora.readers.registry import FORMATS, get_format, read, with_others

__all__ = ["FORMATS", "Format", "Option", "detect", "get_format", "read", "with_others"]
