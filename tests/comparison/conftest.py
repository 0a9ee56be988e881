"""Finished runs, written by hand: folders as `train` writes them, without training."""

import json
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest

from multitask_recommender import config, run_folder

CONFIG = {
    "dataset": {"name": "synthetic"},
    "model": {"name": "two_tower", "embedding_dimension": 4},
    "training": {"seed": 1},
}
KINDS = {"like": "binary", "rating": "rating"}
_USERS = np.arange(100, 140)


def write(
    folder: pathlib.Path,
    tasks: Sequence[str] = ("retrieval", "like", "rating"),
    seed: int = 1,
    gain: float = 0.0,
    **changed: object,
) -> pathlib.Path:
    """A run whose users have nDCGs around .3 + gain; better likes and stars with more gain.

    changed: sections of the config, and `overlap` of its lists (popularity has .5).
    """
    rng = np.random.default_rng([seed, len(tasks)])
    folder.mkdir(parents=True)
    overlap = changed.pop("overlap", 0.1)
    values = {**CONFIG, **changed, "tasks": {task: {} for task in tasks}}
    values["training"] = {**values["training"], "seed": seed}
    settings = config.parse(values)
    (folder / run_folder.CONFIG).write_text(settings.to_yaml())
    ndcg = np.clip(np.linspace(0, 0.6, 40) + gain + rng.normal(0, 0.02, 40), 0, 1)
    by_user = {"full/ndcg@10": ndcg.astype(np.float32)} if "retrieval" in tasks else {}
    pl.DataFrame({"user": _USERS, **by_user}).write_parquet(folder / "per_user.parquet")
    rows = [_rows(task, gain, rng) for task in tasks if task in KINDS]
    schema = {"label": pl.String, "user": pl.Int64, "target": pl.Float32, "prediction": pl.Float32}
    pl.concat(rows or [pl.DataFrame(schema=schema)]).write_parquet(folder / "per_row.parquet")
    (folder / run_folder.HISTORY).write_text(
        "phase,data,epoch,seconds,loss,validation/loss,gate/like/a,gate/like/b\n"
        f"search,x,1,2,.9,{1 - gain},.5,.5\nsearch,x,2,2,.8,{0.9 - gain},.25,.75\n"
    )
    metrics = _metrics(tasks, float(ndcg.mean()), gain, overlap)
    run_folder.write_json(folder / run_folder.METRICS, _results(tasks, metrics, seed, settings))
    run_folder.write_checksums(
        folder,
        (run_folder.CONFIG, run_folder.METRICS, run_folder.HISTORY)
        + ("per_user.parquet", "per_row.parquet"),
    )
    return folder


def _rows(label: str, gain: float, rng: np.random.Generator) -> pl.DataFrame:
    """Three rows of each user, whose targets are the same in every run."""
    truth = np.random.default_rng(5).uniform(size=120)
    noisy = truth + rng.normal(0, 0.5 - gain, 120)
    if label == "rating":
        target, prediction = 1 + 4 * truth, 1 + 4 * noisy
    else:
        target, prediction = truth > 0.6, 1 / (1 + np.exp(2 - 4 * noisy))
    return pl.DataFrame(
        {
            "label": [label] * 120,
            "user": np.repeat(_USERS, 3),
            "target": target.astype(np.float32),
            "prediction": prediction.astype(np.float32),
        }
    )


def _metrics(tasks: Sequence[str], ndcg: float, gain: float, overlap: float) -> dict[str, float]:
    found = {"validation/loss": 0.8}
    if "retrieval" in tasks:
        found |= {"test/full/ndcg@10": ndcg, "test/full/overlap@10": overlap}
        found |= {"test/full/coverage@10": 0.4}
    if "like" in tasks:
        found |= {"test/like/auc": 0.7 + gain}
    if "rating" in tasks:
        found |= {"test/rating/root_mean_squared_error": 1 - gain}
    return found


def _results(
    tasks: Sequence[str], metrics: dict[str, float], seed: int, settings: config.Config
) -> dict:
    protocol = (
        {"full": {"candidates": "all", "cutoffs_left_out": []}} if "retrieval" in tasks else {}
    )
    popularity = {"test/full/overlap@10": 0.5, "test/full/ndcg@10": 0.1}
    return {
        "metrics": metrics,
        "baselines": {"popularity": popularity if "retrieval" in tasks else {}},
        "protocol": {
            "split": "test",
            **protocol,
            "labels": {label: {"rows": 120} for label in tasks if label in KINDS},
            "trained_on": "train",
            "split_settings": settings.split.model_dump(mode="json"),
            "seed": seed,
        },
        "dataset": {
            "name": "made up",
            "warnings": [],
            "md5": {"/some/where": "abc"},
            "users": 40,
            "items": 9,
            "parts": {"train": {"rows": 300}, "test": {"rows": 120}},
        },
        "training": {"epoch": 2, "refit": False},
        "popularity_recall": [{"from": 0.8, "to": 1.0, "pairs": 9, "recall@20": 0.5}],
        "cost": {
            "training_seconds": 4.0,
            "parameters": 100,
            "peak_memory_bytes": 2**28,
            "milliseconds_per_user": 0.1,
        },
    }


@pytest.fixture
def make_run(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Writes a run under a name: see `write`."""
    return lambda name, *args, **kwargs: write(tmp_path / "made" / name, *args, **kwargs)


@pytest.fixture
def tamper() -> Callable[[pathlib.Path, str, object], None]:
    """Changes a metric in a metrics.json."""

    def change(run: pathlib.Path, key: str, value: object) -> None:
        path = run / run_folder.METRICS
        results = json.loads(path.read_text())
        results["metrics"][key] = value
        path.write_text(json.dumps(results))

    return change
