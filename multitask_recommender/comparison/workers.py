"""Cells as processes of their own: one that fails, or runs out of memory, leaves the others alone.

Each process has a share of the cores. They are forked from a server that has imported TensorFlow
and run nothing, which spares each of them seconds. They end with this process, however it ends.
"""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from multitask_recommender.comparison import worker

_PRELOADED = ("tensorflow", "tensorflow_recommenders")  # these do not compute when imported


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be trained (`trains`) and exported (`exports`), from its config to its folder."""

    name: str
    config: pathlib.Path
    run_dir: pathlib.Path
    log: pathlib.Path
    trains: bool
    exports: bool


@dataclasses.dataclass(frozen=True)
class Done:
    """How a job ended: `error` is empty where it went well. Seconds by the clock."""

    job: Job
    error: str
    seconds: float


def run(jobs: Sequence[Job], num_workers: int, on_done: Callable[[Done], None]) -> None:
    """Runs jobs in their order, so many at a time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["multitask_recommender", *_PRELOADED])
    cores = _shares(num_workers)
    waiting, at_work = list(jobs), {}
    with _ended(at_work):
        while waiting or at_work:
            while waiting and cores:
                share = cores.pop()
                job = waiting.pop(0)
                process = context.Process(target=worker.work, args=(job, share), name=job.name)
                process.start()
                at_work[process] = job, share, time.monotonic()
            multiprocessing.connection.wait([process.sentinel for process in at_work])
            for process in [each for each in at_work if not each.is_alive()]:
                job, share, started = at_work.pop(process)
                cores.append(share)
                error = "" if process.exitcode == 0 else _told(job, process.exitcode)
                on_done(Done(job, error, time.monotonic() - started))


def _shares(num_workers: int) -> list[list[int]]:
    """The cores that this process may use, dealt out."""
    cores = sorted(os.sched_getaffinity(0))
    return [cores[place::num_workers] or cores for place in range(num_workers)]


@contextlib.contextmanager
def _ended(at_work: dict[Any, Any]) -> Iterator[None]:
    """Where the block is left early, the processes are asked to save what they have, and to end."""
    try:
        yield
    finally:
        for process in at_work:
            process.terminate()
        for process in at_work:
            process.join()


def _told(job: Job, status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        hint = ", as when memory runs out" if -status == signal.SIGKILL else ""
        return f"It was ended by {name}{hint}: see {job.log}."
    lines = job.log.read_text(errors="replace").splitlines()
    told = [line.removeprefix(worker.ERROR) for line in lines if line.startswith(worker.ERROR)]
    return "\n".join(told) or f"It ended with status {status}: see {job.log}."
