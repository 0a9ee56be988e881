"""One scorer, all protocols: the scores of each user are computed once."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from multitask_recommender import columns
from multitask_recommender.errors import DataError
from multitask_recommender.evaluation.fold_in import Histories
from multitask_recommender.evaluation.full import Full
from multitask_recommender.evaluation.held_out import arrange
from multitask_recommender.evaluation.labels import label_directions, label_metrics
from multitask_recommender.evaluation.outcome import Outcome, RankingProtocol
from multitask_recommender.evaluation.sampled import Sampled, drawn_negatives, given_negatives
from multitask_recommender.evaluation.scorer import Clock, Predictor, Scorer, in_blocks
from multitask_recommender.evaluation.settings import Settings
from multitask_recommender.evaluation.unfiltered import Unfiltered
from multitask_recommender.interactions import Interactions
from multitask_recommender.metrics import catalogue, names, ranking
from multitask_recommender.metrics.direction import Direction
from multitask_recommender.metrics.intervals import mean_interval
from multitask_recommender.schema import FOLD_IN, TEST

_OF_USERS = frozenset(names(ranking))  # with a value for each user, but where rows have a vote


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Flat metrics `<split>/<protocol>/<metric>`, the protocols that they stand for, and arrays.

    What could not be computed (an AUC of one class) has no key. Arrays, where asked for, hold what
    metrics are means of, under the metrics' keys: one value for each user in ascending order of
    ids or for each row, so that two scorers of one Evaluator can be compared in pairs. For metrics
    that are no means they hold what metrics/intervals.py compares, see evaluation/labels.py.
    """

    metrics: dict[str, float]
    protocol: dict[str, Any]
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    # Of scoring all items, on one thread; no two evaluations take equally long.
    milliseconds_per_user: float | None = dataclasses.field(default=None, compare=False)


