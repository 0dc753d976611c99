"""The benchmark in small: a real worker, a real child killed with SIGKILL, an endpoint in its own process."""

from tests.bench import generate as bench


def test_three_kills_repeat_no_call_and_lose_no_row():
    found = bench.measure(rows=400, kills=3, concurrency=4, per_call=5)
    assert found["kept"] >= 400
    assert found["repeated_calls"] == 0
    assert found["lost_rows"] == 0
    # At each kill: in each place a call at the endpoint, and one whose answer is not yet written.
    assert found["written_off"] <= 3 * 4 * 2
