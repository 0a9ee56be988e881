"""Exports whose items change: who stays is answered as before, to the last bit."""

import json
import shutil

import numpy as np
import pytest

from multitask_recommender import reindexing, run_folder
from multitask_recommender.errors import DataError, RunError
from multitask_recommender.export import items_file
from multitask_recommender.export.saved import Saved
from tests.test_exporting import CASES, ITEMS, USERS, experiment_of, exported, rows  # noqa: F401

GONE, NEW = [ITEMS[0], ITEMS[40], ITEMS[41]], [9000, 9007, 9014, 9021]
TOLD = ITEMS[9]  # whose genre changes, where the model reads it
ASKED = [*USERS[2:9], "nobody we know"]


def first_version(rows, base, name, **more):  # noqa: F811
    sections = {"model": "two_tower", **CASES[name], **more}
    index = sections.pop("export", {}).get("index", "brute_force")
    export = {"index": index, "retrieve": 30, "golden_requests": 2}
    return exported(experiment_of(rows, **sections, export=export), base)


def next_version(version, path, text):
    path.write_text(text)
    return reindexing.reindex(version, path)


def changed(version, name, path):
    """GONE are removed, NEW are added, and one is told of."""
    has_genres = "genres" in str(CASES[name])
    lines = [f"{item},true,\n" for item in (*GONE, 4)] + [f"{item},,art|war\n" for item in NEW]
    header, lines = "item,remove,genres\n", [*lines, f"{TOLD},,art\n"]
    if not has_genres:
        header, lines = "item,remove\n", [line.rsplit(",", 1)[0] + "\n" for line in lines]
    return next_version(version, path, header + "".join(lines)), {TOLD} if has_genres else set()


def answers(saved, signature):
    """{(user, item): values} of all items, in an order of several tasks."""
    weights = [name for name in saved.inputs(signature) if name.startswith("weight_")]
    request = {"user_id": ASKED, "k": [len(ITEMS) - 3], "exclude_seen": [False]}
    found = saved(signature, request | {name: [0.3] for name in weights})
    outputs = [name for name, values in found.items() if values.ndim == 2 and name != "item_ids"]
    return {
        (user, int(item)): [float(found[name][line, place]) for name in sorted(outputs)]
        for line, user in enumerate(ASKED)
        for place, item in enumerate(found["item_ids"][line])
        if item != -1
    }


def check_versions(before, after, replaced):
    """Of the same request, whoever stays has the same scores and predictions."""
    retrieves = "retrieve" in before.signatures
    for signature in ("recommend", "retrieve") if retrieves else ("recommend",):
        old, new = (answers(saved, signature) for saved in (before, after))
        stay = [pair for pair in old.keys() & new.keys() if pair[1] not in replaced]
        assert len(stay) > 200
        assert {pair: new[pair] for pair in stay} == {pair: old[pair] for pair in stay}
        assert not {item for _, item in new} & set(GONE)
        if retrieves:
            assert {item for _, item in new} & set(NEW)
    stay = [item for item in ITEMS if item not in {*GONE, *replaced}]
    request = {"user_id": ASKED, "item_ids": [stay] * len(ASKED)}
    old, new = before("rank", request), after("rank", request)
    for name in old:
        np.testing.assert_array_equal(new[name], old[name])
    unknown = after("rank", {"user_id": ASKED[:1], "item_ids": [[GONE[0], 5, NEW[0]]]})
    lowest = np.finfo(np.float32).min
    assert unknown["scores"][0, :2].tolist() == [lowest] * 2
    assert np.isfinite(unknown["scores"][0, 2]) and unknown["scores"][0, 2] > lowest


@pytest.fixture(scope="module")
def two_towers(rows, tmp_path_factory):  # noqa: F811
    """Of all kinds of tables: ids, histories both ways, recent items, features, biases."""
    folder = tmp_path_factory.mktemp("two towers")
    tasks = {"retrieval": {}, "click": {}}
    first = first_version(rows, folder / "model", "two_tower-history", tasks=tasks)
    second, replaced = changed(first, "two_tower-history", folder / "items.csv")
    assert (second, replaced) == (first.with_name("2"), {TOLD})
    return first, second


@pytest.fixture(scope="module")
def served(two_towers):
    return [Saved(version) for version in two_towers]


def test_who_stays_is_answered_as_before_and_who_is_gone_is_not(served):
    check_versions(*served, {TOLD})


def test_who_is_gone_is_known_to_histories_alone(served):
    before, after = served
    told = {"user_id": ["nobody"], "history": [[GONE[0], ITEMS[5]]]}

    vectors = [saved("embed_query", told)["embedding"] for saved in (before, after)]

    np.testing.assert_array_equal(*vectors)
    alike = after("similar_items", {"item_id": [ITEMS[5], GONE[0]], "k": [60]})
    assert not set(alike["item_ids"].ravel().tolist()) & set(GONE)
    assert alike["num_items"].tolist() == [60, 0]
    one_more = {"user_id": ASKED[:1], "k": [3], "exclude_ids": [[GONE[0], ITEMS[1]]]}
    assert after("recommend", one_more)["num_items"] == [3]


