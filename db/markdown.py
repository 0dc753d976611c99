"""Stored text inside Markdown of our own."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>&~-])")


def plain(text: str) -> str:
    """The text as one line of Markdown that means nothing but itself."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
