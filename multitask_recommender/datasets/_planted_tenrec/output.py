"""Made-up rows in the form of Tenrec: as Interactions, and as the files themselves."""

import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.datasets._planted_tenrec.exposures import (
    RATES,
    Block,
    Size,
    blocks,
    plant,
)
from multitask_recommender.datasets._planted_tenrec.oracle import Oracle
from multitask_recommender.datasets._planted_tenrec.world import LABELS, World
from multitask_recommender.datasets._tenrec.files import FILES, HISTORY_COLUMNS, NULL
from multitask_recommender.datasets._tenrec.layouts import FIRST_CLICKS
from multitask_recommender.interactions import (
    Entities,
    Feature,
    Features,
    IdWords,
    Interactions,
    Source,
)

_WATCHED = "watching_times"


def read(size: Size, scenario: str, max_rows: int | None) -> Interactions:
    """All rows, user by user, each one's in the order of time."""
    best = oracle(size, scenario)
    world = best.world
    drawn = list(first_rows(blocks(size, RATES[scenario], world), max_rows))

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name) for block in drawn])

    user_ids = column("user_ids")
    watched = column(_WATCHED).astype(np.float32)
    has_history = HISTORY_COLUMNS[0] in FILES[scenario][1]
    first_clicks = {FIRST_CLICKS: _first_clicks(drawn, world)} if has_history else {}
    shape = f"{size.users} users, {size.items} items, {size.rows} rows"
    name = (
        f"synthetic tenrec {scenario} ({shape}, seed {size.seed}, correlation {size.correlation:g})"
    )
    return Interactions(
        user_ids=user_ids,
        item_ids=column("item_ids"),
        users=_users(world, first_clicks),
        items=_items(world),
        labels={label: np.concatenate([each.labels[label] for each in drawn]) for label in LABELS},
        timestamps=np.arange(len(user_ids)),
        source=Source(name),
        oracle=best,
        context={_WATCHED: Feature(watched)},
        post_exposure=frozenset({_WATCHED}),
        future_features=frozenset(first_clicks),
        ordered_by_user=True,
    )


def oracle(size: Size, scenario: str) -> Oracle:
    """What knows the numbers that the rows are made with."""
    return Oracle(plant(size, RATES[scenario]), RATES[scenario].clicks_only)


def write_csv(
    size: Size,
    scenario: str,
    max_rows: int | None,
    path: pathlib.Path,
    advance: Callable[[int], None],
) -> None:
    """Whole or absent. `advance` is told of each number of rows that has been written."""
    import polars.exceptions  # takes half a second

    from multitask_recommender.errors import RunError

    columns = FILES[scenario][1]
    world = plant(size, RATES[scenario])
    try:
        with run_folder.aside(path) as unfinished, unfinished.open("wb") as file:
            drawn = first_rows(blocks(size, RATES[scenario], world), max_rows)
            for number, block in enumerate(drawn):
                table = polars.DataFrame(_columns(world, block)).select(columns)
                table.write_csv(file, include_header=number == 0, null_value=NULL)
                advance(len(block))
    except polars.exceptions.PolarsError as error:
        raise RunError(f"{path} cannot be written: {error}") from error


def first_rows(drawn: Iterator[Block], max_rows: int | None) -> Iterator[Block]:
    """Blocks of the first rows; none is drawn that is not asked for."""
    left = max_rows
    for block in drawn:
        yield block if left is None else block.head(left)
        if left is not None:
            left -= len(block)
            if left <= 0:
                return


def _users(world: World, more: Features) -> Entities:
    """Where gender or age is 0, it is missing."""
    features = {
        "gender": _codes(world.genders, range(1, 3)),
        "age": _codes(world.ages, range(1, 8)),
        **more,
    }
    size = world.num_users
    return Entities(np.arange(1, size + 1), size, features)


def _first_clicks(drawn: Sequence[Block], world: World) -> Feature:
    """Each user's first ten clicks [U + 1, 10], oldest first."""
    values = np.zeros((world.num_users + 1, len(HISTORY_COLUMNS)), np.int32)
    for block in drawn:
        first = block.first_user
        end = first + len(block.first_clicks)
        values[first:end] = block.first_clicks
    raw_ids = np.arange(1, world.catalogue.num_items + 1)
    return Feature(values, IdWords(raw_ids), of_items=True)


def _items(world: World) -> Entities:
    size = world.catalogue.num_items
    features = {"video_category": _codes(world.categories, range(2))}
    return Entities(np.arange(1, size + 1), size, features)


def _codes(codes: np.ndarray, vocabulary: range) -> Feature:
    return Feature(codes.astype(np.int32), tuple(map(str, vocabulary)))


def _columns(world: World, block: Block) -> dict[str, object]:
    """The columns of a block as its file has them, by name."""
    import polars as pl

    categories = pl.Series(world.categories[block.item_ids])  # 0 is missing
    first_clicks = block.first_clicks[block.user_ids - block.first_user]
    return {
        "user_id": block.user_ids,
        "item_id": block.item_ids,
        **block.labels,
        "video_category": (categories - 1).set(categories == 0, None),
        _WATCHED: block.watching_times,
        "gender": world.genders[block.user_ids],
        "age": world.ages[block.user_ids],
        **{name: first_clicks[:, n] for n, name in enumerate(HISTORY_COLUMNS)},
    }
