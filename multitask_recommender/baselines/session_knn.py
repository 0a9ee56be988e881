"""Session-based nearest neighbours: what was met in the sessions most like the current one.

V-SKNN of Ludewig and Jannach, "Evaluation of Session-based Recommendation Algorithms", UMUAI 28,
2018, section 3.3. A session is what a user met in training, as a set. The current one is a vector
over its items, in which later items count more (`decay`). Of the latest `sample_size` sessions that
share an item with it, the `neighbours` of the highest similarity tell: the score of an item is the
sum of the similarities of those that have it.

Differs from the paper: a neighbour may count by the place, in the current session, of the latest
item that both have (`position`); rare items may count for more (`idf`); and a similarity may be
divided by the root of the neighbour's length (`similarity: cosine`). The defaults are what is best
on Diginetica's validation sessions; the paper's are `position: none, idf: 0, similarity: dot`.

The current session is the history that is given with the query or, without one, what its user met
in training; the user's own session is then no neighbour. Where nobody is a neighbour, items are
ranked by the number of sessions that have them.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from multitask_recommender import user_sessions
from multitask_recommender.baselines._retrieval_only import (
    RetrievalOnly,
    RetrievalOnlySettings,
    matrix_of,
)
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

if TYPE_CHECKING:
    import scipy.sparse

_MOST_ENTRIES = 2**20  # sessions by item of the queries that are worked on at a time: 60 MB
_NO_SESSION = -1

Weight = Literal["none", "linear", "quadratic", "reciprocal", "logarithmic"]

# By the place of an item in the current session, counted from its end (1 is the last), and its
# length: what the item counts.
_WEIGHTS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "none": lambda places, lengths: np.ones(len(places)),
    "linear": lambda places, lengths: (lengths - places + 1) / lengths,
    "quadratic": lambda places, lengths: ((lengths - places + 1) / lengths) ** 2,
    "reciprocal": lambda places, lengths: 1 / places,
    "logarithmic": lambda places, lengths: 1 / np.log2(places + 1),
}
_WEIGHTS_TOLD = (
    "By its place from the end, p of n: linear (n - p + 1) / n, quadratic its square, reciprocal "
    "1 / p, logarithmic 1 / log2(p + 1)."
)


class Settings(RetrievalOnlySettings):
    neighbours: int = Field(500, ge=1, description="How many sessions tell.")
    sample_size: int = Field(
        5000, ge=1, description="Of how many of the latest sessions that share an item."
    )
    decay: Weight = Field(
        "linear", description=f"What an item of the session counts. {_WEIGHTS_TOLD}"
    )
    position: Weight = Field(
        "logarithmic",
        description="What a neighbour counts, by the latest item that it shares, likewise.",
    )
    similarity: Literal["dot", "cosine"] = Field(
        "cosine", description="cosine: divided by the root of the neighbour's number of items."
    )
    idf: float = Field(
        1.0,
        ge=0,
        description="Scores are multiplied by 1 + idf * log(sessions / those with the item).",
    )


class SessionKnn(RetrievalOnly):
    def __init__(
        self,
        settings: Settings,
        session_items: "scipy.sparse.csr_matrix",
        session_of_user: np.ndarray,
        latest: Recent,
    ) -> None:
        """session_items: ones [S, I], the latest session first. session_of_user: [U + 1]."""
        self._settings = settings
        self._session_items = session_items
        self._item_sessions = session_items.T.tocsr()  # [I, S]: of each item, the latest first
        self._session_of_user = session_of_user
        self._latest = latest
        self._counts = np.diff(self._item_sessions.indptr).astype(np.float32)  # [I]
        rarity = np.log(max(session_items.shape[0], 1) / np.maximum(self._counts, 1))
        self._boosts = (1 + settings.idf * rarity).astype(np.float32)

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        import scipy.sparse

        history = self._latest.before(queries)
        lengths = np.count_nonzero(history, axis=1)
        query, item, place = _distinct(history, lengths)
        sizes = np.minimum(self._counts[item], self._settings.sample_size).astype(np.int64)
        own = self._session_of_user[queries[USER_ID]]
        found = [
            self._neighbours((query[part], item[part], place[part]), sizes[part], lengths, own)
            for part in _parts(query, sizes)
        ]
        rows, columns, weights = map(np.concatenate, zip(*found, strict=True))
        shape = len(history), self._session_items.shape[0]
        neighbours = scipy.sparse.csr_matrix((weights, (rows, columns)), shape)
        scores = (neighbours @ self._session_items).toarray() * self._boosts
        scores[np.diff(neighbours.indptr) == 0] = self._counts
        return scores

    def _neighbours(
        self,
        events: tuple[np.ndarray, np.ndarray, np.ndarray],
        sizes: np.ndarray,
        lengths: np.ndarray,
        own: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Queries, sessions and weights [n] of the neighbours.

        Args:
          events: queries, items and places from the end [e] of what is in the current sessions.
          sizes: how many sessions of each item may count [e].
          lengths, own: of each query [Q], the length of its session, and its user's own one.
        """
        settings, num_sessions = self._settings, self._session_items.shape[0]
        query, item, place = events
        weight = _WEIGHTS[settings.decay](place, lengths[query])
        # The latest sessions of all items are among the latest of each.
        entry = np.repeat(self._item_sessions.indptr[item], sizes) + _counted(sizes)
        session = self._item_sessions.indices[entry]
        event = np.repeat(np.arange(len(item)), sizes)
        key = query[event] * np.int64(num_sessions) + session
        order = np.argsort(key, kind="stable")
        key, event = key[order], event[order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        if not len(starts):
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        query, session = np.divmod(key[starts], num_sessions)  # the latest of a query first
        similarity = np.add.reduceat(weight[event], starts)
        place = np.minimum.reduceat(place[event], starts)
        chosen = (session != own[query]) & (_within(query) < settings.sample_size)
        if settings.similarity == "cosine":
            similarity /= np.sqrt(np.diff(self._session_items.indptr)[session])
        ranked = np.flatnonzero(chosen)
        # In single precision, so that equals are not told apart by how they were summed.
        ranked = ranked[np.lexsort((-similarity[ranked].astype(np.float32), query[ranked]))]
        ranked = ranked[_within(query[ranked]) < settings.neighbours]
        query = query[ranked]
        counted = similarity[ranked] * _WEIGHTS[settings.position](place[ranked], lengths[query])
        return query, session[ranked], counted.astype(np.float32)


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> SessionKnn:
    """Keeps the users' positives (a mask of rows [N]), or all rows, as sessions.

    The seed has no effect.
    """
    rows = train if positives is None else train.take(positives)
    ends = user_sessions.ends(rows)[: train.num_users + 1]
    users = np.argsort(-ends, kind="stable")[: np.count_nonzero(ends >= 0)]  # the latest first
    session_of_user = np.full(len(ends), _NO_SESSION)
    session_of_user[users] = np.arange(len(users))
    session_items = matrix_of(rows, None)[users]
    latest = user_sessions.latest(rows, user_sessions.LONGEST)
    return SessionKnn(settings, session_items, session_of_user, latest)


def _distinct(
    history: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries (ascending), items from 0, and places from the end, of what is in sessions [Q, T].

    An item that comes again is where it came last.
    """
    query, column = np.nonzero(history)
    item = history[query, column].astype(np.int64) - 1
    base = int(item.max(initial=0)) + 1
    _, last = np.unique((query * base + item)[::-1], return_index=True)
    rows = len(query) - 1 - last
    return query[rows], item[rows], (lengths[query] - _within(query))[rows]


def _parts(query: np.ndarray, sizes: np.ndarray) -> list[slice]:
    """Slices of events [e], each with whole queries, and not much more than _MOST_ENTRIES."""
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    before = np.cumsum(sizes) - sizes
    part = before[starts] // _MOST_ENTRIES
    bounds = starts[np.flatnonzero(np.diff(part, prepend=-1))]
    edges = [*bounds.tolist(), len(query)] if len(bounds) else [0, 0]
    return [slice(*pair) for pair in zip(edges[:-1], edges[1:], strict=True)]


def _counted(sizes: np.ndarray) -> np.ndarray:
    """0, 1, .. sizes[0] - 1, 0, 1, .. sizes[1] - 1, ..."""
    starts = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) - np.repeat(starts, sizes)


def _within(query: np.ndarray) -> np.ndarray:
    """The place of each row within those of its query, which stand together."""
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    return _counted(np.diff(starts, append=len(query)))
