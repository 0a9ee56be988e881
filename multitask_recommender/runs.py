"""Runs as folders: `train` writes one, `evaluate` reads one.

Nothing is written before the data has been read and fits the config.
"""

import dataclasses
import gc
import json
import pathlib
import resource
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from multitask_recommender import assembly, evaluation, exporting, record, report, run_folder
from multitask_recommender.config import Config, load
from multitask_recommender.ensembles.ensemble import restore
from multitask_recommender.ensembles.recipe import is_ensemble
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment, Fitted
from multitask_recommender.export import folder as export_folder
from multitask_recommender.schema import TEST, VALIDATION
from multitask_recommender.splits import Splits
from multitask_recommender.training import cluster

_STRATIFIED_AT = 20  # the cut-off of recall by popularity
_CHECKED = (  # what comparisons read
    run_folder.CONFIG,
    run_folder.METRICS,
    run_folder.HISTORY,
    evaluation.PER_USER,
    evaluation.PER_ROW,
)


def train(config: Config, run_dir: pathlib.Path) -> None:
    """Trains, evaluates and reports; writes the run at `run_dir`, or resumes it.

    Of a finished run whose export is wanted and was interrupted, only that is done. In a cluster,
    each of its processes calls this: the chief does so, the others take part.
    """
    if config.training.strategy not in cluster.STRATEGIES:
        return _train(config, run_dir)
    group = cluster.read(config.training.strategy)  # before TensorFlow takes seconds to import

    from multitask_recommender.training.fit import REFIT, SEARCH, WORDS
    from multitask_recommender.training.following import follow, taking_part
    from multitask_recommender.training.parameter_servers import serve

    if group.serves:
        report.say(f"{group.kind} {group.index} at {group.address}, until the chief has ended.")
        return serve(group)
    report.say(
        f"{group.kind} {group.index} at {group.address} begins when all of the cluster have come."
    )
    with taking_part(config.training) as replicas:
        if replicas.is_chief:
            return _train(config, run_dir)
        experiment = Experiment(config)
        rows = {WORDS[SEARCH]: experiment.data.train, WORDS[REFIT]: experiment.learnt_rows}
        return follow(config.training, lambda each: assembly.build(config, each), rows)


def _train(config: Config, run_dir: pathlib.Path) -> None:
    experiments = [_completed(config, run_dir)]
    if config.export.when_trained:
        # Taken out, so that who exports is the only one who has it, and can let go of it.
        _export(
            lambda: _with_model(experiments.pop(), run_dir), run_dir, run_dir / run_folder.EXPORT
        )


def _completed(config: Config, run_dir: pathlib.Path) -> Experiment:
    """Makes a run complete, whatever comes of its export; returns its experiment."""
    awaits_export = config.export.when_trained and _has_no_export(run_dir)
    if not awaits_export:
        run_folder.check_absent(run_dir)
    experiment = Experiment(config)
    experiment.check_monitor()
    if config.export.when_trained:
        exporting.check(experiment)
    data = experiment.data
    report.show_data(data, config, experiment.traps)
    origin = assembly.warm_start(config, data.train)
    if origin is not None:
        report.say(_told(origin))
    text = record.config_text(config, data.train.source)
    if awaits_export:
        run_folder.check_same_config(run_dir, text)
        return experiment
    with run_folder.open_partial(run_dir, text) as folder:
        results = _written(experiment, folder, origin)
    report.show_results(results, [run_dir / run_folder.METRICS])
    return experiment


