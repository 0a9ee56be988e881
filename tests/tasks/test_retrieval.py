"""The retrieval losses against TensorFlow Recommenders, plain softmax, and sums by hand."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs

from multitask_recommender.batches import STEP_SEED
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.softmax import softmax_parts
from multitask_recommender.tasks import retrieval
from multitask_recommender.tasks.settings.retrieval import Settings

USERS, ITEMS, DIMENSION = 5, 9, 3
# Repeated users, repeated items and a repeated pair.
BATCH_USERS = np.array([1, 2, 2, 3, 1, 4, 2, 1], np.int32)
BATCH_ITEMS = np.array([3, 3, 5, 1, 3, 7, 3, 2], np.int32)


def log_sum_exp(logits, left_out=None):
    offsets, no_cells = tf.zeros(tf.shape(logits)[1]), tf.zeros([0, 2], tf.int32)
    return softmax_parts(logits, offsets, no_cells, left_out)[0]


def interactions(users, items, clicks=None, num_items=ITEMS):
    labels = {} if clicks is None else {"click": np.array(clicks, np.float32)}
    return Interactions(
        np.array(users, np.int32),
        np.array(items, np.int32),
        Entities(np.arange(1, USERS + 1), USERS),
        Entities(np.arange(1, num_items + 1), num_items),
        labels,
    )


@pytest.fixture
def train():
    """The batch and a few more: items 3 (5 times) and 8, 9 (never) are drawn very differently."""
    users = [*BATCH_USERS, 1, 3, 5, 5, 4]
    return interactions(users, [*BATCH_ITEMS, 6, 3, 4, 6, 4])


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    shapes = ((USERS + 1, DIMENSION), (ITEMS + 1, DIMENSION))
    return tuple(tf.Variable(rng.normal(size=shape), dtype=tf.float32) for shape in shapes)


def features_of(users=BATCH_USERS, items=BATCH_ITEMS, seed=(3, 4), **labels):
    return {
        "user_id": tf.constant(users, tf.int32),
        "item_id": tf.constant(items, tf.int32),
        STEP_SEED: tf.constant(seed, tf.int32),
        **{name: tf.constant(values, tf.float32) for name, values in labels.items()},
    }


def loss_of(task, tables, features):
    """The loss, with vectors looked up as a model does it: distinct users, distinct items."""
    ids = task.candidate_ids(features)
    users, query_rows = tf.unique(features["user_id"])
    representation = Representation(
        queries=tf.gather(tables[0], users),
        candidates=tf.gather(tables[1], ids),
        query_rows=query_rows,
        candidate_rows=tf.searchsorted(ids, features["item_id"]),
    )
    return task.loss(representation, features, ids)


def value_and_gradients(function, tables):
    with tf.GradientTape() as tape:
        loss = function()
    gradients = tape.gradient(loss, tables)
    return loss.numpy(), [tf.convert_to_tensor(each).numpy() for each in gradients]


def check_equal(ours, theirs):
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    for mine, other in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def tfrs_loss(tables, temperature=None, **arguments):
    """Theirs, divided by the rows: TFRS sums over the batch."""
    task = tfrs.tasks.Retrieval(
        temperature=temperature, remove_accidental_hits="candidate_ids" in arguments
    )
    total = task(
        tf.gather(tables[0], BATCH_USERS),
        tf.gather(tables[1], BATCH_ITEMS),
        compute_metrics=False,
        **arguments,
    )
    return total / len(BATCH_USERS)


def build(train, **settings):
    return retrieval.Task("retrieval", Settings(**settings), train)


def scores_of(tables, temperature=1.0):
    """All scores in float64: [U + 1, I + 1]."""
    queries, candidates = (table.numpy().astype(np.float64) for table in tables)
    return queries @ candidates.T / temperature


@pytest.mark.parametrize("logq", [False, True])
@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.2])
def test_in_batch_softmax_is_that_of_tfrs(train, tables, logq, remove, temperature):
    task = build(
        train,
        negatives="in_batch",
        logq=logq,
        remove_accidental_hits=remove,
        temperature=temperature,
    )
    arguments = {}
    if remove:
        arguments["candidate_ids"] = tf.constant(BATCH_ITEMS)
    if logq:
        share = np.bincount(train.item_ids) / len(train)
        arguments["candidate_sampling_probability"] = tf.constant(share[BATCH_ITEMS], tf.float32)

    ours = value_and_gradients(lambda: loss_of(task, tables, features_of()), tables)

    theirs = value_and_gradients(lambda: tfrs_loss(tables, temperature, **arguments), tables)
    check_equal(ours, theirs)


def test_full_softmax_is_plain_cross_entropy_over_the_catalogue(train, tables):
    task = build(train, negatives="full", temperature=0.5)

    def plain():
        queries = tf.gather(tables[0], BATCH_USERS)
        logits = tf.matmul(queries, tables[1][1:], transpose_b=True) / 0.5
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(BATCH_ITEMS - 1, logits)
        return tf.reduce_mean(losses)

    ours = value_and_gradients(lambda: loss_of(task, tables, features_of()), tables)

    check_equal(ours, value_and_gradients(plain, tables))


@pytest.mark.parametrize("negatives", ["full", "in_batch"])
def test_remove_positives_is_a_softmax_without_the_users_other_items(train, tables, negatives):
    task = build(train, negatives=negatives, logq=False, remove_positives=True)
    scores = scores_of(tables)
    expected = []
    for user, item in zip(BATCH_USERS, BATCH_ITEMS, strict=True):
        candidates = range(1, ITEMS + 1) if negatives == "full" else BATCH_ITEMS
        met = set(train.item_ids[train.user_ids == user])
        kept = [scores[user, other] for other in candidates if other not in met]
        own = scores[user, item]
        expected.append(np.log(np.exp(own) + np.exp(kept).sum()) - own)

    loss = loss_of(task, tables, features_of())

    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)


def test_a_held_out_item_is_in_its_softmax_once_where_positives_are_removed(train, tables):
    """It is not among the training positives, so nothing of it may be left out or doubled."""
    task = build(train, negatives="full", remove_positives=True)
    features = features_of([1, 3], [9, 8])  # never met in training
    scores, expected = scores_of(tables), []
    for user, item in ((1, 9), (3, 8)):
        met = set(train.item_ids[train.user_ids == user])
        kept = [scores[user, other] for other in range(1, ITEMS + 1) if other not in met]
        expected.append(np.log(np.exp(kept).sum()) - scores[user, item])

    np.testing.assert_allclose(loss_of(task, tables, features), np.mean(expected), rtol=1e-5)


class TestSampledNegatives:
    SETTINGS = {"negatives": "sampled", "num_negatives": 4, "negatives_power": 0.5}

    @pytest.mark.parametrize("remove", [False, True])
    def test_are_a_softmax_over_the_batch_and_the_drawn(self, train, tables, monkeypatch, remove):
        task = build(train, **self.SETTINGS, remove_accidental_hits=remove)
        drawn = np.array([8, 3, 8, 6])
        monkeypatch.setattr(task, "_draw", lambda features: tf.constant(drawn, tf.int32))
        counts = np.maximum(np.bincount(train.item_ids, minlength=ITEMS + 1), 0.5)[1:]
        roots = np.sqrt(counts)
        times = len(BATCH_ITEMS) * counts / counts.sum() + 4 * roots / roots.sum()
        scores, expected = scores_of(tables), []
        for row, (user, item) in enumerate(zip(BATCH_USERS, BATCH_ITEMS, strict=True)):
            logits = scores[user, 1:] - np.log(times)
            candidates = [*np.delete(BATCH_ITEMS, row), *drawn]
            others = [other for other in candidates if not (remove and other == item)]
            total = np.exp(logits[item - 1]) + sum(np.exp(logits[c - 1]) for c in others)
            expected.append(np.log(total) - logits[item - 1])

        loss = loss_of(task, tables, features_of())

        np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)

    def test_are_drawn_by_count_to_the_power_and_never_the_padding(self, train):
        task = build(train, **(self.SETTINGS | {"num_negatives": 200_000}))
        weights = np.sqrt(np.maximum(np.bincount(train.item_ids, minlength=ITEMS + 1), 0.5))
        weights[0] = 0

        drawn = task._draw(features_of()).numpy()

        shares = np.bincount(drawn, minlength=ITEMS + 1) / len(drawn)
        np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.004)
        assert drawn.min() == 1

    @pytest.mark.parametrize("power", [0.0, 0.5])
    def test_of_millions_of_items_are_drawn_evenly(self, power):
        """In single precision, neighbouring sums of shares are too coarse to tell items apart."""
        size, number, num_blocks = 4_000_000, 2_000_000, 1_000
        train = interactions([1], [1], num_items=size)
        settings = {"num_negatives": number, "negatives_power": power}
        task = build(train, **(self.SETTINGS | settings))

        drawn = task._draw(features_of()).numpy()

        counts = np.bincount((drawn - 1) // (size // num_blocks))
        expected = number / num_blocks
        chi_square = np.square(counts - expected).sum() / expected
        assert len(counts) == num_blocks
        assert chi_square == pytest.approx(num_blocks - 1, abs=6 * np.sqrt(2 * num_blocks))

    @pytest.mark.parametrize("power", [0.0, 0.5])
    def test_depend_on_the_seed_of_the_batch_alone(self, train, power):
        settings = {"num_negatives": 50, "negatives_power": power}
        task = build(train, **(self.SETTINGS | settings))
        first, again = task._draw(features_of()), task._draw(features_of())

        np.testing.assert_array_equal(first, again)
        assert (first.numpy() != task._draw(features_of(seed=(3, 5))).numpy()).any()

    def test_with_logq_stand_for_the_whole_catalogue_in_the_mean(self, train, tables, monkeypatch):
        """The other candidates, each divided by how often it is expected, sum to all items."""
        monkeypatch.setattr(retrieval, "part_of_mean", lambda losses, *weights: losses[0])
        rng, batch_size, own = np.random.default_rng(5), 6, 3
        task = build(train, **(self.SETTINGS | {"num_negatives": 8}))
        counts = np.maximum(np.bincount(train.item_ids, minlength=ITEMS + 1), 0.5)[1:]
        share, roots = counts / counts.sum(), np.sqrt(counts)
        drawn = 8 * roots / roots.sum()
        expected = batch_size * share + drawn  # of each item, among batch and drawn
        scores = scores_of(tables)[1, 1:] - np.log(expected)
        sums = []
        for step in range(400):
            others = rng.choice(ITEMS, size=batch_size - 1, p=share) + 1
            batch = features_of([1, 0, 0, 0, 0, 0], [own, *others], seed=(0, step))
            only_first = loss_of(task, tables, batch)
            total = np.exp(only_first + scores[own - 1])
            sums.append(total - np.exp(scores[own - 1]))
        # One row of the batch is given.
        times = (batch_size - 1) * share + drawn
        by_hand = np.delete(np.exp(scores) * times, own - 1).sum()

        assert np.mean(sums) == pytest.approx(by_hand, abs=4 * np.std(sums) / 20)


@pytest.mark.parametrize("remove", [False, True])
def test_drawn_negatives_alone_are_a_sampled_softmax(train, tables, monkeypatch, remove):
    """Of each row: itself, and the drawn ones, of which one or two may be itself too."""
    task = build(
        train,
        negatives="drawn",
        num_negatives=5,
        negatives_power=0.5,
        remove_accidental_hits=remove,
    )
    drawn = np.array([8, 3, 8, 6, 3])
    monkeypatch.setattr(task, "_draw", lambda features: tf.constant(drawn, tf.int32))
    roots = np.sqrt(np.maximum(np.bincount(train.item_ids, minlength=ITEMS + 1), 0.5)[1:])
    logits = scores_of(tables)[:, 1:] - np.log(5 * roots / roots.sum())
    expected = []
    for user, item in zip(BATCH_USERS, BATCH_ITEMS, strict=True):
        others = [other for other in drawn if not (remove and other == item)]
        total = sum(np.exp(logits[user, each - 1]) for each in [item, *others])
        expected.append(np.log(total) - logits[user, item - 1])

    loss = loss_of(task, tables, features_of())

    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)


@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_gradients_against_drawn_negatives_are_those_of_plain_logits(
    train, tables, monkeypatch, remove, temperature
):
    task = build(train, negatives="drawn", temperature=temperature, remove_accidental_hits=remove)
    drawn = np.array([8, 3, 8, 6, 3])
    monkeypatch.setattr(task, "_draw", lambda features: tf.constant(drawn, tf.int32))

    def plain():
        queries = tf.gather(tables[0], BATCH_USERS) / temperature
        log_expected = np.log(len(drawn) / ITEMS)  # all are drawn alike
        negatives = tf.matmul(queries, tf.gather(tables[1], drawn), transpose_b=True)
        hits = tf.constant(BATCH_ITEMS[:, None] == drawn) & remove
        negatives = tf.where(hits, -1e30, negatives - log_expected)
        own = tf.reduce_sum(queries * tf.gather(tables[1], BATCH_ITEMS), axis=1) - log_expected
        total = tf.reduce_logsumexp(tf.concat([own[:, None], negatives], axis=1), axis=1)
        return tf.reduce_mean(total - own)

    ours = value_and_gradients(lambda: loss_of(task, tables, features_of()), tables)

    check_equal(ours, value_and_gradients(plain, tables))


@pytest.mark.parametrize("score_l2", [0.0, 0.3])
def test_bpr_max_is_the_mean_over_the_softmax_of_negatives(train, tables, monkeypatch, score_l2):
    task = build(
        train,
        loss="bpr_max",
        negatives="drawn",
        num_negatives=4,
        score_l2=score_l2,
        temperature=0.5,
    )
    drawn = np.array([8, 3, 8, 6])
    monkeypatch.setattr(task, "_draw", lambda features: tf.constant(drawn, tf.int32))
    scores, expected = scores_of(tables, 0.5), []
    for user, item in zip(BATCH_USERS, BATCH_ITEMS, strict=True):
        negatives = scores[user, [other for other in drawn if other != item]]
        shares = np.exp(negatives) / np.exp(negatives).sum()
        own = 1 / (1 + np.exp(negatives - scores[user, item]))
        loss = -np.log((shares * own).sum()) + score_l2 * (shares * negatives**2).sum()
        expected.append(loss)

    loss = loss_of(task, tables, features_of())

    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)


def test_bpr_max_without_the_users_other_positives(train, tables):
    task = build(train, loss="bpr_max", negatives="full", remove_positives=True)
    scores = scores_of(tables)
    negatives = scores[1, [1, 4, 5, 7, 8, 9]]  # user 1 has met 2, 3 and 6
    shares = np.exp(negatives) / np.exp(negatives).sum()
    own = 1 / (1 + np.exp(negatives - scores[1, 3]))

    loss = loss_of(task, tables, features_of([1], [3]))

    np.testing.assert_allclose(loss, -np.log((shares * own).sum()), rtol=1e-5)


def test_score_l2_is_refused_where_it_would_do_nothing():
    with pytest.raises(ValueError, match="score_l2 is for bpr_max, not for softmax"):
        Settings(score_l2=0.1)


@pytest.mark.parametrize("settings", [{}, {"loss": "bpr", "num_negatives": 3}])
def test_users_count_by_a_power_of_their_positives(settings, train, tables, monkeypatch):
    """In training user 1 has three items, user 2 two and user 5 two; the unknown counts as one."""
    users, items = np.array([1, 2, 1, 5, 0], np.int32), np.array([3, 5, 6, 4, 2], np.int32)
    alone = build(train, **settings)
    drawn = alone._draw(features_of(users, items)) if settings else None
    rows = []
    for place in range(5):
        if settings:
            monkeypatch.setattr(alone, "_draw", lambda _, n=place: drawn[3 * n : 3 * n + 3])
        own = slice(place, place + 1)
        rows.append(float(loss_of(alone, tables, features_of(users[own], items[own]))))

    found = loss_of(build(train, user_power=0.5, **settings), tables, features_of(users, items))

    weights = np.array([3, 2, 3, 2, 1]) ** -0.5
    np.testing.assert_allclose(found, np.average(rows, weights=weights), rtol=1e-5)


def test_in_bfloat16_loss_and_gradients_keep_three_digits(train, tables):
    exact, rounded = (
        value_and_gradients(
            lambda kind=kind: loss_of(build(train, precision=kind), tables, features_of()), tables
        )
        for kind in ("float32", "bfloat16")
    )

    for one, other in zip(tf.nest.flatten(exact), tf.nest.flatten(rounded), strict=True):
        assert one.dtype == other.dtype == tf.float32
        np.testing.assert_allclose(other, one, rtol=0.02, atol=0.005)
    assert float(exact[0]) != float(rounded[0])


class TestPairwise:
    def test_is_the_mean_softplus_of_drawn_negatives(self, train, tables, monkeypatch):
        task = build(train, loss="bpr", num_negatives=2)
        users, items = BATCH_USERS[:3], BATCH_ITEMS[:3]  # (1, 3), (2, 3), (2, 5)
        drawn = [[8, 3], [9, 1], [5, 5]]  # 3 and both 5 are the rows' own: no negatives
        monkeypatch.setattr(task, "_draw", lambda _: tf.reshape(tf.constant(drawn), [-1]))
        scores = scores_of(tables)
        first = np.log1p(np.exp(scores[1, 8] - scores[1, 3]))
        second = [np.log1p(np.exp(scores[2, other] - scores[2, 3])) for other in (9, 1)]

        loss = loss_of(task, tables, features_of(users, items))

        np.testing.assert_allclose(loss, (first + np.mean(second) + 0) / 3, rtol=1e-5)

    def test_differences_are_multiplied_by_the_slope(self, train, tables, monkeypatch):
        task = build(train, loss="bpr", num_negatives=1, slope=0.3, temperature=0.5)
        monkeypatch.setattr(task, "_draw", lambda _: tf.constant([8]))
        scores = scores_of(tables, temperature=0.5)

        loss = loss_of(task, tables, features_of([1], [3]))

        expected = np.log1p(np.exp(0.3 * (scores[1, 8] - scores[1, 3])))
        np.testing.assert_allclose(loss, expected, rtol=1e-5)

    def test_slope_is_refused_where_it_would_do_nothing(self):
        with pytest.raises(ValueError, match="slope is for bpr, not for bpr_max"):
            Settings(loss="bpr_max", slope=0.3)

    def test_leaves_out_the_users_other_positives_if_told_so(self, train, tables, monkeypatch):
        task = build(train, loss="bpr", num_negatives=2, remove_positives=True)
        drawn = tf.constant([6, 8])  # user 1 has met 6
        monkeypatch.setattr(task, "_draw", lambda _: drawn)
        scores = scores_of(tables)

        loss = loss_of(task, tables, features_of([1], [3]))

        np.testing.assert_allclose(loss, np.log1p(np.exp(scores[1, 8] - scores[1, 3])), rtol=1e-5)

    def test_leaves_out_nobody_where_nothing_was_met(self, train, tables):
        nothing = train.take(np.array([], np.int64))
        task = build(nothing, loss="bpr", num_negatives=5, remove_positives=True)

        assert np.isfinite(loss_of(task, tables, features_of()))

    def test_draws_a_number_for_each_row(self, train):
        task = build(train, loss="bpr", num_negatives=3)

        assert len(task._draw(features_of())) == 3 * len(BATCH_USERS)


class TestHardness:
    SETTINGS = {
        "loss": "bpr",
        "negatives": "full",
        "temperature": 0.5,
        "hardness": 0.7,
        "slope": 0.3,
    }

    @pytest.mark.parametrize("remove", [False, True])
    def test_many_draws_cost_what_is_expected_of_one(self, tables, remove):
        train = interactions([1, 2, 2, 3, 3, 3, 3], [3, 3, 5, 7, 7, 7, 7])
        settings = {"num_negatives": 40_000, "negatives_power": 0.5, "remove_positives": remove}
        task = build(train, **self.SETTINGS, **settings)
        users, items = [1, 2, 2], [3, 3, 5]
        events = np.array([0.5, 0.5, 2, 0.5, 1, 0.5, 4, 0.5, 0.5])  # of items 1 to 9; none is half

        def by_hand():
            scores = 2.0 * tf.matmul(*tables, transpose_b=True)
            losses = []
            for user, item in zip(users, items, strict=True):
                chances = np.sqrt(events) * np.exp(0.7 * scores[user, 1:])
                chances[[met - 1 for met in ([3], [3, 5])[user - 1] if remove] + [item - 1]] = 0
                others = tf.nn.softplus(0.3 * (scores[user, 1:] - scores[user, item]))
                losses.append(tf.reduce_sum(others * (chances / chances.sum())))
            return tf.reduce_mean(losses)

        ours = value_and_gradients(lambda: loss_of(task, tables, features_of(users, items)), tables)

        expected = value_and_gradients(by_hand, tables)
        np.testing.assert_allclose(ours[0], expected[0], rtol=0.02)
        for mine, other in zip(ours[1], expected[1], strict=True):
            np.testing.assert_allclose(mine, other, atol=0.02)

    def test_where_one_item_is_left_it_is_the_negative(self, tables):
        train = interactions([2] * 8, [1, 2, 3, 4, 5, 6, 7, 9])
        task = build(train, **self.SETTINGS, num_negatives=3, remove_positives=True)

        ours = value_and_gradients(lambda: loss_of(task, tables, features_of([2], [4])), tables)

        def by_hand():
            query, items = tables[0][2], tables[1]
            return tf.nn.softplus(0.6 * tf.reduce_sum(query * (items[8] - items[4])))

        check_equal(ours, value_and_gradients(by_hand, tables))

    def test_who_has_met_everything_costs_nothing(self, tables):
        train = interactions([2] * ITEMS, np.arange(1, ITEMS + 1))
        task = build(train, **self.SETTINGS, num_negatives=3, remove_positives=True)

        loss, gradients = value_and_gradients(
            lambda: loss_of(task, tables, features_of([2, 2], [4, 9])), tables
        )

        assert loss == 0
        assert all((gradient == 0).all() for gradient in gradients)

    @pytest.mark.parametrize(
        "settings, found",
        [
            ({}, "softmax with negatives auto"),
            ({"loss": "bpr", "negatives": "drawn"}, "bpr with negatives drawn"),
        ],
    )
    def test_is_refused_where_it_would_do_nothing(self, settings, found):
        text = f"hardness is for bpr with negatives full, not for {found}"
        with pytest.raises(ValueError, match=text):
            Settings(hardness=1.0, **settings)


LOSSES = [
    {"negatives": "full"},
    {"negatives": "full", "remove_positives": True},
    {"negatives": "in_batch"},
    {"negatives": "in_batch", "logq": False, "remove_accidental_hits": False},
    {"negatives": "in_batch", "remove_positives": True},
    {"negatives": "sampled", "num_negatives": 6},
    {"negatives": "sampled", "num_negatives": 6, "remove_positives": True},
    {"negatives": "drawn", "num_negatives": 6},
    {"negatives": "drawn", "num_negatives": 6, "remove_accidental_hits": False},
    {"loss": "bpr_max", "negatives": "drawn", "num_negatives": 6, "score_l2": 0.1},
    {"loss": "bpr_max", "negatives": "full", "remove_positives": True},
    {"loss": "bpr", "negatives": "full", "num_negatives": 4},
    {"loss": "bpr", "negatives": "sampled", "num_negatives": 4, "remove_positives": True},
    {"loss": "bpr", "negatives": "full", "num_negatives": 4, "hardness": 2.0},
]


@pytest.mark.parametrize("settings", LOSSES, ids=str)
class TestEveryLoss:
    def test_an_unknown_item_has_no_effect(self, train, tables, settings, monkeypatch):
        """Held-out rows may have one: it is no positive, no negative, and no NaN."""
        task = build(train, **settings)
        draws = tf.constant(np.arange(100) % ITEMS + 1, tf.int32)
        number = settings.get("num_negatives", 0)
        is_pairwise = settings.get("loss") == "bpr"

        def draw(features):
            return draws[: number * (len(features["item_id"]) if is_pairwise else 1)]

        monkeypatch.setattr(task, "_draw", draw)
        known = value_and_gradients(lambda: loss_of(task, tables, features_of()), tables)
        more = features_of([*BATCH_USERS, 1, 5], [*BATCH_ITEMS, 0, 0])

        unknown = value_and_gradients(lambda: loss_of(task, tables, more), tables)

        if settings["negatives"] == "sampled" and not is_pairwise:
            # Two rows more change how often each item is expected, the batch against the drawn.
            assert np.isfinite(unknown[0])
            assert all(np.isfinite(gradient).all() for gradient in unknown[1])
        else:
            check_equal(unknown, known)

    def test_nothing_observed_costs_nothing_and_moves_nothing(self, train, tables, settings):
        task = build(train, **settings)
        features = features_of([1, 2, 2], [0, 0, 0])

        loss, gradients = value_and_gradients(lambda: loss_of(task, tables, features), tables)

        assert loss == 0
        assert all((gradient == 0).all() for gradient in gradients)

    def test_an_unknown_user_gives_no_nan(self, train, tables, settings):
        features = features_of([0, 1, 0], [3, 3, 9])

        loss = loss_of(build(train, **settings), tables, features)

        assert np.isfinite(loss)

    def test_an_unobserved_click_is_no_positive(self, tables, settings):
        train = interactions(BATCH_USERS, BATCH_ITEMS, [1] * 8)
        task = build(train, positive="click", **settings)
        mask = np.array([1, 1, 0, 1, 1, 0, 1, 1], np.float32)
        unobserved = features_of(click=np.ones(8), **{"click/observed": mask})
        not_clicked = features_of(click=mask, **{"click/observed": np.ones(8)})

        np.testing.assert_allclose(
            loss_of(task, tables, unobserved), loss_of(task, tables, not_clicked), rtol=1e-6
        )


CLICKS = np.array([1, 0, 1, 0, 0, 1, 0, 1], np.float32)
CLICKED = {"click": CLICKS, "click/observed": np.ones(8)}


@pytest.mark.parametrize("settings", [each for each in LOSSES if "loss" not in each], ids=str)
def test_with_a_label_the_loss_is_that_of_a_batch_of_positives_alone(tables, settings):
    task = build(interactions(BATCH_USERS, BATCH_ITEMS, CLICKS), positive="click", **settings)
    users, items = BATCH_USERS[CLICKS == 1], BATCH_ITEMS[CLICKS == 1]
    alone = build(interactions(users, items), **settings)

    ours = value_and_gradients(lambda: loss_of(task, tables, features_of(**CLICKED)), tables)

    by_hand = value_and_gradients(lambda: loss_of(alone, tables, features_of(users, items)), tables)
    check_equal(ours, by_hand)


def test_pairwise_a_row_that_is_no_positive_is_not_in_the_mean(tables):
    task = build(interactions(BATCH_USERS, BATCH_ITEMS, CLICKS), positive="click", loss="bpr")
    total = loss_of(task, tables, features_of(**CLICKED)) * 4

    parts = [
        loss_of(task, tables, features_of(**CLICKED | {"click": np.eye(8)[row]}))
        for row in np.flatnonzero(CLICKS)
    ]

    np.testing.assert_allclose(total, np.sum(parts), rtol=1e-4)


@pytest.mark.parametrize("negatives", ["full", "in_batch"])
def test_an_item_that_was_shown_and_left_counts_as_many_times_more(tables, negatives):
    # User 2 was shown 5 and left it, 3 not always; user 1 was shown 9, which is in no batch.
    users, items, clicks = [2, 2, 3, 1, 2], [3, 5, 1, 9, 3], [1, 0, 1, 0, 0]
    train = interactions(users, items, clicks)
    settings = {"positive": "click", "logq": False, "negatives": negatives}
    batch = features_of(users[:3], items[:3], click=clicks[:3], **{"click/observed": [1] * 3})
    task = build(train, **settings, exposed_weight=1.5)

    ours = value_and_gradients(lambda: loss_of(task, tables, batch), tables)

    def by_hand():
        scores = tf.matmul(*tables, transpose_b=True)
        counts = np.zeros((2, ITEMS + 1), np.float32)  # of each item, as a negative or positive
        counts[:, slice(1, None) if negatives == "full" else [3, 1]] = 1
        counts[0, 5] += 1.5
        totals = tf.reduce_logsumexp(tf.gather(scores, [2, 3]) + np.log(counts + 1e-37), axis=1)
        return tf.reduce_mean(totals - tf.stack([scores[2, 3], scores[3, 1]]))

    check_equal(ours, value_and_gradients(by_hand, tables))


@pytest.mark.parametrize("rows", [6, 60])
def test_scores_that_know_nothing_cost_the_log_of_the_number_of_candidates(rows):
    """A mean over rows: with a sum, the loss would grow with the batch."""
    items = np.arange(1, rows + 1)
    train = interactions(np.ones(rows), items, num_items=rows)
    nothing = tf.zeros([USERS + 1, 2]), tf.zeros([rows + 1, 2])
    for negatives in ("full", "in_batch"):
        task = build(train, negatives=negatives)

        loss = loss_of(task, nothing, features_of(np.ones(rows), items))

        np.testing.assert_allclose(loss, np.log(rows), rtol=1e-5)


def test_a_popular_item_in_a_large_batch_is_still_finite():
    """4,000 times the same item, among scores as large as they come."""
    rows = 4_000
    train = interactions(np.ones(rows), np.full(rows, 2))
    tables = tf.fill([USERS + 1, 1], 100.0), tf.fill([ITEMS + 1, 1], 100.0)

    loss = loss_of(build(train, negatives="in_batch"), tables, features_of([1] * rows, [2] * rows))

    assert np.isfinite(loss)
    assert 0 <= loss < 0.1


def test_a_label_of_many_values_counts_where_it_is_one(tables):
    train = interactions(BATCH_USERS, BATCH_ITEMS, [5, 1, 3, 1, 1, 2, 4, 5])
    task = build(train, negatives="full", positive="click")
    observed = {"click/observed": np.ones(8)}
    stars = features_of(click=[5, 1, 3, 1, 1, 2, 4, 5], **observed)
    ones = features_of(click=[0, 1, 0, 1, 1, 0, 0, 0], **observed)

    np.testing.assert_allclose(loss_of(task, tables, stars), loss_of(task, tables, ones))


@pytest.mark.parametrize(
    ("settings", "num_items", "chosen"),
    [
        ({}, 20_000, "full"),
        ({}, 20_001, "in_batch"),
        ({"loss": "bpr"}, 20_001, "sampled"),
        ({"negatives": "sampled"}, 5, "sampled"),
    ],
)
def test_negatives_are_chosen_by_the_size_of_the_catalogue(settings, num_items, chosen):
    train = interactions([1], [1], num_items=num_items)

    assert build(train, **settings).negatives == chosen


class TestLogSumExp:
    @pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
    def test_is_that_of_tensorflow_with_its_gradient(self, scale):
        logits = tf.Variable(np.random.default_rng(1).normal(size=(4, 7)) * scale, dtype=tf.float32)
        upstream = tf.constant([1.0, -2.0, 0.0, 0.5])

        ours = value_and_gradients(lambda: tf.reduce_sum(log_sum_exp(logits) * upstream), [logits])

        theirs = value_and_gradients(
            lambda: tf.reduce_sum(tf.reduce_logsumexp(logits, axis=1) * upstream), [logits]
        )
        check_equal(ours, theirs)

    @pytest.mark.parametrize("scale", [1.0, 1e4])
    def test_cells_left_out_do_not_count(self, scale):
        logits = tf.Variable(np.array([[3, 1, 2], [-1, -3, 1]]) * scale, dtype=tf.float32)
        left_out = tf.constant([[0, 0], [1, 2]])  # the largest of each row

        def by_hand():
            return tf.reduce_sum(
                tf.reduce_logsumexp(tf.gather(logits, [[1, 2], [0, 1]], batch_dims=1), axis=1)
            )

        ours = value_and_gradients(lambda: tf.reduce_sum(log_sum_exp(logits, left_out)), [logits])

        check_equal(ours, value_and_gradients(by_hand, [logits]))

    def test_a_row_without_cells_is_very_small_and_moves_nothing(self):
        logits = tf.Variable([[1e4, -1e4], [2.0, 3.0]])
        left_out = tf.constant([[0, 0], [0, 1]])

        with tf.GradientTape() as tape:
            totals = log_sum_exp(logits, left_out)
        gradient = tape.gradient(totals, logits)

        assert totals[0] < -1e29
        np.testing.assert_allclose(gradient[0], [0, 0])
        np.testing.assert_allclose(gradient[1], tf.nn.softmax([2.0, 3.0]), rtol=1e-6)
