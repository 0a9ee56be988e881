"""The planted structure of synthetic data: factors, biases, and the features that hint at them.

Row 0 of every table is the unknown: the mean of the others.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from multitask_recommender.interactions import Feature

_DIMENSION = 6
_GENRES = (
    "Action Adventure Animation Comedy Crime Documentary Drama Fantasy Horror Musical Mystery "
    "Romance Sci-Fi Thriller War Western"
).split()
_AGES = ("18-24", "25-34", "35-44", "45-49", "50-55", "56+", "under 18")
_OCCUPATIONS = (
    "administrator artist doctor educator engineer lawyer librarian other programmer scientist "
    "student writer"
).split()
_WORDS_PER_GENRE = 30
# Chosen so that popularity, spread of stars and best scores are near those of MovieLens 100k. Those
# who meet an item like it better than most would, hence a mean below the 3.5 of the drawn stars.
_MEAN_STARS, _NOISE = 2.85, 0.92
_USER_BIAS, _ITEM_BIAS = 0.40, 0.45  # standard deviations, in stars
_AFFINITY_STARS = 0.42  # stars that one unit of affinity is worth
_AFFINITY_LOGITS = 1.85  # and what it adds to the log-chance of a meeting
_POPULARITY = 1.75  # standard deviation of the items' log-chance


@dataclasses.dataclass(frozen=True)
class World:
    """Factors [R + 1, D] and biases [R + 1] of users and items, in float32."""

    user_factors: np.ndarray
    item_factors: np.ndarray
    user_biases: np.ndarray
    item_biases: np.ndarray
    popularity: np.ndarray  # [I + 1], log
    user_features: Mapping[str, Feature]
    item_features: Mapping[str, Feature]

    @property
    def num_users(self) -> int:
        return len(self.user_biases) - 1

    @property
    def num_items(self) -> int:
        return len(self.item_biases) - 1

    def log_propensities(self, users: np.ndarray) -> np.ndarray:
        """Log-softmax over the items, float32 [Q, I]."""
        affinity = self.user_factors[users] @ self.item_factors[1:].T  # [Q, I]
        logits = _AFFINITY_LOGITS * affinity + self.popularity[1:]
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def mean_stars(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Stars [B] before noise and rounding."""
        affinity = np.einsum("bd,bd->b", self.user_factors[users], self.item_factors[items])
        biases = self.user_biases[users] + self.item_biases[items]
        return _MEAN_STARS + biases + _AFFINITY_STARS * affinity

    def draw_stars(
        self, rng: np.random.Generator, users: np.ndarray, items: np.ndarray
    ) -> np.ndarray:
        noise = _NOISE * rng.standard_normal(len(users))
        return np.clip(np.round(self.mean_stars(users, items) + noise), 1, 5).astype(np.float32)

    def chance_of_at_least(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """P(stars >= s) for s = 2, 3, 4, 5: float32 [B, 4]. Half a star rounds either way."""
        from scipy.special import ndtr

        thresholds = np.array([1.5, 2.5, 3.5, 4.5])
        excess = self.mean_stars(users, items)[:, None] - thresholds
        return ndtr(excess / _NOISE).astype(np.float32)


def draw_world(rng: np.random.Generator, num_users: int, num_items: int) -> World:
    user_features, user_hints = _users(rng, num_users)
    item_features, item_hints = _items(rng, num_items)
    popularity = _POPULARITY * rng.standard_normal(num_items)
    # Well-known films are somewhat better liked.
    quality = 0.5 * popularity / _POPULARITY + np.sqrt(0.75) * rng.standard_normal(num_items)
    return World(
        user_factors=_with_unknown(_around(rng, user_hints)),
        item_factors=_with_unknown(_around(rng, item_hints)),
        user_biases=_with_unknown(_USER_BIAS * rng.standard_normal(num_users)),
        item_biases=_with_unknown(_ITEM_BIAS * quality),
        popularity=_with_unknown(popularity),
        user_features=user_features,
        item_features=item_features,
    )


def _around(rng: np.random.Generator, hints: np.ndarray) -> np.ndarray:
    """Half of a factor's variance is in the features, half its own; affinities have variance 1."""
    own = rng.standard_normal(hints.shape)
    return (hints + own) / np.sqrt(2.0) / _DIMENSION**0.25


def _with_unknown(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values.mean(axis=0, keepdims=True), values]).astype(np.float32)


def _users(rng: np.random.Generator, size: int) -> tuple[dict[str, Feature], np.ndarray]:
    """Features, and what they say about the factors, [U, D] with variance 1."""
    features, hints = {}, np.zeros((size, _DIMENSION))
    vocabularies = {"age": _AGES, "gender": ("F", "M"), "occupation": tuple(_OCCUPATIONS)}
    for name, vocabulary in vocabularies.items():
        codes = rng.integers(len(vocabulary), size=size)
        hints += rng.standard_normal((len(vocabulary), _DIMENSION))[codes] / np.sqrt(3.0)
        features[name] = _feature(codes + 1, vocabulary)
    return features, hints


def _items(rng: np.random.Generator, size: int) -> tuple[dict[str, Feature], np.ndarray]:
    """Features, and what their genres say about the factors, [I, D] with variance 1."""
    centres = rng.standard_normal((len(_GENRES), _DIMENSION))
    genres = np.argsort(rng.random((size, len(_GENRES))), axis=1)[:, :3] + 1
    how_many = rng.integers(1, 4, size=size)  # genres of an item
    genres[np.arange(3) >= how_many[:, None]] = 0
    hints = (centres[genres - 1] * (genres > 0)[..., None]).sum(axis=1) / np.sqrt(how_many)[:, None]
    years = 1998 - np.minimum(rng.exponential(12.0, size).astype(int), 70)
    vocabulary = tuple(str(year) for year in range(1928, 1999))
    # A title has three words that are typical of its first genre.
    words = (genres[:, :1] - 1) * _WORDS_PER_GENRE
    words = words + rng.integers(1, _WORDS_PER_GENRE + 1, size=(size, 3))
    stems = [f"{genre.lower()}{n:02d}" for genre in _GENRES for n in range(_WORDS_PER_GENRE)]
    features = {
        "genres": _feature(genres, tuple(_GENRES)),
        "year": _feature(years - 1927, vocabulary),
        "title": _feature(words, tuple(stems)),
    }
    return features, hints


def _feature(codes: np.ndarray, vocabulary: tuple[str, ...]) -> Feature:
    unknown = np.zeros_like(codes[:1])
    return Feature(np.concatenate([unknown, codes]).astype(np.int32), vocabulary)
