"""ESMM: a label that comes only with another one is a product, learnt over the entire space.

Ma et al., "Entire Space Multi-Task Model: An Effective Approach for Estimating Post-Click
Conversion Rate", SIGIR 2018, section 2.3: pCTCVR = pCTR x pCVR, with two losses, of clicks and of
clicks that convert. What only comes with what is said by the tasks (`only_with`); chains may have
any depth: click, like where clicked, share where liked.

Differs from the paper: products are logits, exact at any size; and each head also has a linear
term of the pair, which begins as the dot product (layers/heads.py), unless `linear` is false.
Labels outside every chain have a tower and a head as in `separate`.
"""

import math
from collections.abc import Mapping

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.heads import Head, HiddenLayers, LabelTask, PairShape, Towers
from multitask_recommender.sharing.settings.esmm import Settings

_MOST = -1e-3  # log of the greatest chance with which a conditional head begins


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    The logit of a label in a chain is that of the whole product: P(click and like).
    What is dropped in training is a function of the seed (layers/draws.py).
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, tasks: Mapping[str, LabelTask]
    ) -> None:
        super().__init__(name="esmm")
        # A chain's links are tasks, and form no ring: settings/esmm.py, tasks/settings/binary.py.
        self._parents = {label: task.only_with for label, task in tasks.items()}
        self._bottom = self._towers = None
        if settings.hidden_layers and tasks:
            units, dropout = settings.hidden_layers, settings.dropout
            if settings.bottom == "shared":
                self._bottom = HiddenLayers(units, dropout, "bottom")
            else:
                self._towers = Towers(tasks, units, dropout)
        self._heads = {
            label: Head(pair_shape, _initial_output(task, tasks), f"head_{label}", settings.linear)
            for label, task in tasks.items()
        }

    def call(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        own = self.conditionals(pair, seed, training)
        return {label: self._product(label, own) for label in own}

    def conditionals(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """{label: output [B]} of each head: in a chain the logit of P(like | click)."""
        hidden = {}
        if self._bottom is not None:
            hidden = dict.fromkeys(self._heads, self._bottom(pair, seed, training=training))
        elif self._towers is not None:
            hidden = self._towers(dict.fromkeys(self._heads, pair), seed, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}

    def _product(self, label: str, own: Mapping[str, tf.Tensor]) -> tf.Tensor:
        parent = self._parents[label]
        if parent is None:
            return own[label]
        return logit_of_product(self._product(parent, own), own[label])


def logit_of_product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The logit of sigmoid(a) * sigmoid(b), exact and without overflow.

    With p = 1 / ((1 + e^-a) (1 + e^-b)), p / (1 - p) = 1 / (e^-a + e^-b + e^-(a + b)).
    """
    return -tf.reduce_logsumexp(tf.stack([-a, -b, -a - b]), axis=0)


def _initial_output(task: LabelTask, tasks: Mapping[str, LabelTask]) -> float:
    """Where a head begins: a conditional one so that the product begins at the label's rate.

    Where the label is as frequent as the one that it comes with, its chance begins just below 1.
    """
    if task.only_with is None:
        return task.initial_output
    parent = tasks[task.only_with].initial_output
    log_chance = min(_log_sigmoid(task.initial_output) - _log_sigmoid(parent), _MOST)
    return log_chance - math.log(-math.expm1(log_chance))


def _log_sigmoid(logit: float) -> float:
    return min(logit, 0.0) - math.log1p(math.exp(-abs(logit)))
