"""What the rows of an experiment's data are to it: learnt from, seen, told of, to be retrieved."""

import dataclasses

import numpy as np

from multitask_recommender import splits
from multitask_recommender.config import Config
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import VALIDATION


@dataclasses.dataclass(frozen=True)
class ExperimentRows:
    """The parts of a split, by the settings of a config.

    retrieval: the name of the task that ranks items; None where there is none.
    """

    config: Config
    data: splits.Splits
    retrieval: str | None

    @property
    def refits(self) -> bool:
        """Whether the final model learns from the validation rows too."""
        return self.config.training.refit and len(self.data.validation) > 0

    @property
    def learnt(self) -> Interactions:
        """The training rows of the final model."""
        return self.data.train_and_validation if self.refits else self.data.train

    def learnt_before(self, part: str) -> Interactions:
        """The rows of the model that is judged by a part."""
        return self.data.train if part == VALIDATION else self.learnt

    def known_beside(self, part: str) -> Interactions:
        """What is known before a part, beside the rows that its model learns from."""
        fold_in, validation = self.data.fold_in, self.data.validation
        if part == VALIDATION:
            return fold_in
        if self.refits:
            return fold_in.take(~np.isin(fold_in.user_ids, validation.user_ids))
        return splits.joined(fold_in, validation) if self.config.split.is_in_order else fold_in

    def told(self, part: str) -> Interactions:
        """Of users of whom more is known before a part than was learnt from, all that is known.

        Events that count in histories of the model, for scorers to be told of.
        """
        more, learnt = self.known_beside(part), self.learnt_before(part)
        before = learnt.take(np.isin(learnt.user_ids, np.unique(more.user_ids)))
        return self.counting_in_histories(splits.joined(before, more))

    def counting_in_histories(self, rows: Interactions) -> Interactions:
        """Those of some rows that the model's histories are of."""
        settings = self.config.model.settings
        own = [getattr(settings, f"{kind}_positive", None) for kind in ("history", "recent")]
        label = next(filter(None, own), None)
        return self.retrieved(rows) if label is None else rows.take(rows.positives(label))

    def retrieved(self, rows: Interactions) -> Interactions:
        """Those of some rows whose item is to be retrieved."""
        positives = self.positives(rows)
        return rows if positives is None else rows.take(positives)

    def met(self, rows: Interactions) -> Interactions:
        """The same, but who met what alone: other columns need no copy."""
        positives, pairs = self.positives(rows), self.pairs(rows)
        return pairs if positives is None else pairs.take(positives)

    def pairs(self, rows: Interactions) -> Interactions:
        """The same rows with users and items alone."""
        return dataclasses.replace(rows.narrowed((), ()), timestamps=None, parts=None)

    def positives(self, rows: Interactions) -> np.ndarray | None:
        """A mask of the rows whose item is to be retrieved; None where all are."""
        if self.retrieval is None:
            return None
        return rows.positives(self.config.tasks[self.retrieval].settings.positive)
