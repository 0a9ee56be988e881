"""Synthetic rows in the form of Tenrec: rates, repeats, and that the oracle knows the best."""

import numpy as np
import pydantic
import pytest
from sklearn.metrics import roc_auc_score

from multitask_recommender import splits
from multitask_recommender.datasets import synthetic
from multitask_recommender.errors import ConfigError

ROWS = 200_000


def tenrec(**settings):
    return synthetic.Settings(**{"shape": "tenrec", "users": 60, "items": 90, **settings})


def small(**settings):
    return synthetic.read(tenrec(**{"rows": 3_000, **settings}))


@pytest.fixture(scope="module")
def sample():
    """So many items that chance alone repeats few pairs, as in the real file."""
    return synthetic.read(tenrec(users=1_700, items=200_000, rows=ROWS))


@pytest.fixture(scope="module")
def clicks():
    """The clicks of every user in order, without copies: users, items and the 25 clicks before."""
    data = synthetic.read(tenrec(users=900, items=2_000, rows=100_000, scenario="sbr_1m"))
    users, items = data.user_ids, data.item_ids
    new = np.append(True, (users[1:] != users[:-1]) | (items[1:] != items[:-1]))
    users, items = users[new], items[new]
    history = np.zeros((len(users), 25), np.int32)
    for back in range(1, 26):
        same = users[back:] == users[:-back]
        history[back:, -back][same] = items[:-back][same]
    late = np.flatnonzero(history[:, -1] > 0)[::12]
    return data, users[late], items[late], history[late]


def repeats(data):
    """Of each row: whether its pair occurred before, and whether the whole row did."""
    pairs = data.user_ids.astype(np.int64) * 1_000_000 + data.item_ids
    rows = [pairs, *data.labels.values(), data.context["watching_times"].values]
    by_pair, by_row = np.ones(len(data), bool), np.ones(len(data), bool)
    by_pair[np.unique(pairs, return_index=True)[1]] = False
    by_row[np.unique(np.stack(rows).astype(np.int64), axis=1, return_index=True)[1]] = False
    return by_pair, by_row


def calibration_error(truth, guess):
    """Expected calibration error, of twenty bins with equally many rows."""
    bins = np.array_split(np.argsort(guess), 20)
    gaps = [abs(truth[rows].mean() - guess[rows].mean()) * len(rows) for rows in bins]
    return sum(gaps) / len(truth)


def hits(scores, targets, cutoff=20):
    own = scores[np.arange(len(targets)), targets - 1]
    return ((scores >= own[:, None]).sum(axis=1) <= cutoff).mean()


def test_it_looks_like_what_is_read_from_tenrec(sample):
    assert (len(sample), sample.num_users, sample.num_items) == (ROWS, 1_700, 200_000)
    assert list(sample.labels) == ["click", "follow", "like", "share"]
    assert {values.dtype for values in sample.labels.values()} == {np.dtype(np.uint8)}
    assert all(sample.is_observed(label).all() for label in sample.labels)
    assert sample.users.features.keys() == {"gender", "age", "first_clicks"}
    assert sample.future_features == {"first_clicks"}
    assert sample.users.features["age"].vocabulary == tuple("1234567")
    assert sample.items.features["video_category"].vocabulary == ("0", "1")
    assert sample.post_exposure == {"watching_times"} == sample.context.keys()
    assert sample.ordered_by_user
    assert (np.diff(sample.user_ids) >= 0).all()
    assert (np.diff(sample.timestamps) == 1).all()


def test_first_clicks_are_each_users_first_ten(sample):
    feature = sample.users.features["first_clicks"]

    assert feature.of_items
    clicks = sample.take(sample.labels["click"] == 1)
    for user in (1, 2, 700, 1_700):
        mine = clicks.item_ids[clicks.user_ids == user][:10]
        padding = [0] * (10 - len(mine))
        assert feature.values[user].tolist() == [*mine.tolist(), *padding]


