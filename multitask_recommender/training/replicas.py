"""The devices that make a training's steps: one, or the replicas that share each batch.

The replicas of a step share one batch of training.batch_size rows (shares.py), sum their
gradients, and so take the step that one device would have taken.

Several processes follow the first, the chief. It alone reads checkpoints, evaluates, writes and
prints; before each round of steps it tells the others what comes next (`tell`, `hear`), so that
whatever it decides, when to stop say, is decided once.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator

import tensorflow as tf

from multitask_recommender.batches import TrainingBatches
from multitask_recommender.errors import RunError, said_by_tensorflow
from multitask_recommender.layers import loss_scale
from multitask_recommender.training import cluster

_SUM = tf.distribute.ReduceOp.SUM
Rounds = Callable[[int], Callable[[int], bool]]


class Replicas:
    """One device, or the replicas of a synchronous strategy of TensorFlow's.

    device: the one device, if batches are to be copied there while the step before is made, as
    TensorFlow's strategies do.
    """

    steps_at_once = 1  # how many steps are made side by side

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

    def division(self, rows: int) -> str | None:
        """How a batch of so many rows is divided, in a sentence; None where there is one device."""
        if self.number == 1:
            return None
        each = rows / self.number
        return f"{self.number} devices: batches of {rows:,} rows, about {each:,.0f} on each"

    def scope(self) -> contextlib.AbstractContextManager:
        """Where variables are made that all replicas hold."""
        return contextlib.nullcontext() if self._strategy is None else self._strategy.scope()

    def rounds(self, model: tf.keras.Model, batches: TrainingBatches) -> Rounds:
        """`rounds(model, batches)(start)(number)` makes `number` steps, the first ones from step
        `start` on and then the next ones, and says whether none was a fault.
        """
        # Without AutoGraph: rewriting every function from here down takes seconds, and none of them
        # branches on a tensor. One that does can be a tf.function of its own.
        run = tf.function(lambda *given: self._steps(model, *given), autograph=False)

        def begin(start: int) -> Callable[[int], bool]:
            iterator = self.iterator(batches, start)
            return lambda number: bool(run(iterator, tf.constant(number)))

        return begin

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

    def _steps(self, model: tf.keras.Model, iterator: Iterator, number: tf.Tensor) -> tf.Tensor:
        """Makes `number` steps, or stops after one that is a fault: says if none was.

        A step whose gradients overflow, for being scaled, is none: it is left out.
        """

        def body(done: tf.Tensor, is_well: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if self._strategy is None:
                model.train_step(next(iterator))
            else:
                self._strategy.run(model.learn, args=(next(iterator),))
            return done + 1, are_finite(model) & ~loss_scale.is_exhausted(model.optimizer)

        def goes_on(done: tf.Tensor, is_well: tf.Tensor) -> tf.Tensor:
            return (done < number) & is_well

        start = [tf.constant(0), tf.constant(True)]
        return tf.while_loop(goes_on, body, start, parallel_iterations=1)[1]


def are_finite(model: tf.keras.Model) -> tf.Tensor:
    """Whether all mean losses of an epoch so far are."""
    losses = tf.stack([metric.result() for metric in model.metrics])
    return tf.reduce_all(tf.math.is_finite(losses))


@contextlib.contextmanager
def listening(group: cluster.Cluster) -> Iterator[None]:
    """Raises RunError where, within the block, this process cannot take its place in a cluster."""
    try:
        yield
    except tf.errors.OpError as error:
        raise RunError(
            f"{group.kind} {group.index} cannot serve at {group.address}: "
            f"{said_by_tensorflow(error.message)}. Is that port another process's?"
        ) from error
