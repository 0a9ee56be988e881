"""What models are told of users whose later events they have not learnt from."""

import numpy as np
import pytest

from multitask_recommender import config, splits
from multitask_recommender.experiment import Experiment
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.schema import PARTS

NUM_ITEMS = 9


def chains(lengths, parts=None):
    """Users who go round the items, one after the other, each from his own place."""
    users = np.repeat(np.arange(1, len(lengths) + 1), lengths).astype(np.int32)
    places = np.concatenate([np.arange(length) for length in lengths])
    return Interactions(
        users,
        ((users + places) % NUM_ITEMS + 1).astype(np.int32),
        Entities(np.arange(1, len(lengths) + 1), len(lengths)),
        Entities(np.arange(1, NUM_ITEMS + 1), NUM_ITEMS),
        timestamps=places,
        ordered_by_user=True,
        parts=parts,
    )


def experiment_of(rows, split, **training):
    chosen = config.parse(
        {
            "model": {"name": "gru4rec", "embedding_dimension": 16, "layers": [16]},
            "tasks": {"retrieval": {}},
            "split": split,
            "training": {
                "epochs": 30,
                "batch_size": 32,
                "optimizer": "adam",
                "learning_rate": 0.02,
                "validate_every": 30,
                **training,
            },
            "evaluation": {"protocols": ["unfiltered"], "cutoffs": [1]},
        }
    )
    return Experiment(chosen, splits.split(rows, chosen.split))


@pytest.mark.parametrize("refit", [True, False])
def test_the_state_of_a_test_query_has_read_validation_learnt_from_or_not(refit, tmp_path):
    """The next item follows from the last one alone: that of validation."""
    experiment = experiment_of(chains([6] * 40), {"name": "leave_last_out"}, refit=refit)

    fitted = experiment.fit(tmp_path)

    metrics = experiment.test(fitted.model).metrics
    assert fitted.validation["validation/full/hit_rate@1"] > 0.9
    assert metrics["test/unfiltered/hit_rate@1"] > 0.9
    assert metrics["test/retrieval/loss"] < 1.0


def told_of(rows):
    in_order = np.lexsort((rows.timestamps, rows.user_ids))
    pairs = zip(rows.user_ids[in_order].tolist(), rows.item_ids[in_order].tolist(), strict=True)
    told = {}
    for user, item in pairs:
        told.setdefault(user, []).append(item)
    return told


@pytest.mark.parametrize(
    ("refit", "expected"),
    [
        (True, {}),  # all that was met before test is learnt from
        (False, {5: [6, 7, 8, 9], 6: [7, 8, 9, 1]}),
    ],
)
def test_users_of_validation_and_of_test_are_told_of_once_and_up_to_date(refit, expected):
    """Six users with a test row each; the last two were held out for validation."""
    parts = np.tile([PARTS.index("train")] * 4 + [PARTS.index("test")], 6).astype(np.int8)
    split = {"name": "given", "validation": 0.34, "validation_by": "session"}
    experiment = experiment_of(chains([5] * 6, parts), split, refit=refit)
    assert set(experiment.data.validation.user_ids) == {5, 6}

    told = told_of(experiment.fold_in)

    raw = experiment.data.train.users.raw_ids
    items = experiment.data.train.items.raw_ids
    found = {int(raw[u - 1]): items[np.array(met) - 1].tolist() for u, met in told.items()}
    assert found == expected
