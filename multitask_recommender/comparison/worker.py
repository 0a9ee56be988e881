"""What a process of its own does for a cell: the ordinary training, and the ordinary export."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multitask_recommender.comparison.workers import Job

ERROR = "error: "  # with which a line of the log begins that says what went wrong
_FAILED, _TERMINATED = 1, 143


def work(job: "Job", cores: Sequence[int]) -> None:
    """Ends the process with status 0, or after lines of what went wrong in the log."""
    _tie_to_parent()
    os.sched_setaffinity(0, cores)
    with job.log.open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)

    from multitask_recommender import runs
    from multitask_recommender.config import load
    from multitask_recommender.errors import ConfigError, DataError, RunError

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        if job.trains:
            runs.train(load(job.config), job.run_dir)
        if job.exports:
            runs.export(job.run_dir, None, None)
    except (ConfigError, DataError, RunError, OSError, MemoryError) as error:
        for line in (str(error) or type(error).__name__).splitlines():
            print(f"{ERROR}{line}", flush=True)
        sys.exit(_FAILED)


def _tie_to_parent() -> None:
    """SIGTERM where the parent ends, even if it is killed: no training goes on without it."""
    ended = multiprocessing.parent_process().sentinel

    def watch() -> None:
        multiprocessing.connection.wait([ended])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
