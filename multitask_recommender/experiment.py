"""A run from its config to its report: the only place that wires everything together.

Nothing is written before the data has been read and fits the config, and TensorFlow is imported
only then.
"""

import dataclasses
import pathlib

from multitask_recommender import evaluation, registry, report, run_folder
from multitask_recommender.config import Config, load
from multitask_recommender.data import read_splits
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import TEST, VALIDATION
from multitask_recommender.splits import Splits

BASELINES = ("popularity", "random")  # beside every model


def train(config: Config, run_dir: pathlib.Path) -> None:
    """Trains, evaluates and reports; writes the run at `run_dir`, or resumes it."""
    run_folder.check_absent(run_dir)
    data = read_splits(config)
    report.say_data(data)
    record = run_folder.record(config, data.train.source)
    with run_folder.open_partial(run_dir, record) as folder:
        for part, rows in ((VALIDATION, data.validation), (TEST, data.test)):
            evaluation.relevant_pairs(rows).write_parquet(folder / f"{part}.parquet")
        results = _results(config, data, _fit(config, data, folder))
        run_folder.write_json(folder / run_folder.METRICS, results)
    report.say_results(results, run_dir)
