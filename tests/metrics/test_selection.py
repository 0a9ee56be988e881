"""Selection against sorting, where rows are wide enough to be grouped."""

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.metrics.selection import MISSED, select


@pytest.mark.parametrize("num_items", [5, 64, 1003, 4097])
@pytest.mark.parametrize("levels", [3, 10**6])
def test_items_and_ranks_are_those_of_a_full_sort(num_items, levels):
    generator = np.random.default_rng([num_items, levels])
    scores = generator.integers(-levels, levels, size=(6, num_items)).astype(np.float32)
    scores[generator.random(scores.shape) < 0.2] = -np.inf
    scores[5] = -np.inf  # a query without candidates
    is_relevant = (generator.random(scores.shape) < 0.05) & np.isfinite(scores)
    relevant = np.flatnonzero(is_relevant)

    selection = select(scores, relevant, depth=10)

    for row, cell in enumerate(scores):
        # Best first; among equals the non-relevant first, then lower columns.
        order = np.lexsort((np.arange(num_items), is_relevant[row], -cell))
        order = order[np.isfinite(cell[order])][:10]
        items = selection.items[row]
        assert items[: len(order)].tolist() == order.tolist()
        assert (items[len(order) :] == -1).all()
    for place, (row, column) in enumerate(zip(*np.nonzero(is_relevant), strict=True)):
        row_rank = (scores[row] >= scores[row, column]).sum()
        assert selection.row_ranks[place] == (row_rank if row_rank <= 10 else MISSED)


def test_the_first_relevant_item_has_its_rank_however_deep():
    scores = np.array([[9, 8, 7, 7, 6, 5, 4, 3], [1, 2, 3, 4, 5, 6, 7, 8]], np.float32)

    selection = select(scores, np.array([3, 6, 8]), depth=2)

    # Item 3 of row 0 ties with item 2; item 0 of row 1 is the last of eight.
    assert selection.ranks.tolist() == [4, MISSED, 8]


def test_a_relevant_item_that_is_no_candidate_is_missed():
    scores = np.array([[3, -np.inf, 1, 2]], np.float32)

    assert select(scores, np.array([1]), depth=2).ranks.tolist() == [MISSED]


@pytest.mark.parametrize("column", [0, 500, 1002])
def test_a_score_that_is_not_a_number_is_found_anywhere(column):
    scores = np.ones((3, 1003), np.float32)
    scores[1, column] = np.nan

    with pytest.raises(RunError, match=rf"item {column + 1} is not a number \(row 1"):
        select(scores, np.empty(0, np.int64), depth=10)
