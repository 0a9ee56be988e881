"""Rows in the form of Tenrec, a block of users at a time: what was shown, clicked, liked, watched.

A block depends on the settings and its own number alone, so memory is bounded by a block and by the
tables of users and items.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from multitask_recommender.datasets._planted_tenrec.walk import walk
from multitask_recommender.datasets._planted_tenrec.world import LABELS, World, draw_world, sigmoid
from multitask_recommender.datasets._tenrec.files import HISTORY_COLUMNS

_BLOCK_ROWS, _BLOCK_USERS = 2**21, 2**14
_CHUNK = 2**16  # rows whose labels are drawn at once: what stays in the processor's cache
_COPIES = 0.0035  # of rows, each a copy of the row before: other rows come to be equal by chance
_ACTIVITY, _MOST_ACTIVE = 0.9, 12.0  # log-normal spread of rows a user; the most, of the median
_WATCHED_AGAIN = 0.3  # the chance of each further time that a clicked video is watched
_PILOT_USERS = 2_048  # of the rows from which the intercepts are found
_PILOT_ROWS = (32, 96)  # at most of each, when first tried and then
# Standard deviations of the logits of what is shown, for best AUCs of .80 for clicks and .92 for
# likes.
_SPREADS = {"click": 1.37, "follow": 1.7, "like": 1.95, "share": 1.7}
_LEAST_SPREAD = 0.5  # of scores: one user or one item may have none
_WORLD, _COUNTS, _PILOT, _ROWS = range(4)  # what is drawn, each from a seed of its own


@dataclasses.dataclass(frozen=True)
class Rates:
    """How often a label is 1, of all rows: clicks; and the others with a click, and without."""

    click: float
    with_click: Mapping[str, float]
    without: Mapping[str, float]
    clicks_only: bool = False  # the file holds no other rows


# Likes, shares and follows without a click, as counted in half a million rows of QB-video.
_WITHOUT = {"follow": 219 / 500_000, "like": 2_450 / 500_000, "share": 90 / 500_000}


def _rates(click: float, follow: float, like: float, share: float, **more: bool) -> Rates:
    rates = {"follow": follow, "like": like, "share": share}
    return Rates(
        click, {name: rate - _WITHOUT[name] for name, rate in rates.items()}, _WITHOUT, **more
    )


RATES: Mapping[str, Rates] = {  # by scenario; QK and QB from the totals that the paper counts
    "ctr_1m": _rates(0.240, 0.0015, 0.0189, 0.0021),
    "sbr_1m": _rates(0.240, 0.0015, 0.0189, 0.0021, clicks_only=True),
    "qk_video": _rates(0.288, 0.00174, 0.02055, 0.00229),
    "qb_video": _rates(0.697, 0.00102, 0.00847, 0.00104),
}


@dataclasses.dataclass(frozen=True)
class Size:
    """What decides every row, beside the scenario."""

    users: int
    items: int
    rows: int
    seed: int
    correlation: float


@dataclasses.dataclass(frozen=True)
class Block:
    """The rows of some users, user by user, each one's in the order of time."""

    user_ids: np.ndarray  # int32 [n]
    item_ids: np.ndarray  # int32 [n]
    labels: Mapping[str, np.ndarray]  # uint8 [n], in the order of the files
    watching_times: np.ndarray  # uint8 [n], how often: 0 without a click
    first_user: int
    first_clicks: np.ndarray  # int32 [users of the block, 10], oldest first, 0-padded

    def __len__(self) -> int:
        return len(self.user_ids)

    def head(self, num_rows: int) -> "Block":
        """The first rows; users and their clicks stay."""
        return dataclasses.replace(
            self,
            user_ids=self.user_ids[:num_rows],
            item_ids=self.item_ids[:num_rows],
            labels={name: values[:num_rows] for name, values in self.labels.items()},
            watching_times=self.watching_times[:num_rows],
        )


def plant(size: Size, rates: Rates) -> World:
    """The world, with the spreads and intercepts that give the rates and the best AUCs."""
    world = draw_world(_rng(size, _WORLD), size.users, size.items, size.correlation)
    rng, counts = _rng(size, _PILOT), rows_per_user(size)
    users = rng.integers(size.users, size=_PILOT_USERS) + 1
    world = _set(world, "click", 1.0, [_logit(rates.click)])
    for most in _PILOT_ROWS:  # what is clicked decides what is shown
        lengths = np.clip(counts[users - 1], 1, most)
        places, _ = walk(rng, world, users, lengths)
        shown = np.repeat(users, lengths)
        scores = world.scores("click", shown, places)
        world = _fitted(world, "click", scores, [(1.0, rates.click)])
    click = world.click_chances(scores)
    for label in rates.with_click:
        scores = world.scores(label, shown, places)
        wanted = [(click, rates.with_click[label]), (1.0 - click, rates.without[label])]
        world = _fitted(world, label, scores, wanted)
    return world


