"""Import spaCy and Presidio without torch and transformers, which both try to load where they are installed.

Neither is used here, and they would add ten seconds and 300 MB to the process that serves pages.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HEAVY = ("torch", "transformers")


@contextmanager
def without_torch() -> Iterator[None]:
    """While open, an import of what is heavy and not loaded yet fails as if it were not installed."""
    hidden = [name for name in _HEAVY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # None under a name: Python's own way to say "not there"
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
