"""Made-up rows of the shape of MovieLens or Tenrec, with a planted structure that is known.

shape: movielens
Users and items have planted factors, partly given away by their features. A user meets distinct
items, drawn one after the other from a softmax over popularity and affinity; the stars are biases,
affinity and noise, rounded to 1..5. Hence the best possible score is known: `Interactions.oracle`
scores with the planted numbers themselves. (A drawn row may then be moved to any split: draws are
independent of the stars' noise.)

    rating  1..5 stars          like  1.0 from 4 stars up (_stars.py)

shape: tenrec
Users are shown videos, one after the other, and click, follow, like and share them: the columns and
rates of `scenario`, one of the files of Tenrec. `correlation` is that of the clicks' planted scores
with those of other labels. A row is an exposure, so pairs repeat. `write_csv` writes the file that
`dataset.name: tenrec` reads. See _planted_tenrec/world.py, and oracle.py there for the best scores.

The same seed and shape give the same rows.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
import pydantic

from multitask_recommender.datasets import _files, _planted
from multitask_recommender.datasets._planted_tenrec import exposures, output
from multitask_recommender.datasets._stars import LIKE_STARS, likes
from multitask_recommender.datasets._tenrec.files import FILES
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.schema import ITEM_ID, USER_ID
from multitask_recommender.settings import Settings as StrictSettings

_START, _SPAN = 874_724_710, 214 * 86_400  # seconds UTC: the first event, and how long it goes on
_VISIT = 7 * 86_400.0  # seconds within which a user gives most of his stars
_BLOCK = 4_000_000  # cells of the user x item table that are drawn at once: memory
# What is not given where the shape is tenrec; the defaults below are those of movielens.
_TENREC: Mapping[str, Any] = {
    "scenario": "ctr_1m",
    "users": 2_000,
    "items": 5_000,
    "rows": 240_000,
    "correlation": 0.5,
}
_OF_TENREC = ("scenario", "correlation")  # settings that have no meaning in the other shape


class Settings(StrictSettings):
    name: Literal["synthetic"] = "synthetic"
    shape: Literal["movielens", "tenrec"] = "movielens"
    scenario: Literal["ctr_1m", "sbr_1m", "qk_video", "qb_video"] | None = pydantic.Field(
        None, description="Of the shape tenrec: which of its files. By default ctr_1m."
    )
    users: int = pydantic.Field(943, ge=1)
    items: int = pydantic.Field(1_682, ge=1)
    rows: int = pydantic.Field(100_000, ge=1)
    seed: int = pydantic.Field(42, ge=0)
    correlation: float | None = pydantic.Field(
        None,
        ge=0,
        le=1,
        description="Of the shape tenrec: of the planted scores of clicks and of other labels. By "
        "default 0.5.",
    )
    max_rows: int | None = pydantic.Field(None, ge=1)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _defaults_of_the_shape(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("shape") != "tenrec":
            return values
        unsaid = {key for key in _OF_TENREC if values.get(key) is None}
        return {**_TENREC, **{key: value for key, value in values.items() if key not in unsaid}}

    @pydantic.model_validator(mode="after")
    def _nothing_of_tenrec_in_movielens(self) -> "Settings":
        for key in _OF_TENREC:
            if self.shape == "movielens" and getattr(self, key) is not None:
                raise ValueError(
                    f"{key} is {getattr(self, key)!r}, which goes with shape 'tenrec' only"
                )
        return self

    @pydantic.model_validator(mode="after")
    def _rows_are_distinct_pairs(self) -> "Settings":
        if self.shape == "movielens" and self.rows > self.users * self.items:
            raise ValueError(
                f"rows is {self.rows}, but {self.users} users and {self.items} items have only "
                f"{self.users * self.items} distinct pairs"
            )
        return self


@dataclasses.dataclass(frozen=True)
class Oracle:
    """Scores with the planted numbers. Id 0, the unknown, is the mean user or item."""

    world: _planted.World

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """The log of the chance [Q, I] of each item to be the user's next; column c is id c + 1."""
        return self.world.log_propensities(np.asarray(queries[USER_ID]))

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """P(like) and the expected stars of each pair, [B] each."""
        users, items = np.asarray(queries[USER_ID]), np.asarray(queries[ITEM_ID])
        at_least = self.world.chance_of_at_least(users, items)  # [B, 4]: 2, 3, 4, 5 stars
        return {
            "like": at_least[:, int(LIKE_STARS) - 2],
            "rating": 1.0 + at_least.sum(axis=1, dtype=np.float32),
        }


