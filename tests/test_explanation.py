"""Reasons against the public scoring path: the pair scored again without what is left out."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, run_folder
from multitask_recommender.experiment import Experiment
from multitask_recommender.explanation import IN_HISTORY, OF_ITEM, OF_USER, Explainer
from multitask_recommender.schema import HISTORY, ITEM_ID, USER_ID
from tests.made_runs import made_run

USER, ITEM = 4, 7


def opened(folder):
    experiment = Experiment(config.load(folder / run_folder.CONFIG))
    return experiment, Explainer(experiment, experiment.restore(folder))


def scores(scorer, experiment, history):
    """Of the pair, by whoever has the run and asks its scorer."""
    queries = {USER_ID: np.array([USER], np.int32), HISTORY: np.array([history], np.int32)}
    found = {}
    if experiment.retrieves:
        found["retrieval"] = scorer.score_block(queries)[0, ITEM - 1]
    labels = scorer.rank({**queries, ITEM_ID: np.array([ITEM], np.int32)})
    return found | {label: values[0] for label, values in labels.items()}


def history_of(experiment):
    rows = experiment.learnt_rows
    rows = rows.take(rows.user_ids == USER)
    return rows.item_ids[np.argsort(rows.timestamps, kind="stable")].tolist()


@pytest.mark.parametrize("name", ["tower", "graph", "session"])
def test_leaving_out_an_item_lowers_the_scores_by_what_is_said(made, name):
    experiment, explain = opened(made[name])

    found = explain(USER, ITEM)

    scorer, history = experiment.restore(made[name]).scorer(), history_of(experiment)
    base = scores(scorer, experiment, history)
    assert found.scores == pytest.approx(base, abs=1e-5)
    raw = experiment.data.train.items.raw_ids
    reasons = [reason for reason in found.reasons if reason.source == IN_HISTORY]
    assert sorted(reason.name for reason in reasons) == sorted(
        str(raw[i - 1]) for i in set(history)
    )
    for reason in (reasons[0], reasons[-1]):
        rest = [item for item in history if str(raw[item - 1]) != reason.name]
        without = scores(scorer, experiment, rest)
        for task, effect in reason.effects.items():
            assert base[task] - without[task] == pytest.approx(effect, abs=2e-6), task
    effects = [reason.effects["retrieval"] for reason in found.reasons]
    assert effects == sorted(effects, reverse=True)
    assert effects[0] > 0


def test_what_a_window_does_not_reach_moves_nothing(made):
    experiment, explain = opened(made["session"])
    history = history_of(experiment)
    assert len(history) > 6  # the session's length
    old = set(history[:-7]) - set(history[-7:])

    found = explain(USER, ITEM)

    raw = experiment.data.train.items.raw_ids
    effects = {reason.name: reason.effects["retrieval"] for reason in found.reasons}
    assert [effects[str(raw[item - 1])] for item in old] == pytest.approx([0.0] * len(old))


def test_a_feature_is_left_out_as_if_it_were_missing(made):
    experiment, explain = opened(made["tower"])

    found = explain(USER, ITEM)

    features = {reason.source: reason for reason in found.reasons if reason.source != IN_HISTORY}
    assert features.keys() == {OF_USER, OF_ITEM}
    assert (features[OF_USER].name, features[OF_ITEM].name) == ("age", "genres")
    # Again by hand: the vectors of the features, taken away from those that are multiplied.
    model = experiment.restore(made["tower"])
    base = scores(model.scorer(), experiment, history_of(experiment))
    for source, tower in ((OF_USER, model._user_tower), (OF_ITEM, model._item_tower)):
        row = USER if source == OF_USER else ITEM
        (embedding,) = tower._features.values()
        queries = model.embed_queries(model.features_of({USER_ID: np.array([USER], np.int32)}))
        items = model.embed_items(tf.constant([ITEM]))
        vector = embedding(tf.constant([row])).numpy()[0]
        other = (items if source == OF_USER else queries).numpy()[0, : len(vector)]
        effect = features[source].effects["retrieval"]
        assert effect == pytest.approx(float(vector @ other), abs=1e-5)
    assert explain(USER, ITEM).scores == pytest.approx(base, abs=1e-5)  # all is put back


def test_of_ids_alone_there_is_nothing_to_leave_out(tmp_path):
    folder = made_run(
        tmp_path / "ids", {"name": "mf_ncf", "embedding_dimension": 4}, tasks={"retrieval": {}}
    )
    experiment, explain = opened(folder)

    found = explain(USER, ITEM)

    assert found.reasons == []
    assert (
        "There is nothing to leave out: the vectors that were learnt for the ids" in found.notes[0]
    )
    row = experiment.restore(folder).scorer().score_block({USER_ID: np.array([USER])})[0]
    met = np.concatenate([part.item_ids[part.user_ids == USER] for part in experiment.seen])
    others = np.setdiff1d(np.arange(1, len(row) + 1), [*met, ITEM])
    assert found.place == 1 + (row[others - 1] >= row[ITEM - 1]).sum()
