"""What a training may begin with: a run whose config gives the same weights the same meaning."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from multitask_recommender import assembly, config, config_file
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import vocabulary


def settings(*overrides):
    values = {"model": {"name": "two_tower", "embedding_dimension": 4}}
    return config.parse(values, ["training.epochs=1", *overrides])


@pytest.fixture
def origin(tmp_path, tiny):
    """A run in all but its weights; it knew two of the four users, and one more."""
    chosen = settings("training.seed=7", "dataset=synthetic", "model.dropout=0.5")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text(config_file.write(chosen.to_dict()))
    (tmp_path / "run" / "metrics.json").write_text("{}")
    np.savez(
        tmp_path / "run" / "checkpoints" / vocabulary.FILE,
        users=np.array(["ann", "bob", "tom"]),
        items=tiny.items.vocabulary,
        weights=np.array("{}"),
    )
    return tmp_path / "run"


class TestRead:
    """Rows in Tenrec's form, whose one context feature is watching_times."""

    def read(self, *overrides, **given):
        shape = {"name": "synthetic", "shape": "tenrec", "users": 20, "items": 30, "rows": 400}
        values = {"dataset": shape, "tasks": {"click": {}}, "traps": {"allow": []}}
        parts = assembly.read(config.parse(values, overrides), **given)
        return [set(part.context) for part in (parts.train, parts.test)]

    def test_context_that_the_model_does_not_read_is_not_held(self):
        assert self.read(for_others=False) == [set(), set()]

    def test_what_it_reads_is(self):
        reads = "model.context=[watching_times]"
        assert self.read(reads, for_others=False) == [{"watching_times"}] * 2

    def test_all_is_for_others_and_where_what_it_reads_is_missing(self):
        assert self.read() == [{"watching_times"}] * 2
        reads = "model.context=[time_of_day]"
        assert self.read(reads, for_others=False) == [{"watching_times"}] * 2


def test_without_another_run_there_is_none(tiny):
    assert assembly.warm_start(settings(), tiny) is None


def test_data_training_and_what_is_dropped_may_differ(origin, tiny):
    told = assembly.warm_start(settings(f"training.warm_start={origin}"), tiny)

    assert told == {
        "run": str(origin),
        "users": {"kept": 2, "new": 2, "gone": 1},
        "items": {"kept": 6, "new": 0, "gone": 0},
    }


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.embedding_dimension=5", "model.embedding_dimension is 4 there and 5 here"),
        ("sharing=mmoe", "sharing.name is 'shared_bottom' there and 'mmoe' here"),
        ("tasks.like=null", "tasks.like is 'binary' there and not set here"),
    ],
)
def test_another_model_is_refused_and_what_differs_is_told(override, told, origin, tiny):
    chosen = settings(f"training.warm_start={origin}", override)

    with pytest.raises(ConfigError, match=f"begin with the weights of {origin}: .*{told}"):
        assembly.warm_start(chosen, tiny)


def test_what_is_no_run_is_refused(tmp_path, tiny):
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        assembly.warm_start(settings(f"training.warm_start={tmp_path / 'nowhere'}"), tiny)


# Of a process of its own: TensorFlow gives no memory back that it has ever taken.
_GROWTH = """
    import pathlib, re, sys
    import numpy as np
    from multitask_recommender import assembly, config
    from multitask_recommender.interactions import Entities, Interactions
    from multitask_recommender.layers import initial
    from multitask_recommender.training import loop

    def peak(key="VmHWM"):
        status = pathlib.Path("/proc/self/status").read_text()
        return int(re.search(rf"{key}:\\s+(\\d+) kB", status)[1]) * 1024

    chosen = config.parse({
        "model": {"name": "two_tower", "embedding_dimension": 64},
        "tasks": {"retrieval": {}},
        "training": {"strategy": "none"},
    })
    def rows(number):
        ids = np.arange(1, number + 1, dtype=np.int32)
        return Interactions(ids, ids, Entities(ids, number), Entities(ids, number))
    if sys.argv[1] == "save":
        loop.save_weights(assembly.build(chosen, rows(400_000)), pathlib.Path(sys.argv[2]))
    else:
        assembly.build(chosen, rows(9))  # what TensorFlow takes for itself
        before = peak("VmRSS")
        with initial.not_drawn():
            model = assembly.build(chosen, rows(400_000))
        loop.load_weights(model, pathlib.Path(sys.argv[2]))
        tables = sum(4 * np.prod(weight.shape) for weight in model.weights)
        print((peak() - before) / tables)
"""


@pytest.mark.slow
def test_a_model_that_is_built_to_be_loaded_takes_its_tables_once(tmp_path):
    """Drawn, and then loaded beside that, it took them two and a half times."""

    def told(what):
        command = [sys.executable, "-c", textwrap.dedent(_GROWTH), what, str(tmp_path / "weights")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    told("save")

    assert 1.0 <= float(told("restore")) < 1.4
