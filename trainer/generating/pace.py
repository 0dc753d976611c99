"""How fast an endpoint is asked: requests and tokens a minute, pauses it asks for, and pauses between tries.

Nothing here sleeps or reads a clock: times in seconds go in, seconds to wait come out.
"""

import random

BURST = 1.0  # seconds of a minute's allowance that may go at once, after a lull
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds between two tries of a call


class Bucket:
    """An allowance that fills at an even rate. What is taken beyond it is a debt that others wait for too."""

    def __init__(self, per_minute: float | None) -> None:
        """None: no limit."""
        self.rate = per_minute / 60 if per_minute else None  # a second
        self._level = self._most = max(1.0, self.rate * BURST) if self.rate else 0.0
        self._at: float | None = None

    def take(self, amount: float, now: float) -> float:
        """Take from the allowance; seconds to wait until it is there. A negative amount gives back."""
        if self.rate is None:
            return 0.0
        since = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(now, self._at)
        self._level = min(self._most, self._level + since * self.rate) - amount
        return max(0.0, -self._level / self.rate)


class Pace:
    """The allowances of one endpoint."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._requests, self._tokens = Bucket(requests_per_minute), Bucket(tokens_per_minute)
        self._held_until = 0.0
        self._busy_in_a_row = 0

    def take(self, tokens: int, now: float) -> float:
        """Seconds to wait before a request of some `tokens`, in and out, may leave."""
        return max(
            self._requests.take(1, now), self._tokens.take(tokens, now), max(0.0, self._held_until - now)
        )

    def settle(self, estimated: int, used: int, now: float) -> None:
        """A reply came: what it used is now known."""
        self._busy_in_a_row = 0
        self._tokens.take(used - estimated, now)

    def hold(self, seconds: float, now: float) -> None:
        """The endpoint said that it is busy. Told so twice in a row, everyone waits, not the one alone."""
        self._busy_in_a_row += 1
        if self._busy_in_a_row > 1:
            self._held_until = max(self._held_until, now + seconds)


def pause_before(retry: int, asked: float | None, dice: random.Random) -> float:
    """Seconds before a call is tried again: what the endpoint asked for, or doubling with jitter."""
    if asked is not None:
        return asked + dice.uniform(0, min(0.1 * asked, 1.0))  # not all at the same moment
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (retry - 1)) * dice.uniform(0.5, 1.0)
