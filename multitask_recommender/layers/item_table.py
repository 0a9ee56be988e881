"""Tables with a row for each item, as a frozen model keeps them: how many rows there are is open.

So the items of an export can change without its graph (export/frozen.py). A new item's row begins
as its table says.
"""

import tensorflow as tf

MEAN = "mean"  # as the items that training has met, in the middle
NOTHING = "nothing"  # with zeros: what is summed over, and of a new item there is nothing yet
UNMET = "unmet"  # with the popularity of an item that nobody has met
_FEATURE = "feature/"


def of_feature(name: str) -> str:
    """The start of a table of a feature's values: what is told of the new item."""
    return _FEATURE + name


def feature_of(start: str) -> str | None:
    """The feature whose values a table holds; None for one that was learnt."""
    return start.removeprefix(_FEATURE) if start.startswith(_FEATURE) else None


class ItemTable(tf.Module):
    """A table [I + 1, ...] whose row is the item's id, for scoring alone.

    Args:
      table: its values; their memory is shared, not copied.
      start: MEAN, NOTHING, UNMET, or that of a feature.
    """

    def __init__(self, table: tf.Tensor | tf.Variable, start: str) -> None:
        super().__init__()
        self.start = start
        # A table of which rows were read would be copied by an ordinary read.
        is_variable = isinstance(table, tf.Variable)
        values = table.read_value_no_copy() if is_variable else tf.convert_to_tensor(table)
        # Values of a feature may get wider as well: more of them in a row.
        others = [None] * (values.shape.rank - 1) if feature_of(start) else values.shape[1:]
        self.rows = tf.Variable(values, trainable=False, shape=[None, *others], name="items")
