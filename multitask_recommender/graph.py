"""The graph of users and items that met in training: nodes, edges, and their normalisation.

Nodes are the rows of the users' table and, after them, those of the items' table: node `id` is a
user, node `num_users + 1 + id` an item; the two unknowns are nodes without an edge. Only training
interactions make edges: no held-out row is ever given to this file.
"""

from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender import histories
from multitask_recommender.interactions import Interactions

if TYPE_CHECKING:
    import scipy.sparse


def num_nodes(train: Interactions) -> int:
    return train.num_users + 1 + train.num_items + 1


def normalised_adjacency(
    train: Interactions, chosen: np.ndarray | None = None
) -> "scipy.sparse.csr_matrix":
    """D^-1/2 A D^-1/2 of all nodes, symmetric, float32 [nodes, nodes].

    A pair that met more than once is one edge. `chosen` is a mask [N] of the events that make
    edges; by default all do.

    Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017,
    equation 2, without self-connections.
    """
    import scipy.sparse  # a third of a second

    splits, items = histories.items_of_users(train, chosen)
    users = np.repeat(np.arange(train.num_users + 1), np.diff(splits))
    items = items + train.num_users + 1
    degrees = np.bincount(np.concatenate([users, items]), minlength=num_nodes(train))
    values = (1.0 / np.sqrt(degrees[users] * degrees[items])).astype(np.float32)
    shape = num_nodes(train), num_nodes(train)
    one_way = scipy.sparse.csr_matrix((values, (users, items)), shape)
    return (one_way + one_way.T).tocsr()
