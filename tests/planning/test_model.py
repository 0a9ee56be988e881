"""Arrays of models by hand: tables that grow with users, items, both, and words of features."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import assembly, config, exporting
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment import Experiment
from multitask_recommender.planning import estimate, miniature, model, shape
from multitask_recommender.planning.shape import Column, DataShape, Side

METRICS = {"metrics": {}, "baselines": {}, "protocol": {"trained_on": "train"}}  # for the card
NUMBERS = (5_000_000, 3_000_000, 10_000_000)


def grown(arrays, kind):
    return {(array.name, array.shape) for array in arrays[kind] if array.axes}


def test_no_table_is_allocated_and_each_grows_with_its_own_axis(parsed):
    config = parsed("two_tower")

    arrays = model.arrays(config, shape.given(config, NUMBERS, []))

    assert grown(arrays, model.LEARNT) == {
        ("ids", (5_000_001, 4)),
        ("ids", (3_000_001, 4)),
        ("item_bias", (3_000_001,)),
        ("user_bias", (5_000_001, 1)),
        ("item_bias", (3_000_001, 1)),
    }
    assert [array.shape for array in arrays[model.VECTORS]] == [(3_000_000, 5)]


def test_nodes_grow_with_users_and_items_and_an_export_holds_each_hop(parsed):
    config = parsed("lightgcn", hops=2)

    arrays = model.arrays(config, shape.given(config, NUMBERS, []))

    (nodes,) = (array for array in arrays[model.LEARNT] if array.axes)
    assert (nodes.shape, nodes.axes) == ((8_000_002, 4), ("users", "items"))
    exported = sorted(array.shape for array in arrays[model.EXPORTED] if array.axes)
    assert exported == [(3_000_001, 4), (3_000_001, 8), (5_000_001, 4), (5_000_001, 4)]


@pytest.mark.parametrize(("optimizer", "each"), [("adagrad", 1), ("lazy_adam", 2)])
def test_the_state_is_that_of_the_optimizer(optimizer, each, parsed):
    chosen = parsed("two_tower").to_dict()
    chosen["training"]["optimizer"] = optimizer
    config_of = config.parse(chosen)

    arrays = model.arrays(config_of, shape.given(config_of, NUMBERS, []))

    learnt = sum(array.size for array in arrays[model.LEARNT])
    state = sum(array.size for array in arrays[model.STATE])
    assert state - each * learnt in (0, 1)  # and the number of the step


def test_words_of_a_feature_make_a_table_whether_few_or_many(parsed):
    config = parsed("two_tower", user=["id", "city", "age"], item=["genre", "brand"])
    features = ["city=70000", "age=0", "genre=19", "brand=2000000"]

    arrays = model.arrays(config, shape.given(config, NUMBERS, features))

    shapes = {array.shape: array.axes for array in arrays[model.LEARNT]}
    assert shapes[70_001, 4] == ("city",)
    assert shapes[2_000_001, 4] == ("brand",)
    assert shapes[20, 4] == ()
    assert (1, 4) in shapes  # of a number


def test_a_feature_of_items_grows_with_them(parsed):
    config = parsed("two_tower", user=["id", "first_clicks"])
    users = Side(50, 2, columns={"first_clicks": Column(3_000, width=2, of_items=True)})
    data = DataShape("made", users, Side(3_000, 4), 100, 0, 0, {"click": 1, "like": 1})

    arrays = model.arrays(config, data)

    (table,) = (
        array
        for array in arrays[model.LEARNT]
        if array.shape == (3_001, 4) and array.name == "table"
    )
    assert table.axes == ("items",)
    assert miniature.axes_of(data) == {"users": 50, "items": 3_000}


def test_what_the_data_lack_is_refused(parsed):
    config = parsed("two_tower")
    data = DataShape("made", Side(5, 1), Side(6, 1), 9, 0, 0, {"click": 1})

    with pytest.raises(ConfigError, match="tasks.like needs the label 'like', which made does not"):
        model.arrays(config, data)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A small export, and the plan of its config."""
    folder = tmp_path_factory.mktemp("exported")
    chosen = config.parse(
        {
            "dataset": {"name": "synthetic", "users": 50, "items": 80, "rows": 900},
            "model": {"name": "two_tower", "embedding_dimension": 4},
            "tasks": {"retrieval": {}, "like": {}},
            "split": {"validation": 0},
            "evaluation": {"protocols": ["full"]},
        }
    )
    experiment = Experiment(chosen)
    data = shape.of(experiment.data, chosen, experiment.learnt_rows, 0)
    built = assembly.build(chosen, experiment.learnt_rows)
    version = exporting.export(lambda: (experiment, built), folder / "model", METRICS)
    return version, estimate.plan(chosen, data)


def test_an_export_holds_what_the_plan_says_it_reads(exported):
    version, plan = exported
    saved = [
        tuple(shape)
        for name, shape in tf.train.list_variables(str(version / "variables" / "variables"))
        if "VARIABLE_VALUE" in name
    ]

    for array in plan.arrays[model.EXPORTED]:
        saved.remove(array.shape)

    # The rest is the export's own: indexes, popularity, who was met, what was seen.
    left = sum(int(np.prod(shape)) for shape in saved)
    columns = 128  # of 80 items and the padding, in groups of 64
    by_cosine = 2 * columns  # ids and lengths
    assert left == columns * 5 + columns + by_cosine + 81 + 51 + 52 + plan.shape.rows + 1
