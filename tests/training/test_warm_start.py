"""A training that begins with the weights of a run of fewer users, items and words."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, registry
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.interactions import Entities, Feature
from multitask_recommender.training import loop, vocabulary, warm_start

MODELS = registry.names("models")


@pytest.fixture(autouse=True)
def eager():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def grown(tiny):
    """With a user and an item before all others and after, and words before; nobody met them."""
    job = tiny.users.features["job"]
    genres = tiny.items.features["genres"]

    def shifted(codes):
        return np.where(codes > 0, codes + 1, 0).astype(np.int32)

    jobs = [0, 3, *shifted(job.values[1:]), 1]
    lines = [[0, 0], [2, 0], *shifted(genres.values[1:]), [3, 4]]
    return dataclasses.replace(
        tiny,
        user_ids=tiny.user_ids + 1,
        item_ids=tiny.item_ids + 1,
        users=Entities(
            np.array(["abe", "ann", "bob", "eve", "joe", "zoe"]),
            6,
            {"job": Feature(np.array(jobs, np.int32), ("clown", *job.vocabulary))},
        ),
        items=Entities(
            np.array([5, 10, 20, 30, 40, 50, 60, 65]),
            8,
            {"genres": Feature(np.array(lines, np.int32), ("ape", *genres.vocabulary))},
        ),
    )


def build(name, train, **model):
    tasks = {"retrieval": {}, "like": {}, "rating": {}}
    settings = registry.settings_class("models", name).model_fields
    if "item" in settings:
        model = {"item": ["id", "genres"], **model}
    values = {"model": {"name": name, "embedding_dimension": 4, **model}, "tasks": tasks}
    try:
        chosen = config.parse(values)
    except ConfigError:  # it only ranks
        chosen = config.parse({**values, "tasks": {"like": {}, "rating": {}}})
    return experiment.build(chosen, train)


@pytest.fixture
def run_of(tmp_path):
    def run_of(model, train, name="run"):
        """The model, its weights drawn, as a finished run."""
        generator = np.random.default_rng(3)
        for weight in model.weights:
            weight.assign(generator.normal(0, 0.3, weight.shape).astype(np.float32))
        vocabulary.write(model, train, tmp_path / name / "checkpoints")
        loop.save_weights(model, tmp_path / name / "checkpoints")
        return tmp_path / name

    return run_of


def answers(model, rows):
    """Of the first events: what is predicted, and how retrieval scores the pair."""
    features = model.features_of(rows.inputs(slice(0, 6)))
    told = {name: values.numpy() for name, values in model.predictions(features).items()}
    if model.retrieval is not None:
        queries, items = model.embed_queries(features), model.embed_items(features["item_id"])
        told["retrieval"] = tf.linalg.diag_part(tf.matmul(queries, items, transpose_b=True)).numpy()
    return told


@pytest.mark.parametrize("name", MODELS)
def test_every_model_answers_as_before_where_others_are_added_whom_nobody_met(
    name, tiny, grown, run_of
):
    before, after = build(name, tiny), build(name, grown)

    warm_start.begin(after, grown, run_of(before, tiny))

    expected, found = answers(before, tiny), answers(after, grown)
    assert found.keys() == expected.keys()
    for task, values in expected.items():
        np.testing.assert_allclose(found[task], values, rtol=2e-5, err_msg=task)


@pytest.mark.parametrize("name", MODELS)
def test_every_row_that_both_know_is_the_same_to_the_last_bit(name, tiny, grown, run_of):
    before, after = build(name, tiny), build(name, grown)
    assert len(before.weights) == len(after.weights)

    warm_start.begin(after, grown, run_of(before, tiny))

    for old, new in zip(before.weights, after.weights, strict=True):
        if old.shape == new.shape:
            np.testing.assert_array_equal(old, new)
            continue
        rows, others = by_key(old), by_key(new)
        assert others.keys() > rows.keys()
        for key, row in rows.items():
            np.testing.assert_array_equal(others[key], row)
        assert all(np.isfinite(row).all() for row in others.values())


def by_key(weight):
    """Rows of a table by vocabulary and key, counted from its top."""
    rows, found = iter(weight.numpy()), {}
    for place, keys in enumerate(weight.row_keys):
        found[place, None] = next(rows)
        found |= {(place, str(key)): next(rows) for key in keys}
    return found


def test_what_is_gone_goes(tiny, grown, run_of):
    before, after = build("two_tower", grown), build("two_tower", tiny)

    warm_start.begin(after, tiny, run_of(before, grown))

    for old, new in zip(before.weights, after.weights, strict=True):
        if old.shape != new.shape:
            rows = by_key(old)
            assert all((rows[key] == row).all() for key, row in by_key(new).items())


def test_new_rows_are_as_features_say_or_the_mean():
    """Of two genres, art is 3 and bio is 7; ridge draws both to the mean by 10 rows."""
    codes = np.array([0] + [1] * 30 + [2] * 30 + [1, 2, 0], np.int32)
    items = Entities(np.arange(1, 64), 63, {"genre": Feature(codes, ("art", "bio"))})
    rows = np.array([[9.0]] + [[3.0]] * 30 + [[7.0]] * 30, np.float32)
    old = np.arange(1, 61)

    told = warm_start._block(rows, old, items.vocabulary, items)
    plain = warm_start._block(rows, old, items.vocabulary, None)

    # 30 rows of -2 and the ridge of 10: a slope of -2 * 30 / 40.
    np.testing.assert_allclose(told[-3:, 0], [5 - 1.5, 5 + 1.5, 5.0], rtol=1e-6)
    np.testing.assert_allclose(plain[-3:, 0], [5.0] * 3, rtol=1e-6)
    np.testing.assert_array_equal(told[:61], rows)


def test_numbers_tell_too_and_a_missing_one_tells_nothing():
    ages = np.array([0, 10, 20, 30, 40, 50, np.nan], np.float32)
    users = Entities(np.array(list("abcdef")), 6, {"age": Feature(ages)})
    rows = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]], np.float32)

    found = warm_start._block(rows, np.array(list("abcd")), users.vocabulary, users)[:, 0]

    # Scaled ages -1.41, -0.71, 0, 0.71 of the kept and 1.41: a slope of 3.54 / (3 + 10).
    assert found[5] == pytest.approx(2.5 + 5 / 13)
    assert found[6] == pytest.approx(2.5)


def test_with_nobody_in_common_all_begin_as_the_mean(tiny):
    rows = np.array([[0.0], [1.0], [3.0]], np.float32)

    found = warm_start._block(rows, np.array([7, 8]), np.array([1, 2, 3]), None)

    assert found.tolist() == [[0.0], [2.0], [2.0], [2.0]]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"embedding_dimension": 5}, r"has the shape \(\d, 4\) in .*run and \(\d, 5\) here, and"),
        ({"hidden_layers": [3]}, r"run has \d+ weights, and this model \d+\."),
    ],
)
def test_weights_that_do_not_fit_are_refused(settings, told, tiny, run_of):
    run_dir = run_of(build("two_tower", tiny), tiny)

    with pytest.raises(RunError, match=told):
        warm_start.begin(build("two_tower", tiny, **settings), tiny, run_dir)
