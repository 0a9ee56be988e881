"""The whole server: signals, ports, versions under load, and a host that lets others in."""

import contextlib
import json
import logging
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.serving import server as serving
from multitask_recommender.serving.options import Limits, Options, find_export
from tests.serving.calls import Server

ROOT = pathlib.Path(__file__).parents[2]
STARTED = r"REST: http://(?:\S+):(\d+)/v1/models/(\S+), gRPC: \S+:(\d+)"


@contextlib.contextmanager
def process(*arguments: object) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """`serve` on free ports, with the lines that it says."""
    command = [sys.executable, "-m", "multitask_recommender", "serve", *map(str, arguments)]
    command += ["--rest-port", "0", "--grpc-port", "0"]
    started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(started.stderr.readline, "")))
    reader.start()
    try:
        yield started, lines
    finally:
        started.kill()
        started.wait()
        reader.join()


def until_said(said, pattern: str) -> re.Match[str]:
    """Waits until what `said` tells has the pattern in it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := re.search(pattern, said()):
            return found
        time.sleep(0.02)
    raise AssertionError(f"never said {pattern!r}: {said()}")


def server_of(said) -> Server:
    found = until_said(said, STARTED)
    return Server(found[2], int(found[1]), int(found[3]))


def test_sigterm_ends_the_command_once_what_runs_is_answered(exports):
    with process(exports["strings"], "--max-requests", 1) as (started, lines):
        server = server_of(lambda: "".join(lines))
        with server.busy() as statuses:
            started.terminate()
        status = started.wait(20)

    assert (status, statuses) == (0, [200])
    assert "OPEN TO OTHERS" not in "".join(lines)
    assert [line.split(" INFO ")[-1] for line in lines[-2:]] == [
        "stopping: what runs is finished first\n",
        "stopped\n",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_and_their_handlers_are_put_back(exports, caplog, number):
    caplog.set_level(logging.INFO)
    before = signal.getsignal(number)
    seen = []

    def ask_and_stop():
        with server_of(lambda: caplog.text).busy() as statuses:
            os.kill(os.getpid(), number)
        seen.extend(statuses)

    other = threading.Thread(target=ask_and_stop)
    other.start()
    export, limits = find_export(exports["strings"]), Limits(requests=1)
    serving.serve(Options(export, rest_port=0, grpc_port=0, limits=limits))
    other.join()

    assert seen == [200]
    assert signal.getsignal(number) is before


def test_versions_change_under_load(exports, tmp_path, serve, caplog):
    """Requests go on while a half-written version, then a whole one, comes."""
    caplog.set_level(logging.INFO)
    base = pathlib.Path(shutil.copytree(exports["strings"], tmp_path / "films"))
    server = serve(base, poll=0.05)
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(server.post({"inputs": {"user_id": ["ann"]}})[0])

    asking = threading.Thread(target=ask)
    asking.start()
    (base / "2" / "variables").mkdir(parents=True)
    until_said(lambda: caplog.text, "version 2 is not served: .*2 has no saved_model.pb")
    assert server.post({"inputs": {}}, "/versions/1")[0] == 200
    shutil.copytree(base / "1", base / "aside")
    os.rename(base / "aside", base / "3")
    until_said(lambda: caplog.text, "version 3 is served")
    until_said(lambda: caplog.text, "version 1 is no longer served")
    stop.set()
    asking.join()

    assert server.get()[1]["model_version_status"][0]["version"] == "3"
    assert server.post({"inputs": {}}, "/versions/3")[0] == 200
    assert len(answers) > 3
    assert set(answers) == {200}


def test_a_host_that_others_reach_is_said_loudly(exports, serve, caplog):
    serve(exports["strings"], host="0.0.0.0")

    assert "OPEN TO OTHERS: listening at 0.0.0.0, so whoever reaches" in caplog.text


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)]
    + [("0.0.0.0", False), ("::", False), ("192.168.0.7", False), ("example.org", False)],
)
def test_which_hosts_are_this_machine_alone(host, is_loopback):
    assert serving._is_loopback(host) == is_loopback


def test_a_port_that_is_taken_is_told_before_the_model_is_read(strings, exports, serve, caplog):
    caplog.set_level(logging.INFO)

    with pytest.raises(RunError, match=f"REST cannot listen at 127.0.0.1:{strings.rest_port}: Add"):
        serve(exports["strings"], rest_port=strings.rest_port)

    assert "is served" not in caplog.text


def test_ipv6(exports, serve):
    server = serve(exports["strings"], host="::1")

    done = subprocess.run(
        ["curl", "-s", "-d", '{"inputs": {}}']
        + [f"http://[::1]:{server.rest_port}/v1/models/strings:predict"],
        capture_output=True,
    )

    assert "outputs" in json.loads(done.stdout)