class Evaluator:
    """Held-out interactions, prepared once for all scorers that are to be compared on them."""

    def __init__(
        self,
        seen: Sequence[Interactions],
        held_out: Interactions,
        settings: Settings,
        split: str = TEST,
        positives: np.ndarray | None = None,
        negatives: np.ndarray | None = None,
        fold_in: Interactions | None = None,
    ) -> None:
        """seen: what users met before; the parts of train (and, for the test, of validation).
        Popularity is counted over all of it, as users saw it: also of rows that a model which was
        not refit has not learnt from, so that the protocol is the same for both.

        positives: bool [N], the held-out rows to be retrieved (all, where None). negatives: item
        ids [N, n] of the protocol `sampled`, where they are not to be those that the source gives
        for every held-out row or, without such, drawn. fold_in: what scorers are told of the users
        by their history (evaluation/fold_in.py), which is seen as well.
        """
        rows = np.ones(len(held_out), bool) if positives is None else positives
        of_drawn, self._drawn = _of_drawn_users(held_out, rows, settings)
        if of_drawn is not None:
            held_out, rows = held_out.take(of_drawn), rows[of_drawn]
            negatives = None if negatives is None else negatives[of_drawn]
        if negatives is not None and len(negatives) != len(held_out):
            raise DataError(
                f"There are negatives for {len(negatives)} rows, and {len(held_out)} held-out "
                "rows: give one line of negatives for each."
            )
        self.rows = held_out  # that are evaluated
        self._settings = settings
        self._split = split
        self._histories = Histories(fold_in)
        met, self._told = [*seen], {}
        if fold_in is not None and len(fold_in):
            met.append(fold_in)
            self._told = {
                FOLD_IN: "what users met and was not learnt from is told as a history, and seen"
            }
        self._held_out = arrange(met, held_out.take(rows))
        self._num_seen = sum(map(len, seen))
        counts = np.zeros(held_out.num_items + 1, np.int64)
        for part in seen:
            counts += columns.count(part.item_ids, len(counts))
        self._percentiles = catalogue.percentiles(counts[1:])
        if "sampled" in settings.protocols:
            given = held_out.given_negatives if negatives is None else negatives
            if given is None:
                self._negatives = drawn_negatives(self._held_out, settings.negatives, settings.seed)
            else:
                self._negatives = given_negatives(given[rows], held_out.item_ids[rows])

    @property
    def num_users(self) -> int:
        """Those for whom items are ranked."""
        return len(self._held_out.queries)

    def __call__(
        self,
        scorer: Predictor,
        kinds: Mapping[str, str] | None = None,
        keep_arrays: bool = False,
        advance: Callable[[int], None] = lambda users: None,
    ) -> Evaluation:
        """Evaluates a Scorer, or a predictor of labels alone, which no protocol ranks.

        kinds: "binary" or "rating" by label, see evaluation/labels.py. advance: hears how many
        users have been ranked, a block at a time, from several threads.
        """
        protocols = self._protocols() if isinstance(scorer, Scorer) else {}
        clock = Clock()
        self._pass_over_users(scorer, list(protocols.values()), advance, clock)
        outcomes = {name: protocol.outcome() for name, protocol in protocols.items()}
        outcomes[""] = label_metrics(scorer, self.rows, kinds or {}, self._histories)
        metrics = {name: outcome.metrics for name, outcome in outcomes.items()}
        arrays = {name: outcome.arrays for name, outcome in outcomes.items()}
        return Evaluation(
            metrics={key: value for key, value in self._flat(metrics).items() if value is not None},
            protocol={
                "split": self._split,
                **self._ranked(protocols, outcomes),
                "labels": outcomes[""].counts,
                **self._told,
            },
            arrays=self._flat(arrays) if keep_arrays else {},
            milliseconds_per_user=clock.milliseconds_per_user,
        )

    @property
    def users(self) -> np.ndarray:
        """Dense ids int32 [Q] of those whom arrays by user are of."""
        return self._held_out.users

    def directions(self, kinds: Mapping[str, str]) -> dict[str, Direction | None]:
        """The metrics that a scorer which predicts the labels of `kinds` will have.

        By flat key, and which way each is better (None where neither is). Nothing is scored.
        """
        found = {name: protocol.directions() for name, protocol in self._protocols().items()}
        found[""] = label_directions(self.rows, kinds)
        return self._flat(found)

    def _ranked(
        self, protocols: Mapping[str, RankingProtocol], outcomes: Mapping[str, Outcome]
    ) -> dict[str, Any]:
        """What is said of the protocols; nothing where a scorer ranks nothing."""
        if not protocols:
            return {}
        popularity = (
            f"percentiles of events in the {self._num_seen} rows before this part, learnt from or "
            "not"
        )
        told = {
            name: protocol.record() | self._intervals(outcomes[name])
            for name, protocol in protocols.items()
        }
        return {"popularity": popularity, **told}

    def _intervals(self, outcome: Outcome) -> dict[str, Any]:
        """Of the means over drawn users, and of how many they were drawn; nothing where all are.

        As if there were no end of users: where many of them were drawn, it is narrower.
        """
        if self._drawn is None:
            return {}
        intervals = {
            name: mean_interval(values)
            for name, values in outcome.arrays.items()
            if name.partition("@")[0] in _OF_USERS and len(values) == len(self._held_out.users)
        }
        ends = {name: [each.low, each.high] for name, each in intervals.items() if each}
        return {"users_drawn": self._drawn, "intervals_95": ends}

    def _protocols(self) -> dict[str, RankingProtocol]:
        settings = self._settings
        known: dict[str, Any] = {
            "unfiltered": lambda: Unfiltered(self._held_out, settings.cutoffs),
            "sampled": lambda: Sampled(self._held_out, self._negatives, settings.cutoffs),
            # The last, as it overwrites the scores of seen items.
            "full": lambda: Full(self._held_out, self._percentiles, settings.cutoffs),
        }
        return {name: build() for name, build in known.items() if name in settings.protocols}

    def _pass_over_users(
        self,
        scorer: Scorer,
        protocols: list[RankingProtocol],
        advance: Callable[[int], None],
        clock: Clock,
    ) -> None:
        def measure(scores: np.ndarray, block: slice) -> list[Any]:
            measured = [protocol.measure(scores, block) for protocol in protocols]
            advance(len(scores))
            return measured

        if not protocols or not self._held_out.num_items:
            return
        megabytes = self._settings.block_megabytes
        scored = in_blocks(scorer, self._held_out, self._histories, megabytes, measure, clock)
        for measured in scored:
            for protocol, part in zip(protocols, measured, strict=True):
                protocol.add(part)

    def _flat(self, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Values by flat key, from those of each protocol ("" for labels) by name."""
        return {
            "/".join(filter(None, (self._split, protocol, name))): value
            for protocol, values in parts.items()
            for name, value in values.items()
        }


def _of_drawn_users(
    held_out: Interactions, rows: np.ndarray, settings: Settings
) -> tuple[np.ndarray | None, str | None]:
    """A mask of the rows of the drawn users, and how they were drawn; None where all are taken.

    rows: a mask [N] of those to be retrieved; users without any are not drawn.
    """
    users = np.unique(held_out.user_ids[rows])
    if settings.users is None or len(users) <= settings.users:
        return None, None
    generator = np.random.default_rng(settings.seed)
    drawn = generator.choice(users, settings.users, replace=False)
    told = f"{settings.users} of {len(users)} users, seed {settings.seed}"
    return np.isin(held_out.user_ids, drawn), told


def evaluate(
    scorer: Scorer,
    seen: Sequence[Interactions],
    held_out: Interactions,
    settings: Settings | None = None,
    split: str = TEST,
) -> Evaluation:
    """Evaluates one scorer once; see Evaluator."""
    return Evaluator(seen, held_out, settings or Settings(), split)(scorer)
