"""Work on numpy arrays in parts, side by side: numpy, BLAS and TensorFlow let threads run."""

import concurrent.futures
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Part = TypeVar("Part")
Result = TypeVar("Result")

_MAX_WORKERS = 4


def num_workers() -> int:
    """How many parts are worked on at a time."""
    return min(_MAX_WORKERS, len(os.sched_getaffinity(0)))


def side_by_side(work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Yields work(part) of each part, in order.

    BLAS gets one thread for each worker, for its own would keep spinning for a tenth of a second
    after every product. So no result depends on how many threads there are.
    """
    with _thread_pools().limit(limits=1, user_api="blas"):
        if num_workers() == 1:
            yield from map(work, parts)
            return
        with concurrent.futures.ThreadPoolExecutor(num_workers()) as pool:
            yield from pool.map(work, parts)


@functools.cache
def _thread_pools() -> "ThreadpoolController":
    """Looking for the libraries takes milliseconds, so it is done once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
