"""What every model shares: tasks, their weighted losses, the training step, and scoring.

A model is a `tfrs.models.Model` that implements `encode`, `embed_queries` and `embed_items`. It
never touches heads, losses or weights.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from multitask_recommender import histories, shares
from multitask_recommender.batches import NO_SEED, STEP_SEED, By, TrainingBatches
from multitask_recommender.errors import DataError
from multitask_recommender.histories import Recent, SharedWindows
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers import loss_scale, tower
from multitask_recommender.layers.draws import seed_of
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.precision import FLOAT32, products_in
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import log_popularity
from multitask_recommender.models import _gradients, _queries, _replicas
from multitask_recommender.models._forward import Forward
from multitask_recommender.models._freezable import Freezable
from multitask_recommender.models._scorer import Scorer
from multitask_recommender.schema import (
    HISTORY,
    ITEM_ID,
    TOLD_HISTORY,
    TOTAL_LOSS,
    USER_ID,
)
from multitask_recommender.settings import Settings

Features = dict[str, tf.Tensor]


class MultiTaskModel(Freezable, tfrs.models.Model, abc.ABC):
    """Minimises a sum of terms over its tasks: weight_t * loss_t, unless the weighting differs.

    Args:
      settings: of the model; `user`, where they have it, names what queries read.
      train: the interactions to learn from.
      tasks: of tasks/; at the most one of them retrieves, the others predict a label each.
      make_sharing: makes the sharing block for a PairShape.
      weighting: combines the tasks' losses (weighting/).
    """

    recent: Recent | None = None  # set by models that read what a user has met before an event
    shares_histories = False  # of models that read one history for many events (SharedWindows)
    context_names: Sequence[str] = ()  # set by models that read features of the event
    optimizer, precision = None, FLOAT32  # of training steps: set by who trains

    def __init__(
        self,
        settings: Settings,
        train: Interactions,
        tasks: Sequence,
        make_sharing: Callable,
        weighting: Any,
    ) -> None:
        super().__init__()
        self.num_items = train.num_items
        self._tasks = list(tasks)
        self.retrieval = next((task for task in tasks if not task.predicts_label), None)
        self.ranking = {task.name: task for task in tasks if task.predicts_label}
        self._make_sharing, self._weighting = make_sharing, weighting
        past = {tower.HISTORY, tower.RECENT}
        read, inputs = set(getattr(settings, "user", [tower.ID])), {tower.ID, *past}
        self._reads_user_features = bool(read - inputs)
        self.orders_by_history = bool(read & past)  # that a query tells
        self.user_features = sorted({*settings.inputs_read().get("user", ())} - inputs)
        self.met_users = histories.counts(train.user_ids, train.num_users) > 0  # [U + 1]
        self._is_met = tf.constant(self.met_users & bool(read & {tower.ID, tower.HISTORY}))
        positive = None if self.retrieval is None else self.retrieval.positive
        popularity = log_popularity(histories.counts_of_items(train, positive))
        self.unmet, self.popularity = popularity[0], popularity[1:]  # of an item met by nobody; [I]
        # All at once: Keras does not see a metric that is put into a dict later.
        names = [*(task.name for task in tasks), TOTAL_LOSS]
        self._loss_means = {name: _replicas.LossMean(name) for name in names}
        self._trace()

    def _trace(self) -> None:
        """Each function once, whoever scores with the model and however often."""
        options = {"reduce_retracing": True, "autograph": False}  # see training/loop.py
        self.traced_queries = tf.function(self.embed_queries, **options)
        self.traced_told = tf.function(self.is_told_of, **options)
        self.traced_items = tf.function(self.embed_items, **options)
        self.traced_predictions = tf.function(self.predictions, **options)
        self.traced_test_step = tf.function(self.test_step, **options)
        self.traced_task_gradients = tf.function(self.task_gradients, **options)
        self.traced_mixtures = tf.function(self.mixtures, **options)

    @property
    @abc.abstractmethod
    def pair_shape(self) -> PairShape:
        """The widths of the pair that the sharing block reads."""

    @abc.abstractmethod
    def encode(self, features: Features, candidate_ids: tf.Tensor, training: bool):
        """The Representation of a batch, its candidates being `candidate_ids` [C], ascending."""

    @abc.abstractmethod
    def embed_queries(self, features: Features) -> tf.Tensor:
        """Retrieval vectors of queries [Q, D]."""

    @abc.abstractmethod
    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        """Retrieval vectors of items [I, D]: a score is the dot product of query and item."""

    @property
    def bias_coordinates(self) -> int:
        """How many of the last coordinates of retrieval vectors are biases of items."""
        # No default of the class: Keras would not see the layer that takes its place.
        return getattr(getattr(self, "_space", None), "bias_coordinates", 0)

    @property
    def reads_told_history(self) -> bool:
        """Whether a history that a query tells counts instead of what was met in training."""
        return False

    def is_told_of(self, features: Features) -> tf.Tensor:
        """Of which queries [Q] something is known that tells them from those of a stranger."""
        return _queries.are_told_of(
            features, self._is_met, self._reads_user_features, self.orders_by_history
        )

    def build_sharing(self) -> None:
        """Called by a subclass at the end of its constructor, when `pair_shape` is known."""
        self._sharing = self._make_sharing(self.pair_shape)

    def narrowed(self, rows: Interactions) -> Interactions:
        """Without the labels and context features that neither the model nor its tasks read."""
        labels = {label for task in self._tasks for label in task.labels}
        return rows.narrowed(labels, self.context_names)

    def batches(
        self, rows: Interactions, batch_size: int, seed: int, by: By = "row"
    ) -> TrainingBatches:
        """Batches to learn from, of what the model reads of these rows."""
        rows = self.narrowed(rows)
        if not self.shares_histories:
            return TrainingBatches(rows, batch_size, seed, by, self.recent)
        # Of what comes first in a session no history tells, but its labels can be learnt.
        most = max(1, batch_size // 4)
        windows = SharedWindows(self.recent, rows, with_first=bool(self.ranking), most=most)
        if not len(windows.rows):
            raise DataError(
                f"No row of {rows.source.name} comes after another of its user: a model that reads "
                "what came before has nothing to learn from."
            )
        return TrainingBatches(rows, batch_size, seed, windows=windows)

    def make_weights(self, train: Interactions) -> None:
        """Makes what layers make when first used: now, so that every checkpoint holds all of it."""
        features = self.features_of(train.inputs(slice(0, 1)))
        ids = features[ITEM_ID]
        self.predict_labels(self.encode(features, ids, training=False), features, training=False)

    def predict_labels(
        self, representation: Representation, features: Features, training: bool
    ) -> Features:
        """What the heads say of each row: {label: logits or stars [B]}."""
        if not self.ranking:
            return {}
        # Not the seeds that `encode` splits off for itself.
        key = tf.random.experimental.stateless_fold_in(features.get(STEP_SEED, NO_SEED), 1)
        seed = seed_of(key, shares.rows(features))
        return self._sharing(representation.pair, seed, training=training)

    def task_losses(self, features: Features, training: bool) -> tuple[Features, tf.Tensor]:
        """Each task's mean loss over the batch, and the model's regularisation."""
        forward = self._forward(features, training)
        return forward.losses, forward.penalty

    def compute_loss(self, features: Features, training: bool = False) -> tf.Tensor:
        """The sum of the tasks' terms; with regularisation when training.

        Held out, whatever the weighting, it is the sum by the weights of the config.
        """
        if training and self._weighting.combines_gradients:
            forward, change = self._with_surgery(features)
        else:
            forward, change = self._forward(features, training), 0.0
        total = tf.add_n(list(forward.terms.values()))
        self._note_losses(forward, total, features)
        return total + forward.penalty + change if training else total

    def _note_losses(self, forward: Forward, total: tf.Tensor, features: Features) -> None:
        losses = forward.losses | {TOTAL_LOSS: total}
        if shares.is_share(features):
            losses = _replicas.summed(losses)
        # Means over the rows that count, also where batches have more or fewer of them.
        rows = forward.rows | {TOTAL_LOSS: tf.size(shares.whole(features)[USER_ID])}
        for name, mean in self._loss_means.items():
            mean.update_state(losses[name], sample_weight=rows[name])

    def train_step(self, features: Features) -> dict[str, tf.Tensor]:
        self.learn(features)
        return self._loss_results()

    def learn(self, features: Features) -> None:
        """A step on a batch; or on a replica's share of it, all of them making it together."""
        self.check_learns()
        with tf.GradientTape() as tape:
            loss = self.compute_loss(features, training=True)
        variables = self.trainable_variables
        gradients = loss_scale.gradients(tape, loss, variables, self.optimizer)
        _replicas.apply(self.optimizer, gradients, variables, shares.is_share(features))

    def test_step(self, features: Features) -> dict[str, tf.Tensor]:
        self.compute_loss(features, training=False)
        return self._loss_results()

    def features_of(self, queries: Mapping[str, np.ndarray]) -> Features:
        """Inputs of some rows as tensors, with what came before them if the model reads it."""
        features = _queries.features_of(queries, self.recent, self.shares_histories)
        if self.reads_told_history and HISTORY in queries:
            features[TOLD_HISTORY] = tf.constant(queries[HISTORY])
        return features

    def task_gradients(self, features: Features) -> Features:
        """How the tasks' terms of a training step pull at what they share (Representation.cut).

        Scalars, such as `gradient_norm/like` and `gradient_cosine/click/like`.
        """
        with tf.GradientTape(persistent=True) as tape:
            forward = self._forward(features, training=True)
        scale = loss_scale.scale_of(self.optimizer)
        gradients = _gradients.at_cut(tape, forward.terms, forward.representation.cut, scale)
        return _gradients.norms_and_cosines(list(forward.terms), _gradients.products(gradients))

    def mixtures(self, features: Features) -> Features:
        """What is learnt about how tasks share: means of gates over the rows, and tasks' weights.

        Scalars, such as `gate/like/expert_0` and `weight/like`; none where nothing of it is learnt.
        """
        learnt = self._weighting.learnt()
        told = {f"weight/{name}": factor for name, factor in learnt.items()}
        if self.ranking and hasattr(self._sharing, "gates"):
            ids = tf.sort(tf.unique(features[ITEM_ID]).y)
            gates = self._sharing.gates(self.encode(features, ids, training=False).pair)
            told |= {f"gate/{name}": tf.reduce_mean(gate) for name, gate in gates.items()}
        return told

    def scorer(self, vectors: Literal["float32", "float16"] = "float32") -> Scorer:
        """A snapshot for evaluation: every item is embedded once, and kept as `vectors`."""
        return Scorer(self, vectors)

    def _forward(self, features: Features, training: bool) -> Forward:
        ids = self._candidate_ids(features)
        losses = {}
        with products_in(self.precision if training else FLOAT32):
            representation = self.encode(features, ids, training)
            if self.retrieval is not None:
                losses[self.retrieval.name] = self.retrieval.loss(representation, features, ids)
            outputs = self.predict_labels(representation, features, training)
        for name, task in self.ranking.items():
            losses[name] = task.loss(outputs[name], features, training)
        every = shares.whole(features)
        rows = {task.name: tf.reduce_sum(task.weights(every, training)) for task in self._tasks}
        # Of what is of no row, and of regularisation, whose means are over the share's own rows.
        part = shares.fraction(features) if shares.is_share(features) else 1.0
        if training:
            terms = self._weighting.terms(losses, rows, part)
        else:
            terms = {task.name: task.weight * losses[task.name] for task in self._tasks}
        return Forward(representation, losses, rows, terms, representation.penalty * part)

    def _with_surgery(self, features: Features) -> tuple[Forward, tf.Tensor]:
        """A batch in training, and what combines the gradients of its terms (_gradients.py)."""
        with tf.GradientTape(persistent=True) as tape:
            forward = self._forward(features, training=True)
        scale = loss_scale.scale_of(self.optimizer)
        gradients = _gradients.at_cut(tape, forward.terms, forward.representation.cut, scale)
        seed = tf.random.experimental.stateless_fold_in(features.get(STEP_SEED, NO_SEED), 2)
        products = _gradients.products(gradients)
        if shares.is_share(features):
            products = _gradients.products_of_shares(gradients, forward.representation)
        factors = self._weighting.shares(products, seed)
        return forward, _gradients.surgery(gradients, forward.representation.cut, factors)

    def _loss_results(self) -> dict[str, tf.Tensor]:
        return {mean.name: mean.result() for mean in self._loss_means.values()}

    def predictions(self, features: Features) -> Features:
        """{label: probabilities or stars [B]} of pairs."""
        ids = tf.sort(tf.unique(features[ITEM_ID]).y)
        representation = self.encode(features, ids, training=False)
        outputs = self.predict_labels(representation, features, training=False)
        return {name: task.prediction(outputs[name]) for name, task in self.ranking.items()}

    def _candidate_ids(self, features: Features) -> tf.Tensor:
        if self.retrieval is not None:
            return self.retrieval.candidate_ids(features)
        return tf.sort(tf.unique(shares.whole(features)[ITEM_ID]).y)
