"""Models on parameter servers: a chief, two workers and two servers within one process of its own.

`python parameter_server_zoo.py NAME ...` prints a line of JSON for each case. Servers cannot be
made once TensorFlow has run anything else, nor be stopped, so that tests start this as a command.
"""

import json
import os
import pathlib
import sys
import tempfile

import numpy as np
import tensorflow as tf

from benchmarks import _cluster
from multitask_recommender import config
from multitask_recommender.assembly import build
from multitask_recommender.errors import ConfigError
from multitask_recommender.layers import rows
from multitask_recommender.training import loop, parameter_servers, strategy
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.cluster import Cluster
from tests.training import replica_exactness

EPOCHS = 4
JOBS = {"chief": 1, "worker": 2, "ps": 2}


def start_servers() -> list[tf.distribute.Server]:
    """Those of workers and parameter servers; TF_CONFIG says that this process is the chief."""
    cluster = _cluster.addresses(**JOBS)
    os.environ |= _cluster.told(cluster, "chief", 0)
    return [
        parameter_servers.start(Cluster(cluster, job, place))
        for job in ("worker", "ps")
        for place in range(JOBS[job])
    ]


def outcome(chosen: dict, folder: pathlib.Path) -> dict:
    """What a case comes to: losses of epochs, shards, and what one process finds in its weights."""
    training = {"strategy": "parameter_server", "batch_size": 20, "optimizer": "lazy_adam"}
    training |= {"learning_rate": 0.01, "seed": 3, "epochs": EPOCHS}
    parsed = config.parse(chosen | {"training": training})
    train = replica_exactness.events()
    replicas = strategy.replicas(parsed.training)
    with replicas.scope():
        model = build(parsed, train)
    batches = model.batches(train, parsed.training.batch_size, parsed.training.seed)
    checkpoints = Checkpoints(folder / "state")
    trained = loop.Training(model, batches, parsed.training, checkpoints, replicas)
    losses = [epoch.losses["loss"] for epoch in trained.epochs(EPOCHS, lambda steps: None)]
    trained.save()
    loop.save_weights(model, folder / "weights")
    alone = build(parsed, train)
    loop.load_weights(alone, folder / "weights")
    with replicas.scope():
        again = build(parsed, train)
    resumed = loop.Training(again, batches, parsed.training, checkpoints, replicas)
    state = state_apart(trained, resumed)  # before evaluation, which has means of its own
    tables = rows.whole(model.weights)
    return {
        "losses": losses,
        "shards": [len(getattr(each, "variables", [each])) for each in tables],
        "on_servers": sorted({each.device for each in model.weights}),
        "apart": apart(model, alone, train),
        "steps": [trained.step, resumed.step],
        "resumed": state,
    }


def apart(model, alone, train) -> float:
    """The greatest difference of what two models say of the rows, losses and vectors alike."""
    differences = []
    found = [loop.held_out_losses(each, train, 50, each.recent) for each in (model, alone)]
    differences += [abs(found[0][name] - found[1][name]) for name in found[0]]
    if model.retrieval is not None:
        one, other = (each.scorer().items for each in (model, alone))
        differences.append(np.abs(one - other).max())
    return float(max(differences))


def state_apart(one: loop.Training, other: loop.Training) -> float:
    pairs = zip(
        [*one.model.variables, *one.model.optimizer.variables()],
        [*other.model.variables, *other.model.optimizer.variables()],
        strict=True,
    )
    return max(float(tf.reduce_max(tf.abs(a - b))) for a, b in pairs)


def main(prefixes: list[str]) -> None:
    servers = start_servers()
    parameter_servers.SHARD_BYTES = 64  # tables are small here
    for name, chosen in replica_exactness.cases().items():
        if not any(name.startswith(prefix) for prefix in prefixes):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = outcome(chosen, pathlib.Path(folder))
            except ConfigError as error:
                found = {"refused": str(error)}
        print(json.dumps([name, found]), flush=True)
    del servers


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
