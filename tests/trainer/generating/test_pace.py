import random

import pytest

from trainer.generating.pace import FIRST_PAUSE, LONGEST_PAUSE, Bucket, Pace, pause_before


def leaving_times(pace: Pace, count: int, tokens: int = 10) -> list[float]:
    """When each of `count` requests that all want to leave at once may leave."""
    return [pace.take(tokens, 0.0) for _ in range(count)]


def test_requests_beyond_the_burst_leave_at_the_rate_that_is_allowed():
    times = leaving_times(Pace(600, None), 110)
    assert times[:10] == [0.0] * 10
    assert times[10:] == pytest.approx([(at + 1) / 10 for at in range(100)])


def test_the_tighter_of_the_two_limits_counts():
    times = leaving_times(Pace(6000, 6000), 41, tokens=100)  # 100 requests and 100 tokens a second
    assert times[-1] == pytest.approx(40.0)


def test_tokens_that_a_reply_did_not_use_are_given_back():
    pace = Pace(None, 60)
    assert pace.take(10, 0.0) == pytest.approx(9.0)
    pace.settle(10, 1, 0.0)
    assert pace.take(1, 0.0) == pytest.approx(1.0)


def test_an_idle_bucket_does_not_save_up_more_than_a_burst():
    bucket = Bucket(600)
    bucket.take(1, 0.0)
    assert [bucket.take(1, 3600.0) for _ in range(11)] == [0.0] * 10 + [pytest.approx(0.1)]


def test_without_limits_nothing_waits():
    assert leaving_times(Pace(None, None), 1000) == [0.0] * 1000


def test_one_refusal_holds_only_its_own_call_and_two_in_a_row_hold_all():
    pace = Pace(None, None)
    pace.hold(5.0, 0.0)
    assert pace.take(1, 0.0) == 0.0
    pace.hold(5.0, 0.0)
    assert pace.take(1, 1.0) == pytest.approx(4.0)


def test_pauses_double_with_jitter_and_end_at_the_longest():
    dice = random.Random(1)
    pauses = [pause_before(retry, None, dice) for retry in range(1, 20)]
    for retry, pause in enumerate(pauses, start=1):
        full = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (retry - 1))
        assert full / 2 <= pause <= full
    assert len(set(pauses)) == len(pauses)


def test_what_the_endpoint_asks_for_is_waited_at_least():
    dice = random.Random(1)
    assert all(7.0 <= pause_before(1, 7.0, dice) <= 7.7 for _ in range(50))
