"""SIGTERM during training: the step is finished and saved before the process ends."""

import contextlib
import signal
import threading
from collections.abc import Iterator

EXIT_STATUS = 143  # 128 + SIGTERM


@contextlib.contextmanager
def noted() -> Iterator[threading.Event]:
    """While the block runs, SIGTERM only sets the event; it is for the block to act on it."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # Python gives signals to the main thread alone
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
