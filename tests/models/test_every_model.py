"""What must hold for every file of the folder, whatever the tasks and the sharing."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, registry
from multitask_recommender.batches import STEP_SEED, ordered_batches
from multitask_recommender.errors import ConfigError, DataError
from multitask_recommender.interactions import Feature
from multitask_recommender.layers import loss_scale
from multitask_recommender.training import optimizers

TASKS = {
    "retrieval": {"retrieval": {}},
    "like": {"like": {}},
    "rating": {"rating": {}},
    "labels": {"click": {}, "like": {"only_with": "click"}, "rating": {}},
    "all": {"retrieval": {}, "click": {}, "like": {"only_with": "click"}, "rating": {}},
}
MODELS = registry.names("models")
SETTINGS = {name: registry.settings_class("models", name).model_fields for name in MODELS}

WITH_INPUTS = [model for model in MODELS if "context" in SETTINGS[model]]


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


def shared_by(model, tasks):
    """Every sharing with every set of tasks for one model; with all tasks for the others."""
    if tasks == "retrieval" or (model != "two_tower" and tasks != tasks_of(model)[-1]):
        return ["shared_bottom"]
    chains = {"esmm"} if "click" not in TASKS[tasks] else set()
    return [name for name in registry.names("sharing") if name not in chains]


@pytest.mark.parametrize(
    ("model", "tasks", "sharing"),
    [(*each, sharing) for each in COMBINATIONS for sharing in shared_by(*each)],
)
def test_a_few_steps_lower_the_losses(model, tasks, sharing, tiny):
    model = build(tiny, model, tasks, sharing)
    assert_losses_fall(model, batch_of(model, tiny))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weighting", registry.names("weighting"))
def test_under_every_weighting_too(model, weighting, tiny):
    model = build(tiny, model, None, "mmoe", weighting)
    assert_losses_fall(model, batch_of(model, tiny))


def batch_of(model, interactions):
    """All rows, with what the model reads of what came before them."""
    (batch,) = ordered_batches(interactions, 100, model.recent)
    return batch | {STEP_SEED: tf.constant([1, 2])}


def assert_losses_fall(model, batch):
    model.optimizer = optimizers.build("lazy_adam", 0.01)
    before = model.task_losses(batch, training=False)[0]

    # A network of states may give way to one task first, before it serves all.
    for _ in range(20 if model.shares_histories else 8):
        model.train_step(batch)

    after = model.task_losses(batch, training=False)[0]
    assert list(before) == [task.name for task in model._tasks]
    for name in before:
        assert float(after[name]) < float(before[name])


@pytest.mark.parametrize(("model", "tasks"), COMBINATIONS)
def test_shapes_agree_with_what_is_asked(model, tasks, tiny):
    model = build(tiny, model, tasks)
    features = batch_of(model, tiny)
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

    def test_a_batch_of_the_unknown_moves_nothing_to_nan(self, model, tiny):
        model = build(tiny, model)
        model.optimizer = optimizers.build("adagrad", 0.1)
        batch = batch_of(model, tiny)
        unknown = {name: tf.zeros_like(column) for name, column in batch.items()}

        model.train_step(unknown | {STEP_SEED: batch[STEP_SEED]})

        assert all(np.isfinite(weights).all() for weights in model.get_weights())

    def test_the_weights_are_all_there_once_it_is_built(self, model, tiny):
        """So that what is saved before, or loaded after, lacks none."""
        known = registry.settings_class("models", model).model_fields
        layers = {name: [3] for name in ("hidden_layers", "deep_layers") if name in known}
        model = build(tiny, model, **layers)
        before = len(model.get_weights())

        model.task_losses(batch_of(model, tiny), training=True)

        assert len(model.get_weights()) == before


def told_scores(model, users, histories):
    """Scores of users [n] told of by histories [n, T]; a list of none is not given at all."""
    queries = {"user_id": np.array(users, np.int32)}
    if histories:
        queries["history"] = np.array(histories, np.int32)
    return model.scorer().score_block(queries)


READERS = [
    (model, settings)
    for model, settings in [
        ("two_tower", {"user": ["id", "history"]}),
        ("two_tower", {"user": ["id", "recent"]}),
        ("two_tower", {"user": ["history", "recent", "age"], "hidden_layers": [4]}),
        *((model, {}) for model in MODELS if "graph_positive" in SETTINGS[model]),
        *((model, {}) for model in MODELS if "session_length" in SETTINGS[model]),
    ]
]


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize(("model", "settings"), READERS)
class TestEveryModelThatIsToldOfHistories:
    def test_what_is_told_counts_instead_of_what_was_met(self, model, settings, freeze, tiny):
        """User 2 has met items 1, then 4."""
        model = build(tiny, model, "retrieval", **settings)
        if freeze:
            model.freeze()

        as_met, told, others, none = (
            told_scores(model, [2, 1], histories)
            for histories in ([], [[1, 4, 0], [0, 0, 0]], [[5, 2, 3], [0, 0, 0]], [[0]] * 2)
        )

        np.testing.assert_allclose(told, as_met, rtol=1e-5, atol=1e-6)
        assert (np.abs(others[0] - as_met[0]) > 1e-4).any()
        np.testing.assert_allclose(others[1], as_met[1], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(none, as_met, rtol=1e-5, atol=1e-6)

    def test_a_stranger_with_a_history_is_no_stranger(self, model, settings, freeze, tiny):
        model = build(tiny, model, "retrieval", **settings)
        if freeze:
            model.freeze()

        scores = told_scores(model, [0, 0, 0], [[0, 0], [3, 5], [5, 2]])

        np.testing.assert_array_equal(scores[0], model.popularity)
        assert len(np.unique(scores.round(5), axis=0)) == 3


@pytest.mark.parametrize("model", MODELS)
def test_a_frozen_model_says_the_same(model, tiny):
    settings = {"user": ["id", "age"], "item": ["id", "genres"]} if model in WITH_INPUTS else {}
    frozen, model = (build(tiny, model, **settings) for _ in range(2))
    users, items = np.repeat(np.arange(5, dtype=np.int32), 7), np.tile(np.arange(7), 5)
    queries = {"user_id": users, "item_id": items.astype(np.int32)}
    scorer = model.scorer()

    frozen.freeze()

    others = frozen.scorer()
    predicted = scorer.rank(queries)
    assert predicted
    for label, values in others.rank(queries).items():
        np.testing.assert_allclose(values, predicted[label], rtol=1e-5, atol=1e-6)
    if model.retrieval:
        scores, others = (each.score_block({"user_id": users}) for each in (scorer, others))
        np.testing.assert_allclose(others, scores, rtol=1e-5, atol=1e-6)


@pytest.fixture
def in_context(tiny):
    """The tiny events with a category (its code 3 in no row), tags and a price, missing in two."""
    context = {
        "category": Feature(np.array([1, 2, 2, 0, 1, 1, 2, 4, 1, 2], np.int32), tuple("abcd")),
        "tags": Feature(np.array([[1, 2], [2, 0], [0, 0], [3, 1], [1, 0]] * 2), tuple("xyz")),
        "price": Feature(np.array([1, 2, np.nan, 4, 3, 2, 1, 0, np.nan, 9], np.float32)),
    }
    return dataclasses.replace(tiny, context=context)


@pytest.mark.parametrize("model", WITH_INPUTS)
class TestEveryModelOfInputs:
    @pytest.fixture
    def inputs(self, model):
        """All there are."""
        kinds = registry.settings_class("models", model).kinds
        return {
            "user": [*kinds["user"], "job", "age"],
            "item": [*kinds["item"], "genres"],
            "context": ["category", "tags", "price"],
        }

    def test_a_few_steps_lower_the_losses_and_every_table_learns(self, model, in_context, inputs):
        model = build(in_context, model, **inputs)
        model.optimizer = optimizers.build("adam", 0.01)
        batch = batch_of(model, in_context)
        before = float(model.compute_loss(batch))
        tables = [variable.numpy() for variable in model.trainable_variables]

        for _ in range(8):
            model.train_step(batch)

        assert float(model.compute_loss(batch)) < before
        for variable, table in zip(model.trainable_variables, tables, strict=True):
            assert (variable.numpy() != table).any(), variable.name

    def test_context_changes_predictions_of_labels_and_no_score_of_items(
        self, model, in_context, inputs
    ):
        model = build(in_context, model, **inputs)
        model.optimizer = optimizers.build("adam", 0.05)
        batch = batch_of(model, in_context)
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
            batch = batch_of(built, built.narrowed(in_context))
            assert batch.keys() & {"category", "tags", "price"} == context
            built.compute_loss(batch, training=True)

    def test_a_code_of_no_training_row_is_read_as_missing(self, model, in_context, inputs):
        model = build(in_context, model, **inputs)
        batch = batch_of(model, in_context)

        def pair(code):
            features = batch | {"category": tf.fill([10], code)}
            return model.encode(features, model._candidate_ids(features), training=False).pair

        np.testing.assert_array_equal(pair(3), pair(0))
        assert (pair(4) != pair(0)).numpy().any()

    def test_an_input_that_the_data_lacks_is_named(self, model, in_context, inputs):
        settings = parsed(model, "like", context=["hour", "tags"], user=["id", "agee"]).model
        faults = settings.settings.missing_from(in_context, "model")

        assert faults == [
            "model.user names 'agee', which the data does not have. Did you mean 'age'? "
            f"Inputs here: {', '.join(inputs['user'])}.",
            "model.context names 'hour', which the data does not have. "
            "Inputs here: category, tags, price.",
        ]


@pytest.mark.parametrize("name", [name for name in MODELS if "session_length" in SETTINGS[name]])
class TestEverySessionModel:
    """What it says of a row depends on what came before the row, however rows are batched."""

    def test_says_the_same_of_rows_that_share_histories(self, name, in_context):
        model = build(in_context, name, user=["job"], context=["price"])
        features = {
            "apart": batch_of(model, in_context),
            "shared": model.batches(in_context, 100, seed=3).batch(0),
        }
        assert features["shared"]["history"].shape[0] < 10  # histories of ten rows

        told = {kind: model.task_losses(each, training=False)[0] for kind, each in features.items()}

        for task, loss in told["apart"].items():
            np.testing.assert_allclose(told["shared"][task], loss, rtol=1e-5)

    def test_reads_the_order_of_what_came_before_or_at_least_what_it_was(self, name, tiny):
        model = build(tiny, name, "retrieval")
        histories = np.array([[0, 0, 0], [3, 0, 0], [3, 4, 0], [4, 3, 0], [3, 4, 3]], np.int32)

        states = model.embed_queries(
            {"user_id": tf.zeros(5, tf.int32), "history": tf.constant(histories)}
        ).numpy()

        assert not states[0, :8].any()  # of nothing: the item bias alone ranks
        assert len(np.unique(states.round(6), axis=0)) == (4 if name == "youtube_dnn" else 5)

    def test_padding_says_nothing(self, name, tiny):
        model = build(tiny, name, "retrieval")
        users = {"user_id": tf.zeros(2, tf.int32)}
        history = tf.constant([[2, 5, 2], [4, 0, 0]])

        longer = model.embed_queries(users | {"history": tf.pad(history, [[0, 0], [0, 4]])})

        shorter = model.embed_queries(users | {"history": history})
        np.testing.assert_allclose(longer, shorter, rtol=1e-5, atol=1e-7)

    def test_needs_an_order(self, name, tiny):
        timeless = dataclasses.replace(tiny, timestamps=None)

        (fault,) = parsed(name, "like").model.settings.missing_from(timeless, "model")

        assert "model reads what came before an event, but made by the test has no" in fault

    def test_retrieval_alone_learns_from_rows_that_come_after_others(self, name, tiny):
        with_labels, alone = build(tiny, name, "all"), build(tiny, name, "retrieval")

        rows = [model.batches(tiny, 100, seed=3).batch(0) for model in (with_labels, alone)]

        assert [len(batch["item_id"]) for batch in rows] == [10, 6]  # of four users
        assert rows[1]["history_length"].numpy().min() == 1

    def test_refuses_to_learn_where_nothing_comes_after_anything(self, name, tiny):
        firsts = tiny.take(np.array([0, 3, 5, 8]))
        model = build(firsts, name, "retrieval")

        with pytest.raises(DataError, match="No row of made by the test comes after another"):
            model.batches(firsts, 100, seed=3)

    def test_gives_whoever_has_read_nothing_what_is_popular(self, name, tiny):
        scorer = build(tiny, name, "retrieval", normalise=True, item_bias=False).scorer()
        queries = {"user_id": np.zeros(2, np.int32), "history": np.array([[0], [2]])}

        scores = scorer.score_block(queries)

        counts = np.bincount(tiny.item_ids, minlength=7)[1:]
        np.testing.assert_array_equal(np.argsort(-scores[0]), np.argsort(-counts))
        assert np.unique(scores[1]).size > np.unique(counts).size


RETRIEVING = [model for model in MODELS if "retrieval" in tasks_of(model)]


@pytest.mark.parametrize("name", RETRIEVING)
def test_item_vectors_of_half_precision_score_alike(name, tiny):
    model = build(tiny, name)
    queries = {"user_id": np.array([1, 3], np.int32)}

    whole, half = model.scorer(), model.scorer("float16")

    assert half.items.dtype == np.float16
    scores = half.score_block(queries)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, whole.score_block(queries), rtol=2e-3, atol=2e-3)


def test_a_halved_model_keeps_ids_in_float16_and_scores_alike(tiny):
    model = build(tiny, "two_tower")
    queries = {"user_id": np.array([1, 3], np.int32), "item_id": np.array([2, 5], np.int32)}
    before = model.scorer()
    scores, labels = before.score_block(queries), before.rank(queries)

    model.halve()

    kinds = {weight.shape[0]: weight.dtype for weight in model.weights if weight.shape[1:] == [8]}
    assert kinds == {5: tf.float16, 7: tf.float16}  # users and items
    after = model.scorer()
    np.testing.assert_allclose(after.score_block(queries), scores, rtol=2e-3, atol=2e-3)
    assert (after.score_block(queries) != scores).any()
    for label, values in after.rank(queries).items():
        np.testing.assert_allclose(values, labels[label], rtol=2e-3)


@pytest.mark.parametrize("model", MODELS)
def test_half_precision_rounds_products_and_no_weights(model, tiny):
    model = build(tiny, model, None, {"name": "shared_bottom", "hidden_layers": [3]})
    batch, losses = batch_of(model, tiny), {}
    for model.precision in ("float32", "bfloat16", "float16"):
        losses[model.precision] = float(model.compute_loss(batch, training=True))
    before = model.get_weights()
    model.optimizer = loss_scale.wrapped(optimizers.build("adagrad", 0.1), "float16")

    model.train_step(batch)

    exact = losses.pop("float32")
    assert all(0 < abs(loss - exact) < 1e-2 for loss in losses.values())
    for weights in model.trainable_variables:
        assert weights.dtype == tf.float32
        assert np.isfinite(weights).all()
    assert any((new != old).any() for new, old in zip(model.get_weights(), before, strict=True))


def test_what_is_held_out_is_not_rounded(tiny):
    exact, rounded = (build(tiny, "two_tower", "all") for _ in range(2))
    rounded.precision = "bfloat16"

    for training in (False, True):
        losses = [each.compute_loss(batch_of(each, tiny), training) for each in (exact, rounded)]
        assert (float(losses[0]) != float(losses[1])) == training
