"""The toy export, served by a stub over either transport."""

import pathlib
from collections.abc import Iterator

import pytest
from client import Client, GrpcEndpoint, Model, RestEndpoint, Retries

import multitask_recommender  # noqa: F401 (chooses Keras 2 before TensorFlow is imported)

from . import toy_export, toy_server

TRANSPORTS = ("rest", "grpc")


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Version 3 of the toy export."""
    folder = tmp_path_factory.mktemp("toy") / "3"
    toy_export.write(folder)
    return folder


@pytest.fixture(scope="session")
def served(toy_folder: pathlib.Path) -> toy_server.Stub:
    return toy_server.Stub(toy_folder)


@pytest.fixture(scope="session")
def grpc_target(served: toy_server.Stub) -> Iterator[str]:
    with toy_server.grpc_server(served) as target:
        yield target


@pytest.fixture(scope="session")
def rest_url(served: toy_server.Stub) -> Iterator[str]:
    with toy_server.rest_server(served) as url:
        yield url


@pytest.fixture
def stub(served: toy_server.Stub) -> toy_server.Stub:
    """What both servers answer with: nothing asked yet, nothing told to fail."""
    served.script.clear()
    served.requests.clear()
    return served


@pytest.fixture(params=TRANSPORTS)
def endpoint(request: pytest.FixtureRequest, rest_url: str, grpc_target: str):
    """Either transport to the stub."""
    endpoint = RestEndpoint(rest_url) if request.param == "rest" else GrpcEndpoint(grpc_target)
    yield endpoint
    endpoint.close()


@pytest.fixture
def client(stub: toy_server.Stub, endpoint) -> Client:
    return Client(endpoint, Model("toy"), retries=Retries(attempts=3, base_s=0.001))
