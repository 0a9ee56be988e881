"""Rows of tables: taken without a copy where all are wanted, summed reading each of them once."""

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf


def keyed(table: tf.Variable, *vocabularies: Sequence) -> tf.Variable:
    """The table itself, which now tells whose its rows are, as `row_keys`.

    Of each vocabulary [R] in turn it has R + 1 rows, the first for the unknown. So a model of other
    data finds the rows of what both know (training/warm_start.py).
    """
    table.row_keys = vocabularies
    return table


def whole(variables: Iterable[tf.Variable]) -> list[tf.Variable]:
    """The variables, with a table in the place of its shards, where it is in shards."""
    tables = {}
    for variable in variables:
        container = getattr(variable, "_sharded_container", None)  # Keras too asks TensorFlow so
        table = variable if container is None else container()
        tables[id(table)] = table
    return list(tables.values())


def lookup(table: tf.Tensor | tf.Variable, ids: tf.Tensor) -> tf.Tensor:
    """table [R, ...] at ids [...] -> [..., ...].

    Of a table in shards on several servers (training/parameter_servers.py) each is asked for its
    own rows alone, where `tf.gather` would bring the whole table here.
    """
    return tf.nn.embedding_lookup(table, ids)


def take_rows(table: tf.Tensor | tf.Variable, ids: tf.Tensor) -> tf.Tensor:
    """table [R, ...] at ids [n] -> [n, ...].

    Where ids are known, when the graph is made, to be all rows in their order, this is the table
    itself. A variable's gradient is dense then, and summing it by row costs nothing.
    """
    if _are_all(ids, table.shape[0]):
        return tf.convert_to_tensor(table)
    return lookup(table, ids)


def sum_rows(
    table: tf.Variable, members: tf.Tensor, owners: tf.Tensor, num_owners: tf.Tensor
) -> tf.Tensor:
    """The sum of the rows of table [R, D] that are members [m] of each owner, [num_owners, D].

    owners [m] are ascending. Each distinct member is read once, so that the gradient is as sparse
    as the batch.
    """
    distinct, places = tf.unique(members)
    vectors = lookup(table, distinct)
    return tf.sparse.segment_sum(vectors, places, owners, num_segments=num_owners)


def _are_all(ids: tf.Tensor, num_rows: int) -> bool:
    if ids.shape.rank != 1 or ids.shape[0] != num_rows:
        return False
    values = tf.get_static_value(ids)
    return values is not None and np.array_equal(values, np.arange(num_rows))
