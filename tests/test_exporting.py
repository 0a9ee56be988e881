"""Every model, sharing and index as an export: written, loaded by a process without us, answered."""

import dataclasses
import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from multitask_recommender import assembly, config, exporting, registry, splits
from multitask_recommender.errors import RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.interactions import Entities, Feature, Interactions, Source

NUM_USERS, NUM_ITEMS, NUM_ROWS = 40, 90, 900
METRICS = {
    "metrics": {"test/full/recall@20": 0.5, "test/like/auc": 0.75},
    "baselines": {"popularity": {"test/full/recall@20": 0.25}},
    "protocol": {"trained_on": "train"},
}
# Loads each export named on the command line and answers its golden requests; prints the largest
# difference by output. It imports nothing of this package.
REPLAY = """
    import json, pathlib, sys
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2
    try:
        import scann
    except ImportError:
        pass
    for folder in map(pathlib.Path, sys.argv[1:]):
        proto = saved_model_pb2.SavedModel()
        proto.ParseFromString((folder / "saved_model.pb").read_bytes())
        defined = proto.meta_graphs[0].signature_def
        loaded = tf.saved_model.load(str(folder)).signatures
        golden = json.loads((folder / "assets.extra" / "golden_requests.json").read_text())
        worst = 0.0
        for request in golden["requests"]:
            name = request["signature"]
            kinds = loaded[name].structured_input_signature[1]
            inputs = {k: tf.make_ndarray(v) for k, v in defined[name].defaults.items()}
            inputs |= request["inputs"]
            found = loaded[name](**{k: tf.constant(v, kinds[k].dtype) for k, v in inputs.items()})
            assert found.keys() == request["outputs"].keys()
            for output, values in request["outputs"].items():
                values, own = np.array(values), found[output].numpy()
                if own.dtype.kind == "O":
                    assert own.astype(str).tolist() == values.tolist()
                else:
                    worst = max(worst, float(np.abs(own - values).max(initial=0.0)))
        print(folder, sorted(loaded), worst)
    assert not [name for name in sys.modules if "multitask" in name]
"""


@pytest.fixture(scope="module")
def rows() -> Interactions:
    """Users with string ids, items with numbers; clicks, likes, stars, times and a context."""
    generator = np.random.default_rng(3)
    users = generator.integers(1, NUM_USERS, NUM_ROWS).astype(np.int32)  # the last meets nobody
    items = (generator.random(NUM_ROWS) ** 2 * NUM_ITEMS).astype(np.int32) + 1
    clicks = (generator.random(NUM_ROWS) < 0.6).astype(np.float32)
    ages = generator.integers(18, 70, NUM_USERS + 1).astype(np.float32)
    genres = generator.integers(0, 4, [NUM_ITEMS + 1, 2])
    return Interactions(
        users,
        items,
        Entities(
            np.array([f"user {n} ü" for n in range(NUM_USERS)]),
            NUM_USERS,
            {"age": Feature(ages)},
        ),
        Entities(
            np.arange(NUM_ITEMS) * 7 + 100,
            NUM_ITEMS,
            {"genres": Feature(genres.astype(np.int32), ("art", "bio", "war"))},
        ),
        labels={
            "click": clicks,
            "like": clicks * (generator.random(NUM_ROWS) < 0.3).astype(np.float32),
            "rating": generator.integers(1, 6, NUM_ROWS).astype(np.float32),
        },
        timestamps=np.arange(NUM_ROWS, dtype=np.int64),
        context={
            "device": Feature(generator.integers(0, 3, NUM_ROWS).astype(np.int32), ("tv", "pc")),
            "hour": Feature(generator.random(NUM_ROWS).astype(np.float32)),
        },
        source=Source("made by the test"),
    )


def experiment_of(rows: Interactions, model: str, **sections) -> Experiment:
    """With retrieval where the model retrieves, and the labels."""
    chosen = {
        "model": {"name": model, "embedding_dimension": 8, **sections.pop("settings", {})},
        "tasks": {"retrieval": {}, "click": {}, "like": {"only_with": "click"}, "rating": {}},
        "split": {"name": "user_order"},
        "export": {"retrieve": 30, "golden_requests": 8},
        **sections,
    }
    if model in ("fm", "dcn"):
        del chosen["tasks"]["retrieval"]
    parsed = config.parse(chosen)
    return Experiment(parsed, splits.split(rows, parsed.split))


def exported(experiment: Experiment, base):
    """Of an untrained model: what it answers is as good as any."""
    model = assembly.build(experiment.config, experiment.learnt_rows)
    return exporting.export(experiment, model, base, METRICS)


CASES = {
    **{name: {"model": name} for name in registry.names("models")},
    **{f"two_tower-{name}": {"sharing": name} for name in registry.names("sharing")},
    "two_tower-history": {
        "settings": {
            "user": ["id", "history", "recent", "age"],
            "item": ["id", "history", "genres"],
            "context": ["device", "hour"],
            "hidden_layers": [6],
            "normalise": True,
        },
        "sharing": {"name": "mmoe", "hidden_layers": [8]},
    },
    "gru4rec-features": {"model": "gru4rec", "settings": {"user": ["age"], "context": ["device"]}},
    "lightgcn-softmax": {"model": "lightgcn", "settings": {"normalise": True, "item_bias": True}},
    "retrieval": {"tasks": {"retrieval": {}}},
    "ivf": {"export": {"index": "ivf", "retrieve": 30, "golden_requests": 8}},
}


@pytest.fixture(scope="module")
def exports(rows, tmp_path_factory):
    """The folders of all cases, by name; each has been held against its model when written."""
    made = {}
    for name, sections in CASES.items():
        experiment = experiment_of(rows, **{"model": "two_tower", **sections})
        made[name] = exported(experiment, tmp_path_factory.mktemp(name) / "model")
    return made


def test_another_process_without_this_package_answers_the_same(exports):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REPLAY), *map(str, exports.values())],
        capture_output=True,
        text=True,
        check=False,
        cwd=exports["two_tower"],
    )

    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(CASES)
    for line in lines:
        assert float(line.rsplit(" ", 1)[1]) < 1e-5, line
