"""Asking again where that is safe and may help, within the time that a call has."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import ServingError

T = TypeVar("T")


@dataclass(frozen=True)
class Retries:
    """How often a call is tried, and how long it waits between two tries.

    The wait before try n + 1 is drawn evenly from 0 to min(cap_s, base_s * 2^(n - 1)), "full
    jitter": clients that failed together do not come back together.
    """

    attempts: int = 3
    base_s: float = 0.05
    cap_s: float = 2.0

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after so many failures, at least one."""
        return random.uniform(0.0, min(self.cap_s, self.base_s * 2 ** (failures - 1)))


NO_RETRIES = Retries(attempts=1)


def call(attempt: Callable[[float], T], timeout_s: float, retries: Retries) -> T:
    """`attempt(seconds left)`, again after transient errors; all of it within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    failures = 0
    while True:
        try:
            return attempt(max(deadline - time.monotonic(), 0.001))
        except ServingError as error:
            failures += 1
            wait_s = retries.wait_s(failures)
            is_late = time.monotonic() + wait_s >= deadline
            if not error.is_transient or failures >= retries.attempts or is_late:
                if failures == 1:
                    raise
                told = f"{error.sentence} (tried {failures} times)"
                raise ServingError(error.where, error.code, told, error.is_transient) from error
        time.sleep(wait_s)
