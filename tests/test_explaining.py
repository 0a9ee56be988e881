"""The command: ids as in the data, a table, a file, and what cannot be explained."""

import json
import shutil

import pytest

from multitask_recommender import cli, explaining
from multitask_recommender.ensembles import recipe
from multitask_recommender.errors import ConfigError


def test_the_table_shows_the_first_reasons_and_the_file_holds_all(made, tmp_path, capsys):
    explaining.explain(made["graph"], ("4", "7"), 2, tmp_path / "why.json")

    shown = capsys.readouterr().out
    written = json.loads((tmp_path / "why.json").read_text())
    assert (written["user"], written["item"]) == ("4", "7")
    assert written["scores"].keys() == {"retrieval", "like"}
    reasons = written["reasons"]
    assert "user 4, item 7" in shown
    for reason in reasons[:2]:
        # Shown as what leaving it out does to the score.
        line = next(line for line in shown.splitlines() if f"item {reason['name']} " in line)
        assert f"{-reason['effects']['retrieval']:+.4f}" in line
        assert f"{-reason['effects']['like']:+.4f}" in line
    assert f"{len(reasons) - 2} more reasons" in shown
    assert f"Place {written['place']} of 25 items" in shown


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (("99", "7"), "'99' is no user that the run knows: it knows 30, such as "),
        (("4", "0"), "'0' is no item that the run knows: it knows 25, such as "),
        (("ann", "7"), "'ann' is no user: ids are whole numbers here."),
    ],
)
def test_ids_that_the_run_does_not_know(made, pair, told):
    with pytest.raises(ConfigError, match=told):
        explaining.explain(made["graph"], pair, 10)


def test_an_ensemble_is_explained_by_its_members(made, tmp_path):
    shutil.copytree(made["graph"], tmp_path / "both")
    (tmp_path / "both" / recipe.FILE).write_text("{}")

    with pytest.raises(ConfigError, match="is an ensemble: explain its members, one by one"):
        explaining.explain(tmp_path / "both", ("4", "7"), 10)


def test_arguments_are_checked_first(tmp_path, capsys):
    assert cli.main(["explain", str(tmp_path), "1", "2", "--top", "0"]) == 2
    assert "--top is 0, expected a number of at least 1" in capsys.readouterr().err
    assert cli.main(["explain", str(tmp_path), "1", "2"]) == 2
    assert "is not a run: it holds no metrics.json" in capsys.readouterr().err
