"""Headless Chromium, driven over a pipe by the DevTools protocol, with nothing else installed."""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
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
_SECONDS = 30


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
    from_us, write_to = os.pipe()
    read_from, to_us = os.pipe()

    def as_it_expects() -> None:
        os.dup2(from_us, 3)
        os.dup2(to_us, 4)

    # Away from 3 and 4, which the other would overwrite.
    from_us, to_us = (os.dup2(each, each + 50) for each in (from_us, to_us))
    started = subprocess.Popen(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(3, 4),
        preexec_fn=as_it_expects,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Page(write_to, read_from)
    finally:
        started.kill()
        started.wait()
        for each in (from_us, to_us, write_to, read_from):
            os.close(each)
