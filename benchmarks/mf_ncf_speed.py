"""Training speed of MultiTaskNet: `python benchmarks/mf_ncf_speed.py [--rounds 5]`.

experiments/mf_ncf_shared_50_50.yaml on MovieLens 100k (or, without its files, made-up rows), our
loop against the same net in plain Keras: embeddings, dense layers, Adam, a shuffled
`tf.data.Dataset` of batches, and a step for each batch, whose negatives numpy draws. The step is

    eager            a GradientTape and `apply_gradients`, as they stand in the loop
    train_on_batch   that of a compiled `tf.keras.Model`, two outputs with a loss each
    tf.function      the tape and the update in a `tf.function`, called for each batch

All have the same batch size, the same number of negatives (one a row, any item) and the same
loss, which is checked first. A round is an epoch of ours, and as many steps of the others as
`--steps` says; they take turns. The last lines are ours at other batch sizes and optimizers, whose
steps are not the same. Products of 256 rows are small: for all of them one thread is faster than
the handing over between two (`--threads 0` leaves the number to TensorFlow).
"""

import argparse
import itertools
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from _timing import ROOT, alternate, console, record, show

from multitask_recommender import config
from multitask_recommender.experiment import Experiment, build
from multitask_recommender.interactions import Interactions

RECIPE = ROOT / "experiments" / "mf_ncf_shared_50_50.yaml"
KINDS = ("eager", "train_on_batch", "tf.function")
OURS = {"ours": [], "ours, lazy_adam": ["training.optimizer=lazy_adam"]} | {
    f"ours, batch {size}": [f"training.batch_size={size}"] for size in (1024, 4096)
}


def plain_net(num_users: int, num_items: int, size: int) -> Any:
    """(user, item, negative) -> the item's likelihood less the negative's, and the score."""
    import tensorflow as tf

    keras = tf.keras
    user, item, negative = (keras.Input([], dtype=tf.int32) for _ in range(3))
    users, items = (
        keras.layers.Embedding(number + 1, size, keras.initializers.RandomNormal(0.0, 1.0 / size))
        for number in (num_users, num_items)
    )
    biases = keras.layers.Embedding(num_items + 1, 1, "zeros")
    u, q, other = users(user), items(item), items(negative)

    def likelihood(vectors: Any, ids: Any) -> Any:
        return tf.reduce_sum(u * vectors, axis=1) + biases(ids)[:, 0]

    margin = likelihood(q, item) - likelihood(other, negative)
    hidden = tf.concat([u, q, u * q], axis=1)
    for units in (96, 64):
        hidden = keras.layers.Dense(units, "relu")(hidden)
    score = keras.layers.Dense(1)(hidden)[:, 0]
    return keras.Model([user, item, negative], [margin, score])


def losses_of(net: Any, ids: tuple[Any, Any, Any], stars: Any) -> Any:
    """Of both tasks, [2]."""
    import tensorflow as tf

    margin, score = net(ids, training=True)
    ranking = tf.reduce_mean(tf.nn.softplus(-margin))
    return tf.stack([ranking, tf.reduce_mean(tf.square(score - stars))])


class Plain:
    """A plain loop over the training rows, which goes on from call to call.

    Args:
      kind: eager, train_on_batch or tf.function.
      steps: of a call.
    """

    def __init__(self, kind: str, experiment: Experiment, rows: Interactions, steps: int) -> None:
        import tensorflow as tf

        self._num_items, self._steps = rows.num_items, steps
        self._weights = [
            experiment.config.tasks[n].settings.weight for n in ("retrieval", "rating")
        ]
        size = experiment.config.model.settings.embedding_dimension
        self._net = plain_net(rows.num_users, rows.num_items, size)
        settings = experiment.config.training
        self._optimizer = tf.keras.optimizers.Adam(settings.learning_rate)
        columns = (rows.user_ids, rows.item_ids, rows.labels["rating"].astype(np.float32))
        data = tf.data.Dataset.from_tensor_slices(columns).shuffle(len(rows))
        self._batches = self._endless(data.batch(settings.batch_size).prefetch(2))
        self._generator = np.random.default_rng(0)
        self._step = {
            "eager": self._tape_step,
            "train_on_batch": self._on_batch,
            "tf.function": tf.function(self._tape_step, reduce_retracing=True),
        }[kind]
        if kind == "train_on_batch":
            losses = [lambda _, margin: tf.nn.softplus(-margin), "mse"]
            self._net.compile(self._optimizer, losses, loss_weights=self._weights)

    def __call__(self) -> None:
        for users, items, stars in itertools.islice(self._batches, self._steps):
            drawn = self._generator.integers(1, self._num_items + 1, len(stars), np.int32)
            self._step(users, items, drawn, stars)

    @staticmethod
    def _endless(data: Any) -> Iterator[Any]:
        while True:
            yield from data

    def _tape_step(self, users: Any, items: Any, drawn: Any, stars: Any) -> None:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            losses = losses_of(self._net, (users, items, drawn), stars)
            loss = tf.reduce_sum(losses * self._weights)
        weights = self._net.trainable_variables
        gradients = tape.gradient(loss, weights)
        self._optimizer.apply_gradients(zip(gradients, weights, strict=True))

    def _on_batch(self, users: Any, items: Any, drawn: Any, stars: Any) -> None:
        self._net.train_on_batch([users, items, drawn], [stars, stars])


