"""An ensemble that is open: its members with what each counts, as a scorer and as a model."""

import pathlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from multitask_recommender import exporting
from multitask_recommender.ensembles import recipe
from multitask_recommender.ensembles.fused import Fused, Labels
from multitask_recommender.ensembles.members import Member, open_all
from multitask_recommender.ensembles.recipe import RECIPROCAL_RANK, Blend, Recipe
from multitask_recommender.errors import ConfigError
from multitask_recommender.evaluation import Predictor
from multitask_recommender.experiment import Experiment
from multitask_recommender.splits import Splits

if TYPE_CHECKING:
    from multitask_recommender.ensembles.product import Product


class Ensemble:
    """The members of a recipe, opened, in its order; `experiment` is of the shared config."""

    def __init__(self, written: Recipe, opened: list[Member], experiment: Experiment) -> None:
        self.recipe = written
        self.members = opened
        self._kinds = experiment.kinds
        self._retrieval = experiment.config.retrieval
        self.tables = experiment.config.export.tables

    def takes_part(self, left_out: Collection[int] = ()) -> dict[str, tuple[bool, ...]]:
        """Which members say anything, by task; none of those left out, by their places."""
        takes = {label: [label in each.labels for each in self.members] for label in self._kinds}
        if self._retrieval is not None:
            takes[self._retrieval] = [each.retrieves for each in self.members]
        return {
            task: tuple(does and place not in left_out for place, does in enumerate(line))
            for task, line in takes.items()
        }

    def scorer(self, blends: Mapping[str, Blend] | None = None) -> Fused:
        """As evaluation sees it, by the blends of the recipe or by others."""
        return Fused(
            [member.predictor for member in self.members],
            self.recipe.method,
            self.recipe.blends if blends is None else blends,
            self._retrieval,
            self._kinds,
        )

    def only(self, member: Member) -> Predictor:
        """A member for evaluation: one that does not retrieve is not asked to."""
        return member.predictor if member.retrieves else Labels(member.predictor)

    def model(self) -> "Product":
        """As an export sees it. Raises ConfigError where its scores are no product of vectors."""
        from multitask_recommender.ensembles.product import Product, recents_differ

        if self.tables != "float32":
            raise ConfigError(
                f"export.tables is {self.tables}, which ensembles do not have: use float32."
            )
        baselines = [member.name for member in self.members if member.experiment is None]
        if baselines:
            raise ConfigError(
                f"An ensemble with the baseline {', '.join(baselines)} has no export: its scores "
                "are no products of vectors that a model makes. Make one of runs alone."
            )
        if self.recipe.method == RECIPROCAL_RANK and self._retrieval in self.recipe.blends:
            raise ConfigError(
                "Reciprocal ranks are no product of vectors, so no index finds the best of them: "
                "an ensemble with --method weighted or stacked can be exported."
            )
        for member in self.members:
            exporting.check(member.experiment)
        models = [member.model for member in self.members]
        recents = recents_differ(models)
        if recents:
            found = ", ".join(f"{each.length} of {each.positive or 'all'}" for each in recents)
            raise ConfigError(
                f"Members read different latest events of a user ({found}), and a request tells "
                "of them once: export them one by one."
            )
        return Product(models, self.recipe.blends, self.scorer(), self._kinds)


def restore(place: pathlib.Path, experiment: Experiment, data: Splits) -> Ensemble:
    """The ensemble in a folder. data: what `read` returned for the config of the experiment."""
    written = recipe.read(place)
    return Ensemble(written, open_all(written.members, experiment, data), experiment)
