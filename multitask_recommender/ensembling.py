"""Finished runs as an ensemble: made, evaluated like a run, and what each member adds and costs."""

import dataclasses
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multitask_recommender import assembly, evaluation, record, report, run_folder, runs
from multitask_recommender.ensembles import learning, members
from multitask_recommender.ensembles.ensemble import Ensemble
from multitask_recommender.ensembles.recipe import STACKED, Recipe
from multitask_recommender.ensembles.weighing import Weigh, given, weighing
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics.intervals import paired_interval
from multitask_recommender.schema import TEST, VALIDATION

_FIGURE, _CUTOFF = re.compile(rf"{TEST}/full/ndcg@(\d+)"), 10  # or the nearest cut-off there is


@dataclasses.dataclass(frozen=True)
class Asked:
    """An ensemble as a user asks for it. weights: see weighing.given."""

    members: Sequence[str]
    method: str
    weights: str | None = None


@dataclasses.dataclass(frozen=True)
class _Judged:
    """The ensemble on the test part, its members alone, and the ensemble without each."""

    whole: evaluation.Evaluation
    alone: Mapping[str, evaluation.Evaluation]
    without: Mapping[str, evaluation.Evaluation]
    seconds: np.ndarray  # of scoring, by member


def ensemble(asked: Asked, out: pathlib.Path) -> None:
    """Makes an ensemble of finished runs and baselines, evaluates it and writes it at `out`."""
    run_folder.check_absent(out)
    references = members.find(asked.members)
    weights = given(asked.weights, asked.method, len(references))
    config = members.shared_config(references)
    data = assembly.read(config)
    experiment = Experiment(config, data)
    if asked.method == STACKED:
        learning.check(experiment)
    report.show_data(experiment.data, config, experiment.traps)
    opened = members.open_all(references, experiment, data)
    ensemble = Ensemble(Recipe(asked.method, tuple(references), {}), opened, experiment)
    weigh = weighing(ensemble, experiment, weights)
    ensemble.recipe = dataclasses.replace(ensemble.recipe, blends=weigh(()))
    source = experiment.data.train.source
    with run_folder.open_partial(out, record.config_text(config, source)) as folder:
        ensemble.recipe.write(folder)
        for part, rows in ((VALIDATION, experiment.data.validation), (TEST, experiment.data.test)):
            pairs = evaluation.relevant_pairs(rows, experiment.positives(rows))
            record.write_parquet(folder / f"{part}.parquet", pairs, source)
        judged = _judge(ensemble, experiment, weigh)
        results = runs.results_of(experiment, judged.whole)
        alone = {name: each.metrics for name, each in judged.alone.items()}
        results |= {"members": alone, "ensemble": _account(ensemble, judged)}
        run_folder.write_json(folder / run_folder.METRICS, results)
    beside = {**alone, **results["baselines"]}
    report.show_results({**results, "baselines": beside}, [out / run_folder.METRICS])
    _show(results["ensemble"])


def _judge(ensemble: Ensemble, experiment: Experiment, weigh: Weigh) -> _Judged:
    evaluator, kinds = experiment.test_evaluator, experiment.kinds
    names = [member.name for member in ensemble.members]
    alone, without = {}, {}
    for member in ensemble.members:
        with report.working(f"evaluating {member.name}"):
            own = ensemble.only(member)
            alone[member.name] = evaluator(own, kinds, keep_arrays=True)
    fused = ensemble.scorer()
    with report.working("evaluating the ensemble"):
        whole = evaluator(fused, kinds, keep_arrays=True)
    task = experiment.config.retrieval
    for place, name in enumerate(names):
        blend = weigh([place]).get(task)
        if blend is not None and ensemble.members[place].retrieves:
            with report.working(f"evaluating the ensemble without {name}"):
                scorer = ensemble.scorer({task: blend})
                without[name] = evaluator(scorer, kinds, keep_arrays=True)
    return _Judged(whole, alone, without, fused.seconds)


def _account(ensemble: Ensemble, judged: _Judged) -> dict[str, Any]:
    """The recipe; what each member adds to one figure, with intervals over users, and costs.

    `adds` is the ensemble less the ensemble without the member, `over_best` less its best member.
    """
    told: dict[str, Any] = ensemble.recipe.to_dict()
    costs = zip(ensemble.members, judged.seconds, strict=True)
    told["costs"] = {
        member.name: {"parameters": member.parameters, "scoring_seconds": round(seconds, 4)}
        for member, seconds in costs
    }
    found = [match for match in map(_FIGURE.fullmatch, judged.whole.metrics) if match]
    if not found:
        return told
    key = min(found, key=lambda match: abs(int(match[1]) - _CUTOFF))[0]
    values = {n: each.metrics[key] for n, each in judged.alone.items() if key in each.metrics}
    best = max(values, key=values.__getitem__)
    told["figure"] = {
        "name": key,
        "ensemble": judged.whole.metrics[key],
        "alone": values,
        "without": {name: each.metrics[key] for name, each in judged.without.items()},
        "adds": {name: _less(judged.whole, each, key) for name, each in judged.without.items()},
        "best": best,
        "over_best": _less(judged.whole, judged.alone[best], key),
    }
    return told


def _less(
    a: evaluation.Evaluation, b: evaluation.Evaluation, key: str
) -> dict[str, float | bool] | None:
    """a less b over the same users, with its 95% interval; None with fewer than two users."""
    interval = paired_interval(a.arrays[key], b.arrays[key])
    if interval is None:
        return None
    return {**dataclasses.asdict(interval), "excludes_zero": bool(interval.excludes_zero)}


def _show(account: Mapping[str, Any]) -> None:
    """What members count, what they add, and what they cost."""
    figure = account.get("figure", {})
    names = [member["name"] for member in account["members"]]
    total = sum(cost["scoring_seconds"] for cost in account["costs"].values())
    rows = {}
    for place, name in enumerate(names):
        cost = account["costs"][name]
        adds = figure.get("adds", {}).get(name)
        rows[name] = [
            *(report.shown(blend["weights"][place]) for blend in account["blends"].values()),
            report.shown(figure.get("alone", {}).get(name)),
            *_interval(adds),
            "-" if cost["parameters"] is None else f"{cost['parameters'] / 1e6:.3g}M",
            f"{cost['scoring_seconds'] / total:.0%}" if total else "-",
        ]
    columns = [f"weight\n{task}" for task in account["blends"]]
    columns += ["alone", "adds", "95%\nfrom", "95%\nto", "learnt\nnumbers", "of the\ntime"]
    title = f"{account['method']} ensemble"
    if figure:
        title += f": {figure['name'].removeprefix(f'{TEST}/')} {figure['ensemble']:.4f}"
    report.show_table(title, columns, rows)
    over = figure.get("over_best")
    if over is not None:
        verdict = "excludes" if over["excludes_zero"] else "does not exclude"
        report.say(
            f"Over its best member, {figure['best']}: {over['mean']:+.4f} (95% interval of the "
            f"paired difference over users: {over['low']:+.4f} to {over['high']:+.4f}, which "
            f"{verdict} zero). `adds`: the same over the ensemble without that member."
        )


def _interval(told: Mapping[str, float] | None) -> list[str]:
    return ["-"] * 3 if told is None else [f"{told[name]:+.4f}" for name in ("mean", "low", "high")]
