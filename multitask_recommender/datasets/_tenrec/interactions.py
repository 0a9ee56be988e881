"""From the prepared columns of Tenrec to Interactions; see `tenrec`. Imports pyarrow."""

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.datasets._tenrec import cache, layouts
from multitask_recommender.datasets._tenrec.layouts import FIRST_CLICKS
from multitask_recommender.datasets._tenrec.prepare import File
from multitask_recommender.datasets._tenrec.rows import UNOBSERVED
from multitask_recommender.interactions import Entities, Feature, IdWords, Interactions, Source
from multitask_recommender.schema import ITEM_ID, TIMESTAMP, USER_ID

if TYPE_CHECKING:
    from multitask_recommender.datasets.tenrec import Settings

Columns = Mapping[str, np.ndarray]


def read(path: pathlib.Path, settings: "Settings") -> Interactions:
    layout = layouts.read(path, settings.scenario)
    file = File(path, layout, settings.max_rows)
    columns, about = cache.opened(file, settings.cache)
    labels = _of(columns, "label-")
    context = {name: Feature(values) for name, values in _of(columns, "context-").items()}
    features = _tables(columns, about["vocabularies"])
    return Interactions(
        user_ids=columns[USER_ID],
        item_ids=columns[ITEM_ID],
        # What is in the vocabulary, the split says: there is no catalogue.
        users=Entities(columns["users-raw_id"], 0, features["users"]),
        items=Entities(columns["items-raw_id"], 0, features["items"]),
        labels=labels,
        observed={name: labels[name] != UNOBSERVED for name in about["unobserved"]},
        timestamps=columns[TIMESTAMP],
        source=_source(path, settings, about),
        context=context,
        post_exposure=frozenset(context),
        future_features=frozenset({FIRST_CLICKS} & features["users"].keys()),
        ordered_by_user=True,
    )


def _of(columns: Columns, prefix: str) -> dict[str, np.ndarray]:
    """The columns whose names begin so, by the rest of the name."""
    return {
        name.removeprefix(prefix): values
        for name, values in columns.items()
        if name.startswith(prefix)
    }


def _tables(
    columns: Columns, vocabularies: Mapping[str, list[str] | None]
) -> dict[str, dict[str, Feature]]:
    """The features of users and of items."""
    tables: dict[str, dict[str, Feature]] = {"users": {}, "items": {}}
    for key, words in vocabularies.items():
        table, _, name = key.partition("-")
        tables[table][name] = Feature(columns[key], None if words is None else tuple(words))
    if f"users-{FIRST_CLICKS}" in columns:
        tables["users"][FIRST_CLICKS] = Feature(
            columns[f"users-{FIRST_CLICKS}"], IdWords(columns["items-raw_id"]), of_items=True
        )
    return tables


def _source(path: pathlib.Path, settings: "Settings", about: Mapping[str, Any]) -> Source:
    name, key = f"Tenrec {settings.scenario}", str(path)
    if settings.max_rows is not None:
        part = f" (first {about['rows']:,} rows)"
        name, key = name + part, key + part  # the md5 is of what was read
    return Source(name, {key: about["md5"]}, tuple(about["warnings"]))
