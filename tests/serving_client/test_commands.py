"""The command line against the toy's server."""

import json

import pytest
from client import Model, Query, RestEndpoint
from recommender_client.api import Client
from recommender_client.commands import main
from recommender_client.queries import columns

from .toy_server import Refusal


@pytest.fixture(params=["rest", "grpc"])
def run(request, stub, rest_url, grpc_target):
    """Runs a command against the toy over either transport."""
    place = {"rest": ["--rest", rest_url], "grpc": ["--grpc", grpc_target]}[request.param]

    def run(command: str, *arguments: str) -> int:
        return main([command, *place, "--model", "toy", *arguments])

    return run


@pytest.fixture
def golden_file(tmp_path, stub, rest_url):
    client = Client(RestEndpoint(rest_url), Model("toy"))
    inputs = columns([Query(user_id=42, k=2).row()], client.signature("recommend"))
    content = {
        "model": "toy",
        "version": 3,
        "vocabulary": {"users": "ab", "items": "cd"},
        "tolerance": 1e-5,
        "requests": [
            {
                "signature": "recommend",
                "inputs": inputs,
                "outputs": client.predict("recommend", inputs),
            }
        ],
    }
    file = tmp_path / "golden_requests.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_recommend(run, capsys):
    options = "--user 42 -k 2 --weight like=0 --exclude cat rat --feature hour=0"

    assert run("recommend", *options.split(), "--no-exclude-seen") == 0

    # [0.6, 0.8] and popularity: bee 1.4 + 0.1, ant 1.2 + 0.3; bee's like is the sigmoid of 1.4.
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "   item   score    like"
    assert {line.split(maxsplit=1)[1] for line in lines[1:3]} == {
        "bee   1.5000  0.8022",
        "ant   1.5000  0.7685",
    }
    assert lines[3] == "answered from: user"


def test_rank(run, capsys):
    assert run("rank", "--history", "ant", "bee", "--item", "élan", "rat") == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["1", "élan"], ["2", "rat"]]
    assert lines[3] == "answered from: history"


def test_similar(run, capsys):
    assert run("similar", "--item", "bee", "-k", "2", "--exclude", "ant") == 0

    assert capsys.readouterr().out.splitlines() == [
        "   item   score",
        "1  cat   1.5000",
        "2  élan  0.7500",
    ]


def test_replay(run, golden_file, capsys, stub):
    stub.requests.clear()

    assert run("replay", str(golden_file), "--repeat", "4") == 0

    out = capsys.readouterr().out
    assert "recommend  item_ids" in out
    assert "1 golden requests answered within 1e-05." in out
    assert "4 requests in" in out and "p50" in out and "p99" in out and "0 failed" in out
    assert len(stub.requests) == 5


def test_replay_at_a_rate(run, golden_file, capsys, stub):
    stub.requests.clear()

    assert run("replay", str(golden_file), "--qps", "20", "--seconds", "0.3") == 0

    assert "6 requests in" in capsys.readouterr().out
    assert len(stub.requests) == 7


def test_replay_of_another_version(run, golden_file, capsys):
    golden_file.write_text(golden_file.read_text().replace('"version": 3', '"version": 2'))

    assert run("replay", str(golden_file)) == 1

    assert "the golden requests are of version 2" in capsys.readouterr().err


def test_replay_of_drift(run, golden_file, capsys):
    golden_file.write_text(golden_file.read_text().replace('"cat"', '"gnu"'))

    assert run("replay", str(golden_file), "--tolerance", "0.1") == 1

    streams = capsys.readouterr()
    assert "1 ids or words differ" in streams.err
    assert "p50" not in streams.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["recommend", "--user", "anna"], "user_id is of type int64: invalid literal"),
        (["recommend", "--weight", "like"], "like is no NAME=VALUE."),
        (["recommend", "--weight", "share=1"], "recommend takes no weight_share. Its inputs:"),
        (["recommend", "--feature", "day=1"], "recommend takes no day. Its inputs: .*hour"),
        (["replay", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_wrong_usage(run, capsys, arguments, told):
    assert run(*arguments) == 2

    assert capsys.readouterr().err.startswith(told.split(" .*")[0])


def test_a_load_hides_no_failure(run, golden_file, capsys, stub):
    """The first answer is compared; of the timed ones the first is refused and not tried again."""
    stub.script[:] = [0.0, Refusal("UNAVAILABLE", "busy")]

    assert run("replay", str(golden_file), "--repeat", "3") == 1

    streams = capsys.readouterr()
    assert "2 requests in" in streams.out and "1 failed" in streams.out
    assert streams.err.startswith("1 x ") and "UNAVAILABLE: busy" in streams.err


def test_a_url_that_is_none(capsys):
    assert main(["similar", "--rest", "localhost", "--item", "x"]) == 2

    assert capsys.readouterr().err.startswith("localhost is no URL")


def test_a_signature_without_golden_requests(run, golden_file, capsys):
    assert run("replay", str(golden_file), "--signature", "rank") == 2

    assert "no golden request of signature rank" in capsys.readouterr().err


def test_a_refusal(run, capsys):
    assert run("recommend", "-k", "0") == 1

    assert "INVALID_ARGUMENT" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "inf"])
def test_rates_are_above_zero(run, value, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("replay", "x", f"--qps={value}")

    assert f"{value} is not above 0" in capsys.readouterr().err
