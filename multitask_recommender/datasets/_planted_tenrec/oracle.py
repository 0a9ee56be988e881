"""The best scores there can be of data in the form of Tenrec: those of the planted numbers.

The next click. Between two clicks of a user, all that he is shown is drawn alike, from the chances
`arrival` of being shown each item. A draw ends in a click with chance c, and is shown again at once
with chance AGAIN where it does not and c > LIKELY; so in all it ends in a click with chance

    e = c / (1 - (1 - c) AGAIN)   where c > LIKELY,   e = c   elsewhere,

and the next click is an item by a chance in proportion to arrival * e: exactly, but for the latest
clicks, which are left out, and for copies of rows. The best hit rate at k that can be expected is
the sum of the k greatest chances, in the mean over the queries.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from multitask_recommender.datasets._planted_tenrec.world import (
    AGAIN,
    FOLLOW,
    LABELS,
    LIKELY,
    REMEMBERED,
    SUCCESSORS,
    World,
)
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import HISTORY, ITEM_ID, PAD, USER_ID

CLICK_AND_LIKE = "click_and_like"  # what ESMM calls CTCVR
_STEPS = 12  # towards the share of each cluster in a user's clicks; an error halves with each


@dataclasses.dataclass(frozen=True)
class Oracle:
    """Scores with the planted numbers. Id 0, the unknown, is the mean user or item.

    clicks_only: every row is a click, so labels are predicted given that.
    recent: the clicks of each user after which the next is asked for, if it is.
    chains: of labels that count as 1 only with others, the labels that must all be 1.
    """

    world: World
    clicks_only: bool = False
    recent: Recent | None = None
    chains: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    def restricted(self, chains: Mapping[str, Sequence[str]]) -> "Oracle":
        """What knows the labels as `label_chains.restrict` makes them."""
        return dataclasses.replace(self, chains=chains)

    def after(self, clicks: Interactions) -> "Oracle":
        """What knows that the next click is asked for, after these of each user."""
        return dataclasses.replace(self, recent=Recent(clicks, REMEMBERED))

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """The log of the chance [Q, I] of each item to be the next click; column c is id c + 1.

        Given `history` [Q, T], the user's clicks, oldest first and padded with 0 on either side,
        the next click after those (after none, the first); else any click of the user.
        """
        if self.recent is not None:
            queries = {**queries, HISTORY: self.recent.before(queries)}
        users = np.asarray(queries[USER_ID])
        world, catalogue = self.world, self.world.catalogue
        ends = _ends_in_click(world.click_chances(world.click_scores(users)))  # [Q, I]
        ends *= catalogue.place_chances.astype(np.float32)
        in_cluster = self._by_cluster(ends)  # [Q, C]
        own = world.genre_chances(users)[:, catalogue.genres] * catalogue.cluster_chances
        if HISTORY in queries:
            history = _latest(np.asarray(queries[HISTORY]), REMEMBERED)
            arrival = self._after(own, history[:, -1])
        else:
            history = np.zeros((len(users), 0), np.int32)
            arrival = self._whenever(own, in_cluster)
        ends *= arrival.astype(np.float32)[:, catalogue.clusters]
        chances = ends[:, world.places[1:]]  # by item id
        _leave_out(chances, history)
        chances /= chances.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            return np.log(chances, dtype=np.float32)

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The chance of each label [B], and of a click with a like."""
        users = np.asarray(queries[USER_ID])
        places = self.world.places[np.asarray(queries[ITEM_ID])]
        scores = {label: self.world.scores(label, users, places) for label in LABELS}
        click = self.world.click_chances(scores.pop("click"))
        if self.clicks_only:
            click = np.ones_like(click)
        chances = {name: self.world.chances(name, score) for name, score in scores.items()}
        predictions = {
            label: self._joint(self.chains.get(label, [label]), click, chances) for label in LABELS
        }
        predictions[CLICK_AND_LIKE] = self._joint(["click", "like"], click, chances)
        return predictions

    @staticmethod
    def _joint(
        labels: Sequence[str],
        click: np.ndarray,
        chances: Mapping[str, tuple[np.ndarray, np.ndarray]],
    ) -> np.ndarray:
        """The chance [B] that all of these are 1: but for the click, each is drawn by itself."""
        joint, without = click, 1.0 - click
        for label in labels:
            if label == "click":
                without = np.zeros_like(without)
            else:
                joint, without = joint * chances[label][0], without * chances[label][1]
        return joint + without

    def _by_cluster(self, values: np.ndarray) -> np.ndarray:
        """Sums [Q, C] over the places of each cluster."""
        size = self.world.catalogue.num_clusters
        padded = np.pad(values, ((0, 0), (0, -values.shape[1] % size)))
        return padded.reshape(len(values), -1, size).sum(axis=1)

    @functools.cached_property
    def _next(self) -> np.ndarray:
        """The chance [C, C] of each cluster to follow each."""
        successors = self.world.successors
        table = np.zeros((len(successors), len(successors)), np.float32)
        for column, chance in enumerate(SUCCESSORS):
            np.add.at(table, (np.arange(len(successors)), successors[:, column]), chance)
        return table

    def _after(self, own: np.ndarray, last: np.ndarray) -> np.ndarray:
        """The chance [Q, C] of each cluster to be shown after the last click, an item id [Q]."""
        clusters = self.world.places[last] % self.world.catalogue.num_clusters
        after = (1.0 - FOLLOW) * own + FOLLOW * self._next[clusters]
        return np.where((last == PAD)[:, None], own, after)

    def _whenever(self, own: np.ndarray, in_cluster: np.ndarray) -> np.ndarray:
        """What is in proportion to that chance [Q, C], in the mean over all clicks of the user.

        in_cluster: the chance [Q, C] that what is shown of a cluster ends in a click.
        """
        to_click = (1.0 - FOLLOW) * (own * in_cluster).sum(axis=1, keepdims=True)
        to_click = to_click + FOLLOW * in_cluster @ self._next.T  # [Q, C], after a click there
        arrival = own
        for _ in range(_STEPS):
            clicks = arrival * in_cluster
            left = clicks / clicks.sum(axis=1, keepdims=True) / to_click
            arrival = (1.0 - FOLLOW) * own * left.sum(axis=1, keepdims=True)
            arrival = arrival + FOLLOW * left @ self._next
        return arrival


def _ends_in_click(click: np.ndarray) -> np.ndarray:
    return np.where(click > LIKELY, click / (1.0 - (1.0 - click) * AGAIN), click)


def _latest(history: np.ndarray, length: int) -> np.ndarray:
    """The last items [Q, length] of padded histories [Q, T], padded on the left."""
    padded = np.pad(history, ((0, 0), (length, 0)))
    order = np.argsort(padded != PAD, axis=1, kind="stable")  # padding first
    return np.take_along_axis(padded, order[:, -length:], axis=1)


def _leave_out(chances: np.ndarray, items: np.ndarray) -> None:
    """Sets the chances [Q, I] of item ids [Q, H] to 0, except where nothing would be left."""
    rows, columns = np.nonzero(items != PAD)
    kept = chances.copy()
    chances[rows, items[rows, columns] - 1] = 0.0
    nothing = ~chances.any(axis=1)
    chances[nothing] = kept[nothing]
