"""Threads of the BLAS library that numpy's wheels bring along."""

import contextlib
import ctypes
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products run in the calling thread meanwhile, for callers with threads of their own.

    Idle threads of OpenBLAS wait for milliseconds in a loop, and take the cores from those that
    work. Without the OpenBLAS of numpy's wheels, nothing changes.
    """
    library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # its symbols lead on to the BLAS
    get = getattr(library, "scipy_openblas_get_num_threads64_", None)
    put = getattr(library, "scipy_openblas_set_num_threads64_", None)
    if get is None or put is None:
        yield
        return
    threads = get()
    put(1)
    try:
        yield
    finally:
        put(threads)