def blocks(size: Size, rates: Rates, world: World) -> Iterator[Block]:
    """All rows, in order."""
    counts = rows_per_user(size)
    ends = np.cumsum(counts)
    first, number = 0, 0
    while first < size.users:
        begin = ends[first] - counts[first]
        last = int(np.searchsorted(ends, begin + _BLOCK_ROWS, side="right"))
        last = min(max(last, first + 1), first + _BLOCK_USERS)
        if ends[last - 1] > begin:
            rng = _rng(size, _ROWS, number)
            users = np.arange(first + 1, last + 1, dtype=np.int32)
            yield _block(rng, world, users, counts[first:last], rates.clicks_only)
        first, number = last, number + 1


def rows_per_user(size: Size) -> np.ndarray:
    """int64 [U], of sum `rows`: heavy-tailed, and at least one each where there are enough."""
    rng = _rng(size, _COUNTS)
    weights = np.minimum(rng.lognormal(sigma=_ACTIVITY, size=size.users), _MOST_ACTIVE)
    at_least = min(1, size.rows // size.users)
    shares = np.cumsum(weights / weights.sum()) * (size.rows - at_least * size.users)
    return np.diff(np.round(shares).astype(np.int64), prepend=0) + at_least


def _rng(size: Size, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([size.seed, *key]))


def _logit(chance: float) -> float:
    return float(np.log(chance / (1.0 - chance)))


def _set(world: World, label: str, spread: float, intercepts: Sequence[float]) -> World:
    pair = intercepts[0], intercepts[-1]
    return dataclasses.replace(
        world,
        spreads={**world.spreads, label: spread},
        intercepts={**world.intercepts, label: pair},
    )


def _fitted(
    world: World,
    label: str,
    scores: np.ndarray,
    wanted: Sequence[tuple[np.ndarray | float, float]],
) -> World:
    """With the label's spread for these scores, and an intercept for each (weights, rate).

    With it, the label's chances, so weighted, are `rate` in the mean.
    """
    spread = _SPREADS[label] / max(float(scores.std()), _LEAST_SPREAD)
    found = []
    for weights, rate in wanted:
        low, high = -40.0, 40.0
        for _ in range(50):
            middle = (low + high) / 2
            chances = sigmoid(np.float32(spread) * scores + np.float32(middle))
            is_low = (weights * chances).mean() < rate
            low, high = (middle, high) if is_low else (low, middle)
        found.append(middle)
    return _set(world, label, spread, found)


def _block(
    rng: np.random.Generator,
    world: World,
    users: np.ndarray,
    counts: np.ndarray,
    clicks_only: bool,
) -> Block:
    user_ids = np.repeat(users, counts)
    is_copy = rng.random(len(user_ids), np.float32) < _COPIES
    is_copy[np.cumsum(counts[counts > 0]) - counts[counts > 0]] = False  # a user's first row
    originals = user_ids[~is_copy]
    counts = np.bincount(originals - users[0], minlength=len(users))
    places, clicks = walk(rng, world, users, counts, clicks_only)
    item_ids = world.item_ids[places]
    labels = _draw_labels(rng, world, originals, places, clicks)
    watched = clicks.astype(np.uint8)
    watched[clicks] = rng.geometric(1.0 - _WATCHED_AGAIN, np.count_nonzero(clicks)).clip(max=99)
    source = np.cumsum(~is_copy) - 1  # of each row, which it is or is a copy of
    return Block(
        user_ids=user_ids,
        item_ids=item_ids[source],
        labels={name: values[source] for name, values in labels.items()},
        watching_times=watched[source],
        first_user=int(users[0]),
        first_clicks=_first_clicks(originals - users[0], item_ids, clicks, len(users)),
    )


def _draw_labels(
    rng: np.random.Generator,
    world: World,
    users: np.ndarray,
    places: np.ndarray,
    clicks: np.ndarray,
) -> dict[str, np.ndarray]:
    labels = {name: clicks.astype(np.uint8) for name in LABELS}
    for start in range(0, len(users), _CHUNK):
        rows = slice(start, start + _CHUNK)
        for label in LABELS[1:]:
            scores = world.scores(label, users[rows], places[rows])
            chance = np.where(clicks[rows], *world.chances(label, scores))
            labels[label][rows] = rng.random(len(scores), np.float32) < chance
    return labels


def _first_clicks(
    users: np.ndarray, items: np.ndarray, clicks: np.ndarray, num_users: int
) -> np.ndarray:
    """The first ten clicked items [U, 10] of each user 0..U - 1; rows are by user."""
    users, items = users[clicks], items[clicks]
    ranks = np.arange(len(users)) - np.searchsorted(users, users)
    early = ranks < len(HISTORY_COLUMNS)
    table = np.zeros((num_users, len(HISTORY_COLUMNS)), np.int32)
    table[users[early], ranks[early]] = items[early]
    return table
