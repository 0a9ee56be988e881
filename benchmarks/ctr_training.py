"""Training on ctr_1m-shaped rows: `python benchmarks/ctr_training.py [--rounds 5] [--users N ...]`.

Fifteen categorical inputs (user, item, gender, age, category, ten of the history), click and like,
batch 4096, d 32, MMoE with four experts. Ours against what tutorials do: a tf.data pipeline of
rows that are shuffled and batched one by one, an embedding for each input, MMoE in Keras layers,
and Keras' own Adam, which touches every row of every table at every step. The same rows, tables
and experts; "x rows" is the examples per second beside that.
"""

import argparse
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

from _timing import alternate, console, record, show

from multitask_recommender.config import parse
from multitask_recommender.interactions import Interactions

DIMENSION, BATCH_SIZE, EXPERTS, UNITS, TOWER = 32, 4096, 4, (64,), (32,)
LABELS = ("click", "like")
ROW_BY_ROW = "tf.data by row, Keras, dense Adam"
OURS = {
    "two towers, sum of inputs": {
        "name": "two_tower",
        "user": ["id", "gender", "age", "first_clicks"],
        "item": ["id", "video_category"],
    },
    "all inputs side by side": {
        "name": "dcn",
        "cross_layers": 0,
        "user": ["id", "gender", "age", "first_clicks"],
        "item": ["id", "video_category"],
    },
}
KERAS_STEPS, OUR_STEPS = 5, 50


def config_of(model: dict[str, Any], sizes: argparse.Namespace):
    return parse(
        {
            "dataset": {
                "name": "synthetic",
                "shape": "tenrec",
                "scenario": "ctr_1m",
                "users": sizes.users,
                "items": sizes.items,
                "rows": sizes.rows,
            },
            "split": {"name": "tenrec_mtl"},
            "model": {**model, "embedding_dimension": DIMENSION},
            "sharing": {
                "name": "mmoe",
                "experts": EXPERTS,
                "hidden_layers": list(UNITS),
                "tower_layers": list(TOWER),
            },
            "tasks": {label: {} for label in LABELS},
            "training": {
                "batch_size": BATCH_SIZE,
                "optimizer": "lazy_adam",
                "learning_rate": 0.001,
            },
            "traps": {"allow": ["future_history"]},
        }
    )


def ours(config: Any, train: Interactions, folder: pathlib.Path) -> Callable[[], None]:
    """Trains OUR_STEPS more steps when called."""
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.experiment import build
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    model = build(config, train)
    batches = TrainingBatches(model.narrowed(train), BATCH_SIZE, seed=0)
    training = Training(model, batches, config.training, Checkpoints(folder))
    steps = training.rounds()
    return lambda: steps(OUR_STEPS)


def row_by_row(train: Interactions) -> Callable[[], None]:
    """Trains KERAS_STEPS more steps when called."""
    import numpy as np
    import tensorflow as tf

    users, items = train.users, train.items
    user_ids, item_ids = users.known(train.user_ids), items.known(train.item_ids)
    history = users.features["first_clicks"].values
    inputs = {"user": user_ids, "item": item_ids}
    inputs |= {name: users.features[name].values[train.user_ids] for name in ("gender", "age")}
    inputs["category"] = items.features["video_category"].values[train.item_ids]
    inputs |= {f"hist_{n}": history[train.user_ids, n] for n in range(history.shape[1])}
    sizes = {name: int(np.max(codes)) + 1 for name, codes in inputs.items()}
    sizes |= {"user": train.num_users + 1, "item": train.num_items + 1}

    columns = {name: tf.keras.Input([], dtype=tf.int32, name=name) for name in inputs}
    vectors = []
    item_table = tf.keras.layers.Embedding(sizes["item"], DIMENSION)
    for name, column in columns.items():
        is_item = name == "item" or name.startswith("hist_")
        table = item_table if is_item else tf.keras.layers.Embedding(sizes[name], DIMENSION)
        vectors.append(table(column))
    pair = tf.keras.layers.Concatenate()(vectors)
    experts = tf.stack([_tower(pair, UNITS) for _ in range(EXPERTS)], axis=1)
    outputs = {}
    for label in LABELS:
        gate = tf.keras.layers.Dense(EXPERTS, activation="softmax")(pair)
        mixed = tf.einsum("be,bed->bd", gate, experts)
        outputs[label] = tf.keras.layers.Dense(1, name=label)(_tower(mixed, TOWER))
    model = tf.keras.Model(columns, outputs)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(1e-3), loss={label: loss for label in LABELS})
    labels = {label: train.labels[label].astype(np.float32) for label in LABELS}
    rows = tf.data.Dataset.from_tensor_slices((inputs, labels)).repeat()
    batches = iter(rows.shuffle(100_000, seed=0).batch(BATCH_SIZE).prefetch(2))
    return lambda: [model.train_on_batch(*next(batches)) for _ in range(KERAS_STEPS)]


def _tower(vectors: Any, units: tuple[int, ...]) -> Any:
    import tensorflow as tf

    for width in units:
        vectors = tf.keras.layers.Dense(width, activation="relu")(vectors)
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=999_447)
    parser.add_argument("--items", type=int, default=2_310_087)
    parser.add_argument("--rows", type=int, default=4_000_000)
    sizes = parser.parse_args()

    from multitask_recommender.experiment import Experiment

    with tempfile.TemporaryDirectory() as name:
        runs, steps = {}, {}
        for place, (title, model) in enumerate(OURS.items()):
            config = config_of(model, sizes)
            train = Experiment(config).data.train
            runs[title] = ours(config, train, pathlib.Path(name, str(place)))
            steps[title] = OUR_STEPS
        runs[ROW_BY_ROW], steps[ROW_BY_ROW] = row_by_row(train), KERAS_STEPS
        times = alternate(runs, sizes.rounds)
    rates = {title: BATCH_SIZE * steps[title] / times.median(title) for title in runs}
    ratio = {title: times.ratio(ROW_BY_ROW, title) * steps[title] / KERAS_STEPS for title in runs}
    for title in runs:
        record(f"ctr_training/{title}", ratio[title])
    show(
        f"{train.source.name}: {train.num_users:,} users and {train.num_items:,} items in train, "
        f"batch {BATCH_SIZE}, d {DIMENSION}, MMoE",
        ["", "examples/s", "x rows"],
        [[title, f"{rates[title]:,.0f}", f"{ratio[title]:.1f}"] for title in runs],
    )
    console.print("Each trains both labels; tables of the same rows and dimension.")


if __name__ == "__main__":
    main()
