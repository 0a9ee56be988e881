"""What `runs` shows of folders, and what it refuses to delete."""

import json

import pytest

from multitask_recommender import config_file, report, run_folder, run_listing
from multitask_recommender.errors import ConfigError, RunError

METRICS = {"test/full/ndcg@20": 0.25, "test/like/auc": 0.75, "test/full/recall@5": 0.1}


@pytest.fixture
def make(tmp_path):
    def make(name, metrics=METRICS, md5="ab", **config):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        record = {"record": {"data": {"md5": {"log.csv": md5}}}}
        axes = {"dataset": {"name": "table"}, "sharing": {"name": "mmoe"}}
        text = config_file.write({"model": {"name": "fm"}, **axes, **config, **record})
        (folder / "config.yaml").write_text(text)
        if metrics is not None:
            (folder / "metrics.json").write_text(json.dumps({"metrics": metrics}))
        return folder

    return make


@pytest.fixture
def shown(monkeypatch):
    """The tables that are shown: by title, columns and rows."""
    tables = {}
    monkeypatch.setattr(
        report, "show_table", lambda title, columns, rows: tables.update({title: (columns, rows)})
    )
    return tables


def test_a_folder_is_listed_with_states_and_figures(make, shown, tmp_path):
    make("done")
    begun = make("begun.partial", None, model={"name": "dcn"})
    (begun / "history.csv").write_text("phase,epoch,loss\nsearch,1,0.5\nsearch,2,0.4\n")
    busy = make("busy.partial", None)
    (tmp_path / "runs" / "other").mkdir()
    (tmp_path / "runs" / "stray.txt").touch()
    mine = tmp_path / "runs" / "mine"
    mine.mkdir()
    (mine / "config.yaml").write_text("model: fm\n")

    with run_folder.locked(busy):
        run_listing.show(tmp_path / "runs")

    columns, rows = shown[f"runs in {tmp_path / 'runs'}"]
    assert columns == [
        "state",
        "age",
        "model",
        "dataset",
        "full\nrecall@5",
        "full\nndcg@20",
        "like\nAUC",
    ]
    assert {name: row[:1] + row[2:] for name, row in rows.items()} == {
        "done": ["complete", "fm x mmoe", "table", "0.1000", "0.2500", "0.7500"],
        "begun": ["partial search 2", "dcn x mmoe", "table", "-", "-", "-"],
        "busy": ["running", "fm x mmoe", "table", "-", "-", "-"],
    }
    assert rows["done"][1].endswith(" s")


def test_an_age_has_one_unit(make, monkeypatch):
    run = run_listing.read(make("done"))
    newest = max(path.stat().st_mtime for path in run.path.iterdir())

    for seconds, age in [(5, "5 s"), (90, "2 min"), (7_300, "2 h"), (3 * 86_400, "3 d")]:
        monkeypatch.setattr(run_listing.time, "time", lambda seconds=seconds: newest + seconds)
        assert run.age == age


def test_no_folder_is_said(tmp_path):
    with pytest.raises(ConfigError, match="runs is no folder: name that of the runs with --dir"):
        run_listing.show(tmp_path / "runs")


def test_two_are_compared_in_what_differs(make, shown, capsys):
    first = make("a", training={"epochs": 3, "seed": 1})
    second = make("b", METRICS | {"test/like/auc": 0.5, "test/x": 1.0}, training={"seed": 1})

    run_listing.compare(first, second)

    assert shown["config"] == (
        [str(first), str(second)],
        {"training.epochs": ["3", "not set"]},
    )
    assert shown["metrics"][1] == {
        "test/like/auc": ["0.7500", "0.5000", "-0.2500"],
        "test/x": ["-", "1.0000", "-"],
    }
    assert "do not compare" not in capsys.readouterr().out


def test_other_data_are_said_not_to_compare(make, shown, capsys):
    run_listing.compare(make("a"), make("b", md5="cd"))

    assert "the data are not the same: figures of their test rows" in capsys.readouterr().out


def test_one_without_metrics_is_not_compared(make):
    with pytest.raises(ConfigError, match="b.partial is partial: there are no metrics to compare"):
        run_listing.compare(make("a"), make("b.partial", None))


class TestDelete:
    def test_a_run_and_nothing_else(self, make, tmp_path):
        gone, stays = make("gone"), make("stays")

        run_listing.delete(gone, is_sure=True)

        assert list((tmp_path / "runs").iterdir()) == [stays]

    def test_a_partial_one_by_the_name_of_the_run(self, make, tmp_path):
        make("begun.partial", None)

        run_listing.delete(tmp_path / "runs" / "begun", is_sure=True)

        assert list((tmp_path / "runs").iterdir()) == []

    def test_only_when_told_to(self, make):
        run = make("run")

        with pytest.raises(ConfigError, match="run would be deleted with all it holds: say so"):
            run_listing.delete(run, is_sure=False)

        assert (run / "metrics.json").exists()

    @pytest.mark.parametrize("place", ["", "export"])
    def test_not_one_in_use(self, make, place):
        run = make("run")
        (run / "export").mkdir()

        with run_folder.locked(run / place), pytest.raises(RunError, match="run is in use: a tra"):
            run_listing.delete(run, is_sure=True)

        assert (run / "metrics.json").exists()

    def test_not_what_is_no_run(self, make, tmp_path):
        other = tmp_path / "photos"
        other.mkdir()
        (other / "config.yaml").write_text("model: fm\n")
        (other / "metrics.json").write_text("{}")

        for path in (other, tmp_path, tmp_path / "nowhere"):
            with pytest.raises(ConfigError, match=f"{path} is not a run: it holds no config.yaml"):
                run_listing.delete(path, is_sure=True)
        assert (other / "metrics.json").exists()

    def test_not_through_a_link(self, make, tmp_path):
        (tmp_path / "link").symlink_to(make("run"))

        with pytest.raises(ConfigError, match="link is a link: name the folder"):
            run_listing.delete(tmp_path / "link", is_sure=True)


def test_damaged_metrics_are_said(make):
    run = make("run")
    (run / "metrics.json").write_text('{"metrics": ')

    with pytest.raises(RunError, match="metrics.json is damaged: Expecting value"):
        run_listing.read(run)