def test_a_new_item_is_what_its_features_say_and_who_is_told_of_changes(served):
    before, after = served
    request = {"user_id": ASKED[:4], "item_ids": [[*NEW, TOLD]] * 4}

    scores = after("rank", request)["scores"]

    assert np.ptp(scores[:, :4], axis=1).max() < 1e-6  # they were told the same of
    assert (scores[:, 4] != before("rank", request)["scores"][:, 4]).all()


def test_the_card_says_what_was_changed(two_towers):
    first, second = two_towers
    card, golden, warm_up = (
        second / "assets.extra" / name
        for name in ("model_card.json", "golden_requests.json", "tf_serving_warmup_requests")
    )

    told = json.loads(card.read_text())

    (change,) = told["reindexed"]
    counts = {name: change[name] for name in ("kept", "replaced", "added", "removed", "items")}
    assert counts == {"kept": 86, "replaced": 1, "added": 4, "removed": 3, "items": 91}
    assert change["from_version"] == "1" and told["version"] == 2
    assert change["largest_change"] == 0
    assert change["warnings"] == ["1 items to be removed are not in the export."]
    assert "what the model makes of their genres and the mean" in change["begin"]
    assert told["parity"]["requests"] > 0 and told["parity"]["scores"] < 1e-5
    assert told["metrics"] == json.loads((first / card.relative_to(second)).read_text())["metrics"]
    assert "**Reindexed** from version 1" in card.with_suffix(".md").read_text()
    asked = json.loads(golden.read_text())
    assert asked["version"] == 2 and not {str(item) for item in GONE} & set(golden.read_text())
    assert warm_up.stat().st_size > 0
    config = second / "assets.extra" / run_folder.CONFIG
    assert config.read_text() == (first / config.relative_to(second)).read_text()


def test_a_bad_file_leaves_the_versions_that_are_there(two_towers, tmp_path):
    base = two_towers[0].parent

    with pytest.raises(DataError, match="price is no feature of items .* .it reads genres"):
        next_version(base, tmp_path / "items.csv", "item,price\n7,2\n")

    assert sorted(path.name for path in base.iterdir()) == [".lock", "1", "2"]


def test_a_version_that_comes_meanwhile_is_not_left_behind(two_towers, tmp_path, monkeypatch):
    """Two at once: the second must not be made of what the first has changed by now."""
    base = tmp_path / "model"
    shutil.copytree(two_towers[0], base / "1")
    read = items_file.read

    def slow_read(*arguments):
        shutil.copytree(two_towers[1], base / "2")  # by another process
        return read(*arguments)

    monkeypatch.setattr(items_file, "read", slow_read)
    with pytest.raises(RunError, match="2 was written while .*1 was read: .* run it again"):
        next_version(base, tmp_path / "items.csv", "item\n9000\n")

    assert sorted(path.name for path in base.iterdir()) == [".lock", "1", "2"]


def test_scores_that_would_change_are_refused():
    before = {"click": np.array([[0.5, 1.0]]), "scores": np.array([[2.0, 3.0]])}
    assert reindexing.largest_change(before, before) == reindexing.largest_change({}, {}) == 0

    nearly = before | {"scores": np.array([[2.0, 3.000003]])}
    assert reindexing.largest_change(before, nearly) == pytest.approx(1e-6, rel=1e-3)
    for wrong in (1.5, np.nan):
        with pytest.raises(RunError, match="click of items that stay would not be what it was"):
            reindexing.largest_change(before, before | {"click": np.array([[0.5, wrong]])})


def test_who_comes_back_is_who_he_was(rows, tmp_path):  # noqa: F811
    """Of a graph; and `--out` begins elsewhere."""
    first = first_version(rows, tmp_path / "model", "lightgcn", tasks={"retrieval": {}})
    without = next_version(first, tmp_path / "a.csv", f"item,remove\n{ITEMS[7]},1\n9000,\n")
    (tmp_path / "b.csv").write_text(f"item\n{ITEMS[7]}\n")

    again = reindexing.reindex(without, tmp_path / "b.csv", tmp_path / "elsewhere")

    assert again == tmp_path / "elsewhere" / "1"
    request = {"user_id": ASKED, "item_ids": [ITEMS] * len(ASKED)}
    old, new = (Saved(version)("rank", request) for version in (first, again))
    for name in old:
        np.testing.assert_array_equal(new[name], old[name])
    change = json.loads((again / "assets.extra" / "model_card.json").read_text())["reindexed"][1]
    assert change["warnings"] == ["1 items were removed before: they are back, as they were."]
    assert (change["added"], change["begin"]) == (1, "No item is new.")


def test_an_export_of_another_form_is_refused(tmp_path):
    version = tmp_path / "model" / "1"
    (version / "assets.extra").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"")
    (version / "assets.extra" / "config.yaml").write_text("model: {name: lightgcn}\n")

    with pytest.raises(RunError, match="was written by another version of this library"):
        reindexing.reindex(version, tmp_path / "items.csv")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name != "two_tower-history"])
def test_every_model_sharing_and_index(name, rows, tmp_path):  # noqa: F811
    first = first_version(rows, tmp_path / "model", name)

    second, replaced = changed(first, name, tmp_path / "items.csv")

    check_versions(Saved(first), Saved(second), replaced)
