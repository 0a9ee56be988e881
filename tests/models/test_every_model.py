"""What must hold for every file of the folder, whatever the tasks and the sharing."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, registry
from multitask_recommender.batches import STEP_SEED, ordered_batches
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Feature
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


def parsed(model, tasks, sharing="shared_bottom", weighting="fixed", **settings):
    chosen = {
        "model": {"name": model, "embedding_dimension": 8, **settings},
        "tasks": TASKS[tasks],
        "sharing": sharing,
        "weighting": weighting,
    }
    return config.parse(chosen)


def tasks_of(model):
    """The sets of tasks that a model takes: one that only ranks refuses those that retrieve."""
    taken = []
    for tasks in TASKS:
        try:
            parsed(model, tasks)
        except ConfigError:
            assert "retrieval" in TASKS[tasks]
            continue
        taken.append(tasks)
    return taken


COMBINATIONS = [(model, tasks) for model in MODELS for tasks in tasks_of(model)]


def build(train, model, tasks=None, sharing="shared_bottom", weighting="fixed", **settings):
    """With all the tasks that the model takes, or those given."""
    chosen = parsed(model, tasks or tasks_of(model)[-1], sharing, weighting, **settings)
    return experiment.build(chosen, train)


@pytest.mark.parametrize("sharing", registry.names("sharing"))
@pytest.mark.parametrize(("model", "tasks"), COMBINATIONS)
def test_a_few_steps_assert_losses_fall(model, tasks, sharing, tiny, batch_of):
    if sharing == "esmm" and "click" not in TASKS[tasks]:
        pytest.skip("there is no chain of labels")
    model = build(tiny, model, tasks, sharing)
    assert_losses_fall(model, batch_of(tiny))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weighting", registry.names("weighting"))
def test_under_every_weighting_too(model, weighting, tiny, batch_of):
    assert_losses_fall(build(tiny, model, None, "mmoe", weighting), batch_of(tiny))


def assert_losses_fall(model, batch):
    model.optimizer = optimizers.build("lazy_adam", 0.01)
    before = model.task_losses(batch, training=False)[0]

    for _ in range(8):
        model.train_step(batch)

    after = model.task_losses(batch, training=False)[0]
    assert list(before) == [task.name for task in model._tasks]
    for name in before:
        assert float(after[name]) < float(before[name])


@pytest.mark.parametrize(("model", "tasks"), COMBINATIONS)
def test_shapes_agree_with_what_is_asked(model, tasks, tiny, batch_of):
    model = build(tiny, model, tasks)
    features = batch_of(tiny)
    representation = model.encode(features, model._candidate_ids(features), training=False)
    outputs = model.predict_labels(representation, features, training=False)

    assert outputs.keys() == TASKS[tasks].keys() - {"retrieval"}
    assert all(output.shape == (10,) for output in outputs.values())
    if outputs:
        assert representation.pair.shape == (10, model.pair_shape.width)


@pytest.mark.parametrize(("model", "tasks"), COMBINATIONS)
def test_all_items_are_scored_where_there_is_a_retrieval_task(model, tasks, tiny):
    """Column c is item c + 1: there is none for the padding, and none beyond the known."""
    scorer = build(tiny, model, tasks).scorer()
    users = {"user_id": np.array([1, 0, 4], np.int32)}

    if "retrieval" in TASKS[tasks]:
        scores = scorer.score_block(users)
        assert scores.shape == (3, tiny.num_items)
        assert np.isfinite(scores).all()
    else:
        with pytest.raises(ValueError, match="no retrieval task, so it does not score items"):
            scorer.score_block(users)


@pytest.mark.parametrize("model", MODELS)
class TestEveryModel:
    def test_it_predicts_labels_and_says_so_where_it_cannot_retrieve(self, model):
        assert {"like", "rating", "labels"} <= set(tasks_of(model))
        for tasks in TASKS.keys() - set(tasks_of(model)):
            with pytest.raises(
                ConfigError, match=rf"{model}, .*cannot retrieve.*\(tasks.retrieval="
            ):
                parsed(model, tasks)

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

        predicted = scorer.rank({"user_id": ids, "item_id": ids[::-1].copy()})
        assert all(np.isfinite(values).all() for values in predicted.values())

    def test_a_batch_of_the_unknown_moves_nothing_to_nan(self, model, tiny, batch_of):
        model = build(tiny, model)
        model.optimizer = optimizers.build("adagrad", 0.1)
        batch = batch_of(tiny)
        unknown = {name: tf.zeros_like(column) for name, column in batch.items()}

        model.train_step(unknown | {STEP_SEED: batch[STEP_SEED]})

        assert all(np.isfinite(weights).all() for weights in model.get_weights())

    def test_the_weights_are_all_there_once_it_is_built(self, model, tiny, batch_of):
        """So that what is saved before, or loaded after, lacks none."""
        known = registry.settings_class("models", model).model_fields
        layers = {name: [3] for name in ("hidden_layers", "deep_layers") if name in known}
        model = build(tiny, model, **layers)
        before = len(model.get_weights())

        model.task_losses(batch_of(tiny), training=True)

        assert len(model.get_weights()) == before


@pytest.fixture
def in_context(tiny):
    """The tiny events with a category (its code 3 in no row), tags and a price, missing in two."""
    context = {
        "category": Feature(np.array([1, 2, 2, 0, 1, 1, 2, 4, 1, 2], np.int32), tuple("abcd")),
        "tags": Feature(np.array([[1, 2], [2, 0], [0, 0], [3, 1], [1, 0]] * 2), tuple("xyz")),
        "price": Feature(np.array([1, 2, np.nan, 4, 3, 2, 1, 0, np.nan, 9], np.float32)),
    }
    return dataclasses.replace(tiny, context=context)


WITH_INPUTS = [
    model for model in MODELS if "context" in registry.settings_class("models", model).model_fields
]


@pytest.mark.parametrize("model", WITH_INPUTS)
class TestEveryModelOfInputs:
    INPUTS = {
        "user": ["id", "history", "recent", "job", "age"],
        "item": ["id", "history", "genres"],
        "context": ["category", "tags", "price"],
    }

    def batch(self, model, interactions):
        (batch,) = ordered_batches(interactions, 100, model.recent)
        return batch | {STEP_SEED: tf.constant([1, 2])}

    def test_a_few_steps_lower_the_losses_and_every_table_learns(self, model, in_context):
        model = build(in_context, model, **self.INPUTS)
        model.optimizer = optimizers.build("adam", 0.01)
        batch = self.batch(model, in_context)
        before = float(model.compute_loss(batch))
        tables = [variable.numpy() for variable in model.trainable_variables]

        for _ in range(8):
            model.train_step(batch)

        assert float(model.compute_loss(batch)) < before
        for variable, table in zip(model.trainable_variables, tables, strict=True):
            assert (variable.numpy() != table).any(), variable.name

    def test_context_changes_predictions_of_labels_and_no_score_of_items(self, model, in_context):
        model = build(in_context, model, **self.INPUTS)
        model.optimizer = optimizers.build("adam", 0.05)
        batch = self.batch(model, in_context)
        for _ in range(3):  # heads begin without some fields
            model.train_step(batch)

        def told(features):
            ids = model._candidate_ids(features)
            representation = model.encode(features, ids, training=False)
            return representation, model.predict_labels(representation, features, training=False)

        before, outputs = told(batch)
        for name, values in {"category": 2, "tags": 3, "price": 5}.items():
            changed = batch | {name: tf.fill(batch[name].shape, tf.cast(values, batch[name].dtype))}
            after, others = told(changed)
            for label in outputs:
                assert (np.abs(outputs[label] - others[label]) > 1e-6).any()
            if model.retrieval:
                np.testing.assert_array_equal(before.queries, after.queries)

    def test_batches_hold_no_more_context_than_is_read(self, model, in_context):
        none = build(in_context, model, "labels", user=["id", "age"])
        some = build(in_context, model, "labels", context=["tags"])

        for built, context in ((none, set()), (some, {"tags"})):
            batch = self.batch(built, built.narrowed(in_context))
            assert batch.keys() & {"category", "tags", "price"} == context
            built.compute_loss(batch, training=True)

    def test_a_code_of_no_training_row_is_read_as_missing(self, model, in_context):
        model = build(in_context, model, **self.INPUTS)
        batch = self.batch(model, in_context)

        def pair(code):
            features = batch | {"category": tf.fill([10], code)}
            return model.encode(features, model._candidate_ids(features), training=False).pair

        np.testing.assert_array_equal(pair(3), pair(0))
        assert (pair(4) != pair(0)).numpy().any()

    def test_an_input_that_the_data_lacks_is_named(self, model, in_context):
        settings = parsed(model, "like", context=["hour", "tags"], user=["id", "agee"]).model
        faults = settings.settings.missing_from(in_context, "model")

        assert faults == [
            "model.user names 'agee', which the data does not have. Did you mean 'age'? "
            "Inputs here: id, history, recent, job, age.",
            "model.context names 'hour', which the data does not have. "
            "Inputs here: category, tags, price.",
        ]
