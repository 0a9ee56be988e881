"""What `embed_query` and `similar_items` are held against: item vectors, in numpy."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.export.raw_ids import RawIds

Arrays = dict[str, np.ndarray]

_COMPARED = 4096  # items, at the most, by which the vector of a query is compared


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Retrieval vectors of items [I, D]; their last `biases` coordinates are no direction."""

    items: np.ndarray
    biases: int

    def cosines(self, item: int) -> np.ndarray:
        """Of a dense id with every item, [I]; the lowest, -2, with itself."""
        directions = self.items[:, : self.items.shape[1] - self.biases]
        own = directions[item - 1] / max(np.linalg.norm(directions[item - 1]), 1e-12)
        found = directions @ own / lengths(directions)
        found[item - 1] = -2.0
        return found


@dataclasses.dataclass(frozen=True)
class ExpectedQuery:
    """The scores [n] that items [n, D] are to have for the vector of a query.

    Some of all items: those of a few thousand tell of every coordinate.
    """

    scores: np.ndarray
    items: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, vectors: Vectors) -> "ExpectedQuery":
        """scores: of all items, [I]. All vectors need not stay in memory for it."""
        some = slice(None, None, -(-len(scores) // _COMPARED))
        return cls(scores[some].copy(), vectors.items[some].copy())

    def differences(self, answer: Arrays) -> Iterator[tuple[str, float]]:
        if answer["source"][0] != b"popularity":  # whose scores come from no vector
            yield "scores", difference(self.items @ answer["embedding"][0], self.scores)


@dataclasses.dataclass(frozen=True)
class ExpectedAlike:
    """The cosines [I] of all items with one, of which k are asked for."""

    item: int
    cosines: np.ndarray
    k: int
    items: RawIds
    is_exact: bool

    def differences(self, answer: Arrays) -> Iterator[tuple[str, float]]:
        """Raises RunError where there are too few, or the item itself is among them."""
        number, wanted = int(answer["num_items"][0]), min(self.k, self.items.number - 1)
        found = self.items.dense(answer["item_ids"][0, :number])
        if number != wanted or self.item in found:
            raise RunError(
                f"The export answers {number} similar items where the model has {wanted}, or the "
                "item itself: a fault of ours."
            )
        scores = answer["scores"][0, :number]
        yield "scores", difference(scores, self.cosines[found - 1])
        if self.is_exact:
            yield "scores", difference(scores, np.sort(self.cosines)[::-1][:number])


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest, relative to the size of the value where that is above 1."""
    if not len(found):
        return 0.0
    return float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)))


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Of vectors [I, D], [I], and no less than what they can be divided by; without a copy."""
    return np.maximum(np.sqrt(np.einsum("id,id->i", vectors, vectors)), 1e-12)
