"""Loss and gradients of a batch by one device and by several: a process of its own.

`python replica_exactness.py NAME ...` prints a line of JSON for each case and number of replicas:
[case, replicas, the greatest difference of losses, that of gradients]. Logical devices must be
made before TensorFlow runs anything, so that tests start this as a command.
"""

import json
import sys
import zlib

import numpy as np
import tensorflow as tf

from multitask_recommender import config, registry, shares
from multitask_recommender.assembly import build
from multitask_recommender.interactions import Entities, Feature, Interactions

REPLICAS = (2, 4)
LABELS = {"click": {"weight": 0.5}, "like": {"only_with": "click"}, "rating": {"weight": 0.3}}
BPR = {"loss": "bpr", "negatives": "sampled", "num_negatives": 3}
HARD = {"loss": "bpr", "negatives": "full", "num_negatives": 3, "hardness": 1.0}

RETRIEVALS = {
    "full": {"negatives": "full"},
    "in_batch": {"negatives": "in_batch", "temperature": 0.5},
    "in_batch_of_clicks": {"negatives": "in_batch", "positive": "click"},
    "in_batch_exposed": {"negatives": "in_batch", "positive": "click", "exposed_weight": 2.0},
    "in_batch_without_hits": {
        "negatives": "in_batch",
        "logq": False,
        "remove_accidental_hits": True,
    },
    "sampled": {"negatives": "sampled", "num_negatives": 5, "remove_positives": True},
    "sampled_of_clicks": {"negatives": "sampled", "num_negatives": 5, "positive": "click"},
    "drawn": {"negatives": "drawn", "num_negatives": 5, "user_power": 0.5},
    "bpr": BPR,
    "bpr_drawn": BPR | {"negatives": "drawn"},
    "bpr_of_clicks": BPR | {"positive": "click", "remove_positives": True},
    "hard_bpr": HARD,
    "hard_bpr_of_clicks": HARD | {"positive": "click", "remove_positives": True},
    "bpr_max": {"loss": "bpr_max", "negatives": "in_batch", "score_l2": 0.1},
    "bpr_max_full": {"loss": "bpr_max", "negatives": "full"},
    "bpr_max_sampled": {"loss": "bpr_max", "negatives": "sampled", "num_negatives": 5},
    "bpr_max_drawn": {"loss": "bpr_max", "negatives": "drawn", "num_negatives": 5},
}
MODELS = {  # what stands behind a comma tells two of a name apart
    "two_tower": {"dropout": 0.3, "history_dropout": 0.3, "l2": 0.1, "user": ["id", "history"]}
    | {"ranking": {"dimension": 4, "dropout": 0.2, "l2": 0.1, "bias_l2": 0.1}},
    "two_tower, recent": {"dropout": 0.3, "user": ["id", "recent", "age"], "context": ["hour"]},
    "two_tower, separate": {"embeddings": "separate", "ranking": {"dimension": 4, "l2": 0.1}},
    "mf_ncf": {"l2": 0.1},
    "mf_ncf, separate": {"l2": 0.1, "embeddings": "separate"},
    "lightgcn": {"l2": 0.1},
    "ngcf": {"layers": [6, 5], "l2": 0.1, "message_dropout": 0.2, "node_dropout": 0.2},
    "gru4rec": {"dropout": 0.2, "input_dropout": 0.2, "l2": 0.1, "session_length": 5},
    "sr_gnn": {"dropout": 0.2, "input_dropout": 0.2, "session_length": 5},
    "youtube_dnn": {"dropout": 0.2, "user": ["id"], "session_length": 5},
    "fm": {"dropout": 0.2, "history_dropout": 0.3, "l2": 0.1, "user": ["id", "history", "age"]},
    "dcn": {"dropout": 0.2, "deep_layers": [8], "l2": 0.1, "context": ["hour"]},
}
ONLY_RANK = ("fm", "dcn")
ALONE = {
    "retrieval": {"retrieval": {}},
    "binary": {"like": {}},
    "rating": {"rating": {"weight": 0.3}},
}
SHARINGS = {
    "separate": {"hidden_layers": [6], "dropout": 0.3},
    "shared_bottom": {"hidden_layers": [6], "tower_layers": [5], "dropout": 0.3},
    "mmoe": {"hidden_layers": [6], "tower_layers": [5], "dropout": 0.3},
    "ple": {"hidden_layers": [6], "tower_layers": [5], "dropout": 0.3, "levels": 2},
    "esmm": {"hidden_layers": [6], "dropout": 0.3},
}
WEIGHTINGS = registry.names("weighting")


