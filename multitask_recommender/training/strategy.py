"""The devices that train together, on one machine or several: what training.strategy makes.

All strategies here are synchronous: the replicas of a step share one batch of training.batch_size
rows (shares.py), sum their gradients, and so take the step that one device would have taken.

Several processes follow the first, the chief. It alone reads checkpoints, evaluates, writes and
prints; before each round of steps it tells the others what comes next (`tell`, `hear`), so that
whatever it decides, when to stop say, is decided once.
"""

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from multitask_recommender.batches import TrainingBatches
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import cluster
from multitask_recommender.training.settings import Settings

_SUM = tf.distribute.ReduceOp.SUM
_OPERATIONS_AT_ONCE = "TF_NUM_INTEROP_THREADS"  # how many, where the user says so


class Replicas:
    """One device, or the replicas of a strategy of TensorFlow's.

    device: the one device, if batches are to be copied there while the step before is made, as
    TensorFlow's strategies do.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy | None = None,
        group: cluster.Cluster | None = None,
        device: str | None = None,
    ) -> None:
        self._strategy, self._device = strategy, device
        self.is_chief = group is None or group.is_chief
        self.num_workers = 1 if group is None else group.num_workers
        self._first_copy = (
            None if strategy is None else tf.function(self._of_first, autograph=False)
        )

    @property
    def number(self) -> int:
        """How many share a batch."""
        return 1 if self._strategy is None else self._strategy.num_replicas_in_sync

    def scope(self) -> contextlib.AbstractContextManager:
        """Where variables are made that all replicas hold."""
        return contextlib.nullcontext() if self._strategy is None else self._strategy.scope()

    def iterator(self, batches: TrainingBatches, start: int) -> Iterator:
        """Of batches from step `start` on, or of the shares of them that are this process's."""
        if self._strategy is None:
            dataset = batches.dataset(start)
            if self._device is not None:
                dataset = dataset.apply(tf.data.experimental.prefetch_to_device(self._device))
            return iter(dataset)

        def dataset(context: tf.distribute.InputContext) -> tf.data.Dataset:
            each = self.number // context.num_input_pipelines
            first = context.input_pipeline_id * each
            return batches.dealt(start, range(first, first + each), self.number)

        return iter(self._strategy.distribute_datasets_from_function(dataset))

    def learn(self, model: tf.keras.Model, features: Any) -> None:
        """One step on what the iterator gave, within a graph."""
        if self._strategy is None:
            model.train_step(features)
        else:
            self._strategy.run(model.learn, args=(features,))

    def tell(self, word: int, number: int = 0) -> None:
        """Of the chief: what comes next."""
        if self.num_workers > 1:
            self._first_copy([tf.constant([word, number], tf.int64)])

    def hear(self) -> tuple[int, int]:
        """Of the others: what the chief tells next; waits for it."""
        (told,) = self._first_copy([tf.zeros([2], tf.int64)])
        word, number = told.numpy().tolist()
        return word, number

    def agree(self, variables: Iterable[tf.Variable]) -> None:
        """Gives all workers the chief's values, when all of them call it."""
        if self.num_workers > 1:
            variables = list(variables)
            values = self._first_copy([tf.convert_to_tensor(each) for each in variables])
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def _of_first(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        """The values that the first replica of all brings."""

        def summed(values: list[tf.Tensor]) -> list[tf.Tensor]:
            context = tf.distribute.get_replica_context()
            is_first = tf.equal(context.replica_id_in_sync_group, 0)
            own = [tf.where(is_first, each, tf.zeros_like(each)) for each in values]
            return [context.all_reduce(_SUM, each) for each in own]

        found = self._strategy.run(summed, args=(values,))
        return [self._strategy.experimental_local_results(each)[0] for each in found]


@functools.cache
def _replicas(kind: str, number: int | None) -> Replicas:
    gpus = [] if kind == "none" else tf.config.list_physical_devices("GPU")
    if not gpus:
        _make_sums_in_one_order()
    if kind == "multi_worker":
        group = cluster.read(kind)
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), group)
    if kind == "none" or (kind == "auto" and len(gpus) < 2):
        return Replicas(device="GPU:0" if gpus else None)
    # Not by TensorFlow's default, collectives: see models/_replicas.py, of gradients of some rows.
    exchange = tf.distribute.NcclAllReduce() if gpus else tf.distribute.ReductionToOneDevice()
    return Replicas(tf.distribute.MirroredStrategy(_devices(len(gpus), number), exchange))


def replicas(settings: Settings) -> Replicas:
    """The replicas that the settings ask for, made once in a process.

    Raises ConfigError where the machine or the cluster does not have them.
    """
    return _replicas(settings.strategy, settings.replicas)


def _make_sums_in_one_order() -> None:
    """Runs one operation at a time, so that a seed gives the same weights to the last bit.

    `AddN`, which sums the gradients of what several operations read, begins with an input whose
    memory happens to be free: with several operations at once, that is a matter of luck. Each
    still divides its work among all cores. Where this process has run TensorFlow before, or the
    environment says how many operations it wants, that stays as it is.
    """
    if _OPERATIONS_AT_ONCE not in os.environ:
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_inter_op_parallelism_threads(1)


def _devices(num_gpus: int, number: int | None) -> list[str]:
    """Names of the devices of a mirrored strategy: GPUs, else parts of the CPU."""
    if num_gpus:
        if number is not None and number > num_gpus:
            raise ConfigError(f"training.replicas is {number}, but there are {num_gpus} GPUs.")
        return [f"GPU:{place}" for place in range(number or num_gpus)]
    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = len(tf.config.get_logical_device_configuration(cpu) or [None])
    number = number or parts
    if number > parts:
        options = [tf.config.LogicalDeviceConfiguration() for _ in range(number)]
        try:
            tf.config.set_logical_device_configuration(cpu, options)
        except RuntimeError as error:
            raise ConfigError(
                f"training.replicas is {number}, but this process has divided its CPU in {parts} "
                "already: train in a process of its own."
            ) from error
    return [f"CPU:{place}" for place in range(number)]
