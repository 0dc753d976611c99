"""A generator that works in a process of its own, ahead of who takes its values."""

import os

import pytest

from trainer.ahead import ahead


def test_what_is_made_ahead_comes_in_order_and_its_errors_with_their_sentence():
    assert list(ahead(range, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"^format: 'x' is not known"):
        list(ahead(_reader, "x"))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(ahead(_reader, 0))


def _reader(what):
    from db.corpora.readers import get_format

    yield 1 / what if what == 0 else get_format(what)


def test_who_stops_listening_ends_the_process_ahead():
    values = ahead(_forever)
    pid = next(values)
    values.close()
    assert not _lives(pid)


def _forever():
    while True:
        yield os.getpid()


def _lives(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
