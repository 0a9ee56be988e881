"""What users are shown, and what they click, one exposure after another.

All users of a block go on side by side, an exposure each at a time: what a user is shown depends on
what he clicked before.
"""

import dataclasses

import numpy as np

from multitask_recommender.datasets._planted_tenrec.world import (
    AGAIN,
    FOLLOW,
    LIKELY,
    REMEMBERED,
    SUCCESSORS,
    World,
    products,
)

_NOWHERE = -1  # no place, no cluster
_PATIENCE = 8  # one who clicked everything there is gets something again after so many attempts
_COMPACT_BELOW = 0.85  # users are set aside when only this share of them goes on


@dataclasses.dataclass
class _State:
    """Of A users who go on. Arrays have a row a user, or a column a user where they have two."""

    next_rows: np.ndarray  # [A] where the user's next exposure is written
    end_rows: np.ndarray  # [A] where his rows end
    factors: np.ndarray  # [A, D + 1], of the click
    genre_bounds: np.ndarray  # [G - 1, A] sums of the chances of his genres
    clusters: np.ndarray  # [A] of his last click
    again: np.ndarray  # [A] the place that he is shown again, or nowhere
    remembered: np.ndarray  # [REMEMBERED, A] places of his latest clicks
    num_clicks: np.ndarray  # [A]
    failures: np.ndarray  # [A] attempts since his last exposure

    def going_on(self) -> "_State":
        rows = np.flatnonzero(self.next_rows < self.end_rows)
        columns = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        by_column = {"genre_bounds", "remembered"}
        return _State(
            **{
                name: np.ascontiguousarray(array[:, rows]) if name in by_column else array[rows]
                for name, array in columns.items()
            }
        )


def walk(
    rng: np.random.Generator,
    world: World,
    users: np.ndarray,
    counts: np.ndarray,
    clicks_only: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Places int32 [n] and clicks bool [n] of so many exposures of each user [A], user by user.

    With `clicks_only`, of so many clicks of each.
    """
    num_rows = int(counts.sum())
    # What is not to be written is written behind the end.
    places, clicks = np.empty(num_rows + 1, np.int32), np.empty(num_rows + 1, bool)
    state = _begin(world, users, counts).going_on()
    while len(state.next_rows):
        uniform = rng.random((5, len(state.next_rows)), np.float32)
        place = _propose(world, state, uniform[:3])
        is_new = ~(state.remembered == place).any(axis=0) | (state.failures >= _PATIENCE)
        scores = products(state.factors, world.item_factors["click"].take(place, axis=0))
        chance = world.click_chances(scores)
        click = is_new & (uniform[3] < chance)
        goes_on = state.next_rows < state.end_rows
        written = goes_on & (click if clicks_only else is_new)
        rows = np.where(written, state.next_rows, num_rows)
        places[rows], clicks[rows] = place, click
        state.next_rows += written
        shown_again = is_new & ~click & (chance > LIKELY) & (uniform[4] < AGAIN)
        state.again = np.where(shown_again, place, _NOWHERE)
        state.failures = np.where(is_new, 0, state.failures + 1)
        _remember(state, np.flatnonzero(click), place, world.catalogue.num_clusters)
        if np.count_nonzero(goes_on) <= _COMPACT_BELOW * len(goes_on) or not goes_on.any():
            state = state.going_on()
    return places[:-1], clicks[:-1]


def _begin(world: World, users: np.ndarray, counts: np.ndarray) -> _State:
    ends = np.cumsum(counts)
    size = len(users)
    bounds = np.cumsum(world.genre_chances(users), axis=1)[:, :-1]
    return _State(
        next_rows=ends - counts,
        end_rows=ends,
        factors=world.user_factors["click"][users],
        genre_bounds=np.ascontiguousarray(bounds.T, np.float32),
        clusters=np.full(size, _NOWHERE, np.int32),
        again=np.full(size, _NOWHERE, np.int32),
        remembered=np.full((REMEMBERED, size), _NOWHERE, np.int32),
        num_clicks=np.zeros(size, np.int32),
        failures=np.zeros(size, np.int8),
    )


def _propose(world: World, state: _State, uniform: np.ndarray) -> np.ndarray:
    """A place [A] for each user, from three draws [3, A]."""
    kind, in_genre, in_cluster = uniform
    has_clicked = state.clusters != _NOWHERE
    follows = has_clicked & (kind < FOLLOW)
    # What is left of a draw that has decided something is as good as a new one.
    left = np.where(follows, kind / FOLLOW, (kind - FOLLOW) / (1.0 - FOLLOW))
    left = np.where(has_clicked, left, kind)
    genres = (state.genre_bounds <= left).sum(axis=0, dtype=np.int32)
    successor = np.zeros(len(kind), np.int32)
    for bound in np.cumsum(SUCCESSORS)[:-1].astype(np.float32):
        successor += left >= bound
    clusters = np.where(
        follows,
        world.successors[state.clusters, successor],
        world.catalogue.draw_clusters(genres, in_genre),
    )
    places = world.catalogue.draw_places(clusters, in_cluster)
    return np.where(state.again != _NOWHERE, state.again, places).astype(np.int32)


def _remember(state: _State, who: np.ndarray, places: np.ndarray, num_clusters: int) -> None:
    """Writes down the clicks of some users."""
    clicked = places[who]
    state.clusters[who] = clicked % num_clusters
    state.remembered[state.num_clicks[who] % REMEMBERED, who] = clicked
    state.num_clicks[who] += 1