def _written(
    experiment: Experiment, folder: pathlib.Path, origin: dict[str, Any] | None
) -> dict[str, Any]:
    """Trains and evaluates, and writes all of a run but its config; returns what metrics.json has.

    origin: of a warm start.
    """
    data = experiment.data
    for part, rows in ((VALIDATION, data.validation), (TEST, data.test)):
        pairs = evaluation.relevant_pairs(rows, experiment.positives(rows))
        record.write_parquet(folder / f"{part}.parquet", pairs, data.train.source)
    fitted = experiment.fit(folder)
    evaluated = experiment.test(fitted.model)
    _write_kept(folder, experiment, evaluated)
    results = results_of(experiment, evaluated)
    results["metrics"] = {**fitted.validation, **results["metrics"]}
    results["training"] = {"epoch": fitted.epoch, "refit": experiment.refits}
    results["training"] |= {} if origin is None else {"warm_start": origin}
    results["popularity_recall"] = evaluation.popularity_recall(
        evaluated.arrays, TEST, _STRATIFIED_AT
    )
    results["cost"] = _cost(fitted, evaluated)
    run_folder.write_json(folder / run_folder.METRICS, results)
    run_folder.write_checksums(folder, _CHECKED)
    return results


def _with_model(experiment: Experiment, run_dir: pathlib.Path) -> tuple[Experiment, Any]:
    """An experiment with the model of its run, read from there: what else was made of it goes.

    The trained one has its optimizer's state beside it.
    """
    experiment.forget()
    gc.collect()  # Keras' models hold themselves
    return experiment, experiment.restore(run_dir)


def _told(origin: Mapping[str, Any]) -> str:
    """Of a warm start, in a sentence."""
    counts = [
        f"{side} {', '.join(f'{number:,} {what}' for what, number in origin[side].items())}"
        for side in ("users", "items")
    ]
    return f"Begins with the weights of {origin['run']}: {'; '.join(counts)}."


def _write_kept(
    folder: pathlib.Path, experiment: Experiment, evaluated: evaluation.Evaluation
) -> None:
    """What comparisons in pairs read, by user and by row."""
    test, source = experiment.data.test, experiment.data.train.source
    users = experiment.test_evaluator.users
    by_user = evaluation.per_user(evaluated, test, users)
    record.write_parquet(folder / evaluation.PER_USER, by_user, source)
    record.write_parquet(folder / evaluation.PER_ROW, evaluation.per_row(evaluated, test), source)


def _cost(fitted: Fitted, evaluated: evaluation.Evaluation) -> dict[str, float | None]:
    """What the run took. Memory is the most that this process held, its data included."""
    from multitask_recommender.training import loop

    return {
        "training_seconds": round(fitted.seconds, 3),
        "parameters": loop.num_parameters(fitted.model),
        "peak_memory_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "milliseconds_per_user": evaluated.milliseconds_per_user,
    }


def export(run_dir: pathlib.Path, index: str | None, base: pathlib.Path | None) -> None:
    """Exports a finished run, or an ensemble.

    The next version under a base path, by default its `export`.
    """
    run_folder.check_complete(run_dir)
    overrides = [] if index is None else [f"export.index={index}"]
    config = load(run_dir / run_folder.CONFIG, overrides)
    base = base or run_dir / run_folder.EXPORT
    _export(lambda: _opened(run_dir, config), run_dir, base)


def _opened(run_dir: pathlib.Path, config: Config) -> tuple[Experiment, Any]:
    """The experiment of a finished run, or an ensemble, and its model."""
    data = assembly.read(config, for_others=is_ensemble(run_dir))
    experiment = Experiment(config, data)
    record.check_same_data(run_dir / run_folder.CONFIG, experiment.data.train.source)
    if is_ensemble(run_dir):
        return experiment, restore(run_dir, experiment, data).model()
    return experiment, experiment.restore(run_dir)


def _export(
    opened: Callable[[], tuple[Experiment, Any]], run_dir: pathlib.Path, base: pathlib.Path
) -> None:
    metrics = json.loads((run_dir / run_folder.METRICS).read_text())
    report.show_written([exporting.export(opened, base, metrics)])


def _has_no_export(run_dir: pathlib.Path) -> bool:
    """Whether there is a finished run without one."""
    is_finished = (run_dir / run_folder.METRICS).exists()
    return is_finished and not export_folder.versions(run_dir / run_folder.EXPORT)


