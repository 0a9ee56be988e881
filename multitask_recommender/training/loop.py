"""The training loop: steps run inside the graph, and come out for progress and validation.

A place in training is one integer, the optimizer's step. Batches, dropout and drawn negatives are
functions of it, so a restored checkpoint goes on as if nothing had happened.
"""

import dataclasses
import math
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

import tensorflow as tf

from multitask_recommender.batches import TrainingBatches, ordered_batches
from multitask_recommender.errors import RunError
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import TOTAL_LOSS
from multitask_recommender.training import _sigterm, optimizers
from multitask_recommender.training._writing import writing
from multitask_recommender.training.settings import Settings

_STEPS_WORTH_ONE_MORE = 100  # in an epoch: one more for the tasks' gradients costs about 1%
_STEPS_PER_CALL = 50  # steps between two looks at the progress bar, at the most


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What an epoch came to: its number from 1, its mean losses, and its seconds.

    `sharing` tells how tasks share what they share, on the batch that comes next: see `mixtures`
    and `task_gradients` of MultiTaskModel.
    """

    number: int
    losses: dict[str, float]
    seconds: float
    sharing: dict[str, float] = dataclasses.field(default_factory=dict)


class Training:
    """A model on its way through its epochs.

    Args:
      model: a MultiTaskModel.
      batches: where its rows come from.
      settings: the training settings.
      folder: where checkpoints are kept; the last one in it is restored.
    """

    def __init__(
        self,
        model: tf.keras.Model,
        batches: TrainingBatches,
        settings: Settings,
        folder: pathlib.Path,
    ) -> None:
        self.model = model
        self._batches = batches
        self._folder = folder
        tells = settings.task_gradients
        if tells == "auto":
            self._tells_gradients = batches.steps_per_epoch >= _STEPS_WORTH_ONE_MORE
        else:
            self._tells_gradients = tells == "always"
        rate = settings.learning_rate
        if settings.learning_rate_decay == "cosine":
            steps = settings.epochs * batches.steps_per_epoch
            rate = tf.keras.optimizers.schedules.CosineDecay(rate, steps)
        model.optimizer = optimizers.build(settings.optimizer, rate)
        checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1)
        if self._manager.latest_checkpoint is not None:
            checkpoint.restore(self._manager.latest_checkpoint)
        # Else the first step would make its slots, and be traced a second time: half a second. A
        # private method, as Keras' legacy optimizers have no `build`.
        model.optimizer._create_all_weights(model.trainable_variables)
        # Without AutoGraph: rewriting every function from here down takes seconds, and none of them
        # branches on a tensor. One that does can be a tf.function of its own.
        self._run_steps = tf.function(self._steps, autograph=False)

    @property
    def step(self) -> int:
        return int(self.model.optimizer.iterations)

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return self.step // self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return self._batches.steps_per_epoch

    def epochs(self, last: int, on_steps: Callable[[int], None]) -> Iterator[Epoch]:
        """Trains up to epoch `last`; `on_steps` hears how many steps have just been made.

        Raises RunError when a loss is not finite. After SIGTERM the step is saved, and SystemExit
        raised.
        """
        iterator = iter(self._batches.dataset(self.step))
        with _sigterm.noted() as sigterm:
            while self.step < last * self.steps_per_epoch:
                started = time.monotonic()
                left = self.steps_per_epoch - self.step % self.steps_per_epoch
                if left == self.steps_per_epoch:  # else means so far came with the checkpoint
                    self.model.reset_metrics()
                while left:
                    self._stop_if(sigterm)
                    number = min(left, _STEPS_PER_CALL)
                    self._run_steps(iterator, tf.constant(number))
                    left -= number
                    on_steps(number)
                losses = {metric.name: float(metric.result()) for metric in self.model.metrics}
                sharing = self._sharing()
                epoch = Epoch(self.epoch, losses, time.monotonic() - started, sharing)
                _check_finite(epoch)
                yield epoch
                self._stop_if(sigterm)

    def _sharing(self) -> dict[str, float]:
        features = self._batches.batch(self.step)
        told = self.model.traced_mixtures(features)
        if self._tells_gradients:
            told |= self.model.traced_task_gradients(features)
        return {name: float(value) for name, value in told.items()}

    def _stop_if(self, sigterm: threading.Event) -> None:
        if sigterm.is_set():
            self.save()
            raise SystemExit(_sigterm.EXIT_STATUS)

    def save(self) -> None:
        """Writes a checkpoint of weights, optimizer and step; the one before is removed."""
        with writing(self._folder):
            self._manager.save(checkpoint_number=self.step)

    def _steps(self, iterator: Iterator, number: tf.Tensor) -> None:
        def body(done: tf.Tensor) -> tuple[tf.Tensor]:
            self.model.train_step(next(iterator))
            return (done + 1,)

        tf.while_loop(lambda done: done < number, body, [0], parallel_iterations=1)


def _check_finite(epoch: Epoch) -> None:
    for name, loss in epoch.losses.items():
        if not math.isfinite(loss):
            what = "The total loss" if name == TOTAL_LOSS else f"The loss of {name}"
            raise RunError(
                f"{what} is {loss} in epoch {epoch.number}: try a smaller training.learning_rate "
                "in a new --run-dir."
            )


def held_out_losses(
    model: tf.keras.Model, rows: Interactions, batch_size: int, recent: Recent | None
) -> dict[str, float]:
    """`mean_losses` of held-out rows; `recent` tells what came before them."""
    return mean_losses(model, ordered_batches(model.narrowed(rows), batch_size, recent))


def mean_losses(model: tf.keras.Model, batches: tf.data.Dataset) -> dict[str, float]:
    """Each task's mean loss, and the weighted sum, over held-out batches.

    A task that has no row to be the mean over is left out.
    """
    model.reset_metrics()
    for features in batches:
        model.traced_test_step(features)
    return {
        metric.name: float(metric.result()) for metric in model.metrics if float(metric.count) > 0
    }


def save_weights(model: tf.keras.Model, folder: pathlib.Path) -> None:
    """Writes the weights alone, in place of what the folder held."""
    checkpoint = _weights(model)
    with writing(folder):
        tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1).save()


def has_weights(folder: pathlib.Path) -> bool:
    """Whether weights have been written there, in full."""
    return tf.train.latest_checkpoint(str(folder)) is not None


def load_weights(model: tf.keras.Model, folder: pathlib.Path) -> None:
    """Raises RunError where there is no checkpoint, or it belongs to another model."""
    latest = tf.train.latest_checkpoint(str(folder))
    if latest is None:
        raise RunError(f"{folder} holds no checkpoint.")
    try:
        status = _weights(model).restore(latest)
        status.expect_partial()  # the error below says it; TensorFlow's warnings say it again
        status.assert_consumed()
    except (AssertionError, ValueError, IndexError, tf.errors.OpError) as error:
        raise RunError(f"{latest} does not fit the model of this config: {error}") from error


def _weights(model: tf.keras.Model) -> tf.train.Checkpoint:
    """Without the optimizer, which the model holds too; names say which weight is missing."""
    return tf.train.Checkpoint(**{f"weight_{n}": weight for n, weight in enumerate(model.weights)})