def cases() -> dict[str, dict]:
    """Configs by name: what differs from the default one."""
    found = {}
    for name, settings in MODELS.items():
        model = {"name": name.partition(",")[0], "embedding_dimension": 8, **settings}
        tasks = LABELS if name in ONLY_RANK else {"retrieval": RETRIEVALS["full"]} | LABELS
        for weighting in WEIGHTINGS:
            found[f"model/{name}/{weighting}"] = {
                "model": model,
                "tasks": tasks,
                "weighting": weighting,
                "sharing": {"name": "shared_bottom", **SHARINGS["shared_bottom"]},
            }
    base = found["model/two_tower/fixed"]
    for name, settings in RETRIEVALS.items():
        tasks = {"retrieval": settings} | LABELS
        found[f"retrieval/{name}"] = base | {"tasks": tasks}
    found["retrieval/gru4rec_hard_bpr"] = found["model/gru4rec/fixed"] | {
        "tasks": {"retrieval": HARD | {"positive": "click"}}
    }
    for kind, tasks in ALONE.items():
        found[f"alone/{kind}"] = base | {"tasks": tasks}
    for name, settings in SHARINGS.items():
        for weighting in WEIGHTINGS:
            sharing = {"name": name, **settings}
            found[f"sharing/{name}/{weighting}"] = base | {
                "sharing": sharing,
                "weighting": weighting,
            }
    return found


def events() -> Interactions:
    """90 events of 9 users and 13 items, of which some labels are missing."""
    generator = np.random.default_rng(3)
    number = 90
    users = np.sort(generator.choice(9, number, p=np.arange(1, 10) / 45) + 1).astype(np.int32)
    items = (generator.choice(13, number) + 1).astype(np.int32)
    clicks = generator.integers(0, 2, number).astype(np.float32)
    likes = clicks * generator.integers(0, 2, number).astype(np.float32)
    ages = Feature(generator.integers(0, 4, 10).astype(np.int32), np.array(["a", "b", "c"]))
    hours = Feature(generator.integers(0, 3, number).astype(np.int32), np.array(["x", "y"]))
    return Interactions(
        user_ids=users,
        item_ids=items,
        users=Entities(np.arange(1, 10), 9, {"age": ages}),
        items=Entities(np.arange(1, 14), 13),
        labels={
            "click": clicks,
            "like": likes,
            "rating": generator.integers(1, 6, number).astype(np.float32),
        },
        observed={"rating": generator.random(number) < 0.6},
        timestamps=np.arange(number, dtype=np.int64),
        context={"hour": hours},
    )


def outcome(model: tf.keras.Model, features: dict) -> tuple[tf.Tensor, list[tf.Tensor]]:
    with tf.GradientTape() as tape:
        loss = model.compute_loss(features, training=True)
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(loss, model.trainable_variables, unconnected_gradients=zero)
    return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]


def told(model: tf.keras.Model) -> np.ndarray:
    return np.array([float(mean.result()) for mean in model._loss_means.values()])


def differences(name: str, chosen: dict) -> list[tuple[str, int, float, float]]:
    train = events()
    parsed = config.parse(chosen | {"training": {"seed": zlib.crc32(name.encode()) % 1000}})
    model = build(parsed, train)
    generator = np.random.default_rng(1)
    for variable in model.trainable_variables:  # no zeros to hide behind
        variable.assign_add(generator.normal(0, 0.3, variable.shape))
    batches = model.batches(train, 37, parsed.training.seed)
    loss, gradients = outcome(model, batches.batch(1))
    means, found = told(model), []
    for number in REPLICAS:
        # Not by collectives: in one process, those of 2 devices would keep those of 4 from joining.
        strategy = tf.distribute.MirroredStrategy(
            [f"CPU:{n}" for n in range(number)], tf.distribute.ReductionToOneDevice()
        )
        with strategy.scope():
            divided = build(parsed, train)
        for one, other in zip(divided.variables, model.variables, strict=True):
            one.assign(other)
        divided.reset_metrics()
        parts = iter(batches.dealt(1, range(number), number))
        values = strategy.experimental_distribute_values_from_function(
            lambda _, parts=parts: next(parts)
        )

        def replica(features, divided=divided):
            return tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.SUM, list(sum(map(_listed, outcome(divided, features)), []))
            )

        own, *own_gradients = (
            strategy.experimental_local_results(each)[0]
            for each in strategy.run(replica, args=(values,))
        )
        apart = [abs(float(own - loss)), *np.abs(told(divided) - means)]
        gradients_apart = [
            float(tf.reduce_max(tf.abs(one - other)))
            for one, other in zip(own_gradients, gradients, strict=True)
        ]
        found.append((name, number, float(max(apart)), max(gradients_apart)))
    return found


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]


def main(prefixes: list[str]) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(max(REPLICAS))]
    tf.config.set_logical_device_configuration(cpu, logical)
    for name, chosen in cases().items():
        if not prefixes or any(name.startswith(prefix) for prefix in prefixes):
            for line in differences(name, chosen):
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    assert shares.WHOLE
    main(sys.argv[1:])
