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

import numpy as np
import tensorflow as tf

from multitask_recommender.batches import TrainingBatches, ordered_batches
from multitask_recommender.errors import RunError
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers import loss_scale
from multitask_recommender.layers.rows import whole
from multitask_recommender.schema import TOTAL_LOSS
from multitask_recommender.training import _sigterm, optimizers
from multitask_recommender.training._finite import is_finite
from multitask_recommender.training._writing import writing
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.replicas import Replicas
from multitask_recommender.training.settings import Settings

_STEPS_WORTH_ONE_MORE = 100  # in an epoch: one more for the tasks' gradients costs about 1%
STEPS = 3  # a chief's word to its workers: so many steps, see replicas.py
_STEPS_PER_CALL = 50  # steps between two looks at the clock and at SIGTERM, at the most
_WEIGHT, _VALUE = "weight_", ".ATTRIBUTES/VARIABLE_VALUE"  # as TensorFlow calls them
_WIDER = "float16 ends at 65,504; try training.precision=bfloat16"
_TRY = "try a smaller training.learning_rate in a new --run-dir"
_SECONDS_PER_CALL = 1.0  # so many of them as take no longer, where a step is long


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
      checkpoints: where its state is kept; the last one is restored.
      replicas: the devices, which the model was made for.
    """

    def __init__(
        self,
        model: tf.keras.Model,
        batches: TrainingBatches,
        settings: Settings,
        checkpoints: Checkpoints,
        replicas: Replicas | None = None,
    ) -> None:
        self.model = model
        self._replicas = replicas or Replicas()
        self._batches = batches
        self._checkpoints = checkpoints
        self._interval = settings.checkpoint_seconds
        tells = settings.task_gradients
        if tells == "auto":
            self._tells_gradients = batches.steps_per_epoch >= _STEPS_WORTH_ONE_MORE
        else:
            self._tells_gradients = tells == "always"
        rate = settings.learning_rate * _scale(settings, self._replicas.number)
        if settings.learning_rate_decay == "cosine":
            steps = settings.epochs * batches.steps_per_epoch
            rate = tf.keras.optimizers.schedules.CosineDecay(rate, steps)
        with self._replicas.scope():
            optimizer = optimizers.of(settings, rate)
            model.precision = settings.precision
            model.optimizer = loss_scale.wrapped(optimizer, settings.precision)
            # Else the first step would make its slots, and be traced a second time: half a second.
            # A private method, as Keras' legacy optimizers have no `build`.
            model.optimizer._create_all_weights(model.trainable_variables)
        self._state = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        checkpoints.restore(self._state)
        state = loss_scale.state(model.optimizer)
        self._replicas.agree([*model.variables, *model.optimizer.variables(), *state])
        self._saved, self.saved_epochs = time.monotonic(), self.epoch
        self._per_call = 1  # the first step is traced: how long one takes is seen at the next
        self._rounds = self._replicas.rounds(model, batches)

    @property
    def step(self) -> int:
        return int(self.model.optimizer.iterations.numpy())

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return self.step // self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return self._batches.steps_per_epoch

    def epochs(self, last: int, on_steps: Callable[[int], None]) -> Iterator[Epoch]:
        """Trains up to epoch `last`; `on_steps` hears how many steps have just been made.

        Within an epoch the state is saved where that is due; after one, whoever hears of it saves,
        with `save_if_due`. Raises RunError at the step where a loss is not finite. After SIGTERM
        the step is saved, and SystemExit raised.
        """
        run = self.rounds()
        with _sigterm.noted() as sigterm:
            while self.step < last * self.steps_per_epoch:
                started = time.monotonic()
                left = self.steps_per_epoch - self.step % self.steps_per_epoch
                if left == self.steps_per_epoch:  # else means so far came with the checkpoint
                    self.model.reset_metrics()
                while left:
                    self._stop_if(sigterm)
                    number = min(left, self._per_call)
                    self._call(run, number)
                    left -= number
                    on_steps(number)
                    if left:
                        self.save_if_due()
                losses = {metric.name: float(metric.result()) for metric in self.model.metrics}
                sharing = self._sharing()
                yield Epoch(self.epoch, losses, time.monotonic() - started, sharing)
                self._stop_if(sigterm)

    def rounds(self) -> Callable[[int], bool]:
        """What makes the next steps, so many of them, and says whether none was a fault."""
        return self._rounds(self.step)

    def _call(self, run: Callable[[int], bool], number: int) -> None:
        started = time.monotonic()
        self._replicas.tell(STEPS, number)
        if not run(number):
            raise RunError(self._fault())
        per_step = (time.monotonic() - started) / number
        most = _STEPS_PER_CALL * self._replicas.steps_at_once
        self._per_call = max(1, min(most, int(_SECONDS_PER_CALL / per_step)))

    def _fault(self) -> str:
        """What is wrong after a step that a round has stopped at."""
        losses = {metric.name: float(metric.result()) for metric in self.model.metrics}
        of = {name: f"The loss of {name}" for name in losses} | {TOTAL_LOSS: "The total loss"}
        faults = [f"{of[n]} is {loss}" for n, loss in losses.items() if not math.isfinite(loss)]
        what = faults[0] if faults else "A gradient is not finite, with no scale left to lower,"
        epoch = (self.step - 1) // self.steps_per_epoch + 1
        kept = self._checkpoints.latest
        before = "There is no checkpoint before it." if kept is None else f"{kept} is from before."
        remedy = f"{_WIDER}, or {_TRY}" if self.model.precision == "float16" else _TRY
        return f"{what} at step {self.step}, in epoch {epoch}: {remedy}. {before}"

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

    def save_if_due(self) -> None:
        """Writes a checkpoint if the last one is `checkpoint_seconds` old."""
        if time.monotonic() - self._saved >= self._interval:
            self.save()

    def save(self) -> None:
        """Writes a checkpoint of weights, optimizer and place; the one before is removed.

        Raises RunError where a weight is not finite, as one may be before any loss tells.
        """
        _check_finite(self.model)
        place = {"step": self.step, "epochs": self.epoch}
        place["step_in_epoch"] = self.step % self.steps_per_epoch
        self._checkpoints.save(self._state, place)
        self._saved, self.saved_epochs = time.monotonic(), self.epoch


def _scale(settings: Settings, number: int) -> float:
    """What the learning rate is multiplied by."""
    return {"none": 1.0, "linear": number, "sqrt": math.sqrt(number)}[
        settings.learning_rate_scaling
    ]


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
        metric.name: float(metric.result()) for metric in model.metrics if metric.count.numpy() > 0
    }


def num_parameters(model: tf.keras.Model) -> int:
    """How many numbers a model learns."""
    return sum(weight.shape.num_elements() for weight in model.trainable_variables)


def save_weights(model: tf.keras.Model, folder: pathlib.Path) -> None:
    """Writes the weights alone, in place of what the folder held.

    Raises RunError where one is not finite.
    """
    _check_finite(model)
    checkpoint = _weights(model)
    with writing(folder):
        tf.train.CheckpointManager(checkpoint, str(folder.absolute()), max_to_keep=1).save()


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


def read_weights(folder: pathlib.Path) -> list[np.ndarray]:
    """The weights in their order, whatever model they are of; raises RunError where none are."""
    latest = tf.train.latest_checkpoint(str(folder))
    if latest is None:
        raise RunError(f"{folder} holds no checkpoint.")
    try:
        reader = tf.train.load_checkpoint(latest)
        names = sum(name.startswith(_WEIGHT) for name in reader.get_variable_to_shape_map())
        return [reader.get_tensor(f"{_WEIGHT}{n}/{_VALUE}") for n in range(names)]
    except (tf.errors.OpError, RuntimeError) as error:
        raise RunError(f"{latest} is damaged: {error}") from error


def _check_finite(model: tf.keras.Model) -> None:
    """Weights may be spoilt by a step before any loss tells."""
    for weight in model.trainable_variables:
        if not is_finite(weight):
            step = int(model.optimizer.iterations.numpy())
            raise RunError(f"{weight.name} is not finite after step {step}: {_TRY}.")


def _weights(model: tf.keras.Model) -> tf.train.Checkpoint:
    """Without the optimizer, which the model holds too; names say which weight is missing."""
    return tf.train.Checkpoint(
        **{f"{_WEIGHT}{n}": weight for n, weight in enumerate(whole(model.weights))}
    )
