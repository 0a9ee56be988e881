"""The protocols `full` and `unfiltered`, by hand and against an independent oracle."""

import re

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.evaluation import Evaluator, Settings, evaluate

KNOWN, ROWS = (3, 5), (4, 6)  # user 4 and item 6 are outside the vocabulary
SMALL = Settings(cutoffs=[1, 2, 3])


@pytest.fixture
def by_hand(events, table_scorer):
    """User 1 has seen item 1 and is to be shown 3 and 5; user 2 item 2 (tied), and unknown 6."""
    train = events([(1, 1), (2, 4), (3, 3)], KNOWN, ROWS)
    test = events([(1, 3), (1, 5), (2, 2), (2, 6)], KNOWN, ROWS)
    scorer = table_scorer(
        [
            [0, 0, 0, 0, 0],
            [9, 8, 7, 6, 5],  # candidates 2 3 4 5: item 3 is second, item 5 fourth
            [7, 7, 1, 9, 2],  # candidates 1 2 3 5: item 2 ties with item 1, so it is second
            [1, 2, 3, 4, 5],
        ]
    )
    return scorer, train, test


def test_full_excludes_seen_items_and_settles_ties_against_the_model(by_hand):
    scorer, train, test = by_hand

    metrics = evaluate(scorer, [train], test, SMALL).metrics

    expected = {
        "recall@1": 0.0,
        "recall@2": (1 / 2 + 1 / 2) / 2,
        "recall@3": (1 / 2 + 1 / 2) / 2,
        "precision@2": (1 / 2 + 1 / 2) / 2,
        "precision@3": (1 / 3 + 1 / 3) / 2,
        "hit_rate@1": 0.0,
        "hit_rate@2": 1.0,
        "mrr@2": 1 / 2,
        "mrr": 1 / 2,
        "map@3": (1 / 2) / 2,  # precision 1/2 at the only hit, over min(3, 2) items
        "ndcg@2": (1 / np.log2(3)) / (1 + 1 / np.log2(3)),
        "top_1_categorical_accuracy": 0.0,
        "top_2_categorical_accuracy": 2 / 4,  # rows (1, 3) and (2, 2)
        "top_3_categorical_accuracy": 2 / 4,
    }
    assert {name: metrics[f"test/full/{name}"] for name in expected} == pytest.approx(expected)


def test_unfiltered_counts_every_item_and_every_row(events, table_scorer):
    known, rows = (3, 6), (4, 7)  # item 7 is unknown
    train = events([(1, 1), (2, 4)], known, rows)
    test = events([(1, 3), (1, 6), (2, 2), (2, 7)], known, rows)
    scorer = table_scorer([[0] * 6, [9, 8, 7, 6, 5, 4], [7, 7, 1, 9, 2, 0], [0] * 6])

    metrics = evaluate(scorer, [train], test, SMALL).metrics

    # Ranks among all six items: item 3 is third, item 6 sixth, item 2 third (tied), 7 missed.
    prefix = "test/unfiltered/factorized_top_k/top_"
    assert metrics[f"{prefix}1_categorical_accuracy"] == 0.0
    assert metrics[f"{prefix}5_categorical_accuracy"] == 2 / 4
    assert f"{prefix}10_categorical_accuracy" not in metrics


@pytest.mark.parametrize("protocol", ["full", "unfiltered", "sampled"])
def test_a_cutoff_that_nobodys_candidates_exceed_is_left_out_and_said(
    events, table_scorer, protocol
):
    """It would be 1.0 for every scorer there is."""
    train = events([(1, 1), (2, 1), (2, 2), (2, 2)], (3, 11), (3, 11))
    test = events([(1, 3), (2, 5)], (3, 11), (3, 11))
    scorer = table_scorer(np.tile(np.arange(11), (4, 1)))
    settings = Settings(protocols=[protocol], cutoffs=[1, 5, 9, 10, 20], negatives=9)

    result = evaluate(scorer, [train], test, settings)

    # The user with most has 10 candidates in `full`, 11 in `unfiltered`, 1 + 9 in `sampled`.
    left_out = {"full": [10, 20], "unfiltered": [20, 50, 100], "sampled": [10, 20]}[protocol]
    assert result.protocol[protocol]["cutoffs_left_out"] == left_out
    cutoffs = {int(n) for key in result.metrics for n in re.findall(r"(?:@|top_)(\d+)", key)}
    assert cutoffs == ({1, 5, 9, 10} if protocol == "unfiltered" else {1, 5, 9})


