"""How well a scorer ranks and predicts held-out interactions, by protocols with names.

    result = Evaluator([train, validation], test, Settings())(model)
    result.metrics["test/full/recall@20"]

`full` ranks all items but the user's seen ones, one user one vote; `unfiltered` is the protocol of
the TFRS tutorials, every item a candidate and one row one vote; `sampled` ranks against a few
negatives. Every result carries its protocol. What is not computed is absent, never 0.0.
"""

from multitask_recommender.evaluation.evaluator import Evaluation, Evaluator, evaluate
from multitask_recommender.evaluation.kept import (
    PER_ROW,
    PER_USER,
    per_row,
    per_user,
    popularity_recall,
)
from multitask_recommender.evaluation.scorer import Predictor, Scorer
from multitask_recommender.evaluation.settings import Settings
from multitask_recommender.evaluation.tables import recommendations, relevant_pairs

__all__ = [
    "PER_ROW",
    "PER_USER",
    "Evaluation",
    "Evaluator",
    "Predictor",
    "Scorer",
    "Settings",
    "evaluate",
    "per_row",
    "per_user",
    "popularity_recall",
    "recommendations",
    "relevant_pairs",
]
