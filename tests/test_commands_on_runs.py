"""The commands on runs: of `runs`, which action, of how many, and whether a person is asked."""

import pathlib
import sys

import pytest

from multitask_recommender import cli, run_listing

A, B = pathlib.Path("a"), pathlib.Path("b")


@pytest.fixture
def calls(monkeypatch):
    made = []
    for name in ("show", "compare", "delete"):
        monkeypatch.setattr(
            run_listing, name, lambda *arguments, name=name: made.append((name, *arguments))
        )
    return made


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ([], ("show", pathlib.Path("runs"))),
        (["list", "--dir", "a"], ("show", A)),
        (["compare", "a", "b"], ("compare", A, B)),
        (["delete", "a"], ("delete", A, False)),
        (["delete", "a", "--yes"], ("delete", A, True)),
    ],
)
def test_an_action_is_called(arguments, call, calls):
    assert cli.main(["runs", *arguments]) == 0
    assert calls == [call]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "a"], "runs list takes no run (another folder of runs: --dir), named: a."),
        (["compare", "a"], "runs compare takes the folders of 2 runs, named: a."),
        (["delete"], "runs delete takes the folder of 1 run, named: none."),
    ],
)
def test_a_wrong_number_of_runs_is_wrong_usage(arguments, told, calls, capsys):
    assert cli.main(["runs", *arguments]) == 2
    assert capsys.readouterr().err == f"error: {told}\n"
    assert calls == []


@pytest.mark.parametrize(("answer", "sure"), [("y", True), ("", False), ("n", False)])
def test_a_person_is_asked(answer, sure, calls, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)

    assert cli.main(["runs", "delete", "a"]) == 0
    assert calls == [("delete", A, sure)]