def test_where_there_is_no_choice_nothing_is_computed(events, table_scorer):
    test = events([(1, 1), (2, 1)], (3, 1), (3, 1))

    result = evaluate(table_scorer(np.ones([4, 1])), [], test, SMALL)

    assert result.metrics == {}


def test_a_user_who_has_seen_everything_counts_and_can_only_miss(events, table_scorer):
    """He has a relevant item: one that nobody knew, or that he had seen before."""
    train = events([(user, item) for user in (1, 2) for item in range(1, 6)], KNOWN, ROWS)
    test = events([(1, 6), (2, 2), (3, 1)], KNOWN, ROWS)

    result = evaluate(table_scorer(np.tile([5, 4, 3, 2, 1], (4, 1))), [train], test, SMALL)

    assert result.metrics["test/full/recall@1"] == pytest.approx((0 + 0 + 1) / 3)
    assert result.protocol["full"]["users_without_candidates"] == 2


def test_coverage_and_popularity_describe_the_recommended_lists(events, table_scorer):
    # Training counts 3, 1, 1, 0 have percentiles 7/8, 4/8, 4/8, 1/8.
    train = events([(3, 1), (3, 1), (3, 1), (3, 2), (3, 3)], (3, 4), (3, 4))
    test = events([(1, 1), (2, 4)], (3, 4), (3, 4))
    scorer = table_scorer([[0, 0, 0, 0], [4, 3, 2, 1], [1, 2, 3, 4], [0, 0, 0, 0]])

    metrics = evaluate(scorer, [train], test, SMALL).metrics

    assert metrics["test/full/coverage@1"] == 2 / 4  # items 1 and 4
    assert metrics["test/full/popularity@1"] == pytest.approx((7 / 8 + 1 / 8) / 2)
    assert metrics["test/full/coverage@2"] == 1.0


def test_popularity_is_of_all_that_was_seen_and_the_record_says_so(events, table_scorer):
    """What users know as popular, whether or not the model has learnt from validation rows too."""
    parts = [events(pairs, (3, 3), (3, 3)) for pairs in ([(3, 1)], [(3, 2), (3, 2)])]
    test = events([(1, 1)], (3, 3), (3, 3))

    result = evaluate(table_scorer([[0, 0, 0], [1, 9, 2], [0] * 3, [0] * 3]), parts, test, SMALL)

    assert result.metrics["test/full/popularity@1"] == pytest.approx(5 / 6)  # counts 1, 2, 0
    assert result.protocol["popularity"] == (
        "percentiles of events in the 3 rows before this part, learnt from or not"
    )


def test_a_constant_scorer_gets_nothing(events, table_scorer):
    pairs = [(user, item) for user in range(1, 4) for item in range(1, 6)]
    test = events(pairs[::4], KNOWN, ROWS)

    metrics = evaluate(table_scorer(np.zeros([4, 5])), [], test, SMALL).metrics

    assert metrics["test/full/recall@3"] == 0.0
    assert metrics["test/full/top_3_categorical_accuracy"] == 0.0
    assert metrics["test/unfiltered/factorized_top_k/top_1_categorical_accuracy"] == 0.0


def test_a_negative_zero_ties_with_a_positive_one(events, table_scorer):
    scorer = table_scorer([[0] * 5, [0.0, -0.0, -1, -1, -1], [0] * 5, [0] * 5])

    metrics = evaluate(scorer, [], events([(1, 1)], KNOWN, ROWS), SMALL).metrics

    assert metrics["test/full/mrr"] == 1 / 2


