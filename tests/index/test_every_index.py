"""What must hold for every file of the folder: answers, what is left out, and saved models."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import registry
from multitask_recommender.schema import NO_SCORE

DIMENSION = 3
EVERYTHING = {  # settings with which all items are looked at; others are by name
    "scann": {"leaves": 5, "searched": 5, "reordered": 1000},
    "ivf": {"leaves": 5, "searched": 5},
}
LIBRARIES = {"scann": "import scann"}  # what a server must load
UNSEEDED = {"scann": "its operations take no seed, and its threads race"}
RELOAD = """
import json, sys
import tensorflow as tf
{libraries}
search = tf.saved_model.load(sys.argv[1]).signatures["search"]
for queries, number, excluded in json.loads(sys.argv[2]):
    answer = search(
        queries=tf.reshape(tf.constant(queries, tf.float32), [-1, 3]),
        number=tf.constant(number),
        excluded=tf.reshape(tf.constant(excluded, tf.int32), [len(queries), -1]),
    )
    print(json.dumps([answer["scores"].numpy().tolist(), answer["ids"].numpy().tolist()]))
assert "multitask_recommender" not in sys.modules
"""


@pytest.fixture(params=registry.names("index"))
def name(request):
    return request.param


@pytest.fixture
def vectors():
    """101 items, small whole numbers, so that scores are exact and many of them equal."""
    return np.random.default_rng(1).integers(-2, 3, (101, DIMENSION)).astype(np.float32)


@pytest.fixture
def queries():
    return np.array([[1, 0, 0], [0, -1, 2], [-3, 1, 1], [0, 0, 0]], np.float32)


def build(name, vectors):
    settings = registry.settings_class("index", name)(**EVERYTHING.get(name, {}))
    return registry.load("index", name).Index(settings, vectors)


def traced(index):
    specs = {
        "queries": tf.TensorSpec([None, DIMENSION], tf.float32),
        "number": tf.TensorSpec([], tf.int32),
        "excluded": tf.TensorSpec([None, None], tf.int32),
    }

    @tf.function(input_signature=list(specs.values()))
    def search(queries, number, excluded):
        scores, ids = index(queries, number, excluded)
        return {"scores": scores, "ids": ids}

    return search


def check(answer, expected, number):
    """That an answer [B, N] is the expected one, and nothing where that ends."""
    scores, ids = answer["scores"].numpy(), answer["ids"].numpy()
    assert scores.shape == ids.shape == (len(expected), number)
    assert scores.dtype == np.float32 and ids.dtype == np.int32
    for row, (best_scores, best_ids) in enumerate(expected):
        found = len(best_ids)
        np.testing.assert_array_equal(ids[row, :found], best_ids)
        np.testing.assert_allclose(scores[row, :found], best_scores, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(ids[row, found:], 0)
        np.testing.assert_array_equal(scores[row, found:], np.float32(NO_SCORE))


def test_every_item_in_order_where_all_are_searched(name, vectors, queries, exact):
    """Of equals the lower id comes first. More answers than items are none."""
    search = traced(build(name, vectors))
    nothing = np.zeros((4, 0), np.int32)

    check(search(queries, 101, nothing), exact(vectors, queries, 101, nothing), 101)
    check(search(queries, 150, nothing), exact(vectors, queries, 101, nothing), 150)


def test_scores_are_the_products_of_the_ids_beside_them(name, vectors, queries):
    search = traced(build(name, vectors))

    answer = search(queries, 7, np.zeros((4, 0), np.int32))

    products = np.einsum("qd,qnd->qn", queries, vectors[answer["ids"].numpy() - 1])
    np.testing.assert_allclose(answer["scores"], products, atol=1e-5)


def test_what_is_left_out_never_comes_and_others_take_its_place(name, exact):
    vectors = np.random.default_rng(2).standard_normal((90, DIMENSION)).astype(np.float32)
    queries = vectors[[4, 50]] * 2
    search = traced(build(name, vectors))
    nothing = np.zeros((2, 0), np.int32)
    best = search(queries, 12, nothing)["ids"].numpy()

    excluded = np.zeros((2, 9), np.int32)  # a row of 9, and one of 2 between paddings
    excluded[0] = best[0, :9]
    excluded[1, [3, 7]] = best[1, [0, 2]]
    excluded[1, 8] = best[1, 0]  # twice

    check(search(queries, 10, excluded), exact(vectors, queries, 10, excluded), 10)


def test_where_fewer_remain_than_are_asked_for_the_rest_is_nothing(name, vectors, queries, exact):
    excluded = np.zeros((4, 101), np.int32)
    excluded[1] = np.arange(1, 102)
    excluded[2, :99] = np.arange(1, 100)

    answer = traced(build(name, vectors))(queries, 5, excluded)

    expected = exact(vectors, queries, 5, excluded)
    assert [len(ids) for _, ids in expected] == [5, 0, 2, 5]
    check({key: answer[key][1:3] for key in answer}, expected[1:3], 5)
    assert (answer["ids"].numpy()[[0, 3]] > 0).all()


def test_cosines_are_found_exactly_among_the_same_vectors(name, exact, monkeypatch):
    """One query a part, an item of no length, and fewer items left than are asked for."""
    monkeypatch.setattr("multitask_recommender.index._cosines.MAX_CELLS", 150)
    vectors = np.random.default_rng(4).standard_normal((90, DIMENSION)).astype(np.float32)
    vectors[16] = 0
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    queries = (vectors / lengths[:, None])[[4, 50, 89]]
    excluded = np.zeros((3, 88), np.int32)
    excluded[0, :2] = [5, 17]
    excluded[2] = np.arange(1, 89)
    index = build(name, vectors)

    answer = traced(index.cosines(lengths))(queries, 10, excluded)

    check(answer, exact(vectors / lengths[:, None], queries, 10, excluded), 10)
    own = {id(variable) for variable in index.variables}
    more = [each for each in index.cosines(lengths).variables if id(each) not in own]
    assert all(each.shape.rank == 1 for each in more)  # no vectors of its own


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_any_number_of_queries(name, vectors, queries, exact, rows):
    some, excluded = queries[:rows], np.full((rows, 1), 3, np.int32)

    answer = traced(build(name, vectors))(some, 101, excluded)

    check(answer, exact(vectors, some, 101, excluded), 101)


def test_one_query_is_answered_as_it_is_in_a_batch(name, clustered):
    vectors, queries = clustered(500, 30, DIMENSION)
    search = traced(build(name, vectors))
    nothing = np.zeros((30, 0), np.int32)

    together = search(queries, 20, nothing)

    for row in (0, 29):
        alone = search(queries[row : row + 1], 20, nothing[:1])
        np.testing.assert_array_equal(alone["ids"][0], together["ids"][row])
        np.testing.assert_allclose(alone["scores"][0], together["scores"][row], atol=1e-5)


def test_negative_scores_are_answers(name):
    """They come before items that are not there, whose vectors would score 0."""
    vectors = np.random.default_rng(3).uniform(1, 2, (70, DIMENSION)).astype(np.float32)

    answer = traced(build(name, vectors))(-vectors[:2], 70, np.zeros((2, 0), np.int32))

    assert (np.sort(answer["ids"]) == np.arange(1, 71)).all()
    assert (answer["scores"].numpy() < -2).all()


def test_a_saved_index_answers_the_same_without_this_package(name, vectors, queries, tmp_path):
    index = build(name, vectors)
    index.search = traced(index)
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(index, str(tmp_path / "saved"), {"search": index.search}, options)
    requests = [
        (queries.tolist(), 6, [[0], [5], [7], [0]]),
        (queries[:1].tolist(), 200, [[1, 2, 3]]),
        (queries[:3].tolist(), 1, [[], [], []]),
    ]
    script = RELOAD.format(libraries=LIBRARIES.get(name, ""))

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "saved"), json.dumps(requests)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for (asked, number, excluded), (scores, ids) in zip(requests, lines, strict=True):
        here = index.search(asked, number, np.array(excluded, np.int32).reshape(len(asked), -1))
        np.testing.assert_array_equal(ids, here["ids"])
        np.testing.assert_allclose(scores, here["scores"], atol=1e-5)


def test_the_same_vectors_make_the_same_index(name, clustered):
    if name in UNSEEDED:
        pytest.skip(UNSEEDED[name])
    vectors, _ = clustered(400, dimension=DIMENSION)

    first, again = (build(name, vectors) for _ in range(2))

    for one, other in zip(first.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_of_two_indexes_each_answers_for_itself(name, clustered, exact):
    """Called as they are, as well as traced."""
    vectors, queries = clustered(120, 4, DIMENSION)
    nothing = np.zeros((4, 0), np.int32)
    for items, index in [(each, build(name, each)) for each in (vectors, -vectors[:80])]:
        expected = exact(items, queries, 5, nothing)
        scores, ids = index(tf.constant(queries), tf.constant(5), tf.constant(nothing))
        check({"scores": scores, "ids": ids}, expected, 5)
        check(traced(index)(queries, 5, nothing), expected, 5)