def results_of(
    experiment: Experiment, evaluated: evaluation.Evaluation | None = None
) -> dict[str, Any]:
    """What metrics.json holds of the test part: the model, what stands beside it, and how.

    evaluated: the model; without one the results are of what stands beside it.
    """
    config, beside = experiment.config, experiment.test_baselines()
    any_evaluated = evaluated or next(iter(beside.values()))
    return {
        "metrics": {} if evaluated is None else evaluated.metrics,
        "baselines": {name: each.metrics for name, each in beside.items()},
        "protocol": {
            **any_evaluated.protocol,
            "trained_on": "train and validation" if experiment.refits else "train",
            "split_settings": config.split.model_dump(mode="json"),
            "seed": config.training.seed,
        },
        "dataset": record.dataset(experiment.data, config),
        "traps": [dataclasses.asdict(trap) for trap in experiment.traps],
        "versions": record.versions(),
    }


def evaluate(
    place: pathlib.Path,
    protocol: str | None = None,
    json_path: pathlib.Path | None = None,
    recommendations_path: pathlib.Path | None = None,
    places: Sequence[str] = (),
) -> None:
    """Evaluates a finished run, an ensemble, or an export as it is served, on its test part.

    By one protocol or by those of its config. places: where its data are on this machine, such as
    `dataset.path=FOLDER`; they must be those that it was trained on all the same.
    """
    _check_places(places)
    exported = None
    if not (place / run_folder.METRICS).exists() and export_folder.is_export(place):
        exported = export_folder.latest(place)
        config_path = exported / export_folder.EXTRA / run_folder.CONFIG
    else:
        run_folder.check_complete(place)
        config_path = place / run_folder.CONFIG
    outputs = [path for path in (json_path, recommendations_path) if path is not None]
    for path in outputs:
        run_folder.check_writable(path)
    config = load(config_path, places)
    if protocol is not None:
        chosen = config.evaluation.model_copy(update={"protocols": [protocol]})
        config = dataclasses.replace(config, evaluation=chosen)
    is_of_others = exported is not None or is_ensemble(place)  # an export may be an ensemble's
    read = assembly.read(config, for_others=is_of_others)
    experiment = Experiment(config, read)
    data = experiment.data
    record.check_same_data(config_path, data.train.source)
    if recommendations_path is not None and not experiment.retrieves:
        raise RunError(f"{place} has no retrieval task, so there is nothing to recommend.")
    report.show_data(data, config, experiment.traps)
    scorer, evaluated = _evaluated(experiment, read, place, exported)
    results = results_of(experiment, evaluated)
    if recommendations_path is not None:
        table = evaluation.recommendations(
            scorer, data.test.user_ids, experiment.seen, fold_in=experiment.fold_in
        )
        record.write_parquet(recommendations_path, table, data.train.source)
    if json_path is not None:
        run_folder.write_json(json_path, results)
    report.show_results(results, outputs)


def _evaluated(
    experiment: Experiment, data: Splits, place: pathlib.Path, exported: pathlib.Path | None
) -> tuple[Any, evaluation.Evaluation]:
    """The scorer of a run, of an ensemble or of an export, and what it is worth.

    data: what `read` returned for the config.
    """
    if exported is not None:
        scorer = exporting.scorer(experiment, exported)
    elif is_ensemble(place):
        scorer = restore(place, experiment, data).scorer()
    else:
        model = experiment.restore(place)
        return model.scorer(), experiment.test(model)
    return scorer, experiment.judge(scorer, "the ensemble" if exported is None else "the export")


def _check_places(places: Sequence[str]) -> None:
    """Raises ConfigError for what is more than where the data are: a run is evaluated as it was."""
    known = [f"dataset.{key}" for key in record.PLACES]
    for setting in places:
        if setting.partition("=")[0] not in known:
            raise ConfigError(
                f"{setting} cannot be set here: only where the data are may differ from the run's "
                f"config ({', '.join(known)})."
            )
