"""What is told of held-out users beside training: their fold-in rows, as histories.

A history that is given counts instead of what training tells of the user; a row of zeros means that
none was given. So users whom training does not know can be recommended to.
"""

import numpy as np

from multitask_recommender import user_sessions
from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import HISTORY, TIMESTAMP, USER_ID


class Histories:
    """What is told of each user beside training. Without any rows, nothing is of anybody."""

    def __init__(self, fold_in: Interactions | None) -> None:
        self._latest = None
        if fold_in is None or not len(fold_in):
            return
        # Of items outside the vocabulary a scorer knows nothing.
        self._latest = user_sessions.latest(fold_in.take(fold_in.item_ids <= fold_in.num_items))

    def queries(self, held_out: HeldOut, block: slice) -> dict[str, np.ndarray]:
        """What a scorer is asked for some users of held-out rows: USER_ID [q], and HISTORY."""
        return {USER_ID: held_out.queries[block], **self.of(held_out.users[block])}

    def of(
        self, user_ids: np.ndarray, timestamps: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """HISTORY of users [n], by ids that may lie outside the vocabulary: int32 [n, T].

        The items known, oldest first, 0-padded on the right: the latest of them, where there are
        more than user_sessions.LONGEST; with timestamps [n], of those before. Nothing at all, where
        there are no rows.
        """
        if self._latest is None:
            return {}
        queries = {USER_ID: user_ids}
        if timestamps is not None:
            queries[TIMESTAMP] = timestamps
        return {HISTORY: self._latest.before(queries)}


NO_HISTORIES = Histories(None)
