"""What every model shares: weighted losses, their means, the step, and scoring."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.errors import RunError
from multitask_recommender.evaluation.scorer import rank_rows
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.training import loop, optimizers

TASKS = {"retrieval": {"weight": 1.0}, "like": {"weight": 0.5}, "rating": {"weight": 0.25}}


def build(train, tasks=TASKS, **model):
    model = {"name": "two_tower", "embedding_dimension": 4, **model}
    return experiment.build(config.parse({"model": model, "tasks": tasks}), train)


def test_the_loss_is_the_weighted_sum_of_the_tasks_losses(tiny, batch_of):
    model, batch = build(tiny), batch_of(tiny)

    losses, penalty = model.task_losses(batch, training=False)
    total = model.compute_loss(batch)

    expected = losses["retrieval"] + 0.5 * losses["like"] + 0.25 * losses["rating"]
    np.testing.assert_allclose(total, expected, rtol=1e-6)
    assert float(penalty) == 0


def test_regularisation_is_part_of_the_loss_in_training_only(tiny, batch_of):
    model, batch = build(tiny, l2=3.0), batch_of(tiny)

    penalty = model.task_losses(batch, training=True)[1]
    difference = model.compute_loss(batch, training=True) - model.compute_loss(batch)

    assert float(penalty) > 0
    np.testing.assert_allclose(difference, penalty, rtol=1e-4)


def test_a_frozen_model_learns_no_more(tiny, batch_of):
    model = build(tiny)
    model.freeze()

    with pytest.raises(RunError, match="The model is frozen"):
        model.train_step(batch_of(tiny))


def test_losses_are_told_by_task_and_in_all_and_start_anew_when_reset(tiny, batch_of):
    model, batch = build(tiny), batch_of(tiny)

    first = {name: float(value) for name, value in model.test_step(batch).items()}
    model.reset_metrics()
    again = {name: float(value) for name, value in model.test_step(batch).items()}

    assert first.keys() == {"retrieval", "like", "rating", "loss"}
    assert {metric.name for metric in model.metrics} == first.keys()
    assert first == again


def test_the_mean_over_batches_is_over_observed_rows(tiny, batch_of):
    """Batches with more of them count more, and those without any not at all."""
    model = build(tiny, {"like": {}, "rating": {}})
    batches = [batch_of(tiny, rows) for rows in (slice(0, 4), slice(4, 5), slice(5, 10))]
    assert batches[1]["like/observed"].numpy().tolist() == [0]

    losses = loop.mean_losses(model, batches)

    whole = model.task_losses(batch_of(tiny), training=False)[0]
    assert losses["like"] == pytest.approx(float(whole["like"]), rel=1e-5)
    assert losses["rating"] == pytest.approx(float(whole["rating"]), rel=1e-5)


def test_a_loss_over_no_rows_is_not_told(tiny, batch_of):
    model = build(tiny, {"like": {}, "rating": {}})

    losses = loop.mean_losses(model, [batch_of(tiny, slice(4, 5))])

    assert losses.keys() == {"rating", "loss"}


@pytest.mark.parametrize("label", ["like", "rating"])
def test_an_unobserved_label_has_no_effect(tiny, label, batch_of):
    tiny.observed["rating"] = np.arange(10) != 4
    model, batch = build(tiny), batch_of(tiny)
    flipped = batch[label].numpy()
    flipped[4] = 1 - flipped[4]  # unobserved

    changed = batch | {label: tf.constant(flipped)}

    np.testing.assert_array_equal(model.compute_loss(batch), model.compute_loss(changed))


@pytest.mark.parametrize(
    ("tasks", "labels"),
    [
        ({"rating": {}}, {"rating"}),
        ({"retrieval": {}}, set()),
        ({"retrieval": {"positive": "like"}, "rating": {}}, {"like", "rating"}),
        ({"click": {"observed_where": "like"}}, {"click", "like"}),
    ],
)
def test_batches_hold_the_labels_that_tasks_read_and_no_others(tiny, batch_of, tasks, labels):
    tiny.labels["click"] = 1 - tiny.labels["like"]
    model = build(tiny, tasks)

    batch = batch_of(model.narrowed(tiny))

    assert batch.keys() & {"click", "like", "rating"} == labels
    model.compute_loss(batch, training=True)


def test_a_step_leaves_what_no_task_reads(tiny, batch_of):
    model = build(tiny, {"like": {}}, user=["id", "age"], ranking={"dimension": 2, "user": ["id"]})
    model.optimizer = optimizers.build("adam", 0.1)
    ages = model._user_tower._features["age"].table
    before, ids = ages.numpy().copy(), model._user_tower._ids.numpy().copy()

    model.train_step(batch_of(tiny))

    np.testing.assert_array_equal(ages, before)
    assert (model._user_tower._ids.numpy() != ids).any()


class TestScorer:
    def test_a_column_is_an_item_and_the_padding_none(self, tiny):
        model = build(tiny)
        ids = np.array([2, 0, 4], np.int32)

        scores = model.scorer().score_block({"user_id": ids})

        assert scores.shape == (3, 6)
        for column in range(6):
            item = model.embed_items(tf.constant([column + 1]))
            by_hand = model.embed_queries({"user_id": tf.constant(ids)}).numpy() @ item.numpy()[0]
            np.testing.assert_allclose(scores[:, column], by_hand, rtol=1e-5)

    @pytest.mark.parametrize("vectors", ["float32", "float16"])
    def test_users_score_the_same_among_few_and_among_many(self, tiny, vectors, monkeypatch):
        """Few are multiplied another way; items come four at a time."""
        monkeypatch.setattr("multitask_recommender.models._scorer._ITEMS", 4)
        scorer = build(tiny).scorer(vectors)
        users = np.resize(np.arange(5, dtype=np.int32), 41)

        many = scorer.score_block({"user_id": users})

        for number in (2, 7, 23, 24, 25):
            few = scorer.score_block({"user_id": users[:number]})
            np.testing.assert_allclose(few, many[:number], rtol=1e-6)

    def test_equal_items_are_tied_wherever_they_stand(self, tiny):
        """Those of a last block that is short would not be."""
        scorer = build(tiny).scorer()
        generator = np.random.default_rng(7)
        scorer.items = generator.normal(size=((1 << 16) + 464, 64)).astype(np.float32)
        scorer.items[[1, 40_000, 65_000, -300, -2, -1]] = scorer.items[0]
        queries = generator.normal(size=(8, 64)).astype(np.float32)

        scores = scorer._products(queries)

        equal = scores[:, [0, 1, 40_000, 65_000, -300, -2, -1]]
        np.testing.assert_array_equal(equal, np.repeat(scores[:, :1], 7, axis=1))
        np.testing.assert_allclose(scores, queries @ scorer.items.T, rtol=1e-3, atol=1e-4)

    def test_it_is_a_snapshot(self, tiny):
        model = build(tiny)
        scorer, ids = model.scorer(), {"user_id": np.array([1], np.int32)}
        before = scorer.score_block(ids)

        model._space._biases.assign_add(tf.ones([7]))

        np.testing.assert_array_equal(scorer.score_block(ids), before)
        np.testing.assert_allclose(model.scorer().score_block(ids), before + 1, rtol=1e-5)

    def test_predictions_are_those_of_the_heads_in_the_order_of_the_rows(self, tiny, monkeypatch):
        monkeypatch.setattr("multitask_recommender.evaluation.scorer._ROWS_AT_ONCE", 3)
        model = build(tiny)
        known = {"user_id": [3, 0, 1, 1, 2, 4, 3], "item_id": [6, 1, 0, 5, 5, 1, 6]}
        rows = Interactions(
            user_ids=np.array([3, 5, 1, 1, 2, 4, 3], np.int32),  # 5 is a user of held-out rows only
            item_ids=np.array([6, 1, 7, 5, 5, 1, 6], np.int32),  # and 7 such an item
            users=Entities(np.arange(1, 6), 4),
            items=Entities(np.arange(1, 8), 6),
        )

        predicted = rank_rows(model.scorer(), rows)

        assert predicted.keys() == {"like", "rating"}
        for row in range(7):
            alone = {name: np.array(ids[row : row + 1], np.int32) for name, ids in known.items()}
            one = model.scorer().rank(alone)
            for label in one:
                np.testing.assert_allclose(predicted[label][row], one[label][0], rtol=1e-5)
        assert ((predicted["like"] > 0) & (predicted["like"] < 1)).all()
        assert ((predicted["rating"] >= 1) & (predicted["rating"] <= 5)).all()

    def test_no_pairs_are_no_predictions(self, tiny):
        nothing = {"user_id": np.empty(0, np.int32), "item_id": np.empty(0, np.int32)}

        predicted = build(tiny).scorer().rank(nothing)

        assert {label: len(values) for label, values in predicted.items()} == {
            "like": 0,
            "rating": 0,
        }
