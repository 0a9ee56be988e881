"""Retrieval: a row's item against other items, as a softmax or pairwise (BPR).

Softmax: cross-entropy of the positive among all items (`full`), the batch's items (`in_batch`),
drawn ones (`drawn`), or both (`sampled`; Yang et al., "Mixed Negative Sampling for Learning
Two-tower Neural Networks in Recommendations", WWW 2020). Where negatives are a sample, logQ
correction subtracts the log of how often an item is expected among them (Yi et al.,
"Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", RecSys 2019,
section 3).
BPR: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009. With
`hardness` negatives that score high are drawn more often, by their scores themselves (Rendle and
Freudenthaler, "Improving Pairwise Learning for Item Recommendation from Implicit Feedback", WSDM
2014, draw by ranks). BPR-max (_bpr.py) is against the negatives of a softmax, the more the higher
they score.

With `logq: false`, `remove_accidental_hits: false` and in-batch negatives the softmax is that of
`tfrs.tasks.Retrieval`, to the last digits, divided by the number of rows: TFRS sums over the batch,
which makes a task weight mean another thing at every batch size. It is computed over the batch's
distinct queries and items, weighted by how often they occur, which is exact and much less work.

Where a label says which rows are positives, the loss is that of a batch of these alone. The other
rows are items that their user was shown and left: with `exposed_weight`, such items of a user count
that many times more among his negatives, as far as they are candidates.
"""

import numpy as np
import tensorflow as tf

from multitask_recommender import histories, shares
from multitask_recommender.batches import STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers import draws
from multitask_recommender.layers.means import part_of_mean
from multitask_recommender.layers.precision import product
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.softmax import (
    EXCLUDED,
    are_among,
    excluding,
    log_or_excluded,
    softmax_parts,
)
from multitask_recommender.schema import ITEM_ID, PAD, USER_ID, observed_key
from multitask_recommender.tasks._batch import Batch, are_drawn_members, cells_of
from multitask_recommender.tasks._bpr import bpr_losses, bpr_max_losses, hard_bpr_losses
from multitask_recommender.tasks._drawn import drawn_alone, log_of, share_of
from multitask_recommender.tasks.settings.retrieval import Settings


