"""A stage in a process of its own: its seconds, its peak memory, and the load around it."""

import json
import os
import pathlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EVERY = 0.02  # seconds between two looks at the memory


class Watch:
    """The most that this process held: `resident` counts pages of mapped files too, which the
    system takes back when it needs them; `anonymous` is memory that only swapping could free."""

    def __init__(self) -> None:
        self.anonymous = 0
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self.done.wait(_EVERY):
            self.anonymous = max(self.anonymous, _status("RssAnon"))

    @property
    def resident(self) -> int:
        return _status("VmHWM")


def _status(key: str) -> int:
    """Bytes."""
    text = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) * 1024


@contextmanager
def measured(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Writes what the block puts into the dict, with seconds and peaks, as JSON."""
    found: dict[str, Any] = {}
    watch = Watch()
    started, spent = time.perf_counter(), time.process_time()
    yield found
    found.setdefault("seconds", time.perf_counter() - started)
    found["processor seconds"] = time.process_time() - spent
    watch.done.set()
    found["resident"], found["anonymous"] = watch.resident, watch.anonymous
    found["load"] = os.getloadavg()[0]
    path.write_text(json.dumps(found))
