"""Percentiles by hand; rates and failures against calls that take known times."""

import math
import threading
import time

import pytest
from recommender_client.errors import ServingError
from recommender_client.load import Timings, at_rate, in_turn


def test_percentiles_are_nearest_ranks():
    timings = Timings(latencies_s=[0.4, 0.1, 0.3, 0.2, 0.5])

    assert timings.percentile_s(50) == 0.3
    assert timings.percentile_s(20) == 0.1
    assert timings.percentile_s(21) == 0.2
    assert timings.percentile_s(99) == 0.5
    assert math.isnan(Timings().percentile_s(50))


def test_one_after_another():
    order = []
    timings = in_turn([lambda: order.append("a"), lambda: order.append("b")], times=2)

    assert order == ["a", "b", "a", "b"]
    assert len(timings.latencies_s) == 4
    assert sum(timings.latencies_s) <= timings.seconds


def _fail():
    raise ServingError("here", "UNAVAILABLE", "busy")


def test_failures_are_counted_and_not_timed():
    timings = in_turn([_fail, lambda: None], times=3)

    assert timings.failures == {"here: UNAVAILABLE: busy": 3}
    assert len(timings.latencies_s) == 3


def test_a_rate_is_kept_whatever_the_calls_take():
    """25 a second for 0.4 s are 10 calls; each takes 0.3 s, so they overlap."""
    timings = at_rate([lambda: time.sleep(0.3)], qps=25.0, seconds=0.4)

    assert len(timings.latencies_s) == 10
    assert min(timings.latencies_s) >= 0.3
    assert timings.seconds < 2.0  # in turn they would take 3


def test_a_short_time_holds_one_call():
    assert len(at_rate([lambda: None], qps=1.0, seconds=0.01).latencies_s) == 1


def test_a_latency_counts_from_when_the_call_was_due():
    """Behind a lock that lets one call through at a time, those that come later wait longer."""
    lock = threading.Lock()

    def one_at_a_time():
        with lock:
            time.sleep(0.05)

    timings = at_rate([one_at_a_time], qps=100.0, seconds=0.1)

    assert max(timings.latencies_s) >= 10 * 0.05 - 0.1


def test_calls_that_find_no_room_are_failures(monkeypatch):
    monkeypatch.setattr("recommender_client.load._MOST_IN_FLIGHT", 2)

    timings = at_rate([lambda: time.sleep(0.3)], qps=100.0, seconds=0.1)

    assert timings.failures == {"not sent: 2 requests in flight": 8}
    assert len(timings.latencies_s) == 2


def test_an_error_of_the_client_s_own_is_raised():
    def wrong():
        raise ZeroDivisionError("a fault in the client")

    with pytest.raises(ZeroDivisionError, match="a fault in the client"):
        at_rate([wrong], qps=100.0, seconds=0.01)
