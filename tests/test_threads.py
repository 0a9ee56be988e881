import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from multitask_recommender import threads


def test_results_come_in_the_order_of_their_parts():
    first_may_end = threading.Event()

    def work(part):
        if part == 0 and threads.num_workers() > 1:
            first_may_end.wait(10)
        first_may_end.set()
        return part * 10

    assert list(threads.side_by_side(work, range(5))) == [0, 10, 20, 30, 40]


def test_blas_has_one_thread_in_each_worker_and_its_own_again_afterwards():
    np.ones((2, 2)) @ np.ones((2, 2))

    def blas():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = blas()

    for counts in threads.side_by_side(lambda part: blas(), range(3)):
        assert set(counts) == {1}
    assert blas() == before


def test_an_error_in_a_worker_is_the_callers():
    def work(part):
        raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match="part 0"):
        list(threads.side_by_side(work, range(3)))
