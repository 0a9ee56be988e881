"""What each member counts: given, alike, borrowed from another ensemble, or learnt."""

import pathlib
from collections.abc import Callable, Collection, Mapping

from multitask_recommender.ensembles import recipe
from multitask_recommender.ensembles.ensemble import Ensemble
from multitask_recommender.ensembles.learning import Samples
from multitask_recommender.ensembles.recipe import STACKED, Blend, evenly
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment import Experiment

Given = tuple[float, ...] | Mapping[str, Blend]
Weigh = Callable[[Collection[int]], dict[str, Blend]]  # by the places of members left out


def given(text: str | None, method: str, number: int) -> Given | None:
    """Weights as a user writes them: numbers for the members in their order, or an ensemble whose
    blends count here too. None where there are none.
    """
    if text is None:
        return None
    if method == STACKED:
        raise ConfigError("--method stacked learns its weights: leave --weights out.")
    place = pathlib.Path(text)
    if recipe.is_ensemble(place):
        borrowed = recipe.read(place)
        if len(borrowed.members) != number:
            raise ConfigError(
                f"--weights {text} weighs {len(borrowed.members)} members, and there are {number}."
            )
        return borrowed.blends
    try:
        weights = tuple(float(word) for word in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--weights is {text!r}, expected numbers such as 2,1 or the folder of an ensemble."
        ) from error
    if len(weights) != number or not all(0 <= weight < float("inf") for weight in weights):
        raise ConfigError(
            f"--weights is {text}, expected a number of at least 0 for each of {number} members."
        )
    if not sum(weights) > 0:
        raise ConfigError(f"--weights is {text}: one member at least must count.")
    return weights


def weighing(ensemble: Ensemble, experiment: Experiment, weights: Given | None) -> Weigh:
    """How the members that are not left out are weighed."""
    if ensemble.recipe.method == STACKED:
        samples = Samples.of(ensemble.members, experiment)
        return lambda left_out: samples.blends(ensemble.takes_part(left_out))
    if isinstance(weights, Mapping):
        return lambda left_out: _borrowed(weights, ensemble.takes_part(left_out))
    alike = (1.0,) * len(ensemble.members) if weights is None else weights
    return lambda left_out: evenly(ensemble.takes_part(left_out), alike)


def _borrowed(
    blends: Mapping[str, Blend], takes_part: Mapping[str, tuple[bool, ...]]
) -> dict[str, Blend]:
    found = {}
    for task, takes in takes_part.items():
        if task not in blends:
            raise ConfigError(
                f"The ensemble of --weights has none for {task}; it has them for "
                f"{', '.join(blends)}."
            )
        weights = tuple(w * does for w, does in zip(blends[task].weights, takes, strict=True))
        if any(weights):
            found[task] = Blend(weights, blends[task].intercept)
    return found
