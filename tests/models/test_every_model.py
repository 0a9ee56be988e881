"""What must hold for every file of the folder, whatever the tasks and the sharing."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, registry
from multitask_recommender.batches import STEP_SEED, columns
from multitask_recommender.training import optimizers

TASKS = {
    "retrieval": {"retrieval": {}},
    "like": {"like": {}},
    "rating": {"rating": {}},
    "labels": {"click": {}, "like": {"only_with": "click"}, "rating": {}},
    "all": {"retrieval": {}, "click": {}, "like": {"only_with": "click"}, "rating": {}},
}
MODELS = registry.names("models")


@pytest.fixture
def tiny(tiny):
    """With clicks, without which there is no like."""
    clicks = np.maximum(tiny.labels["like"], np.arange(10) % 3 == 1).astype(np.float32)
    return dataclasses.replace(tiny, labels={**tiny.labels, "click": clicks})


def build(train, model, tasks="all", sharing="shared_bottom", weighting="fixed", **settings):
    chosen = {
        "model": {"name": model, "embedding_dimension": 8, **settings},
        "tasks": TASKS[tasks],
        "sharing": sharing,
        "weighting": weighting,
    }
    return experiment.build(config.parse(chosen), train)


def batch_of(interactions):
    arrays = {name: tf.constant(array) for name, array in columns(interactions).items()}
    return arrays | {STEP_SEED: tf.constant([1, 2])}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sharing", registry.names("sharing"))
@pytest.mark.parametrize("tasks", TASKS)
def test_a_few_steps_lower_every_loss(model, tasks, sharing, tiny):
    if sharing == "esmm" and "click" not in TASKS[tasks]:
        pytest.skip("there is no chain of labels")
    model = build(tiny, model, tasks, sharing)
    lower_every_loss(model, tiny)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weighting", registry.names("weighting"))
def test_under_every_weighting_too(model, weighting, tiny):
    lower_every_loss(build(tiny, model, "all", "mmoe", weighting), tiny)


def lower_every_loss(model, tiny):
    model.optimizer = optimizers.build("lazy_adam", 0.05)
    batch = batch_of(tiny)
    before = model.task_losses(batch, training=False)[0]

    for _ in range(8):
        model.train_step(batch)

    after = model.task_losses(batch, training=False)[0]
    assert list(before) == [task.name for task in model._tasks]
    for name in before:
        assert float(after[name]) < float(before[name])


@pytest.mark.parametrize("model", MODELS)
class TestEveryModel:
    @pytest.mark.parametrize("tasks", TASKS)
    def test_shapes_agree_with_what_is_asked(self, model, tasks, tiny):
        model = build(tiny, model, tasks)
        features = batch_of(tiny)
        representation = model.encode(features, model._candidate_ids(features), training=False)
        outputs = model.predict_labels(representation, features, training=False)

        assert outputs.keys() == TASKS[tasks].keys() - {"retrieval"}
        assert all(output.shape == (10,) for output in outputs.values())
        if outputs:
            assert representation.pair.shape == (10, model.pair_shape.width)
        if model.retrieval:
            users = {"user_id": np.array([1, 4], np.int32)}
            assert model.scorer().score_block(users).shape == (2, tiny.num_items)

    def test_it_is_a_model_of_tfrs(self, model, tiny):
        import tensorflow_recommenders as tfrs

        assert isinstance(build(tiny, model), tfrs.models.Model)

    def test_the_same_seed_gives_the_same_weights(self, model, tiny):
        first, second = (build(tiny, model) for _ in range(2))
        for each in (first, second):
            each.scorer().rank({"user_id": np.zeros(1, np.int32), "item_id": np.zeros(1, np.int32)})

        for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_who_and_what_is_unknown_is_answered(self, model, tiny):
        scorer = build(tiny, model).scorer()
        ids = np.array([0, 0, 3], np.int32)

        assert np.isfinite(scorer.score_block({"user_id": ids})).all()
        predicted = scorer.rank({"user_id": ids, "item_id": ids[::-1].copy()})
        assert all(np.isfinite(values).all() for values in predicted.values())

    def test_a_batch_of_the_unknown_moves_nothing_to_nan(self, model, tiny):
        model = build(tiny, model)
        model.optimizer = optimizers.build("adagrad", 0.1)
        batch = batch_of(tiny)
        unknown = {name: tf.zeros_like(column) for name, column in batch.items()}

        model.train_step(unknown | {STEP_SEED: batch[STEP_SEED]})

        assert all(np.isfinite(weights).all() for weights in model.get_weights())

    def test_padding_is_never_recommended(self, model, tiny):
        """Column c is item c + 1: there is none for 0, and none beyond the known."""
        scorer = build(tiny, model).scorer()

        assert scorer.score_block({"user_id": np.array([1], np.int32)}).shape[1] == tiny.num_items

    def test_the_weights_are_all_there_once_it_is_built(self, model, tiny):
        """So that what is saved before, or loaded after, lacks none."""
        model = (
            build(tiny, model, hidden_layers=[3]) if model == "two_tower" else build(tiny, model)
        )
        before = len(model.get_weights())

        model.task_losses(batch_of(tiny), training=True)

        assert len(model.get_weights()) == before