def test_a_pair_seen_before_is_a_miss_and_is_counted(events, table_scorer):
    train = events([(1, 1)], KNOWN, ROWS)
    test = events([(1, 1), (1, 2), (1, 2)], KNOWN, ROWS)
    scorer = table_scorer(np.tile([5, 4, 3, 2, 1], (4, 1)))

    result = evaluate(scorer, [train], test, SMALL)

    assert result.metrics["test/full/recall@3"] == 1 / 2
    assert result.metrics["test/full/top_3_categorical_accuracy"] == 2 / 3
    assert result.metrics["test/unfiltered/factorized_top_k/top_1_categorical_accuracy"] == 1 / 3
    assert result.protocol["full"]["relevant_pairs_seen_before"] == 1


def test_unknown_users_are_scored_as_unknown_and_still_do_not_see_what_they_have_seen(
    events, table_scorer
):
    validation = events([(4, 5)], KNOWN, ROWS)
    test = events([(4, 4)], KNOWN, ROWS)
    scorer = table_scorer([[1, 2, 3, 4, 5]] + [[5, 4, 3, 2, 1]] * 3)

    result = evaluate(scorer, [validation], test, SMALL)

    assert result.metrics["test/full/recall@1"] == 1.0
    assert result.protocol["full"]["rows_unknown_user"] == 1


@pytest.mark.parametrize("protocol", ["full", "unfiltered", "sampled"])
def test_a_score_that_is_not_a_number_is_an_error(events, table_scorer, protocol):
    scores = np.ones([4, 5])
    scores[2, 3] = np.nan

    with pytest.raises(RunError, match="score of item 4 is not a number"):
        evaluate(
            table_scorer(scores),
            [],
            events([(2, 1)], KNOWN, ROWS),
            Settings(protocols=[protocol], cutoffs=[1]),
        )


def test_scores_of_the_wrong_width_are_an_error(events, table_scorer):
    with pytest.raises(RunError, match=r"shape \(1, 6\), expected \(1, 5\)"):
        evaluate(table_scorer(np.ones([4, 6])), [], events([(2, 1)], KNOWN, ROWS), SMALL)


def test_only_positives_are_relevant_and_labels_keep_all_rows(events, table_scorer):
    clicks = np.array([1, 0, 0], np.float32)
    test = events([(1, 1), (1, 2), (2, 3)], KNOWN, ROWS, labels={"click": clicks})
    scorer = table_scorer(np.tile([5, 4, 3, 2, 1], (4, 1)), {"click": np.full([4, 6], 0.4)})

    result = Evaluator([], test, SMALL, positives=clicks == 1)(scorer)

    assert result.metrics["test/full/recall@1"] == 1.0
    assert result.protocol["full"]["users"] == 1
    assert result.metrics["test/click/accuracy"] == pytest.approx(2 / 3)


def test_no_held_out_rows_compute_nothing(events, table_scorer):
    train, test = events([(1, 1)], KNOWN, ROWS), events([], KNOWN, ROWS)

    result = evaluate(table_scorer(np.ones([4, 5])), [train], test, SMALL)

    assert result.metrics == {}


def test_arrays_are_what_metrics_are_means_of(by_hand):
    scorer, train, test = by_hand

    result = Evaluator([train], test, SMALL)(scorer, keep_arrays=True)

    np.testing.assert_array_equal(result.arrays["test/full/recall@2"], [0.5, 0.5])
    rows = result.arrays["test/full/top_2_categorical_accuracy"]
    np.testing.assert_array_equal(rows, [True, False, True, False])
    assert evaluate(scorer, [train], test, SMALL).arrays == {}


# ---- an oracle that loops, sorts nothing, and shares no code with the package


