"""What MMoE on top of a session model costs a training step.

    taskset -c 1 python benchmarks/session_sharing_cost.py [--model sr_gnn] [--rounds 40]

Milliseconds of the processor, of one core, for a step of experiments/<model>_mmoe.yaml (retrieval,
click and like on rows in the form of Tenrec's ctr_1m), of the same tasks by a shared bottom and by
linear heads, and of retrieval alone, the models in turn. All of them are given the same rows.
"""

import argparse
import itertools
import os
import time
from collections.abc import Callable

import tensorflow as tf
from _timing import ROOT, alternate, console, show

from multitask_recommender import config, splits
from multitask_recommender.assembly import read
from multitask_recommender.experiment import Experiment, build
from multitask_recommender.training import optimizers

NUM_BATCHES = 8  # that each model meets, again and again
CONTENDERS: dict[str, list[str]] = {
    "retrieval alone": ["tasks.click=null", "tasks.like=null"],
    "linear heads": ["sharing={name: shared_bottom, hidden_layers: []}"],
    "shared bottom": ["sharing={name: shared_bottom, hidden_layers: [32]}"],
    "MMoE": [],
}


def step_of(experiment: Experiment) -> Callable[[], None]:
    """What makes a training step when called, on one batch after another."""
    settings, rows = experiment.config.training, experiment.data.train
    model = build(experiment.config, rows)
    model.optimizer = optimizers.build(settings.optimizer, settings.learning_rate)
    made = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    batches = [made.batch(step) for step in range(NUM_BATCHES)]
    shapes = {name: tf.TensorSpec([None] * v.shape.rank, v.dtype) for name, v in batches[0].items()}

    @tf.function(autograph=False, input_signature=[shapes])
    def train(features: dict[str, tf.Tensor]) -> tf.Tensor:
        model.train_step(features)
        return tf.convert_to_tensor(model.optimizer.iterations)

    turns = itertools.cycle(batches)
    return lambda: train(next(turns)).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="gru4rec", choices=("gru4rec", "sr_gnn"))
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    path = ROOT / "experiments" / f"{arguments.model}_mmoe.yaml"
    data: splits.Splits = read(config.load(path))
    steps = {
        name: step_of(Experiment(config.load(path, overrides), data))
        for name, overrides in CONTENDERS.items()
    }
    times = alternate(steps, arguments.rounds, time.process_time)
    times.record("session_sharing_cost", "shared bottom")
    console.print(f"load {os.getloadavg()[0]:.1f}")
    rows = [
        [
            name,
            f"{1e3 * times.median(name):.1f}",
            *(f"{times.ratio(name, to):.2f}" for to in ("retrieval alone", "shared bottom")),
        ]
        for name in CONTENDERS
    ]
    columns = ["", "processor ms a step", "x retrieval alone", "x shared bottom"]
    show(f"{arguments.model}: a step, medians of {arguments.rounds} rounds", columns, rows)


if __name__ == "__main__":
    main()
