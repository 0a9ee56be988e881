"""The half step of alternating least squares: every user's ridge regression, or every item's.

Owner r (a user, say) has members (items); the rows of `table` that stand for them are its inputs.
Owners of about as many members are worked on together, so that all products are large ones, and one
with fewer members than dimensions is solved for in as many unknowns as it has members.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from multitask_recommender import threads
from multitask_recommender.errors import RunError
from multitask_recommender.histories import Rows

_BLOCK_FLOATS = 2**22  # what each thread holds at a time, 16 MB


@dataclasses.dataclass(frozen=True)
class Ridge:
    """One regression for each of R owners: members of owner r at splits[r] .. splits[r + 1].

    Minimises sum over members of (target - input . x)^2 + sum over dimensions of charge * x^2. The
    table's row 0 is zero, as it is padding. An owner without members gets zeros.
    """

    rows: Rows  # splits [R + 1] and members [N], ids from 1
    remedy: str  # what to do where charges are too small to solve with
    targets: np.ndarray | None = None  # float32 [N]; 1 for every member, where None

    def solve(
        self, table: np.ndarray, own_charges: np.ndarray, charges: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Coefficients float32 [R, D] for inputs [M, D].

        What x^2 is charged is an owner's own, [R, D] or [R, 1], plus that of all, [D]; above 0.
        Raises RunError where single precision is too coarse for so little of it.
        """
        solved = np.zeros((len(self.rows[0]) - 1, table.shape[1]), np.float32)

        def work(owners: np.ndarray) -> None:
            inputs, targets = self._inputs(owners, table)
            whole = np.broadcast_to(own_charges[owners] + charges, solved[owners].shape)
            is_dual = inputs.shape[1] < inputs.shape[2]
            solved[owners] = (_dual if is_dual else _primal)(inputs, targets, whole)

        try:
            for _ in threads.side_by_side(work, self._blocks(table.shape[1])):
                pass
        except np.linalg.LinAlgError as error:
            raise RunError(f"{error} in single precision: {self.remedy}.") from error
        return solved

    def _blocks(self, dimension: int) -> Iterator[np.ndarray]:
        """Owners with members, the fewest first, so many that their inputs stay in the bound.

        An owner who alone exceeds it has a block of his own.
        """
        counts = np.diff(self.rows[0])
        order = np.argsort(counts, kind="stable")[np.count_nonzero(counts == 0) :]
        start = 0
        while start < len(order):
            ahead = counts[order[start : start + _BLOCK_FLOATS // dimension + 1]]
            floats = (ahead + np.minimum(ahead, dimension)) * dimension
            floats *= np.arange(1, len(ahead) + 1)
            size = max(1, int(np.searchsorted(floats, _BLOCK_FLOATS, side="right")))
            yield order[start : start + size]
            start += size

    def _inputs(self, owners: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs [b, n, D] and targets [b, n] of some owners, zeros where they have fewer."""
        splits, members = self.rows
        counts = splits[owners + 1] - splits[owners]
        offsets = np.arange(counts.max())
        is_member = offsets < counts[:, None]
        places = np.minimum(splits[owners][:, None] + offsets, len(members) - 1)
        inputs = table[np.where(is_member, members[places], 0)]
        targets = is_member if self.targets is None else self.targets[places] * is_member
        return inputs, targets.astype(np.float32)


def _primal(inputs: np.ndarray, targets: np.ndarray, charges: np.ndarray) -> np.ndarray:
    """x = (V'V + C)^-1 V't for inputs V [b, n, D], targets t [b, n] and charges C [b, D]."""
    transposed = inputs.transpose(0, 2, 1)
    return _solved(transposed @ inputs, charges, (transposed @ targets[:, :, None])[:, :, 0])


def _dual(inputs: np.ndarray, targets: np.ndarray, charges: np.ndarray) -> np.ndarray:
    """The same x as C^-1 V' (V C^-1 V' + 1)^-1 t: n unknowns, not D."""
    scaled = inputs / np.sqrt(charges)[:, None, :]
    ones = np.ones(inputs.shape[:2], np.float32)
    weights = _solved(scaled @ scaled.transpose(0, 2, 1), ones, targets)
    return (weights[:, None, :] @ inputs)[:, 0, :] / charges


def _solved(matrices: np.ndarray, diagonals: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions [b, m] of (matrix [m, m] + diagonal) x = right; overwrites its arguments.

    Raises LinAlgError where a sum is not positive definite, or not finite.
    """
    from scipy.linalg.lapack import sposv  # half the time of a batched numpy.linalg.solve

    places = np.arange(matrices.shape[1])
    matrices[:, places, places] += diagonals
    for place in range(len(matrices)):
        _, right[place], fault = sposv(matrices[place].T, right[place], overwrite_a=True)
        if fault:
            raise np.linalg.LinAlgError(
                f"A least-squares matrix of {len(places)} unknowns is not positive definite"
            )
    return right