@pytest.mark.parametrize(
    ("label", "rate", "without_click"),
    [("click", 0.24, 0), ("like", 0.0189, 0.0049), ("share", 0.0021, 0.00018)]
    + [("follow", 0.0015, 0.00044)],
)
def test_labels_are_as_frequent_as_in_ctr_1m(sample, label, rate, without_click):
    values = sample.labels[label]

    # A twelfth for what users and items there happen to be, and four standard errors.
    assert values.mean() == pytest.approx(rate, abs=rate / 12 + 4 * (rate / ROWS) ** 0.5)
    unclicked = (values[sample.labels["click"] == 0]).sum() / ROWS
    tolerance = without_click / 12 + 4 * (without_click / ROWS) ** 0.5
    assert unclicked == pytest.approx(without_click, abs=tolerance)


def test_rows_repeat_and_conflict_as_in_ctr_1m(sample):
    by_pair, by_row = repeats(sample)
    pairs = sample.user_ids.astype(np.int64) * 1_000_000 + sample.item_ids
    clicks = sample.labels["click"]
    clicked, passed = np.unique(pairs[clicks == 1]), np.unique(pairs[clicks == 0])
    repeated = np.unique(pairs[by_pair])

    assert by_pair.mean() == pytest.approx(0.015, abs=0.004)
    assert by_row.mean() == pytest.approx(0.0073, abs=0.004)
    conflicting = np.intersect1d(clicked, passed)
    assert len(conflicting) / len(repeated) == pytest.approx(0.31, abs=0.08)


def test_categories_are_missing_as_often_as_in_ctr_1m(sample):
    categories = sample.items.features["video_category"].values[sample.item_ids]

    assert (categories == 0).mean() == pytest.approx(0.013, abs=0.004)
    assert 0.1 < (categories == 1).mean() < 0.6


def test_only_what_was_clicked_was_watched(sample):
    watched = sample.context["watching_times"].values

    np.testing.assert_array_equal(watched > 0, sample.labels["click"] == 1)
    assert watched.max() > 3


def test_rows_of_users_and_of_items_are_heavy_tailed(sample):
    of_users = np.sort(np.bincount(sample.user_ids, minlength=1_701)[1:])
    of_items = np.sort(np.bincount(sample.item_ids, minlength=200_001)[1:])

    assert of_users[0] >= 1
    assert of_users[-17:].sum() > 0.04 * ROWS  # a hundredth of the users
    assert of_items[-2_000:].sum() > 0.1 * ROWS  # a hundredth of the items


def test_the_oracle_of_labels_is_calibrated_and_has_realistic_aucs(sample):
    guesses = sample.oracle.rank({"user_id": sample.user_ids, "item_id": sample.item_ids})
    truths = dict(sample.labels)
    truths["click_and_like"] = truths["click"] & truths["like"]

    assert guesses.keys() == truths.keys()
    for label, truth in truths.items():
        assert calibration_error(truth, guesses[label]) < 0.005
        assert guesses[label].dtype == np.float32
    assert roc_auc_score(truths["click"], guesses["click"]) == pytest.approx(0.80, abs=0.02)
    assert roc_auc_score(truths["like"], guesses["like"]) == pytest.approx(0.92, abs=0.02)


def test_any_noise_makes_the_oracle_worse(sample):
    guesses = sample.oracle.rank({"user_id": sample.user_ids, "item_id": sample.item_ids})
    noise = np.random.default_rng(0).standard_normal(ROWS)
    for label in ("click", "like"):
        logits = np.log(guesses[label] / (1 - guesses[label]))
        aucs = [roc_auc_score(sample.labels[label], logits + s * noise) for s in (0, 0.3, 0.6)]

        assert aucs[0] > aucs[1] > aucs[2]


def test_labels_are_alike_only_as_far_as_they_are_planted_to_be():
    """The chance of a like, among clicks, goes with that of a click by `correlation`."""
    pairs = {"user_id": np.repeat(np.arange(1, 61), 90), "item_id": np.tile(np.arange(1, 91), 60)}
    found = []
    for correlation in (0.0, 0.9):
        guess = small(correlation=correlation).oracle.rank(pairs)
        click, like = guess["click"], guess["click_and_like"] / guess["click"]
        logits = [np.log(chance / (1 - chance)) for chance in (click, like)]
        found.append(np.corrcoef(logits)[0, 1])

    assert found[0] == pytest.approx(0.0, abs=0.25)
    assert found[1] == pytest.approx(0.9, abs=0.1)