def read(
    settings: Settings, fold: str | None = None, warnings: tuple[str, ...] = ()
) -> Interactions:
    """Draws the rows, in the order of their time; of the shape tenrec, user by user."""
    _files.refuse_fold(fold, "synthetic")
    if settings.shape == "tenrec":
        return output.read(_size(settings), settings.scenario, settings.max_rows)
    rng = np.random.default_rng(settings.seed)
    world = _planted.draw_world(rng, settings.users, settings.items)
    user_ids, item_ids = _draw_pairs(rng, world, settings.rows)
    stars = world.draw_stars(rng, user_ids, item_ids)
    timestamps = _draw_times(rng, user_ids, settings.users)
    rows = np.argsort(timestamps, kind="stable")[: settings.max_rows]
    stars = stars[rows]
    shape = f"{settings.users} users, {settings.items} items, {settings.rows} rows"
    return Interactions(
        user_ids=user_ids[rows],
        item_ids=item_ids[rows],
        users=_catalogue(settings.users, world.user_features),
        items=_catalogue(settings.items, world.item_features),
        labels={"like": likes(stars), "rating": stars},
        timestamps=timestamps[rows],
        source=Source(f"synthetic ({shape}, seed {settings.seed})", warnings=warnings),
        oracle=Oracle(world),
    )


def blocks(settings: Settings) -> Iterator[exposures.Block]:
    """The rows of `read`, in order and in bounded memory. Of the shape tenrec only."""
    size, rates = _size(settings), exposures.RATES[settings.scenario]
    drawn = exposures.blocks(size, rates, exposures.plant(size, rates))
    return output.first_rows(drawn, settings.max_rows)


def oracle(settings: Settings) -> output.Oracle:
    """That of `read`, without its rows. Of the shape tenrec only."""
    return output.oracle(_size(settings), settings.scenario)


def csv_path(settings: Settings, folder: pathlib.Path) -> pathlib.Path:
    """Where in a folder of Tenrec's files these rows belong. Of the shape tenrec only."""
    if settings.scenario is None:
        raise ConfigError(
            f"shape is {settings.shape!r}, of which no files can be written, only of 'tenrec'."
        )
    return folder / FILES[settings.scenario][0][0]


def write_csv(
    settings: Settings, folder: pathlib.Path, advance: Callable[[int], None] = lambda rows: None
) -> pathlib.Path:
    """Writes the file of Tenrec that holds the rows of `read`; returns its path.

    Whole or absent, in bounded memory. `advance` is told of each number of rows that was written.
    """
    path = csv_path(settings, folder)
    folder.mkdir(parents=True, exist_ok=True)
    output.write_csv(_size(settings), settings.scenario, settings.max_rows, path, advance)
    return path


def _size(settings: Settings) -> exposures.Size:
    keys = ("users", "items", "rows", "seed", "correlation")
    return exposures.Size(**{key: getattr(settings, key) for key in keys})


def _catalogue(size: int, features: Mapping[str, _planted.Feature]) -> Entities:
    return Entities(np.arange(1, size + 1, dtype=np.int64), size, features)


def _draw_pairs(
    rng: np.random.Generator, world: _planted.World, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct pairs, int32 [N] each: users in order, each one's items in the order drawn.

    The largest of log-chance plus Gumbel noise are draws without replacement (Kool et al.,
    "Stochastic Beams and Where to Find Them", ICML 2019, section 2).
    """
    counts = _rows_per_user(rng, world.num_users, world.num_items, rows)  # [U]
    step = max(1, _BLOCK // world.num_items)
    drawn = []
    for first in range(1, world.num_users + 1, step):
        users = np.arange(first, min(first + step, world.num_users + 1))
        keys = world.log_propensities(users)  # [block, I]
        keys += rng.gumbel(size=keys.shape)
        order = np.argsort(-keys, axis=1)
        taken = np.arange(world.num_items) < counts[users - 1, None]
        drawn.append((order[taken] + 1).astype(np.int32))
    user_ids = np.repeat(np.arange(1, world.num_users + 1, dtype=np.int32), counts)
    return user_ids, np.concatenate(drawn)


def _rows_per_user(rng: np.random.Generator, users: int, items: int, rows: int) -> np.ndarray:
    """How many rows [U] each user has: 20 as in MovieLens, and a log-normal rest."""
    counts = np.full(users, min(20, rows // users, items))
    weights = rng.lognormal(sigma=1.1, size=users)
    while (left := rows - int(counts.sum())) > 0:
        free = np.where(counts < items, weights, 0.0)
        more = np.minimum(np.floor(left * free / free.sum()), items - counts).astype(np.int64)
        if not more.any():  # fewer left than users: one each for the busiest
            more[np.argsort(-free, kind="stable")[: min(left, np.count_nonzero(free))]] = 1
        counts += more
    return counts


def _draw_times(rng: np.random.Generator, user_ids: np.ndarray, num_users: int) -> np.ndarray:
    """Seconds UTC [N]: a user comes some day, and most of his events follow soon, in order."""
    arrivals = rng.uniform(0.0, _SPAN, num_users)
    delays = rng.exponential(_VISIT, len(user_ids))
    delays = delays[np.lexsort((delays, user_ids))]  # user_ids are in order, so each his own
    return (_START + arrivals[user_ids - 1] + delays).astype(np.int64)
