"""What needs two devices: those of a CPU that TensorFlow has not used yet, so a process of its own.

Prints lines of JSON: of training in float16 from a scale that overflows, by one device and by two,
and of batches that are copied to a device ahead of its steps.
"""

import itertools
import json
import pathlib
import tempfile

import numpy as np

from multitask_recommender import config
from multitask_recommender.assembly import build
from multitask_recommender.batches import TrainingBatches
from multitask_recommender.layers import loss_scale
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.loop import Training
from multitask_recommender.training.strategy import Replicas, replicas
from tests.training.replica_exactness import events


def trained(strategy: dict) -> dict:
    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": 8},
            "sharing": {"name": "shared_bottom", "hidden_layers": [6]},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "training": {"batch_size": 45, "epochs": 4, "precision": "float16", **strategy},
        }
    )
    devices = replicas(chosen.training)
    with devices.scope():
        model = build(chosen, events())
    batches = model.batches(events(), 45, 0)
    before = np.concatenate([each.numpy().ravel() for each in model.trainable_variables])
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(pathlib.Path(folder))
        training = Training(model, batches, chosen.training, checkpoints, devices)
        scale, _ = loss_scale.state(model.optimizer)
        with devices.scope():
            scale.assign(2.0**22)
        for _ in training.epochs(4, lambda steps: None):
            pass
    weights = np.concatenate([each.numpy().ravel() for each in model.trainable_variables])
    learnt = float(np.abs(weights - before).max())
    return {
        "step": training.step,
        "scale": float(scale.numpy()),
        "learnt": learnt,
        "weights": weights.tolist(),
    }


def copied_ahead() -> dict:
    """On which devices the columns of batches are, and whether these are the batches asked for."""
    batches = TrainingBatches(events(), 20, seed=0)
    found = list(itertools.islice(Replicas(device="CPU:1").iterator(batches, 3), 4))
    expected = [batches.batch(step) for step in range(3, 7)]
    return {
        "devices": sorted({column.device[-5:] for batch in found for column in batch.values()}),
        "same": all(
            np.array_equal(one[name], other[name])
            for one, other in zip(found, expected, strict=True)
            for name in other
        ),
    }


if __name__ == "__main__":
    two = trained({"strategy": "mirrored", "replicas": 2})  # divides the CPU first
    print(json.dumps(trained({"strategy": "none"})))
    print(json.dumps(two))
    print(json.dumps(copied_ahead()))
