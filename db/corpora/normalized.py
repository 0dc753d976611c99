"""What a mention stands for, as the files write it: `MESH:D003920`, `D003920|D009369`, `-1` for unknown."""

import re

_BETWEEN = re.compile(r"[|;,+]")
_PREFIXED = re.compile(r"(?P<database>[A-Za-z][\w .-]*):(?P<identifier>\S.*)\Z")
_UNKNOWN = frozenset(("", "-", "-1", "none", "null", "unknown", "cui-less"))


def identifiers(written: str, database: str) -> tuple[tuple[str, str], ...]:
    """The (database, identifier) pairs of a cell; `database` is that of an identifier that names none."""
    pairs = []
    for part in _BETWEEN.split(written):
        identifier = part.strip()
        if identifier.lower() in _UNKNOWN:
            continue
        prefixed = _PREFIXED.match(identifier)
        pair = (prefixed["database"].upper(), prefixed["identifier"]) if prefixed else (database, identifier)
        if pair not in pairs:
            pairs.append(pair)
    return tuple(pairs)