class Task:
    """Mean loss over the rows that are positives, all alike unless `user_power` weighs users."""

    predicts_label = False
    is_regression = False

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        self.name = name
        self.weight = settings.weight
        self.positive = settings.positive
        self.temperature = settings.temperature
        self.labels = () if self.positive is None else (self.positive,)  # that a batch must hold
        self._settings = settings
        self._slope = settings.slope / settings.temperature  # of differences of products
        self.negatives = settings.negatives_among(train.num_items)
        self._num_items = train.num_items
        positives = train.positives(settings.positive)
        counts = histories.counts(train.item_ids, train.num_items, positives)
        drawn = share_of(counts, settings.negatives_power)
        self._log_share = tf.constant(log_of(share_of(counts, power=1.0)))  # [I + 1]
        self._log_drawn = tf.constant(log_of(drawn))
        self._cumulative = None  # where all items are drawn alike
        if settings.negatives_power > 0:
            # In single precision, sums of a million shares are off by percents.
            self._cumulative = tf.constant(np.cumsum(drawn), tf.float64)
        self._positives = None  # for who leaves them out: they take as much memory as the rows
        self._user_weights = None  # where all rows count alike
        if settings.remove_positives or settings.user_power != 1:
            met = histories.items_of_users(train, positives)
            self._positives = _ragged(met)
            self._most_positives = int(np.diff(met[0]).max())  # of a user
            if settings.user_power != 1:
                numbers = np.maximum(np.diff(met[0]), 1).astype(np.float32)
                self._user_weights = tf.constant(numbers ** (settings.user_power - 1))  # [U + 1]
        self._exposed = None
        if settings.positive is not None and settings.exposed_weight:
            self._exposed = _ragged(histories.items_left_by_users(train, settings.positive))

    def candidate_ids(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """The distinct items [C], ascending, that the model must embed for this batch's loss."""
        if self.negatives == "full":
            return tf.range(self._num_items + 1)
        ids = shares.whole(features)[ITEM_ID]
        if self._draws:
            ids = tf.concat([ids, self._draw(features)], axis=0)
        return tf.sort(tf.unique(ids).y)

    def loss(
        self, representation: Representation, features: dict[str, tf.Tensor], ids: tf.Tensor
    ) -> tf.Tensor:
        """Mean loss over positive rows; ids [C] are those of `candidate_ids`, embedded.

        Of a share of a batch, its part of the mean.
        """
        batch = self._batch(representation, features, ids)
        weights = all_weights = self.weights(features)
        if shares.is_share(features):
            all_weights = self.weights(shares.whole(features))
        if self._settings.positive is not None:
            rows = tf.squeeze(tf.where(weights > 0), axis=1)
            shows_all = self.negatives == "full" or self._exposed is not None
            batch = batch.take(rows, all_weights > 0, shows_all)
            weights = tf.gather(weights, rows)
        loss = {"softmax": self._softmax, "bpr": self._bpr, "bpr_max": self._bpr_max}
        return part_of_mean(loss[self._settings.loss](batch), weights, all_weights)

    def weights(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """How much each row [B] counts: 0.0 unless its item is one that the user is to be given."""
        del training  # the same rows count everywhere
        weights = tf.cast(features[ITEM_ID] != PAD, tf.float32)
        if self._user_weights is not None:
            weights *= tf.gather(self._user_weights, features[USER_ID])
        label = self._settings.positive
        if label is None:
            return weights
        return weights * tf.cast(features[label] == 1, tf.float32) * features[observed_key(label)]

    def _batch(
        self, representation: Representation, features: dict[str, tf.Tensor], ids: tf.Tensor
    ) -> Batch:
        drawn = points = None
        if self._settings.hardness:
            seed = draws.seed_of(features[STEP_SEED], representation.query_lines)
            number = tf.shape(representation.queries)[0]
            points = draws.uniform(self._settings.num_negatives, number, seed)
        elif self._settings.loss == "bpr":
            drawn = tf.reshape(self._draw(features), [-1, self._settings.num_negatives])
            if shares.is_share(features):
                drawn = tf.gather(drawn, shares.rows(features).places)
        elif self._draws:
            drawn = self._draw(features)
        return Batch(
            user_ids=features[USER_ID],
            occurring=shares.whole(features)[ITEM_ID],
            queries=representation.queries,
            candidates=representation.candidates,
            query_rows=representation.query_rows,
            candidate_rows=representation.candidate_rows,
            ids=ids,
            drawn=drawn,
            points=points,
        )

    @property
    def _draws(self) -> bool:
        return self.negatives in ("sampled", "drawn")

    def _bpr(self, batch: Batch) -> tf.Tensor:
        if self._settings.hardness:
            return self._hard_bpr(batch)
        met = None
        if self._settings.remove_positives:
            met = are_drawn_members(self._positives, self._most_positives, batch)
        return bpr_losses(batch, self._slope, met)

    def _hard_bpr(self, batch: Batch) -> tf.Tensor:
        """Negatives are drawn by count ** negatives_power * exp(hardness * score).

        With hardness 1 and a small slope its gradient is that of a softmax, sampled and scaled: the
        negatives' shares in the loss are theirs in the softmax, and the sigmoid is nearly linear.
        """
        queries = tf.stop_gradient(batch.queries) * (self._settings.hardness / self.temperature)
        logits = self._scores(queries, tf.stop_gradient(batch.candidates))
        logits += tf.maximum(tf.gather(self._log_drawn, batch.ids), EXCLUDED)  # -inf: the padding
        if self._settings.remove_positives:
            logits = excluding(logits, cells_of(self._positives, batch))
        drawn = draws.categorical(logits, batch.points)  # [Q, n]
        are_drawable = tf.gather(logits, drawn, batch_dims=1) > 0.5 * EXCLUDED
        return hard_bpr_losses(batch, self._slope, drawn, are_drawable)

    def _bpr_max(self, batch: Batch) -> tf.Tensor:
        scores = self._scores(batch.queries / self.temperature, batch.candidates)
        log_occurrences, _ = self._negatives_of(batch)
        offsets = tf.tile(log_occurrences[None, :], [tf.shape(scores)[0], 1])  # [Q, C]
        if self._settings.remove_positives:
            offsets = excluding(offsets, cells_of(self._positives, batch))
        return bpr_max_losses(batch, scores, offsets, self._settings.score_l2)

    def _softmax(self, batch: Batch) -> tf.Tensor:
        """Cross-entropy of each row [B]."""
        log_occurrences, log_expected = self._negatives_of(batch)  # [C], [C]
        offsets = log_occurrences - log_expected
        compared, own = batch, None  # with whom queries are compared, beside their own items
        if self.negatives == "drawn":
            own = batch.own_products / self.temperature
            compared, places = drawn_alone(batch)
            offsets = tf.gather(offsets, places)
        scores = self._scores(compared.queries / self.temperature, compared.candidates)
        left_out = again = None
        if self._settings.remove_positives:
            left_out = cells_of(self._positives, compared)
        if self._exposed is not None:
            cells = cells_of(self._exposed, compared)
            # exp(score) counts `exposed_weight` times more than it does already.
            more = tf.math.log(self._settings.exposed_weight)
            each = tf.gather(offsets, cells[:, 1])
            again = cells, tf.maximum(each, more) + tf.math.log1p(tf.exp(-tf.abs(each - more)))
        own_cells = compared.cells if own is None else None
        log_totals, found = softmax_parts(scores, offsets, own_cells, left_out, again)
        log_total = tf.gather(log_totals, batch.query_rows)  # [B]
        own = found if own is None else own
        own -= tf.gather(log_expected, batch.candidate_rows)  # [B]
        losses = log_total - own
        log_occurred = tf.gather(log_occurrences, batch.candidate_rows)
        if self._settings.remove_accidental_hits:
            # One occurrence is the row's own positive; the others are accidental hits. All of
            # them are at most the total, whatever rounding says.
            occurred = tf.maximum(log_occurred, 0.0)
            share = tf.exp(tf.minimum(own - log_total, -occurred))
            losses += tf.math.log1p((1.0 - tf.exp(occurred)) * share)
        # Where the total does not hold the positive itself, it is added.
        is_missing = log_occurred < 0.0
        if self.negatives == "drawn" and not self._settings.remove_accidental_hits:
            is_missing = tf.ones_like(is_missing)
        if left_out is not None:
            # No occurrence of a training positive is in the total; of a held-out one, it is.
            is_missing |= are_among(compared.cells, left_out, tf.size(compared.ids))
        return tf.where(is_missing, tf.nn.softplus(log_total - own), losses)

    def _scores(self, queries: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """All products [Q, C] of queries [Q, D] and candidates [C, D], and so their gradients."""
        return product(queries, candidates, True, self._settings.precision)

    def _negatives_of(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """Logs of how often each candidate [C] occurs as a negative, and was expected to."""
        ids = batch.ids
        if self.negatives == "full":
            return log_or_excluded(tf.cast(ids != PAD, tf.float32)), tf.zeros_like(ids, tf.float32)
        occurring = batch.occurring if self.negatives != "drawn" else batch.occurring[:0]
        # Of the candidates only: a step must not grow with the catalogue.
        share = tf.exp(tf.gather(self._log_share, ids))  # [C]
        expected = share * tf.cast(tf.size(occurring), tf.float32)
        if batch.drawn is not None:
            occurring = tf.concat([occurring, batch.drawn], axis=0)
            share = tf.exp(tf.gather(self._log_drawn, ids))
            expected += share * tf.cast(tf.size(batch.drawn), tf.float32)
        places = tf.searchsorted(ids, occurring)
        occurrences = tf.math.bincount(places, minlength=tf.size(ids), dtype=tf.float32)
        occurrences *= tf.cast(ids != PAD, tf.float32)
        # Of the padding none is expected, and none occurs: any number will do.
        is_pad = tf.cast(ids == PAD, tf.float32)
        log_expected = tf.math.log(expected + is_pad)
        if not self._settings.logq:
            log_expected = tf.zeros_like(log_expected)
        return log_or_excluded(occurrences), log_expected

    def _draw(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Item ids drawn by the batch's own seed: the same at every call for one batch."""
        number, seed = self._settings.num_negatives, features[STEP_SEED]
        if self._settings.loss == "bpr":
            number *= tf.size(shares.whole(features)[ITEM_ID])
        if self._cumulative is None:
            return tf.random.stateless_uniform([number], seed, 1, self._num_items + 1, tf.int32)
        points = tf.random.stateless_uniform([number], seed, dtype=tf.float64)
        # side="right" skips the padding, whose share is 0; rounding may leave the sum below 1.
        drawn = tf.searchsorted(self._cumulative, points * self._cumulative[-1], side="right")
        return tf.minimum(drawn, self._num_items)


def _ragged(rows: histories.Rows) -> tf.RaggedTensor:
    splits, members = rows
    return tf.RaggedTensor.from_row_splits(members, splits, validate=False)
