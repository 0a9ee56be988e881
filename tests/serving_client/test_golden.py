"""Golden requests as read, and drift by hand."""

import json
import math

import pytest
from recommender_client.errors import UsageError
from recommender_client.golden import Drift, Golden, Request, compare, read, worst

CONTENT = {
    "model": "toy",
    "version": 3,
    "vocabulary": {"users": "ab", "items": "cd"},
    "tolerance": 1e-5,
    "requests": [{"signature": "rank", "inputs": {"k": [1]}, "outputs": {"scores": [[0.5]]}}],
}


def test_the_file_or_the_folder_of_its_version(tmp_path):
    file = tmp_path / "assets.extra" / "golden_requests.json"
    file.parent.mkdir()
    file.write_text(json.dumps(CONTENT), encoding="utf-8")

    assert read(tmp_path) == Golden(
        model="toy",
        version=3,
        vocabulary={"users": "ab", "items": "cd"},
        tolerance=1e-5,
        requests=(Request("rank", {"k": [1]}, {"scores": [[0.5]]}),),
    )
    assert read(file) == read(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "x.json holds no golden requests: JSONDecodeError"),
        ("{}", "x.json holds no golden requests: KeyError.'model'"),
        (json.dumps({**CONTENT, "requests": [{"name": 1}]}), "unexpected keyword argument 'name'"),
    ],
)
def test_a_file_of_something_else(tmp_path, text, told):
    (tmp_path / "x.json").write_text(text)

    with pytest.raises(UsageError, match=told):
        read(tmp_path / "x.json")


def test_no_file(tmp_path):
    told = "golden_requests.json: No such file or directory. Give golden_requests.json or"
    with pytest.raises(UsageError, match=told):
        read(tmp_path)


def _answer(ids=(("a", "b", "c"), ("d", "", "")), **changed):
    outputs = {
        "item_ids": [list(row) for row in ids],
        "scores": [[3.0, 2.0, 1.0], [0.5, 0.0, 0.0]],
        "source": ["user", "history"],
        "num_items": [3, 1],
    }
    return outputs | changed


def test_the_same_answer_has_not_drifted():
    assert set(compare(_answer(), _answer()).values()) == {Drift()}


def test_the_largest_difference_of_all_rows():
    found = _answer(scores=[[3.0, 2.25, 1.0], [0.25, 0.0, 0.0]])

    assert compare(_answer(), found)["scores"] == Drift(distance=0.25)


def test_ties_may_change_places():
    golden = _answer(scores=[[2.0, 2.0, 1.0], [0.5, 0.0, 0.0]], like=[[0.1, 0.9, 0.5], [0] * 3])
    found = _answer(
        ids=(("b", "a", "c"), ("d", "", "")),
        scores=[[2.00001, 2.0, 1.0], [0.5, 0.0, 0.0]],
        like=[[0.9, 0.1, 0.5], [0, 0, 0]],
    )

    drifts = compare(golden, found)

    assert drifts["item_ids"] == Drift()
    assert drifts["like"] == Drift()
    assert drifts["scores"].distance == pytest.approx(1e-5)


def test_an_order_that_its_own_scores_deny():
    found = _answer(ids=(("c", "b", "a"), ("d", "", "")), scores=[[1.0, 2.0, 3.0], [0.5, 0, 0]])

    drifts = compare(_answer(), found)

    assert drifts["scores"] == Drift()
    assert drifts["item_ids"] == Drift(differing=2)  # two steps that go up


@pytest.mark.parametrize(
    ("ids", "num_items", "differing"),
    [
        ((("a", "b", "x"), ("d", "", "")), [3, 1], 1),
        ((("a", "a", "a"), ("d", "", "")), [3, 1], 2),
        ((("a", "b", ""), ("d", "", "")), [2, 1], 1),  # fewer than before
        ((("a", "b", "c"), ("d", "e", "")), [3, 2], 1),  # and more
    ],
)
def test_other_items(ids, num_items, differing):
    found = _answer(ids=ids, num_items=num_items)

    assert compare(_answer(), found)["item_ids"] == Drift(differing=differing)


def test_other_words():
    drifts = compare(_answer(), _answer(source=["popularity", "history"]))

    assert drifts["source"] == Drift(differing=1)


@pytest.mark.parametrize(
    "scores",
    [[[3.0, 2.0], [0.5, 0.0]], [3.0, 0.5], [[3.0, 2.0, 1.0]], [[3.0, math.nan, 1.0], [0.5, 0, 0]]],
)
def test_another_shape_is_infinitely_far(scores):
    golden = {"scores": [[3.0, 2.0, 1.0], [0.5, 0.0, 0.0]]}

    assert compare(golden, {"scores": scores}) == {"scores": Drift(math.inf)}


def test_an_output_that_only_one_has():
    drifts = compare({"scores": [1.0], "like": [0.5]}, {"scores": [1.0], "share": [0.5]})

    assert drifts == {"scores": Drift(), "like": Drift(math.inf), "share": Drift(math.inf)}


def test_what_is_no_number_in_both_is_the_same():
    assert compare({"scores": [math.nan]}, {"scores": [math.nan]}) == {"scores": Drift()}


def test_the_worst_of_two():
    assert Drift(0.5, 2) | Drift(0.25, 3) == Drift(0.5, 5)
    assert worst({"a": Drift(0.5, 2), "b": Drift(0.25, 3), "c": Drift()}) == Drift(0.5, 5)
    assert worst({}) == Drift()
