"""Small events and scorers that are written down by hand."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from multitask_recommender.interactions import Entities, Interactions


class TableScorer:
    """Scores from a table [U + 1, I] (row 0: the unknown user), label predictions from another."""

    def __init__(self, scores: np.ndarray, labels: Mapping[str, np.ndarray] | None = None) -> None:
        self.scores = np.asarray(scores, np.float32)
        self.labels = labels or {}  # [U + 1, I + 1]

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return self.scores[queries["user_id"]]

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        pairs = queries["user_id"], queries["item_id"]
        return {label: np.asarray(table, np.float32)[pairs] for label, table in self.labels.items()}


@pytest.fixture
def table_scorer() -> type[TableScorer]:
    return TableScorer


@pytest.fixture
def events() -> Callable[..., Interactions]:
    """Events from (user, item) pairs; raw ids are `u1`.. and 101.., beyond `known` unknown."""

    def build(
        pairs: list[tuple[int, int]], known: tuple[int, int], rows: tuple[int, int], **columns: dict
    ) -> Interactions:
        ids = np.array(pairs, np.int32).reshape(-1, 2)
        return Interactions(
            ids[:, 0],
            ids[:, 1],
            Entities(np.array([f"u{i}" for i in range(1, rows[0] + 1)]), known[0]),
            Entities(np.arange(101, rows[1] + 101), known[1]),
            **columns,
        )

    return build
