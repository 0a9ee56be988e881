"""What training tells of users and items, beside the model: kept in an export, and read of one."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.export.rows import Lists, arrays_of
from multitask_recommender.histories import Rows


@dataclasses.dataclass(frozen=True)
class Known:
    """popularity: of all items that there are ids of, [I].

    met_users: bool [U + 1], whether training has met them.
    seen: splits and members of what each user 0..U is not to be given again.
    recent: of the histories that the model reads; None if it reads none.
    """

    popularity: np.ndarray
    met_users: np.ndarray
    seen: Rows
    recent: Rows | None


class KnownTables(tf.Module):
    """The same as variables."""

    def __init__(self, known: Known) -> None:
        super().__init__()
        popularity = np.append(np.float32(0), known.popularity).astype(np.float32)
        self.popularity = tf.Variable(popularity, trainable=False, name="popularity")  # [I + 1]
        self.met_users = tf.Variable(known.met_users, trainable=False, name="met_users")  # [U + 1]
        self.seen = Lists(known.seen)
        self.recent = None if known.recent is None else Lists(known.recent)


def read(tables: Any) -> Known:
    """Of a KnownTables, or what a loaded SavedModel holds of one."""
    recent = getattr(tables, "recent", None)
    return Known(
        popularity=tables.popularity.numpy()[1:],
        met_users=tables.met_users.numpy(),
        seen=arrays_of(tables.seen),
        recent=None if recent is None else arrays_of(recent),
    )