def ours(overrides: list[str], folder: pathlib.Path) -> Callable[[], Any]:
    """What trains one more epoch when called."""
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    experiment = Experiment(config.load(RECIPE, overrides))
    settings, rows = experiment.config.training, experiment.learnt_rows
    batches = TrainingBatches(rows, settings.batch_size, settings.seed)
    # What the others do not do either: a look at the tasks' gradients after each epoch.
    settings = settings.model_copy(update={"task_gradients": "never"})
    training = Training(build(experiment.config, rows), batches, settings, Checkpoints(folder))
    epochs = training.epochs(10**6, lambda steps: None)
    return lambda: next(epochs)


def check_same_loss(experiment: Experiment, rows: Interactions) -> None:
    """Raises AssertionError unless the plain net, with our weights, has our losses."""
    import tensorflow as tf

    from multitask_recommender.batches import TrainingBatches

    model = build(experiment.config, rows)
    for variable in model.trainable_variables:  # larger than they begin, and biases not 0
        noise = tf.random.stateless_normal(variable.shape, [1, len(variable.shape)], stddev=0.2)
        variable.assign_add(noise)
    net = plain_net(rows.num_users, rows.num_items, model.pair_shape.vectors)
    users, items = (table.get_weights()[0] for table in model._tables)
    *bottom, bias, kernel = model._sharing.get_weights()
    biases = model._space._biases.numpy()[:, None]
    net.set_weights([users, items, biases, *bottom, kernel, bias[None]])

    batches = TrainingBatches(rows, experiment.config.training.batch_size, seed=0)
    batch, drawn = next(  # ours leaves out a row whose negative is its own item
        (batch, drawn)
        for batch in map(batches.batch, itertools.count())
        for drawn in [model.retrieval._draw(batch)]
        if not np.any(drawn == batch["item_id"])
    )
    ours, _ = model.task_losses(batch, training=True)
    plain = losses_of(net, (batch["user_id"], batch["item_id"], drawn), batch["rating"])
    np.testing.assert_allclose([*ours.values()], plain, rtol=1e-5)
    told = ", ".join(f"{name} {float(loss):.5f}" for name, loss in ours.items())
    console.print(f"with the same weights and negatives, both have {told}", highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100, help="of a round of the plain loops")
    parser.add_argument("--threads", type=int, default=1, help="within an operation")
    arguments = parser.parse_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    experiment = Experiment(config.load(RECIPE))
    rows, batch_size = experiment.learnt_rows, experiment.config.training.batch_size
    check_same_loss(experiment, rows)
    with tempfile.TemporaryDirectory() as folder:
        runs, examples = {}, {}
        for name in KINDS:
            runs[name] = Plain(name, experiment, rows, arguments.steps)
            examples[name] = arguments.steps * batch_size
        for name, overrides in OURS.items():
            runs[name] = ours(overrides, pathlib.Path(folder) / name)
            examples[name] = len(rows)
        times = alternate(runs, arguments.rounds)
    per_second = {name: examples[name] / times.median(name) for name in runs}
    for name, rate in per_second.items():
        record(f"mf_ncf_speed/{name}", rate / per_second[KINDS[0]])
    show(
        f"{rows.source.name}: {len(rows):,} rows, batch {batch_size}",
        ["", "examples/s", *(f"x {name}" for name in KINDS)],
        [
            [
                name,
                f"{rate:,.0f}",
                *(
                    f"{times.ratio(kind, name) * examples[name] / examples[kind]:.1f}"
                    for kind in KINDS
                ),
            ]
            for name, rate in per_second.items()
        ],
    )


if __name__ == "__main__":
    main()
