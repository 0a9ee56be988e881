"""What a run keeps of an evaluation, so that it can be compared in pairs without scoring again.

per_user.parquet  a row a user with held-out rows, by raw id: every metric that is a mean over users
per_row.parquet   a row for each observed label of a held-out row: label, user, target, prediction

On MovieLens 100k, with 943 users, two cut-offs, 19,633 held-out rows and two labels, they are 26
and 213 kB: about five bytes for each label of a row.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.evaluation.evaluator import Evaluation
from multitask_recommender.evaluation.full import PAIR_POPULARITY, PAIR_RANK
from multitask_recommender.evaluation.labels import PREDICTION, TARGET, USER
from multitask_recommender.interactions import Interactions
from multitask_recommender.metrics import names, ranking

if TYPE_CHECKING:
    import polars as pl

PER_USER, PER_ROW = "per_user.parquet", "per_row.parquet"
_BY_USER = ("full", "unfiltered")  # protocols whose metrics are means over users
_STRATA = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])  # of popularity percentiles


def per_user(evaluation: Evaluation, rows: Interactions, users: np.ndarray) -> "pl.DataFrame":
    """Columns `user`, `full/recall@20`, ...: float32, one row for each of the users (dense ids)."""
    import polars as pl

    metrics = set(names(ranking))
    columns = {}
    for key, values in evaluation.arrays.items():
        _, protocol, *rest = key.split("/")
        if protocol in _BY_USER and len(rest) == 1 and rest[0].partition("@")[0] in metrics:
            columns[f"{protocol}/{rest[0]}"] = values.astype(np.float32)
    return pl.DataFrame({"user": rows.users.raw_ids[users - 1], **columns})


def per_row(evaluation: Evaluation, rows: Interactions) -> "pl.DataFrame":
    """Columns `label`, `user` (raw id), `target` and `prediction` (float32)."""
    import polars as pl

    suffix = f"/{PREDICTION}"
    parts = []
    for key in evaluation.arrays:
        if key.endswith(suffix):
            split, label = key.removesuffix(suffix).split("/")
            of_label = {
                name: evaluation.arrays[f"{split}/{label}/{name}"]
                for name in (USER, TARGET, PREDICTION)
            }
            parts.append(
                {
                    "label": np.full(len(of_label[USER]), label, object),
                    "user": rows.users.raw_ids[of_label[USER] - 1],
                    "target": of_label[TARGET].astype(np.float32),
                    "prediction": of_label[PREDICTION].astype(np.float32),
                }
            )
    frames = [pl.DataFrame(part, schema_overrides={"label": pl.String}) for part in parts]
    empty = {"label": pl.String, "target": pl.Float32, "prediction": pl.Float32}
    return pl.concat(frames) if frames else pl.DataFrame(schema=empty)


def popularity_recall(
    arrays: Mapping[str, np.ndarray], split: str, cutoff: int
) -> list[dict[str, Any]]:
    """Of the relevant pairs in each stratum of their item's popularity, how many rank within k.

    The least popular fifth of the items first; strata without a pair are left out. Items outside
    the vocabulary have no popularity, and seen ones are no candidates: they are in no stratum.
    """
    ranks = arrays.get(f"{split}/full/{PAIR_RANK}")
    if ranks is None:
        return []
    popularity = arrays[f"{split}/full/{PAIR_POPULARITY}"]
    strata = np.clip(np.searchsorted(_STRATA, popularity, side="left") - 1, 0, len(_STRATA) - 2)
    return [
        {
            "from": float(_STRATA[stratum]),
            "to": float(_STRATA[stratum + 1]),
            "pairs": int(np.count_nonzero(strata == stratum)),
            f"recall@{cutoff}": float(np.mean(ranks[strata == stratum] <= cutoff)),
        }
        for stratum in np.unique(strata).tolist()
    ]