def test_chances_of_the_next_click_are_a_distribution_without_the_latest_clicks():
    oracle = small().oracle
    queries = {"user_id": np.array([1, 60, 0]), "history": np.array([[3, 7], [0, 5], [0, 0]])}

    scores = oracle.score_block(queries)

    assert scores.shape == (3, 90) and scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, rtol=1e-4)
    np.testing.assert_array_equal(np.argwhere(np.isinf(scores)), [[0, 2], [0, 6], [1, 4]])


def test_padding_of_a_history_may_be_of_any_length_on_either_side():
    oracle = small().oracle
    histories = ([[3, 7]], [[0, 0, 3, 7]], [[3, 7, 0]])
    scores = [
        oracle.score_block({"user_id": np.array([4]), "history": np.array(history)})
        for history in histories
    ]

    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])


def test_next_clicks_come_as_often_as_the_oracle_expects(clicks):
    """Its 20 best hold the next click as often as their chances sum up to: no scores do better."""
    data, users, items, history = clicks
    scores = data.oracle.score_block({"user_id": users, "history": history})
    expected = float(np.exp(np.partition(scores, -20)[:, -20:]).sum(axis=1).mean())

    error = (expected / len(users)) ** 0.5
    assert hits(scores, items) == pytest.approx(expected, abs=4 * error)
    likelihood = scores[np.arange(len(items)), items - 1].mean()  # against its own expectation
    finite = np.where(np.isfinite(scores), scores, 0.0)
    assert likelihood == pytest.approx((np.exp(scores) * finite).sum(axis=1).mean(), abs=0.1)


def test_transitions_beat_tastes_and_tastes_beat_popularity(clicks):
    data, users, items, history = clicks
    popularity = np.bincount(data.item_ids, minlength=2_001)[1:].astype(np.float32)
    knowing_all = data.oracle.score_block({"user_id": users, "history": history})
    knowing_the_user = data.oracle.score_block({"user_id": users})
    of_popularity = np.broadcast_to(popularity, knowing_all.shape)

    assert hits(knowing_all, items) > 1.4 * hits(knowing_the_user, items)
    assert hits(knowing_the_user, items) > 1.3 * hits(of_popularity, items)


def test_told_what_users_clicked_it_ranks_what_comes_after(make_events):
    oracle = small().oracle
    clicks = make_events([(4, 3), (60, 5), (4, 7)], times=[2, 1, 9], known=(60, 90))
    users = np.array([4, 60, 5])

    scores = oracle.after(clicks).score_block({"user_id": users})

    history = np.array([[3, 7], [5, 0], [0, 0]])
    by_hand = oracle.score_block({"user_id": users, "history": history})
    np.testing.assert_array_equal(scores, by_hand)


def test_without_a_history_scores_are_of_any_click_of_the_user():
    """Summed over the clicks of all users, they tell how often each item is clicked."""
    data = small(users=300, items=400, rows=60_000)
    clicked = data.labels["click"] == 1
    chances = np.exp(data.oracle.score_block({"user_id": data.user_ids[clicked]}))

    expected, found = chances.sum(axis=0), np.bincount(data.item_ids[clicked], minlength=401)[1:]

    # Not alike: an item does not come again at once, which flattens the head a little.
    assert np.corrcoef(expected, found)[0, 1] > 0.96
    assert found[np.argsort(-expected)[:100]].sum() == pytest.approx(
        np.sort(expected)[-100:].sum(), rel=0.1
    )


def test_unknown_users_and_items_are_answered_with_the_mean():
    oracle = small().oracle
    answer = oracle.rank({"user_id": np.array([0, 0, 5]), "item_id": np.array([3, 0, 0])})

    assert all(((chance > 0) & (chance < 1)).all() for chance in answer.values())
    assert np.isfinite(oracle.score_block({"user_id": np.array([0])})).all()


def test_where_every_row_is_a_click_labels_are_predicted_given_that(clicks):
    data = clicks[0]
    guesses = data.oracle.rank({"user_id": data.user_ids, "item_id": data.item_ids})

    assert data.labels["click"].all() and (guesses["click"] == 1).all()
    assert guesses["like"].mean() == pytest.approx(data.labels["like"].mean(), rel=0.1)


def test_the_oracle_stays_right_after_a_split(sample):
    parts = splits.split(sample, splits.Settings())

    assert parts.test.oracle is sample.oracle
    assert parts.test.num_items == sample.num_items == 200_000
    np.testing.assert_array_equal(parts.test.items.raw_ids, np.arange(1, 200_001))


