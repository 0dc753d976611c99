"""Where the real corpora lie. None is committed: a test that needs one skips without it, and says so."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def corpora_folder() -> Path:
    """The folder of corpora: STUDIO_CORPORA, else `shared/corpora` beside the repository."""
    return Path(os.environ.get("STUDIO_CORPORA") or REPOSITORY.parent / "shared" / "corpora")


def corpus(*parts: str) -> Path:
    """The path of one corpus file or folder, such as `corpus("gad", "train.jsonl")`; skips without it."""
    path = corpora_folder().joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"needs {'/'.join(parts)} of the real corpora: set STUDIO_CORPORA to their folder ({path})"
        )
    return path
