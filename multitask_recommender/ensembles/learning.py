"""What members count, learnt on validation rows that none of them has learnt from: stacking.

Wolpert, "Stacked Generalization", Neural Networks 1992; with weights of at least 0, as Breiman,
"Stacked Regressions", Machine Learning 1996. Those of retrieval are chosen by nDCG@10
(ranking_weights.py); those of a binary label by a logistic regression on the members' logits, those
of stars by least squares.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from multitask_recommender.ensembles import fusion
from multitask_recommender.ensembles.members import Member
from multitask_recommender.ensembles.ranking_weights import Candidates
from multitask_recommender.ensembles.recipe import Blend
from multitask_recommender.errors import RunError
from multitask_recommender.evaluation.fold_in import Histories
from multitask_recommender.evaluation.labels import RATING
from multitask_recommender.evaluation.scorer import rank_rows
from multitask_recommender.experiment import Experiment
from multitask_recommender.schema import VALIDATION

_SHRINKAGE = 1e-5  # of squares of weights, so that members which say the same share what they count


def check(experiment: Experiment) -> None:
    """Raises RunError without validation rows, and where runs have learnt from them."""
    if not len(experiment.data.validation):
        raise RunError("There are no validation rows to learn weights on: see split.validation.")
    if experiment.refits:
        raise RunError(
            "The runs were refitted on train and validation, so that weights learnt on validation "
            "would be learnt on what their models have seen. Train the same with "
            "training.refit=false and stack those; then give --weights the folder of that ensemble "
            "to weigh these runs by it."
        )


@dataclasses.dataclass(frozen=True)
class Samples:
    """What members say of validation rows.

    candidates: None where nothing retrieves, else `retrieval` is the name of the task. labels: by
    name, what members say [n, M] (logits or stars) and what came of it [n].
    """

    retrieval: str | None
    candidates: Candidates | None
    labels: Mapping[str, tuple[np.ndarray, np.ndarray]]
    kinds: Mapping[str, str]

    @classmethod
    def of(cls, members: Sequence[Member], experiment: Experiment) -> "Samples":
        """Of rows that `check` has found right."""
        rows = experiment.data.validation
        candidates = Candidates.of(members, experiment) if experiment.retrieves else None
        histories = Histories(experiment.rows.told(VALIDATION))
        said = [rank_rows(member.predictor, rows, histories) for member in members]
        labels = {}
        for label, kind in experiment.kinds.items():
            observed = rows.is_observed(label)
            scale = (lambda values: values) if kind == RATING else fusion.logits
            columns = [
                scale(each[label][observed]) if label in each else np.zeros(observed.sum())
                for each in said
            ]
            labels[label] = np.stack(columns, axis=1), rows.labels[label][observed]
        return cls(experiment.config.retrieval, candidates, labels, experiment.kinds)

    def blends(self, takes_part: Mapping[str, tuple[bool, ...]]) -> dict[str, Blend]:
        """The weights of each task's members; a task without any, or without rows, has none."""
        blends = {}
        if self.candidates is not None and any(takes_part.get(self.retrieval, ())):
            weights = self.candidates.best_weights(np.array(takes_part[self.retrieval], bool))
            blends[self.retrieval] = Blend(tuple(weights.tolist()))
        for label, (said, targets) in self.labels.items():
            takes = np.array(takes_part.get(label, ()), bool)
            if not takes.any() or not len(targets):
                continue
            fit = _stars if self.kinds[label] == RATING else _logistic
            weights, intercept = fit(said[:, takes].astype(np.float64), targets)
            blends[label] = Blend(_spread(weights, takes), intercept)
        return blends


def _logistic(said: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights [m] of at least 0, and an intercept, of least log loss."""
    columns = np.append(said, np.ones((len(said), 1)), axis=1)
    signs = np.where(targets > 0.5, 1.0, -1.0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (columns @ weights)
        pull = -signs / (1.0 + np.exp(np.minimum(margins, 500.0)))
        shrunken = np.append(weights[:-1], 0.0)
        value = float(np.logaddexp(0.0, -margins).mean()) + _SHRINKAGE * shrunken @ shrunken
        return value, columns.T @ pull / len(pull) + 2 * _SHRINKAGE * shrunken

    number = said.shape[1]
    weights = _least(loss, np.append(np.full(number, 1 / number), 0.0), number)
    return weights[:-1], float(weights[-1])


def _stars(said: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights [m] of at least 0, and an intercept, of least squared error."""
    from scipy.optimize import nnls

    means, mean = said.mean(axis=0), float(targets.mean(dtype=np.float64))
    weights, _ = nnls(said - means, targets.astype(np.float64) - mean)
    return weights, mean - float(means @ weights)


def _least(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, number: int
) -> np.ndarray:
    """Where a loss with its gradient is least, the first `number` being at least 0."""
    from scipy.optimize import minimize

    bounds = [(0.0, None)] * number + [(None, None)] * (len(start) - number)
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def _spread(weights: np.ndarray, takes: np.ndarray) -> tuple[float, ...]:
    """For all members, 0 for those that take no part."""
    spread = np.zeros(len(takes))
    spread[takes] = weights
    return tuple(spread.tolist())
