"""Headless Chromium, driven over a pipe by the DevTools protocol, with nothing else installed."""

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --remote-debugging-pipe"
).split()
# Not in a `preexec_fn`: Python between fork and exec may hang where other threads run.
_EXEC = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_SECONDS = 60


class Page:
    """One page: it is sent keys and clicks, and asked by JavaScript what it shows."""

    def __init__(self, write_to: int, read_from: int) -> None:
        self._write_to = write_to
        self._read_from = read_from
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._left = b""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write_to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._receive()
            if found.get("id") == number:
                assert "error" not in found, found
                return found["result"]
            self.events.append(found)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            is_there, _, _ = select.select([self._read_from], [], [], _SECONDS)
            assert is_there, f"Chromium said nothing for {_SECONDS} s"
            part = os.read(self._read_from, 2**16)
            assert part, "Chromium has ended"
            self._left += part
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)

    def open(self, address: str, width: int = 1200, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.events.clear()
        self.send("Page.navigate", url=address)
        while "Page.loadEventFired" not in [each.get("method") for each in self.events]:
            self.value("0")  # what happens is told between answers

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth in the page."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Waits until an expression is true, and returns it."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            if found := self.value(expression):
                return found
            time.sleep(0.02)
        raise AssertionError(f"never true: {expression}\n{self.value('document.body.innerText')}")

    def press(self, key: str, code: int, text: str = "") -> None:
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.send("Input.dispatchKeyEvent", type="keyUp", **named)

    def enter(self) -> None:
        self.press("Enter", 13, "\r")

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """What the console and the log say is wrong, but for answers that are refusals."""
        wrong = {"Runtime.exceptionThrown", "Log.entryAdded"}
        told = [json.dumps(event) for event in self.events if event.get("method") in wrong]
        return [each for each in told if "status of 400" not in each]

    def requested(self) -> set[str]:
        """All addresses that were asked for."""
        sent = [each for each in self.events if each.get("method") == "Network.requestWillBeSent"]
        return {each["params"]["request"]["url"] for each in sent}


@contextlib.contextmanager
def page(profile: pathlib.Path) -> Iterator[Page]:
    """A page of a Chromium that has nothing to remember."""
    its_in, write_to = os.pipe()
    read_from, its_out = os.pipe()
    # Beyond 3 and 4, on which Chromium reads and writes, so that neither overwrites the other.
    its_ends = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (its_in, its_out)]
    command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"]
    started = subprocess.Popen(
        [sys.executable, "-c", _EXEC, *map(str, its_ends), *command],
        pass_fds=its_ends,
        stderr=subprocess.DEVNULL,
    )
    for each in (its_in, its_out, *its_ends):
        os.close(each)  # else its end would not be seen
    try:
        yield Page(write_to, read_from)
    finally:
        started.kill()
        started.wait()
        os.close(write_to)
        os.close(read_from)
