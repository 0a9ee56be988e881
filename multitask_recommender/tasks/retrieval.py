"""Retrieval: a row's item against other items, as a softmax or pairwise (BPR).

Softmax: cross-entropy of the positive among all items (`full`), the batch's items (`in_batch`), or
the batch's and drawn ones (`sampled`; Yang et al., "Mixed Negative Sampling for Learning Two-tower
Neural Networks in Recommendations", WWW 2020). Where negatives are a sample, logQ correction
subtracts the log of how often an item is expected among them (Yi et al., "Sampling-Bias-Corrected
Neural Modeling for Large Corpus Item Recommendations", RecSys 2019, section 3).
BPR: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

With `logq: false`, `remove_accidental_hits: false` and in-batch negatives the softmax is that of
`tfrs.tasks.Retrieval`, to the last digits, divided by the number of rows: TFRS sums over the batch,
which makes a task weight mean another thing at every batch size. It is computed over the batch's
distinct queries and items, weighted by how often they occur, which is exact and much less work.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from multitask_recommender import histories
from multitask_recommender.batches import STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.means import mean_over
from multitask_recommender.layers.representation import Representation
from multitask_recommender.schema import ITEM_ID, PAD, USER_ID, observed_key
from multitask_recommender.tasks.settings.retrieval import Settings

_FULL_ITEMS = 20_000  # 4,096 queries against as many items: 312 MiB of scores
_EXCLUDED = -1e30  # a logit whose exponential is 0; finite, so that no gradient is NaN


class Task:
    """Mean loss over the rows that are positives."""

    predicts_label = False
    is_regression = False

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        self.name = name
        self.weight = settings.weight
        self._settings = settings
        self.negatives = _choose_negatives(settings, train.num_items)
        self._num_items = train.num_items
        counts = histories.counts(train.item_ids, train.num_items)
        self._log_share = tf.constant(_log_share(counts, power=1.0))  # [I + 1]
        self._log_drawn = tf.constant(_log_share(counts, settings.negatives_power))
        self._cumulative = tf.cumsum(tf.exp(self._log_drawn))
        splits, items = histories.items_of_users(train, train.positives(settings.positive))
        self._positives = tf.RaggedTensor.from_row_splits(items, splits, validate=False)

    def candidate_ids(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """The distinct items [C], ascending, that the model must embed for this batch's loss."""
        if self.negatives == "full":
            return tf.range(self._num_items + 1)
        ids = features[ITEM_ID]
        if self.negatives == "sampled":
            ids = tf.concat([ids, self._draw(features)], axis=0)
        return tf.sort(tf.unique(ids).y)

    def loss(
        self, representation: Representation, features: dict[str, tf.Tensor], ids: tf.Tensor
    ) -> tf.Tensor:
        """Mean loss over positive rows; ids [C] are those of `candidate_ids`, embedded."""
        queries = representation.queries / self._settings.temperature
        scores = tf.matmul(queries, representation.candidates, transpose_b=True)  # [Q, C]
        losses = self._bpr if self._settings.loss == "bpr" else self._softmax
        return mean_over(losses(scores, representation, features, ids), self.weights(features))

    def weights(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """1.0 for the rows [B] whose item the user is to be given, 0.0 for the others."""
        del training  # the same rows count everywhere
        known = tf.cast(features[ITEM_ID] != PAD, tf.float32)
        label = self._settings.positive
        if label is None:
            return known
        return known * tf.cast(features[label] == 1, tf.float32) * features[observed_key(label)]

    def _softmax(
        self,
        scores: tf.Tensor,
        representation: Representation,
        features: dict[str, tf.Tensor],
        ids: tf.Tensor,
    ) -> tf.Tensor:
        """Cross-entropy of each row [B]."""
        log_occurrences, log_expected = self._negatives_of(features, ids)  # [C], [C]
        rows, columns = representation.query_rows, representation.candidate_rows
        left_out = None
        if self._settings.remove_positives:
            left_out = self._positive_cells(representation, features, ids)
        log_totals, own = softmax_parts(
            scores, log_occurrences - log_expected, tf.stack([rows, columns], axis=1), left_out
        )
        log_total = tf.gather(log_totals, rows)  # [B]
        own -= tf.gather(log_expected, columns)  # [B]
        losses = log_total - own
        if self._settings.remove_accidental_hits:
            # One occurrence is the row's own positive; the others are accidental hits. All of
            # them are at most the total, whatever rounding says.
            log_occurred = tf.maximum(tf.gather(log_occurrences, columns), 0.0)
            share = tf.exp(tf.minimum(own - log_total, -log_occurred))
            losses += tf.math.log1p((1.0 - tf.exp(log_occurred)) * share)
        if left_out is None:
            return losses
        # The total holds no occurrence of a training positive; of a held-out one, it does.
        is_left_out = _are_among(tf.stack([rows, columns], axis=1), left_out, tf.size(ids))
        return tf.where(is_left_out, tf.nn.softplus(log_total - own), losses)

    def _bpr(
        self,
        scores: tf.Tensor,
        representation: Representation,
        features: dict[str, tf.Tensor],
        ids: tf.Tensor,
    ) -> tf.Tensor:
        """Mean over a row's drawn negatives of -log sigmoid(positive - negative), [B]."""
        rows, columns = representation.query_rows, representation.candidate_rows
        own = tf.gather_nd(scores, tf.stack([rows, columns], axis=1))[:, None]  # [B, 1]
        drawn = tf.reshape(tf.searchsorted(ids, self._draw(features)), [tf.size(rows), -1])
        cells = tf.stack([tf.broadcast_to(rows[:, None], tf.shape(drawn)), drawn], axis=2)
        is_negative = drawn != columns[:, None]  # [B, n]
        if self._settings.remove_positives:
            left_out = self._positive_cells(representation, features, ids)
            met = tf.scatter_nd(left_out, tf.ones(tf.shape(left_out)[:1]), tf.shape(scores))
            is_negative &= tf.gather_nd(met, cells) == 0
        weights = tf.cast(is_negative, tf.float32)
        losses = tf.nn.softplus(tf.gather_nd(scores, cells) - own) * weights
        return tf.math.divide_no_nan(tf.reduce_sum(losses, 1), tf.reduce_sum(weights, 1))

    def _negatives_of(
        self, features: dict[str, tf.Tensor], ids: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logs of how often each candidate [C] occurs as a negative, and was expected to."""
        if self.negatives == "full":
            return _log_or_excluded(tf.cast(ids != PAD, tf.float32)), tf.zeros_like(ids, tf.float32)
        batch_ids = features[ITEM_ID]
        # Of the candidates only: a step must not grow with the catalogue.
        share = tf.exp(tf.gather(self._log_share, ids))  # [C]
        expected = share * tf.cast(tf.size(batch_ids), tf.float32)
        if self.negatives == "sampled":
            drawn = self._draw(features)
            batch_ids = tf.concat([batch_ids, drawn], axis=0)
            share = tf.exp(tf.gather(self._log_drawn, ids))
            expected += share * tf.cast(tf.size(drawn), tf.float32)
        places = tf.searchsorted(ids, batch_ids)
        occurrences = tf.math.bincount(places, minlength=tf.size(ids), dtype=tf.float32)
        occurrences *= tf.cast(ids != PAD, tf.float32)
        # Of the padding none is expected, and none occurs: any number will do.
        is_pad = tf.cast(ids == PAD, tf.float32)
        log_expected = tf.math.log(expected + is_pad)
        if not self._settings.logq:
            log_expected = tf.zeros_like(log_expected)
        return _log_or_excluded(occurrences), log_expected

    def _draw(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Item ids drawn by the batch's own seed: the same at every call for one batch."""
        number = self._settings.num_negatives
        if self._settings.loss == "bpr":
            number *= tf.size(features[ITEM_ID])
        points = tf.random.stateless_uniform([number], features[STEP_SEED])
        # side="right" skips the padding, whose share is 0; rounding may leave the sum below 1.
        drawn = tf.searchsorted(self._cumulative, points * self._cumulative[-1], side="right")
        return tf.minimum(drawn, self._num_items)

    def _positive_cells(
        self, representation: Representation, features: dict[str, tf.Tensor], ids: tf.Tensor
    ) -> tf.Tensor:
        """Cells [M, 2] of the scores where a query's user meets one of its training positives."""
        num_queries = tf.shape(representation.queries)[0]
        users = tf.math.unsorted_segment_max(
            features[USER_ID], representation.query_rows, num_queries
        )  # [Q]
        items = tf.gather(self._positives, users)  # ragged [Q, *]
        rows, items = items.value_rowids(), items.values
        places = tf.minimum(tf.searchsorted(ids, items), tf.size(ids) - 1)
        is_candidate = tf.gather(ids, places) == items
        cells = tf.stack([tf.cast(rows, tf.int32), places], axis=1)
        return tf.boolean_mask(cells, is_candidate)


def softmax_parts(
    scores: tf.Tensor,
    offsets: tf.Tensor,
    cells: tf.Tensor,
    left_out: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The two parts of a softmax cross-entropy, over scores [Q, C] and offsets [C] of columns.

    The log of the sum of exponentials of scores + offsets in each row, [Q], in which cells [M, 2]
    of `left_out` do not count (a row without cells gives a very negative number); and the scores
    of `cells` [B, 2] without offsets, [B]. Gradients are those of the scores alone.
    """

    @tf.custom_gradient
    def parts(scores: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable]:
        logits = scores + offsets
        if left_out is not None:
            # Before the maximum is taken: far below such a cell, the rest would vanish.
            none = tf.fill(tf.shape(left_out)[:1], _EXCLUDED)
            logits = tf.tensor_scatter_nd_update(logits, left_out, none)
        top = tf.reduce_max(logits, axis=1, keepdims=True)
        top = tf.where(top > 0.5 * _EXCLUDED, top, 0.0)  # where nothing is left, exps are all 0
        exps = tf.exp(logits - top)
        totals = tf.reduce_sum(exps, axis=1, keepdims=True)  # [Q, 1]

        def gradient(of_totals: tf.Tensor, of_cells: tf.Tensor) -> tf.Tensor:
            # The exponentials are kept, where TensorFlow's own logsumexp computes them twice; and
            # the cells' share is added in place, not as one more matrix.
            of_totals = tf.convert_to_tensor(of_totals)[:, None]  # may be IndexedSlices
            softmax = exps * tf.math.divide_no_nan(of_totals, totals)
            return tf.tensor_scatter_nd_add(softmax, cells, tf.convert_to_tensor(of_cells))

        log_totals = tf.squeeze(_log_or_excluded(totals) + top, axis=1)
        return (log_totals, tf.gather_nd(scores, cells)), gradient

    return parts(scores)


def _are_among(cells: tf.Tensor, others: tf.Tensor, num_columns: tf.Tensor) -> tf.Tensor:
    """Which of the cells [B, 2] are among others [M, 2], which ascend."""
    scale = tf.stack([tf.cast(num_columns, tf.int64), 1])
    keys, known = (tf.reduce_sum(tf.cast(x, tf.int64) * scale, axis=1) for x in (cells, others))
    places = tf.searchsorted(known, keys, side="right") - tf.searchsorted(known, keys)
    return places > 0


def _log_or_excluded(values: tf.Tensor) -> tf.Tensor:
    """log(values), and a very negative number where a value is 0."""
    return tf.where(values > 0, tf.math.log(tf.maximum(values, 1e-37)), _EXCLUDED)


def _log_share(counts: np.ndarray, power: float) -> np.ndarray:
    """log of each item's share of count ** power, -inf for the padding, [I + 1].

    An item without training events counts as one half, so that every share is defined.
    """
    weights = np.maximum(counts, 0.5).astype(np.float64) ** power
    weights[PAD] = 0
    with np.errstate(divide="ignore"):
        return np.log(weights / weights.sum()).astype(np.float32)


def _choose_negatives(settings: Settings, num_items: int) -> str:
    if settings.negatives != "auto":
        return settings.negatives
    if num_items <= _FULL_ITEMS:
        return "full"
    return "sampled" if settings.loss == "bpr" else "in_batch"
