"""Cuts the events into train, validation and test, and settles the vocabulary.

    random          pairs drawn by seed
    time            the latest events, over all users
    user_order      the latest events of each user
    leave_last_out  each user's last pair is test, the last but one validation
    given           as the source's own files have it; `fold` chooses where there are several
    tenrec_*        the protocols of Tenrec's paper, see splits/tenrec.py

`test` is a fraction of all, `validation` a fraction of what then remains for training. A repeated
(user, item) pair lies on one side only, unless given files or Tenrec's protocols say otherwise:
where the split goes by time, its rows on the other side are dropped.

The vocabulary is the given catalogue and whatever occurs in train *or validation*. It is thus the
same for the fit on train and for the refit on both; what only validation has is a candidate that
the fit on train has learnt nothing about. Features that come from the log are of the same rows.
"""

from multitask_recommender.splits.settings import Settings
from multitask_recommender.splits.split import Splits, count_unknown, joined, split

__all__ = ["Settings", "Splits", "count_unknown", "joined", "split"]
