"""The planted structure of data in the form of Tenrec: who is shown what, and what comes of it.

An exposure follows from the user's last click with chance FOLLOW, into a cluster that is next to
the cluster of that click; else it is of a genre that suits the user, and of a cluster of that genre
by popularity. In the cluster, popularity decides (_planted_tenrec/catalogue.py).

Each label has a score of its own, of mean 0 and variance 1 over all pairs: a bias of the user, one
of the item, and the product of their factors, in good part given away by gender and age, or by the
cluster. The score of what is not the click is mixed with that of the click, which makes them
correlated. A label's chance depends on nothing but the user, the item and, if it is not the click,
the click: so the best predictions are known.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from multitask_recommender.datasets._planted_tenrec.catalogue import Catalogue

LABELS = ("click", "follow", "like", "share")  # in the order of the files
DIMENSION = 3  # of the factors of each label; a bias follows them
FOLLOW = 0.5  # the chance that an exposure follows from the last click
SUCCESSORS = (0.35, 0.30, 0.20, 0.15)  # chances of the clusters next to one: itself, three others
LIKELY, AGAIN = 0.6, 0.2  # so likely a click that did not happen is shown again, by this chance
REMEMBERED = 20  # an item among so many of the user's latest clicks is not shown to him

# Most of a score is in what many rows share (features, genres, clusters), so that a label that is
# rare can be learnt too.
_USER_BIAS, _ITEM_BIAS, _AFFINITY = 0.08, 0.22, 0.70  # shares of a score's variance
_FROM_FEATURES = 0.8  # of the variance of a user's factors: gender and age
_FROM_GENRE, _FROM_CLUSTER = 0.55, 0.38  # of the variance of an item's factors
_BIAS_FROM_CLUSTER = 0.7  # of the variance of an item's bias
_TASTE = 1.0  # what a unit of affinity to a genre adds to the log-chance of being shown it
_GENDERS = (0.05, 0.50, 0.45)  # chances of the codes 0 (unknown), 1, 2
_AGES = (0.08, 0.03, 0.20, 0.25, 0.20, 0.12, 0.08, 0.04)  # of 0 (unknown), 1..7
_WITHOUT_CATEGORY = 0.013


@dataclasses.dataclass(frozen=True)
class World:
    """Users by id, items by place in the catalogue, beside what the unknown of each is.

    A label's logit is spread * score + intercept: the first intercept where there is a click, the
    second where there is none. (The click's own are the same twice.)
    """

    catalogue: Catalogue
    user_factors: Mapping[str, np.ndarray]  # by label: [U + 1, D + 1] with biases, unknown first
    item_factors: Mapping[str, np.ndarray]  # by label: [I + 1, D + 1] with biases, unknown last
    genre_factors: np.ndarray  # [G, D], of the click
    successors: np.ndarray  # [C, 4], clusters
    item_ids: np.ndarray  # [I], by place
    places: np.ndarray  # [I + 1], by item id; that of the unknown is I
    genders: np.ndarray  # [U + 1]
    ages: np.ndarray  # [U + 1]
    categories: np.ndarray  # [I + 1], by item id: 1 or 2 for the categories 0 and 1, 0 for missing
    correlation: float
    spreads: Mapping[str, float]
    intercepts: Mapping[str, tuple[float, float]]

    @property
    def num_users(self) -> int:
        return len(self.genders) - 1

    def scores(self, label: str, users: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The label's score [B] of users [B] and places [B]."""

        def own(name: str) -> np.ndarray:
            user = self.user_factors[name].take(users, axis=0)
            return products(user, self.item_factors[name].take(places, axis=0))

        return self._mixed(label, own)

    def click_scores(self, users: np.ndarray) -> np.ndarray:
        """The click's score [Q, I] of users [Q] and all places."""
        user, item = self.user_factors["click"][users], self.item_factors["click"][:-1]
        dot = user[:, :DIMENSION] @ item[:, :DIMENSION].T
        return dot + user[:, DIMENSION:] + item[:, DIMENSION]

    def chances(self, label: str, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The label's chance where there is a click, and where there is none."""
        logits = np.float32(self.spreads[label]) * scores
        with_click, without = map(np.float32, self.intercepts[label])
        return sigmoid(logits + with_click), sigmoid(logits + without)

    def click_chances(self, scores: np.ndarray) -> np.ndarray:
        spread, intercept = self.spreads["click"], self.intercepts["click"][0]
        return sigmoid(np.float32(spread) * scores + np.float32(intercept))

    def genre_chances(self, users: np.ndarray) -> np.ndarray:
        """The chances [Q, G] of the genres of what follows from no click."""
        taste = self.user_factors["click"][users, :DIMENSION] @ self.genre_factors.T
        weights = np.exp(_TASTE * taste) * self.catalogue.genre_chances
        return weights / weights.sum(axis=1, keepdims=True)

    def _mixed(self, label: str, own: Callable[[str], np.ndarray]) -> np.ndarray:
        if label == "click":
            return own(label)
        rest = np.float32(np.sqrt(1.0 - self.correlation**2))
        return np.float32(self.correlation) * own("click") + rest * own(label)


def products(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Scores [B] of rows with biases, [B, D + 1] each; several times faster than einsum."""
    scores = users[:, DIMENSION] + items[:, DIMENSION]
    for column in range(DIMENSION):
        scores += users[:, column] * items[:, column]
    return scores


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


def draw_world(
    rng: np.random.Generator, num_users: int, num_items: int, correlation: float
) -> World:
    """With spreads of 1 and intercepts of 0."""
    catalogue = Catalogue(num_items)
    genders, ages = _draw_codes(rng, _GENDERS, num_users), _draw_codes(rng, _AGES, num_users)
    genres = {label: _standard(rng, catalogue.num_genres) for label in LABELS}
    item_ids = rng.permutation(num_items).astype(np.int32) + 1
    places = np.full(num_items + 1, num_items, np.int32)
    places[item_ids] = np.arange(num_items)
    return World(
        catalogue=catalogue,
        user_factors={label: _draw_users(rng, genders, ages) for label in LABELS},
        item_factors={label: _draw_items(rng, catalogue, genres[label]) for label in LABELS},
        genre_factors=genres["click"] / DIMENSION**0.5,
        successors=_draw_successors(rng, catalogue.num_clusters),
        item_ids=item_ids,
        places=places,
        genders=genders,
        ages=ages,
        categories=_draw_categories(rng, catalogue, genres["click"])[places],
        correlation=correlation,
        spreads=dict.fromkeys(LABELS, 1.0),
        intercepts=dict.fromkeys(LABELS, (0.0, 0.0)),
    )


def _draw_codes(rng: np.random.Generator, chances: tuple[float, ...], size: int) -> np.ndarray:
    """uint8 [size + 1]; row 0, the unknown, has code 0."""
    codes = np.searchsorted(np.cumsum(chances)[:-1], rng.random(size), side="right")
    return np.concatenate([[0], codes]).astype(np.uint8)


def _draw_users(rng: np.random.Generator, genders: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Factors and biases [U + 1, D + 1]."""
    of_gender = _standard(rng, len(_GENDERS))[genders[1:]]
    hints = _standardised(of_gender + _standard(rng, len(_AGES))[ages[1:]])
    own = rng.standard_normal(hints.shape, np.float32)
    factors = _FROM_FEATURES**0.5 * hints + (1.0 - _FROM_FEATURES) ** 0.5 * own
    biases = _USER_BIAS**0.5 * rng.standard_normal((len(hints), 1), np.float32)
    return np.concatenate([np.zeros((1, DIMENSION + 1)), np.hstack([factors, biases])]).astype(
        np.float32
    )


def _draw_items(rng: np.random.Generator, catalogue: Catalogue, genres: np.ndarray) -> np.ndarray:
    """Factors and biases [I + 1, D + 1], scaled so that products with users are scores."""
    of_cluster = _standard(rng, catalogue.num_clusters)
    hints = _FROM_GENRE**0.5 * genres[catalogue.genres] + _FROM_CLUSTER**0.5 * of_cluster
    own = rng.standard_normal((catalogue.num_items, DIMENSION), np.float32)
    own *= (1.0 - _FROM_GENRE - _FROM_CLUSTER) ** 0.5
    factors = (_AFFINITY / DIMENSION) ** 0.5 * (own + hints[catalogue.clusters])
    of_cluster = rng.standard_normal(catalogue.num_clusters)[catalogue.clusters]
    biases = _BIAS_FROM_CLUSTER**0.5 * of_cluster
    biases += (1.0 - _BIAS_FROM_CLUSTER) ** 0.5 * rng.standard_normal(catalogue.num_items)
    biases = _ITEM_BIAS**0.5 * biases[:, None]
    return np.concatenate([np.hstack([factors, biases]), np.zeros((1, DIMENSION + 1))]).astype(
        np.float32
    )


def _draw_successors(rng: np.random.Generator, num_clusters: int) -> np.ndarray:
    others = rng.integers(num_clusters, size=(num_clusters, len(SUCCESSORS) - 1))
    return np.hstack([np.arange(num_clusters)[:, None], others]).astype(np.int32)


def _draw_categories(
    rng: np.random.Generator, catalogue: Catalogue, genres: np.ndarray
) -> np.ndarray:
    """uint8 [I + 1] by place: a third of the genres are of category 0; the unknown is missing."""
    is_second = genres[:, 0] >= np.quantile(genres[:, 0], 1 / 3)
    categories = is_second[catalogue.genres][catalogue.clusters] + 1
    categories[rng.random(catalogue.num_items) < _WITHOUT_CATEGORY] = 0
    return np.concatenate([categories, [0]]).astype(np.uint8)


def _standard(rng: np.random.Generator, size: int) -> np.ndarray:
    """Normal draws [size, D], of mean 0 and variance 1 exactly: a few draws may stray far."""
    return _standardised(rng.standard_normal((size, DIMENSION)))


def _standardised(values: np.ndarray) -> np.ndarray:
    values = values - values.mean(axis=0)
    return values / np.maximum(values.std(axis=0), 1e-6)
