"""The toy export, served by a stub over either transport."""

import pathlib
import shutil
from collections.abc import Iterator

import pytest
from client import Client, GrpcEndpoint, Model, RestEndpoint, Retries

# Chooses Keras 2 before TensorFlow is imported.
from multitask_recommender import cli

from . import cpp_loader, toy_export, toy_server

TRANSPORTS = ("rest", "grpc")
RECIPE = """
dataset: {name: synthetic, users: 60, items: 40, rows: 900}
split: {validation: 0.2}
model: {name: two_tower, embedding_dimension: 4}
tasks: {retrieval: {}, like: {weight: 0.5}}
training: {epochs: 2, batch_size: 300, learning_rate: 0.1}
evaluation: {cutoffs: [5], baselines: []}
"""


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
    """It waits long: how fast a busy machine answers is not what is tested."""
    retries = Retries(attempts=3, base_s=0.001)
    return Client(endpoint, Model("toy"), timeout_s=30.0, retries=retries)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Version 1 of a small model that was trained here."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "recipe.yaml").write_text(RECIPE)
    run = str(folder / "run")
    assert cli.main(["train", "--config", str(folder / "recipe.yaml"), "--run-dir", run]) == 0
    assert cli.main(["export", run, "--out", str(folder / "recommender")]) == 0
    return folder / "recommender" / "1"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The program of serving/cpp, built once."""
    if not (shutil.which("g++") and shutil.which("make")):
        pytest.skip("no g++ and make to build the C++ loader with")
    return cpp_loader.build(tmp_path_factory.mktemp("cpp"))
