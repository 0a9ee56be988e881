"""The arguments of `serve`, and that it answers them at once."""

import resource
import subprocess
import sys

import pytest

from multitask_recommender import cli
from multitask_recommender.serving.options import Limits


@pytest.fixture
def served(monkeypatch):
    """What the command would serve: a stand-in for `server`."""
    import types

    import multitask_recommender.serving as package

    made = []
    server = types.ModuleType("server")
    server.serve = made.append
    monkeypatch.setitem(sys.modules, "multitask_recommender.serving.server", server)
    monkeypatch.setattr(package, "server", server, raising=False)
    return made


@pytest.fixture
def export(tmp_path):
    (tmp_path / "films" / "3").mkdir(parents=True)
    return tmp_path / "films"


def test_the_defaults_are_this_machine_alone(served, export):
    assert cli.main(["serve", str(export)]) == 0

    [options] = served
    assert (options.host, options.rest_port, options.grpc_port) == ("127.0.0.1", 8501, 8500)
    assert options.limits == Limits()
    assert options.export.name == "films"


def test_every_argument_arrives(served, export):
    arguments = (
        "--name m --host ::1 --rest-port 1 --grpc-port 65535 --poll 0.5 --label stable=3 "
        "--label canary=4 --max-body 1 --max-k 2 --max-ids 3 --max-batch 4 --max-requests 5 "
        "--timeout 6"
    )

    assert cli.main(["serve", str(export), *arguments.split()]) == 0

    [options] = served
    assert (options.export.name, options.host, options.poll) == ("m", "::1", 0.5)
    assert (options.rest_port, options.grpc_port) == (1, 65535)
    assert options.labels == {"stable": 3, "canary": 4}
    assert options.limits == Limits(body_mib=1, k=2, ids=3, batch=4, requests=5, seconds=6.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: EXPORT"),
        (["{}", "--max-k", "0"], "argument --max-k: expected an integer of at least 1, found '0'"),
        (["{}", "--max-k", "1.5"], "argument --max-k: expected an integer of at least 1, found"),
        (["{}", "--poll", "nan"], "argument --poll: expected a number of at least 0.001, found"),
        (["{}", "--poll", "inf"], "argument --poll: expected a number of at least 0.001, found"),
        (
            ["{}", "--rest-port", "65536"],
            "argument --rest-port: expected an integer of 0 to 65535, found '65536'",
        ),
        (["{}", "--label", "stable"], "argument --label: expected NAME=VERSION, say stable=3"),
        (["{}", "--label", "a/b=1"], "argument --label: expected NAME=VERSION, say stable=3"),
        (["{}", "--label", "a=-1"], "argument --label: expected NAME=VERSION, say stable=3"),
        (["{}", "--name", "a/b"], "The model's name is 'a/b'"),
    ],
)
def test_wrong_usage_is_a_line_and_status_2(arguments, message, served, export, capsys):
    assert cli.main(["serve", *(each.format(export) for each in arguments)]) == 2

    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert served == []


def test_a_missing_export_is_a_line_and_status_1(served, capsys, tmp_path):
    assert cli.main(["serve", str(tmp_path / "x")]) == 1

    assert "x is not a folder, expected an export" in capsys.readouterr().err
    assert served == []


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--help"], 0), (["/nowhere"], 1), (["--bad"], 2)]
)
def test_help_and_wrong_usage_come_before_tensorflow(arguments, status):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    done = subprocess.run(
        [sys.executable, "-m", "multitask_recommender", "serve", *arguments],
        capture_output=True,
        text=True,
    )

    # In seconds of a processor, of which a busy machine has fewer a second. TensorFlow takes four.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1
    assert done.returncode == status
    assert (status == 0) == ("It is not a product" in done.stdout)
