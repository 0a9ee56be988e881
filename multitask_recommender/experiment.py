"""A run from its config to its report: the only place that wires everything together.

Nothing is written before the data has been read and fits the config, and TensorFlow is imported
only then.
"""

import dataclasses
import pathlib

from multitask_recommender import evaluation, report, run_folder
from multitask_recommender.config import Config, load

BASELINES = ("popularity", "random")  # beside every model
_VERSIONS = ("tensorflow", "tensorflow-recommenders", "numpy")


def train(config: Config, run_dir: pathlib.Path) -> None:
    """Trains, evaluates and reports; writes the run at `run_dir`, or resumes it."""
    run_folder.check_absent(run_dir)
    data = read_data(config)
    report.say_source(data, config)
    with run_folder.open_partial(run_dir, config_text(config, data)) as folder:
        _write_pairs(config, data, folder)
        fitted = _fit(config, data, folder)
        results = _results(config, data, fitted)
        run_folder.write_json(folder / run_folder.METRICS, results)
    report.say_results(results, run_dir)


def evaluate(
    run_dir: pathlib.Path,
    protocol: str | None = None,
    json_path: pathlib.Path | None = None,
    recommendations_path: pathlib.Path | None = None,
) -> None:
    """Evaluates a finished run on its test part again, under one protocol or those of its config."""
    run_folder.check_complete(run_dir)
    config = load(run_dir / run_folder.CONFIG)
    if protocol is not None:
        chosen = config.evaluation.model_copy(update={"protocols": [protocol]})
        config = dataclasses.replace(config, evaluation=chosen)
    data = read_data(config)
    report.say_source(data, config)
    model = restore(config, data, run_dir)
    results = _results(config, data, Fitted(model, {}, {}))
    if json_path is not None:
        run_folder.write_json(json_path, results)
    if recommendations_path is not None:
        seen = [data.train, data.validation]
        table = evaluation.recommendations(model.scorer(), data.test, seen)
        run_folder.write_parquet(recommendations_path, table)
    report.say_results(results, run_dir)
