"""A run from its config to its report: the only place that wires everything together.

Nothing is written before the data has been read and fits the config, and TensorFlow is imported
only then.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from multitask_recommender import evaluation, record, registry, report, run_folder, splits
from multitask_recommender.config import Config, load
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import TEST, TOTAL_LOSS, VALIDATION
from multitask_recommender.splits import Splits

RETRIEVAL = "retrieval"  # the kind of task that ranks items; all others predict a label
BASELINES = ("popularity", "random")  # beside every model


def train(config: Config, run_dir: pathlib.Path) -> None:
    """Trains, evaluates and reports; writes the run at `run_dir`, or resumes it."""
    run_folder.check_absent(run_dir)
    data = read(config)
    report.show_data(data, config)
    with run_folder.open_partial(run_dir, record.config_text(config, data.train.source)) as folder:
        for part, rows in ((VALIDATION, data.validation), (TEST, data.test)):
            positives = _positives(config, rows)
            pairs = evaluation.relevant_pairs(rows, positives)
            pairs.write_parquet(folder / f"{part}.parquet")

        model, validated = _fit(config, data, folder)
        results = _results(config, data, model, validated)
        run_folder.write_json(folder / run_folder.METRICS, results)
    report.show_results(results, run_dir)


def evaluate(
    run_dir: pathlib.Path,
    protocol: str | None = None,
    json_path: pathlib.Path | None = None,
    recommendations_path: pathlib.Path | None = None,
) -> None:
    """Evaluates a finished run on its test part, by one protocol or by those of its config."""
    run_folder.check_complete(run_dir)
    config = load(run_dir / run_folder.CONFIG)
    if protocol is not None:
        chosen = config.evaluation.model_copy(update={"protocols": [protocol]})
        config = dataclasses.replace(config, evaluation=chosen)
    data = read(config)
    record.check_same_data(run_dir / run_folder.CONFIG, data.train.source)
    if recommendations_path is not None and _retrieval(config) is None:
        raise RunError(f"{run_dir} has no retrieval task, so there is nothing to recommend.")
    report.show_data(data, config)
    model = restore(config, data, run_dir)
    results = _results(config, data, model)
    if json_path is not None:
        run_folder.write_json(json_path, results)
    if recommendations_path is not None:
        table = evaluation.recommendations(
            model.scorer(), data.test.user_ids, [data.train, data.validation]
        )
        run_folder.write_parquet(recommendations_path, table)
    report.show_results(results, run_dir)


def read(config: Config) -> Splits:
    """The data of a config, split. Raises ConfigError where the config asks for what it lacks."""
    dataset = registry.load("datasets", config.dataset.name)
    data = splits.split(dataset.read(config.dataset.settings, config.split.fold), config.split)
    faults = config.model.settings.missing_from(data.train, "model")
    for name, task in config.tasks.items():
        faults += task.settings.missing_from(data.train, f"tasks.{name}")
    if faults:
        raise ConfigError("\n".join(faults))
    return data


def build(config: Config, train: Interactions):
    """The model of a config, untrained, for these training interactions."""
    import tensorflow as tf

    if config.training.strategy == "none":
        tf.config.set_visible_devices([], "GPU")
    tf.keras.utils.set_random_seed(config.training.seed)
    tasks = [
        registry.load("tasks", choice.name).Task(name, choice.settings, train)
        for name, choice in config.tasks.items()
    ]
    outputs = {task.name: task.initial_output for task in tasks if task.predicts_label}
    sharing = registry.load("sharing", config.sharing.name)
    weighting = registry.load("weighting", config.weighting.name)
    model = registry.load("models", config.model.name).Model(
        config.model.settings,
        train,
        tasks=tasks,
        make_sharing=lambda shape: sharing.Sharing(config.sharing.settings, shape, outputs),
        weighting=weighting.Weighting(
            config.weighting.settings, {task.name: task.weight for task in tasks}
        ),
    )
    model.make_weights()
    return model


def restore(config: Config, data: Splits, run_dir: pathlib.Path) -> Any:
    """The trained model of a finished run."""
    from multitask_recommender.training import loop

    model = build(config, _learnt_rows(config, data))
    loop.load_weights(model, run_dir / run_folder.CHECKPOINTS)
    return model


def _fit(config: Config, data: Splits, folder: pathlib.Path) -> tuple[Any, dict[str, Any]]:
    """The final model, and which epoch validation chose with which metrics."""
    from multitask_recommender.training.fit import Fit

    validate = None
    if len(data.validation):
        evaluator = _evaluator(config, [data.train], data.validation, VALIDATION, ["full"])

        def validate(model: Any) -> dict[str, float]:
            return evaluator(model.scorer(), _kinds(config)).metrics

    fit = Fit(
        config.training,
        lambda rows: build(config, rows),
        validate,
        _monitor(config),
        folder,
        report.Progress(),
    )
    model = fit(data.train, data.train_and_validation)
    return model, {"epoch": fit.chosen_epoch, "refit": fit.refits, "metrics": fit.chosen_metrics}


def _results(
    config: Config, data: Splits, model: Any, validated: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What metrics.json holds: the test part, evaluated for the model and beside it."""
    from multitask_recommender.batches import ordered_batches
    from multitask_recommender.training import loop

    learnt = _learnt_rows(config, data)
    evaluator = _evaluator(config, [data.train, data.validation], data.test, TEST)
    evaluated = evaluator(model.scorer(), _kinds(config))
    metrics = dict(evaluated.metrics)
    if len(data.test):
        batches = ordered_batches(data.test, config.training.batch_size)
        for name, loss in loop.mean_losses(model, batches).items():
            metrics[f"{TEST}/{name}/loss" if name != TOTAL_LOSS else f"{TEST}/loss"] = loss
    beside = {name: _baseline(name, learnt, config.training.seed) for name in BASELINES}
    if learnt.oracle is not None:
        beside["oracle"] = learnt.oracle
    results = {
        "metrics": metrics,
        "baselines": {
            name: evaluator(scorer, _kinds(config)).metrics for name, scorer in beside.items()
        },
        "protocol": {
            **evaluated.protocol,
            "trained_on": "train and validation" if learnt is not data.train else "train",
            "split_settings": config.split.model_dump(mode="json"),
            "seed": config.training.seed,
        },
        "dataset": {
            "name": data.train.source.name,
            "warnings": list(data.train.source.warnings),
            "md5": dict(data.train.source.files),
            "users": data.train.num_users,
            "items": data.train.num_items,
            "parts": data.counts(),
        },
        "versions": record.versions(),
    }
    if validated is not None:
        results["metrics"] = {**validated["metrics"], **metrics}
        results["training"] = {"epoch": validated["epoch"], "refit": validated["refit"]}
    return results


