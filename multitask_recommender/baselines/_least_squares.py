"""The half step of alternating least squares: every user's ridge regression, or every item's.

Owner r (a user, say) has members (items); the rows of `table` that stand for them are its inputs.
Owners of about as many members are worked on together, so that all products are large ones.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from multitask_recommender import threads
from multitask_recommender.histories import Rows

_BLOCK_FLOATS = 2**22  # inputs gathered at a time by each thread: 16 MB
_MOST_OWNERS = 1024


@dataclasses.dataclass(frozen=True)
class Ridge:
    """One regression for each of R owners: members of owner r at splits[r] .. splits[r + 1].

    Minimises sum over members of (target - input . x)^2 + x' gram x + sum of penalty x^2. The
    table's row 0 is zero, as it is padding. An owner without members gets zeros.
    """

    rows: Rows  # splits [R + 1] and members [N], ids from 1
    targets: np.ndarray | None = None  # float32 [N]; 1 for every member, where None

    def solve(self, table: np.ndarray, penalties: np.ndarray, gram: np.ndarray) -> np.ndarray:
        """Coefficients float32 [R, D]; table [M, D], penalties [R, D] or [R, 1], gram [D, D]."""
        solved = np.zeros((len(self.rows[0]) - 1, table.shape[1]), np.float32)

        def work(owners: np.ndarray) -> None:
            solved[owners] = self._solve(owners, table, penalties[owners], gram)

        for _ in threads.side_by_side(work, self._blocks(table.shape[1])):
            pass
        return solved

    def _blocks(self, dimension: int) -> Iterator[np.ndarray]:
        """Owners with members, in the order of how many, cut where the inputs are enough."""
        counts = np.diff(self.rows[0])
        order = np.argsort(counts, kind="stable")[np.count_nonzero(counts == 0) :]
        start = 0
        while start < len(order):
            stop = min(start + _MOST_OWNERS, len(order))
            most = counts[order[start:stop]] * np.arange(1, stop - start + 1) * dimension
            fitting = int(np.searchsorted(most, _BLOCK_FLOATS, side="right"))
            stop = start + max(fitting, 1)
            yield order[start:stop]
            start = stop

    def _solve(
        self, owners: np.ndarray, table: np.ndarray, penalties: np.ndarray, gram: np.ndarray
    ) -> np.ndarray:
        from scipy.linalg.lapack import sposv  # half the time of a batched numpy.linalg.solve

        places, is_member = self._places(owners)
        inputs = table[np.where(is_member, self.rows[1][places], 0)]  # [b, n, D]
        transposed = inputs.transpose(0, 2, 1)
        if self.targets is None:
            right = inputs.sum(axis=1)
        else:
            right = (transposed @ (self.targets[places] * is_member)[:, :, None])[:, :, 0]
        normal = transposed @ inputs + gram  # [b, D, D]
        diagonal = np.arange(table.shape[1])
        normal[:, diagonal, diagonal] += penalties
        for place in range(len(owners)):
            right[place] = sposv(normal[place].T, right[place], overwrite_a=True)[1]
        return right

    def _places(self, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the members of some owners are [b, n], and which of these places count."""
        splits, members = self.rows
        counts = splits[owners + 1] - splits[owners]
        offsets = np.arange(counts.max())
        places = np.minimum(splits[owners][:, None] + offsets, len(members) - 1)
        return places, offsets < counts[:, None]
