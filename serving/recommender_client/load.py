"""How fast an endpoint answers: one request after another, or at a fixed rate."""

import concurrent.futures
import contextlib
import gc
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .errors import ServingError

_MOST_IN_FLIGHT = 256


@dataclass
class Timings:
    """Latencies in seconds of what was answered; `failures` by the server's sentence."""

    latencies_s: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def percentile_s(self, percent: float) -> float:
        """The latency that so many percent stay within (nearest rank); nan of none."""
        if not self.latencies_s:
            return math.nan
        rank = math.ceil(percent / 100 * len(self.latencies_s))
        return sorted(self.latencies_s)[max(rank, 1) - 1]


def in_turn(calls: Sequence[Callable[[], object]], times: int) -> Timings:
    """All calls, each after the last was answered, so many times over."""
    timings = Timings()
    with _settled():
        start = time.perf_counter()
        for _ in range(times):
            for call in calls:
                _time(call, time.perf_counter(), timings, threading.Lock())
        timings.seconds = time.perf_counter() - start
    return timings


def at_rate(calls: Sequence[Callable[[], object]], qps: float, seconds: float) -> Timings:
    """Calls at even distances for so many seconds, whether or not the last ones were answered.

    There is at least one. A latency counts from when the call was due: a server that falls behind
    cannot hide it by keeping callers waiting. Calls still unanswered at the end are waited for,
    within their own time-outs. More than 256 in flight are a failure to keep the rate, counted as
    such.
    """
    timings = Timings()
    lock = threading.Lock()
    room = threading.BoundedSemaphore(_MOST_IN_FLIGHT)

    def run(call: Callable[[], object], due: float) -> None:
        try:
            _time(call, due, timings, lock)
        finally:
            room.release()

    sent = []
    with _settled(), concurrent.futures.ThreadPoolExecutor(_MOST_IN_FLIGHT) as pool:
        start = time.perf_counter()
        for number in range(max(1, math.floor(qps * seconds))):
            due = start + number / qps
            time.sleep(max(due - time.perf_counter(), 0.0))
            if room.acquire(blocking=False):
                sent.append(pool.submit(run, calls[number % len(calls)], due))
            else:
                with lock:
                    timings.failures[f"not sent: {_MOST_IN_FLIGHT} requests in flight"] += 1
    timings.seconds = time.perf_counter() - start
    for each in sent:
        each.result()  # raises what is no failure of the server
    return timings


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Keeps the collector out of what there is already: its pauses would count as the server's."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _time(call: Callable[[], object], due: float, timings: Timings, lock: threading.Lock) -> None:
    try:
        call()
    except ServingError as error:
        with lock:
            timings.failures[str(error)] += 1
        return
    latency_s = time.perf_counter() - due
    with lock:
        timings.latencies_s.append(latency_s)
