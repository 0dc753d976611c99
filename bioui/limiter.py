"""How often something may fail before one must wait. In memory: a restart forgives."""

from collections import deque
from threading import Lock


class Limiter:
    """At most `tries` failures a key within `window` seconds. The time is passed in."""

    MOST_KEYS = 10_000

    def __init__(self, *, tries: int, window: float) -> None:
        self.tries = tries
        self.window = window
        self._failures: dict[str, deque[float]] = {}
        self._lock = Lock()

    def wait(self, key: str, now: float) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        with self._lock:
            failures = self._recent(key, now)
            return failures[0] + self.window - now if len(failures) >= self.tries else 0.0

    def note(self, key: str, now: float) -> None:
        """Count a failure."""
        with self._lock:
            if len(self._failures) >= self.MOST_KEYS:
                self._failures = {
                    known: times for known, times in self._failures.items() if self._recent(known, now)
                }
            self._failures.setdefault(key, deque(maxlen=self.tries)).append(now)

    def forget(self, key: str) -> None:
        """Clear `key` after a success."""
        with self._lock:
            self._failures.pop(key, None)

    def clear(self) -> None:
        """Forget every failure."""
        with self._lock:
            self._failures.clear()

    def _recent(self, key: str, now: float) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= now - self.window:
            failures.popleft()
        return failures
