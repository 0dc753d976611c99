"""The instruction factory, both halves: corpora converted and stored, and a run grown against an endpoint.

`python -m tests.bench convert` and `generate` measure one half alone, with options.
"""

import io
import json
import sys
from contextlib import redirect_stdout

from tests.bench import convert, generate


def main(argv: list[str]) -> None:
    if argv:
        sys.exit("factory takes no options; give them to convert or to generate.")
    print(json.dumps(_figures(convert) | _figures(generate)))


def _figures(half) -> dict:
    """Run one half, its table shown as it comes; the figures are its last line."""
    shown = _Shown()
    with redirect_stdout(shown):
        half.main([])
    return json.loads(shown.getvalue().rstrip().rpartition("\n")[2])


class _Shown(io.StringIO):
    """Keeps what is printed, and prints it."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)