def test_the_same_settings_give_the_same_rows_and_another_seed_others():
    once, again, other = small(), small(), small(seed=7)

    for data, is_equal in ((again, True), (other, False)):
        assert np.array_equal(once.item_ids, data.item_ids) == is_equal
        assert np.array_equal(once.labels["click"], data.labels["click"]) == is_equal


def test_max_rows_takes_the_first_rows_and_leaves_the_ids_alone():
    whole, cut = small(), small(max_rows=10)

    np.testing.assert_array_equal(cut.item_ids, whole.item_ids[:10])
    assert (cut.num_users, cut.num_items) == (60, 90)


@pytest.mark.parametrize("scenario", ["ctr_1m", "sbr_1m"])
def test_the_oracle_can_be_had_without_the_rows(scenario):
    alone = synthetic.oracle(tenrec(rows=3_000, scenario=scenario))
    pairs = {"user_id": np.array([1, 59]), "item_id": np.array([90, 2])}

    for label, chances in small(scenario=scenario).oracle.rank(pairs).items():
        np.testing.assert_array_equal(alone.rank(pairs)[label], chances)


@pytest.mark.parametrize("max_rows", [None, 2_990])
def test_blocks_hold_the_rows_of_read(max_rows, monkeypatch):
    monkeypatch.setattr(synthetic.exposures, "_BLOCK_ROWS", 700)
    blocks = list(synthetic.blocks(tenrec(rows=3_000, max_rows=max_rows)))
    data = small(max_rows=max_rows)

    assert len(blocks) > 3
    np.testing.assert_array_equal(
        np.concatenate([block.item_ids for block in blocks]), data.item_ids
    )
    np.testing.assert_array_equal(
        np.concatenate([block.labels["like"] for block in blocks]), data.labels["like"]
    )


def test_a_block_does_not_depend_on_those_before_it(monkeypatch):
    monkeypatch.setattr(synthetic.exposures, "_BLOCK_ROWS", 700)
    drawn = synthetic.blocks(tenrec(rows=3_000))
    first = next(drawn)
    again = list(synthetic.blocks(tenrec(rows=3_000)))

    np.testing.assert_array_equal(first.item_ids, again[0].item_ids)
    np.testing.assert_array_equal(next(drawn).item_ids, again[1].item_ids)


@pytest.mark.parametrize(
    ("users", "items", "rows"),
    [(1, 1, 12), (1, 40, 300), (40, 1, 100), (5, 9_000, 50), (90, 30, 7)],
)
@pytest.mark.parametrize("scenario", ["ctr_1m", "sbr_1m"])
def test_any_shape_has_exactly_the_rows_asked_for(users, items, rows, scenario):
    data = small(users=users, items=items, rows=rows, scenario=scenario)
    scores = data.oracle.score_block({"user_id": np.array([1]), "history": np.array([[1]])})

    assert len(data) == rows
    assert (data.num_users, data.num_items) == (users, items)
    assert np.exp(scores).sum() == pytest.approx(1.0, rel=1e-3)


def test_what_is_not_said_is_that_of_the_shape():
    settings = synthetic.Settings.model_validate_json('{"shape": "tenrec", "scenario": null}')

    assert (settings.scenario, settings.correlation) == ("ctr_1m", 0.5)
    assert (settings.users, settings.items, settings.rows) == (2_000, 5_000, 240_000)
    assert synthetic.Settings().users == 943


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenario": "ctr_1m"}, "scenario is 'ctr_1m', which goes with shape 'tenrec' only"),
        ({"correlation": 0.2}, "correlation is 0.2, which goes with shape 'tenrec' only"),
        ({"shape": "tenrec", "scenario": "qk_article"}, "Input should be 'ctr_1m', 'sbr_1m'"),
        ({"shape": "tenrec", "correlation": 1.5}, "less than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        synthetic.Settings(**settings)


def test_more_rows_than_pairs_are_fine():
    assert len(small(users=2, items=3, rows=50)) == 50


def test_there_are_no_folds():
    with pytest.raises(ConfigError, match="split.fold is 'u1': synthetic has no folds"):
        synthetic.read(tenrec(), "u1")
