"""How long a heartbeat in the database has stood still, by the clock of who looks.

Two machines' wall clocks are never compared: they differ, and a wall clock may be set at any moment. Who
looks remembers what each heartbeat was and when, by its own monotonic clock, it saw that one for the first
time. What it sees for the first time at all counts from then.
"""

import threading
import time
from collections.abc import Collection, Hashable


class Heartbeats:
    """What one process has seen of the heartbeats of others. For all its threads."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, tuple[Hashable, float]] = {}
        self._lock = threading.Lock()

    def silence(self, key: Hashable, beat: Hashable, *, now: float | None = None) -> float | None:
        """Seconds since the heartbeat of `key` was first seen to be `beat`; None when `key` is new here."""
        now = time.monotonic() if now is None else now
        with self._lock:
            known = self._seen.get(key)
            if known is None or known[0] != beat:
                self._seen[key] = (beat, now)
                return None if known is None else 0.0
            return now - known[1]

    def forget_others(self, keys: Collection[Hashable]) -> None:
        """Keep only what was seen of `keys`."""
        with self._lock:
            self._seen = {key: seen for key, seen in self._seen.items() if key in keys}