def oracle(scores, seen, rows, num_known, cutoffs):
    """Metrics of `full`, and top-k accuracy of `unfiltered`, from their definitions."""
    users = sorted({user for user, _ in rows})
    most = max(
        sum((user, item) not in seen for item in range(1, num_known[1] + 1)) for user in users
    )
    totals = {f"{m}@{k}": [] for m in ("recall", "ndcg", "mrr", "map") for k in cutoffs}
    totals |= {"mrr": []} | {f"top_{k}": [] for k in cutoffs} | {f"all_{k}": [] for k in cutoffs}
    ranks = {}
    for user in users:
        line = scores[user if user <= num_known[0] else 0]
        candidates = [i for i in range(1, num_known[1] + 1) if (user, i) not in seen]
        relevant = {i for u, i in rows if u == user}
        there = sorted((i for i in relevant if i in candidates), key=lambda i: -line[i - 1])
        found = [
            sum(line[c - 1] >= line[i - 1] for c in candidates if c not in relevant) + place
            for place, i in enumerate(there, start=1)
        ]
        for i in there:
            ranks[user, i] = sum(line[c - 1] >= line[i - 1] for c in candidates)
        totals["mrr"].append(1 / found[0] if found else 0)
        for k in cutoffs:
            inside = [rank for rank in found if rank <= k]
            ideal = sum(1 / np.log2(r + 1) for r in range(1, min(k, len(relevant)) + 1))
            totals[f"recall@{k}"].append(len(inside) / len(relevant))
            totals[f"ndcg@{k}"].append(sum(1 / np.log2(r + 1) for r in inside) / ideal)
            totals[f"mrr@{k}"].append(1 / inside[0] if inside else 0)
            precisions = [place / rank for place, rank in enumerate(inside, start=1)]
            totals[f"map@{k}"].append(sum(precisions) / min(k, len(relevant)))
    for user, item in rows:
        line = scores[user if user <= num_known[0] else 0]
        is_known = item <= num_known[1]
        everywhere = (line >= line[item - 1]).sum() if is_known else np.inf
        for k in cutoffs:
            totals[f"top_{k}"].append(ranks.get((user, item), np.inf) <= k)
            totals[f"all_{k}"].append(everywhere <= k)
    told = {}
    for name, values in totals.items():
        limit = num_known[1] if name.startswith("all_") else most
        if int((re.findall(r"\d+", name) or [1])[0]) < limit:
            told[name] = float(np.mean(values))
    return told


@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("num_items", [3, 17, 230])
@pytest.mark.parametrize("seed", range(4))
def test_metrics_agree_with_the_oracle(events, table_scorer, seed, num_items, levels):
    """Few levels make many ties; pairs repeat; users and items fall outside the vocabulary."""
    generator = np.random.default_rng([seed, num_items, levels])
    known, rows = (7, num_items), (9, num_items + 2)
    scores = generator.integers(levels, size=(8, num_items)) - levels / 2

    def draw(count):
        users = generator.integers(1, rows[0] + 1, count)
        return list(zip(users, generator.integers(1, rows[1] + 1, count), strict=True))

    train, validation, test = draw(20), draw(5), draw(25)
    cutoffs = [1, 5, 10]
    settings = Settings(cutoffs=cutoffs)

    seen = [events(part, known, rows) for part in (train, validation)]
    metrics = evaluate(table_scorer(scores), seen, events(test, known, rows), settings).metrics

    expected = oracle(scores, {*train, *validation}, test, known, cutoffs)
    for name, value in expected.items():
        key = f"test/full/{name}"
        if name.startswith("top_"):
            key += "_categorical_accuracy"
        if name.startswith("all_"):
            key = "test/unfiltered/factorized_top_k/top_" + name[4:] + "_categorical_accuracy"
        assert metrics[key] == pytest.approx(value), key
    # Unfiltered, nothing counts as seen.
    for name, value in oracle(scores, set(), test, known, cutoffs).items():
        if name.startswith(("recall", "ndcg")):
            assert metrics[f"test/unfiltered/{name}"] == pytest.approx(value), name


def test_the_size_of_blocks_does_not_change_any_metric(events, table_scorer):
    generator = np.random.default_rng(0)
    known = rows = (40, 30_000)  # 8 rows of scores are a megabyte
    draws = generator.integers(1, [41, 30_001], size=(2000, 2))
    train, test = (events(list(map(tuple, part)), known, rows) for part in np.split(draws, [1200]))
    scorer = table_scorer(generator.integers(5000, size=(41, 30_000)))

    one, many = (
        evaluate(scorer, [train], test, Settings(block_megabytes=megabytes))
        for megabytes in (64, 1)
    )

    assert one == many
    assert one.metrics["test/full/recall@100"] < 0.1
