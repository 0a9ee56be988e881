"""Exports of toy models, and servers in this process on free ports."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import pytest

from multitask_recommender.serving.options import Limits, Options, find_export
from tests.serving import toy
from tests.serving.calls import Server


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """Model base paths with a version 1, by what their ids are: strings or integers."""
    base = tmp_path_factory.mktemp("exports")
    for name, ids in {"strings": toy.STRINGS, "integers": toy.INTEGERS}.items():
        toy.write(base / name / "1", ids)
    return {name: base / name for name in ("strings", "integers")}


@pytest.fixture(scope="session")
def strings(exports: dict[str, pathlib.Path]) -> Iterator[Server]:
    with Server.of(exports["strings"]) as server:
        yield server


@pytest.fixture(scope="session")
def integers(exports: dict[str, pathlib.Path]) -> Iterator[Server]:
    with Server.of(exports["integers"]) as server:
        yield server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serves an export with limits and options of one's own, until the test ends."""
    with contextlib.ExitStack() as stack:

        def start(path: pathlib.Path, limits: Limits | None = None, **options: object) -> Server:
            chosen = {"export": find_export(path), "limits": limits or Limits()}
            chosen |= {"rest_port": 0, "grpc_port": 0} | options
            return stack.enter_context(Server.started(Options(**chosen)))

        yield start
