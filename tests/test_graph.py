"""The graph: who met whom in training, and nothing else."""

import numpy as np
import pytest

from multitask_recommender import graph, splits
from multitask_recommender.interactions import Entities, Interactions


def events(pairs, num_users=3, num_items=4, **more):
    users, items = np.array(pairs, np.int32).reshape(-1, 2).T
    raw = np.arange(max(num_users, num_items)) + 100
    return Interactions(
        users,
        items,
        Entities(raw[:num_users], num_users),
        Entities(raw[:num_items], num_items),
        **more,
    )


@pytest.fixture
def lopsided() -> Interactions:
    """User 2 has met nobody, item 3 nobody either; 1-1 met twice."""
    return events([(1, 1), (3, 2), (1, 1), (1, 2), (3, 4), (3, 1)])


def test_an_edge_weighs_by_the_roots_of_both_degrees(lopsided):
    found = graph.normalised_adjacency(lopsided).toarray()

    # Nodes: unknown, users 1 2 3, unknown, items 1 2 3 4. Degrees: user 1 has 2, user 3 has 3,
    # items 1 and 2 have 2, item 4 has 1.
    expected = np.zeros([9, 9])
    for user, item, degrees in [(1, 1, 4), (1, 2, 4), (3, 1, 6), (3, 2, 6), (3, 4, 3)]:
        expected[user, 4 + item] = expected[4 + item, user] = degrees**-0.5
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_only_the_chosen_events_make_edges_and_degrees(lopsided):
    chosen = np.array([True, False, False, False, False, True])
    found = graph.normalised_adjacency(lopsided, chosen).toarray()

    # 1-1 and 3-1 are left: item 1 has two neighbours, its users one each.
    assert {cell: found[cell] for cell in zip(*found.nonzero(), strict=True)} == pytest.approx(
        {(1, 5): 0.5**0.5, (3, 5): 0.5**0.5, (5, 1): 0.5**0.5, (5, 3): 0.5**0.5}
    )


def test_without_an_event_there_are_nodes_and_no_edges():
    nothing = events([(1, 1)]).take(np.array([], np.int64))

    assert graph.num_nodes(nothing) == 9
    assert graph.normalised_adjacency(nothing).nnz == 0


def test_no_held_out_pair_reaches_the_graph_of_training():
    rng = np.random.default_rng(5)
    pairs = [(user, item) for user in range(1, 12) for item in rng.permutation(17)[:9] + 1]
    parts = np.tile([0, 0, 0, 1, 2], 20)[: len(pairs)].astype(np.int8)
    cut = splits.split(
        events(pairs, 11, 17, parts=parts), splits.Settings(name="given", validation=0.2)
    )

    found = graph.normalised_adjacency(cut.train)
    edges = {(int(user), int(item)) for user, item in zip(*found.nonzero(), strict=True)}
    offset = cut.train.num_users + 1

    def cells(part):
        known = part.inputs(slice(None))
        return {
            (int(user), int(item) + offset)
            for user, item in zip(known["user_id"], known["item_id"], strict=True)
        }

    assert cells(cut.train) <= edges
    assert len(edges) == 2 * len(cells(cut.train))
    assert not (cells(cut.test) | cells(cut.validation)) & edges
