"""Which calls have left for the endpoint: one line a call, in a file, at the moment its request leaves.

Calls are written to the database some way ahead, so that whenever a place at the endpoint is free one is
ready to take it, however long the database is busy with other writers. So not all that a killed process left
behind as asked has left; the file tells which did, and may have been paid. A line is appended in
microseconds, and outlives the process once it is written.
"""

import os
from pathlib import Path

FILE = "departures.txt"  # in the job's folder: idempotency keys, all attempts one after the other


def departed(folder: Path) -> set[int] | None:
    """The numbers of the calls that left, in any attempt; None where nothing tells."""
    try:
        lines = (folder / FILE).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return None
    return {_number(line) for line in lines}


class Departures:
    """Notes what leaves in one attempt. Calls go by their idempotency keys, which end in their numbers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.numbers: set[int] = set()

    def note(self, key: str) -> None:
        """Before the first byte is sent."""
        os.write(self._file, f"{key}\n".encode("ascii"))
        self.numbers.add(_number(key))

    def close(self) -> None:
        os.close(self._file)


def _number(key: str) -> int:
    return int(key.rpartition("-")[2])
