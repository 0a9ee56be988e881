"""Items in clusters, and clusters in genres, by popularity: numbered so that no table is needed.

Place p of the catalogue is in cluster p % C, as the p // C most popular there; cluster c is in
genre c % G, as the c // G most popular there. Both curves of popularity are those of `chances`, so
that every chance is exact, and a draw costs the same, for any number of items.
"""

import dataclasses
import functools

import numpy as np

_MAX_GENRES = 12
_HEAD = 4.0  # how many at the head of a popularity curve are about as popular as the first


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Of `num_items` items: about as many clusters as each has items."""

    num_items: int

    @functools.cached_property
    def num_clusters(self) -> int:
        return max(1, round(self.num_items**0.5))

    @functools.cached_property
    def num_genres(self) -> int:
        return min(_MAX_GENRES, self.num_clusters)

    @functools.cached_property
    def clusters(self) -> np.ndarray:
        """The cluster [I] of each place."""
        return np.arange(self.num_items) % self.num_clusters

    @functools.cached_property
    def genres(self) -> np.ndarray:
        """The genre [C] of each cluster."""
        return np.arange(self.num_clusters) % self.num_genres

    @functools.cached_property
    def genre_chances(self) -> np.ndarray:
        """The popularity [G] of each genre, to one who has no taste."""
        return chances(np.arange(self.num_genres), np.array(self.num_genres))

    @functools.cached_property
    def cluster_chances(self) -> np.ndarray:
        """The chance [C] of each cluster where its genre is given."""
        ranks = np.arange(self.num_clusters) // self.num_genres
        return chances(ranks, self._genre_sizes[self.genres])

    @functools.cached_property
    def place_chances(self) -> np.ndarray:
        """The chance [I] of each place where its cluster is given."""
        ranks = np.arange(self.num_items) // self.num_clusters
        return chances(ranks, self._cluster_sizes[self.clusters])

    def draw_clusters(self, genres: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """A cluster [B] of each genre [B], from float32 draws [B] within 0..1."""
        ranks = _ranks(uniform, self._genre_sizes[genres], self._genre_logs[genres])
        return ranks * self.num_genres + genres

    def draw_places(self, clusters: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """A place [B] of each cluster [B], from float32 draws [B] within 0..1."""
        ranks = _ranks(uniform, self._cluster_sizes[clusters], self._cluster_logs[clusters])
        return ranks * self.num_clusters + clusters

    @functools.cached_property
    def _cluster_sizes(self) -> np.ndarray:
        return _dealt(self.num_items, self.num_clusters)

    @functools.cached_property
    def _genre_sizes(self) -> np.ndarray:
        return _dealt(self.num_clusters, self.num_genres)

    @functools.cached_property
    def _cluster_logs(self) -> np.ndarray:
        return np.log1p(self._cluster_sizes / _HEAD).astype(np.float32)

    @functools.cached_property
    def _genre_logs(self) -> np.ndarray:
        return np.log1p(self._genre_sizes / _HEAD).astype(np.float32)


def chances(ranks: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The chance of a rank 0..size - 1: as 1 / (rank + HEAD), about, and of sum 1."""
    return np.log1p(1.0 / (ranks + _HEAD)) / np.log1p(sizes / _HEAD)


def _ranks(uniform: np.ndarray, sizes: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Ranks int32 [B] with those chances: the inverse of their sum."""
    ranks = (np.float32(_HEAD) * np.expm1(uniform * logs)).astype(np.int32)
    return np.minimum(ranks, sizes - 1)  # a draw near 1 may be rounded up


def _dealt(number: int, hands: int) -> np.ndarray:
    """How many int32 [hands] each gets, dealt in turn."""
    return (number // hands + (np.arange(hands) < number % hands)).astype(np.int32)