def _evaluator(
    config: Config,
    seen: list[Interactions],
    held_out: Interactions,
    part: str,
    protocols: list[str] | None = None,
) -> evaluation.Evaluator:
    """By the protocols of the config, or others; without a retrieval task, labels only."""
    chosen = config.evaluation.protocols if protocols is None else protocols
    if _retrieval(config) is None:
        chosen = []
    settings = config.evaluation.model_copy(update={"protocols": chosen})
    return evaluation.Evaluator(seen, held_out, settings, part, _positives(config, held_out))


def _learnt_rows(config: Config, data: Splits) -> Interactions:
    """The training rows of the final model."""
    refits = config.training.refit and len(data.validation)
    return data.train_and_validation if refits else data.train


def _baseline(name: str, learnt: Interactions, seed: int) -> evaluation.Scorer:
    settings = registry.settings_class("baselines", name)()
    return registry.load("baselines", name).fit(settings, learnt, seed)


def _retrieval(config: Config) -> str | None:
    """The name of the task that retrieves, if there is one."""
    return next((name for name, task in config.tasks.items() if task.name == RETRIEVAL), None)


def _kinds(config: Config) -> dict[str, str]:
    """The kind of each task, by the label that it predicts."""
    return {name: task.name for name, task in config.tasks.items() if task.name != RETRIEVAL}


def _positives(config: Config, rows: Interactions) -> np.ndarray | None:
    """A mask of the rows whose item is to be retrieved; None where all are."""
    name = _retrieval(config)
    label = None if name is None else config.tasks[name].settings.positive
    return None if label is None else rows.is_observed(label) & (rows.labels[label] == 1)


def _monitor(config: Config) -> str:
    """The flat key of the validation metric that chooses the epoch."""
    monitor = config.training.monitor
    if monitor != "auto":
        return f"{VALIDATION}/{monitor}"
    if _retrieval(config) is not None:
        depth = max(
            k for k in config.evaluation.cutoffs if k <= 20 or k == min(config.evaluation.cutoffs)
        )
        return f"{VALIDATION}/full/ndcg@{depth}"
    label, kind = next(iter(_kinds(config).items()))
    metric = {"rating": "root_mean_squared_error"}.get(kind, "log_loss")
    return f"{VALIDATION}/{label}/{metric}"
