"""Waits and ends of retries, with a clock of the test's own."""

import pytest
from recommender_client import retries
from recommender_client.errors import ServingError
from recommender_client.retries import NO_RETRIES, Retries, call

BUSY = ServingError("here", "UNAVAILABLE", "busy", is_transient=True)
WRONG = ServingError("here", "INVALID_ARGUMENT", "k must be positive")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time passes by waiting alone, and every wait is as long as it may be."""
    clock = Clock()
    monkeypatch.setattr(retries, "time", clock)
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: high)
    return clock


class Attempt:
    """Fails as told, then answers; notes the time that it was given."""

    def __init__(self, *failures: ServingError) -> None:
        self.failures = list(failures)
        self.left_s: list[float] = []

    def __call__(self, left_s: float) -> str:
        self.left_s.append(left_s)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def test_waits_double_up_to_the_cap_and_count_against_the_time(clock):
    attempt = Attempt(BUSY, BUSY, BUSY)

    assert call(attempt, 10.0, Retries(attempts=4, base_s=1.0, cap_s=3.0)) == "answer"

    assert clock.waits == [1.0, 2.0, 3.0]
    assert attempt.left_s == [10.0, 9.0, 7.0, 4.0]


def test_waits_are_drawn_from_zero_on():
    waits = [Retries(base_s=1.0, cap_s=8.0).wait_s(3) for _ in range(200)]

    assert 0 <= min(waits) < 1.0
    assert 3.0 < max(waits) <= 4.0


def test_the_last_failure_says_how_often_it_was_tried(clock):
    with pytest.raises(ServingError, match=r"here: UNAVAILABLE: busy \(tried 3 times\)"):
        call(Attempt(*[BUSY] * 5), 10.0, Retries(attempts=3))


def test_what_is_wrong_is_not_asked_again(clock):
    attempt = Attempt(WRONG)

    with pytest.raises(ServingError, match="here: INVALID_ARGUMENT: k must be positive$"):
        call(attempt, 10.0, Retries(attempts=3))

    assert len(attempt.left_s) == 1


def test_no_wait_goes_beyond_the_time_of_the_call(clock):
    attempt = Attempt(BUSY, BUSY)

    with pytest.raises(ServingError, match="busy$"):
        call(attempt, 0.5, Retries(attempts=3, base_s=1.0))

    assert clock.waits == []


def test_one_attempt_is_no_retry(clock):
    with pytest.raises(ServingError, match="busy$"):
        call(Attempt(BUSY), 10.0, NO_RETRIES)
