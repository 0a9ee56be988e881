"""Every model, sharing and index as an export: written, and answered by who has not our code."""

import dataclasses
import functools
import itertools
import json
import re
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import assembly, config, exporting, registry, splits
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.export import write
from multitask_recommender.export.cascade import Cascade
from multitask_recommender.export.saved import Saved
from multitask_recommender.interactions import Entities, Feature, Interactions, Source
from multitask_recommender.layers.history import History

NUM_USERS, NUM_ITEMS, NUM_ROWS = 40, 90, 900
METRICS = {
    "metrics": {"test/full/recall@20": 0.5, "test/like/auc": 0.75},
    "baselines": {"popularity": {"test/full/recall@20": 0.25}},
    "protocol": {"trained_on": "train"},
}
# Loads each export named on the command line and answers its golden requests; prints the largest
# difference by output. It imports nothing of this package.
REPLAY = """
    import json, pathlib, sys
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2
    try:
        import scann
    except ImportError:
        pass
    for folder in map(pathlib.Path, sys.argv[1:]):
        proto = saved_model_pb2.SavedModel()
        proto.ParseFromString((folder / "saved_model.pb").read_bytes())
        defined = proto.meta_graphs[0].signature_def
        loaded = tf.saved_model.load(str(folder)).signatures
        golden = json.loads((folder / "assets.extra" / "golden_requests.json").read_text())
        worst = 0.0
        for request in golden["requests"]:
            name = request["signature"]
            kinds = loaded[name].structured_input_signature[1]
            inputs = {k: tf.make_ndarray(v) for k, v in defined[name].defaults.items()}
            inputs |= request["inputs"]
            found = loaded[name](**{k: tf.constant(v, kinds[k].dtype) for k, v in inputs.items()})
            assert found.keys() == request["outputs"].keys()
            for output, values in request["outputs"].items():
                values, own = np.array(values), found[output].numpy()
                if own.dtype.kind == "O":
                    assert own.astype(str).tolist() == values.tolist()
                else:
                    worst = max(worst, float(np.abs(own - values).max(initial=0.0)))
        print(folder, sorted(loaded), worst)
    assert not [name for name in sys.modules if "multitask" in name]
"""


@pytest.fixture(scope="module")
def rows() -> Interactions:
    """Users with string ids, items with numbers; clicks, likes, stars, times and a context."""
    generator = np.random.default_rng(3)
    users = generator.integers(1, NUM_USERS, NUM_ROWS).astype(np.int32)  # the last meets nobody
    items = (generator.random(NUM_ROWS) ** 2 * NUM_ITEMS).astype(np.int32) + 1
    clicks = (generator.random(NUM_ROWS) < 0.6).astype(np.float32)
    ages = generator.integers(18, 70, NUM_USERS + 1).astype(np.float32)
    genres = generator.integers(0, 4, [NUM_ITEMS + 1, 2])
    return Interactions(
        users,
        items,
        Entities(
            np.array([f"user {n} ü" for n in range(NUM_USERS)]),
            NUM_USERS,
            {"age": Feature(ages)},
        ),
        Entities(
            np.arange(NUM_ITEMS) * 7 + 100,
            NUM_ITEMS,
            {"genres": Feature(genres.astype(np.int32), ("art", "bio", "war"))},
        ),
        labels={
            "click": clicks,
            "like": clicks * (generator.random(NUM_ROWS) < 0.3).astype(np.float32),
            "rating": generator.integers(1, 6, NUM_ROWS).astype(np.float32),
        },
        timestamps=np.arange(NUM_ROWS, dtype=np.int64),
        context={
            "device": Feature(generator.integers(0, 3, NUM_ROWS).astype(np.int32), ("tv", "pc")),
            "hour": Feature(generator.random(NUM_ROWS).astype(np.float32)),
        },
        source=Source("made by the test"),
    )


def experiment_of(rows: Interactions, model: str, **sections) -> Experiment:
    """With retrieval where the model retrieves, and the labels."""
    chosen = {
        "model": {"name": model, "embedding_dimension": 8, **sections.pop("settings", {})},
        "tasks": {"retrieval": {}, "click": {}, "like": {"only_with": "click"}, "rating": {}},
        "split": {"name": "user_order"},
        "export": {"retrieve": 30, "golden_requests": 8},
        **sections,
    }
    if model in ("fm", "dcn"):
        del chosen["tasks"]["retrieval"]
    parsed = config.parse(chosen)
    return Experiment(parsed, splits.split(rows, parsed.split))


def exported(experiment: Experiment, base):
    """Of an untrained model: what it answers is as good as any."""
    model = assembly.build(experiment.config, experiment.learnt_rows)
    return exporting.export(lambda: (experiment, model), base, METRICS)


SHARINGS = itertools.cycle(registry.names("sharing"))  # models in turn: each is met by some
CASES = {
    **{name: {"model": name, "sharing": next(SHARINGS)} for name in registry.names("models")},
    "two_tower-history": {
        "settings": {
            "user": ["id", "history", "recent", "age"],
            "item": ["id", "history", "genres"],
            "context": ["device", "hour"],
            "hidden_layers": [6],
            "normalise": True,
        },
        "sharing": {"name": "mmoe", "hidden_layers": [8]},
    },
    "ivf": {
        "export": {"index": "ivf", "retrieve": 30, "golden_requests": 8},
        "tasks": {"retrieval": {}},
    },
}
CASES["gru4rec"]["settings"] = {"user": ["age"], "context": ["device"]}
CASES["lightgcn"]["settings"] = {"normalise": True, "item_bias": True}


@pytest.fixture(scope="module")
def exports(rows, tmp_path_factory):
    """The folders of all cases, by name; each has been held against its model when written."""
    made = {}
    for name, sections in CASES.items():
        experiment = experiment_of(rows, **{"model": "two_tower", **sections})
        made[name] = exported(experiment, tmp_path_factory.mktemp(name) / "model")
    return made


def test_another_process_without_this_package_answers_the_same(exports):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REPLAY), *map(str, exports.values())],
        capture_output=True,
        text=True,
        check=False,
        cwd=exports["two_tower"],
    )

    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(CASES)
    for line in lines:
        assert float(line.rsplit(" ", 1)[1]) < 1e-5, line


@pytest.fixture(scope="module")
def served(exports):
    """Exports as they are served, loaded when first asked for."""
    return functools.cache(lambda name: Saved(exports[name]))


USERS = [f"user {n} ü" for n in range(NUM_USERS)]
ITEMS = [int(n) for n in np.arange(NUM_ITEMS) * 7 + 100]
RETRIEVING = [name for name in CASES if name not in ("fm", "dcn")]


def met(rows, name, user):
    """Raw ids of the items that a user has met before test."""
    experiment = experiment_of(rows, **{"model": "two_tower", **CASES[name]})
    own = [part.item_ids[part.user_ids == user + 1] for part in experiment.seen]
    return {ITEMS[item - 1] for item in np.concatenate(own)}


def test_it_says_what_it_takes_and_what_stands_for_what_is_left_out(exports, served):
    assert served("two_tower").signatures == [
        *("embed_query", "rank", "recommend", "retrieve", "serving_default", "similar_items")
    ]
    assert served("fm").signatures == ["rank", "recommend", "serving_default"]
    answers = served("two_tower")("recommend", {"user_id": [USERS[3]]})
    assert {name: values.shape for name, values in answers.items()} == {
        **dict.fromkeys(("item_ids", "scores", "click", "like", "rating"), (1, 10)),
        **dict.fromkeys(("source", "num_items"), (1,)),
    }
    assert answers["num_items"] == [10] and answers["source"] == [b"user"]


@pytest.mark.parametrize("name", CASES)
def test_what_a_user_has_met_is_left_out_unless_it_is_asked_for(name, rows, served):
    seen = [met(rows, name, user) for user in (3, 5)]
    request = {"user_id": [USERS[3], USERS[5]], "k": [NUM_ITEMS]}

    without, of_all = (
        served(name)("recommend", request | {"exclude_seen": [value]}) for value in (True, False)
    )

    for line, own in enumerate(seen):
        number = without["num_items"][line]
        answered = without["item_ids"][line].tolist()
        assert number == NUM_ITEMS - len(own)
        assert set(answered[:number]) == set(ITEMS) - own
        assert answered[number:] == [-1] * len(own)
        assert not without["scores"][line, number:].any()
        assert set(of_all["item_ids"][line].tolist()) == set(ITEMS)
    assert of_all["num_items"].tolist() == [NUM_ITEMS] * 2


@pytest.mark.parametrize("name", ["two_tower-history", "gru4rec", "fm"])
def test_weights_of_a_request_order_by_one_task_alone(name, served):
    request = {"user_id": [USERS[3], USERS[4]], "k": [20]}
    answers = served(name)("recommend", request)
    tasks = [task for task in ("click", "like", "rating") if task in answers]
    every = tasks + (["retrieval"] if "retrieve" in served(name).signatures else [])
    for task in tasks:
        weights = {f"weight_{each}": [float(each == task)] for each in every}

        found = served(name)("recommend", request | weights)

        gains = (found["rating"] - 1) / 4 if task == "rating" else found[task]
        np.testing.assert_allclose(found["scores"], gains, rtol=1e-5, atol=1e-6)
        assert (np.diff(gains, axis=1) <= 1e-6).all()
    if "retrieval" in every:
        retrieved = served(name)("retrieve", request)
        np.testing.assert_array_equal(answers["item_ids"], retrieved["item_ids"])
        np.testing.assert_allclose(answers["scores"], retrieved["scores"], rtol=1e-5, atol=1e-6)


def test_every_row_has_its_own_k_exclusions_and_weights(served):
    recommend = functools.partial(served("two_tower"), "recommend")
    best = recommend({"user_id": [USERS[6]], "k": [6]})["item_ids"][0].tolist()

    both = recommend(
        {
            "user_id": [USERS[6], USERS[6]],
            "k": [2, 5],
            "exclude_ids": [[5, 5], [best[0], best[2]]],  # there is no item 5
            "weight_click": [0.0, 0.0],
        }
    )

    assert both["item_ids"].tolist() == [
        [*best[:2], -1, -1, -1],
        [best[1], best[3], best[4], best[5], both["item_ids"][1, 4]],
    ]
    assert both["num_items"].tolist() == [2, 5]


def test_what_others_of_a_batch_want_is_not_a_rows_matter(served):
    """Only as many as a row itself asks for are ranked, 30 at the least."""
    ask = functools.partial(served("two_tower"), "recommend")
    weights = {"weight_retrieval": [0.0], "weight_like": [1.0]}
    users = {"user_id": [USERS[4], USERS[5]]}

    alone = ask({"user_id": [USERS[4]], "k": [5]} | weights)["item_ids"][0]

    both = ask(users | {"k": [5, NUM_ITEMS]} | weights)["item_ids"][0]
    assert both[:5].tolist() == alone.tolist()


def test_a_stranger_is_answered_from_his_history_or_else_by_what_is_popular(rows, served):
    counts = np.bincount(rows.item_ids[: len(rows)], minlength=NUM_ITEMS + 1)
    request = {"user_id": ["nobody we know"], "k": [5]}
    for name in RETRIEVING:
        found = served(name)("recommend", request)
        assert found["source"] == [b"popularity"], name
        popular = {ITEMS[item - 1] for item in np.argsort(-counts)[:15]}
        assert set(found["item_ids"][0].tolist()) <= popular

    for name, source in {
        "two_tower": b"popularity",  # it reads no history
        "two_tower-history": b"history",
        "gru4rec": b"history",
        "lightgcn": b"history",
        "ngcf": b"history",
    }.items():
        told = [served(name)("recommend", request | {"history": [h]}) for h in (ITEMS[5:7], [4])]
        assert told[0]["source"] == [source]
        assert told[1]["source"] == [b"popularity"]  # of an item that nobody knows
        assert not set(told[0]["item_ids"][0].tolist()) & set(ITEMS[5:7])


def test_a_user_of_the_catalogue_who_met_nobody_is_told_of_by_features(served):
    for name, source in {"two_tower": b"popularity", "gru4rec": b"features"}.items():
        assert served(name)("recommend", {"user_id": [USERS[-1]]})["source"] == [source]


def test_only_the_first_items_of_a_padded_history_count(served):
    ask = functools.partial(served("gru4rec"), "embed_query")
    history = [[ITEMS[3], ITEMS[4], ITEMS[8]], [ITEMS[3], ITEMS[8], ITEMS[8]]]

    padded = ask({"history": history, "history_length": [3, 2]})["embedding"]

    alone = [ask({"history": [each]})["embedding"][0] for each in (history[0], history[1][:2])]
    np.testing.assert_allclose(padded, alone, rtol=1e-5, atol=1e-7)
    assert (np.abs(alone[0] - alone[1]) > 1e-6).any()


def test_similar_items_are_by_cosine_however_long_vectors_are(rows, served):
    experiment = experiment_of(rows, **CASES["two_tower"])
    vectors = assembly.build(experiment.config, experiment.learnt_rows).scorer().items[:, :-1]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units[7]
    cosines[7] = -np.inf

    found = served("two_tower")("similar_items", {"item_id": [ITEMS[7]], "k": [8]})

    best = np.argsort(-cosines)[:8]
    assert found["item_ids"][0].tolist() == [ITEMS[place] for place in best]
    np.testing.assert_allclose(found["scores"][0], cosines[best], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", RETRIEVING)
def test_similar_items_are_those_of_the_nearest_direction(name, served):
    found = served(name)("similar_items", {"item_id": [ITEMS[7], 5], "k": [4], "exclude_ids": [[]]})

    own, unknown = found["item_ids"].tolist()
    assert ITEMS[7] not in own and len(set(own)) == 4
    assert (np.diff(found["scores"][0]) <= 1e-6).all() and found["scores"][0, 0] <= 1 + 1e-5
    assert unknown == [-1] * 4 and found["num_items"].tolist() == [4, 0]


def test_context_of_the_event_changes_predictions_alone(served):
    ask = functools.partial(served("two_tower-history"), "recommend")
    request = {"user_id": [USERS[2]], "k": [20]}
    plain, missing = ask(request), ask(request | {"device": ["radio"], "hour": [np.nan]})
    other = ask(request | {"device": ["pc"], "hour": [0.9]})

    np.testing.assert_array_equal(plain["click"], missing["click"])  # a word that nobody knows
    assert (np.abs(plain["click"] - other["click"]) > 1e-7).any()
    np.testing.assert_array_equal(plain["item_ids"], other["item_ids"])


def test_ranked_items_are_told_of_in_the_order_of_the_request(served):
    items = [ITEMS[80], ITEMS[2], 5, ITEMS[40]]
    ranked = served("two_tower")("rank", {"user_id": [USERS[8]], "item_ids": [items]})
    wanted = {"user_id": [USERS[8]], "k": [NUM_ITEMS], "exclude_seen": [False]}

    answers = served("two_tower")("recommend", wanted)

    for name in ("scores", "click", "rating"):
        by_item = dict(zip(answers["item_ids"][0].tolist(), answers[name][0], strict=True))
        for place in (0, 1, 3):
            assert ranked[name][0, place] == pytest.approx(by_item[items[place]], abs=1e-5)
    assert np.isfinite(ranked["click"]).all()
    assert ranked["scores"][0, 2] == np.finfo(np.float32).min  # of an item that nobody knows


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"k": [0]}, f"k must be 1..{NUM_ITEMS}, the number of items, and is"),
        ({"k": [NUM_ITEMS + 1]}, f"k must be 1..{NUM_ITEMS}, the number of items, and is"),
        ({"k": [-3]}, "k must be 1.."),
        ({"weight_like": [np.nan]}, "weight_like must be a number from 0 to 1,000,000, and is"),
        ({"weight_like": [3e38]}, "weight_like must be a number from 0 to 1,000,000, and is"),
        ({"weight_click": [-1.0]}, "weight_click must be a number from 0"),
        ({"history": [[-7]]}, "history must not be negative, but -1 for none; found"),
        ({"exclude_ids": [[-2]]}, "exclude_ids must not be negative"),
        ({"history": [[107, 114]], "history_length": [3]}, "history_length must be -1 (all), or 0"),
        ({"history_length": [-2]}, "history_length must be -1 (all)"),
        ({"user_id": ["a", "b"], "k": [1, 2, 3]}, "batch sizes differ"),
        ({"user_id": []}, "the batch is empty: user_id has rows"),
    ],
)
def test_bad_values_are_refused_with_a_sentence_and_the_next_request_is_fine(
    request_, sentence, served
):
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(sentence)):
        served("two_tower")("recommend", {"user_id": [USERS[0]]} | request_)

    assert served("two_tower")("recommend", {"user_id": [USERS[0]]})["num_items"] == [10]


def test_a_version_is_whole_or_absent_and_the_next_one_counts_on(rows, tmp_path):
    experiment = experiment_of(rows, "mf_ncf", export={"golden_requests": 2})
    base = tmp_path / "film" / "export"
    (base / ".partial-7").mkdir(parents=True)  # of one that was killed
    (base / "7").mkdir()

    written = exported(experiment, base)

    assert written == base / "8"
    assert sorted(path.name for path in base.iterdir()) == [".lock", "7", "8"]
    card = json.loads((written / "assets.extra" / "model_card.json").read_text())
    assert (card["model"], card["version"]) == ("film", 8)
    assert card["parity"]["requests"] > 0 and card["parity"]["scores"] < 1e-5


def blend_more(monkeypatch):
    blend = Cascade._blend
    monkeypatch.setattr(Cascade, "_blend", lambda *arguments: blend(*arguments) + 0.01)


def blend_nothing(monkeypatch):
    blend = Cascade._blend
    monkeypatch.setattr(Cascade, "_blend", lambda *arguments: blend(*arguments) * np.nan)


def freeze_wrong(monkeypatch):
    """What freezing keeps of histories is not what the model reads."""
    freeze = History.freeze

    def wrong(self):
        freeze(self)
        self._met._sums.assign(5 * self._met._sums + 1)

    monkeypatch.setattr(History, "freeze", wrong)


@pytest.mark.parametrize("fault", [blend_more, blend_nothing, freeze_wrong])
def test_an_export_that_does_not_answer_as_the_model_does_is_not_written(
    fault, rows, tmp_path, monkeypatch
):
    fault(monkeypatch)
    experiment = experiment_of(rows, "fm", settings={"user": ["id", "history"]})

    with pytest.raises(RunError, match="The export does not answer as the model does: they differ"):
        exported(experiment, tmp_path / "base")

    assert [path.name for path in (tmp_path / "base").iterdir()] == [".lock"]


@pytest.mark.parametrize("name", ["two_tower", "gru4rec", "lightgcn", "fm"])
def test_an_export_is_evaluated_as_its_model_is(name, rows, exports):
    """The split is in order, so that what is served is what was known before test."""
    experiment = experiment_of(rows, **{"model": "two_tower", **CASES[name]})
    model = assembly.build(experiment.config, experiment.learnt_rows)

    found = experiment.test_evaluator(exporting.scorer(experiment, exports[name]), experiment.kinds)

    expected = experiment.test_evaluator(model.scorer(), experiment.kinds).metrics
    assert found.metrics == pytest.approx(expected, abs=2e-5)
    assert len(expected) > 10


def test_a_stranger_with_features_is_answered_from_them(rows, served):
    """A GRU that has read nothing is what the tower makes of the age, as of users of that age."""
    ask = functools.partial(served("gru4rec"), "recommend")
    age = float(rows.users.features["age"].values[-1])
    known = ask({"user_id": [USERS[-1]]})  # in the catalogue, but met nobody

    told, others = (ask({"user_id": ["nobody"], "age": [each]}) for each in (age, age + 30))

    assert told["source"] == others["source"] == [b"features"]
    np.testing.assert_array_equal(told["item_ids"], known["item_ids"])
    np.testing.assert_allclose(told["scores"], known["scores"], rtol=1e-5)
    assert (np.abs(told["click"] - others["click"]) > 1e-7).any()
    assert ask({"user_id": ["nobody"], "age": [np.nan]})["source"] == [b"popularity"]


def test_words_that_nobody_has_learnt_stay_behind_and_are_read_as_missing(rows, tmp_path):
    """The device `radio` is met in the last row alone, which is test."""
    device = rows.context["device"]
    last = np.arange(len(rows)) == np.flatnonzero(rows.user_ids == rows.user_ids[-1])[-1]
    told = Feature(np.where(last, 3, device.values).astype(np.int32), ("tv", "pc", "radio"))
    rows = dataclasses.replace(rows, context={"device": told})
    experiment = experiment_of(rows, "two_tower", settings={"context": ["device"]})

    version = exported(experiment, tmp_path / "base")

    assert sorted((version / "assets" / "context_0.txt").read_text().split()) == ["pc", "tv"]
    assert not [p for p in version.rglob("*") if p.is_file() and b"radio" in p.read_bytes()]


def test_rows_and_model_are_let_go_of_before_the_export_is_read_again(rows, tmp_path, monkeypatch):
    """All at a time would be the tables twice, beside the rows."""
    read, made, kept = write.Saved, [], []

    def opened():
        experiment = experiment_of(rows, "two_tower")
        model = assembly.build(experiment.config, experiment.learnt_rows)
        made.extend(map(weakref.ref, (experiment.data.train, model)))
        return experiment, model

    def noted(folder):
        kept.extend(each() for each in made)
        return read(folder)

    monkeypatch.setattr(write, "Saved", noted)
    exporting.export(opened, tmp_path / "base", METRICS)

    assert kept == [None, None]


def test_a_name_that_no_export_can_have_is_said_before_anything_is_done(rows, tmp_path):
    rows = dataclasses.replace(rows, context={"k": rows.context["hour"]})
    experiment = experiment_of(rows, "two_tower", settings={"context": ["k"]})

    with pytest.raises(ConfigError, match="The feature 'k' cannot be one more input of an export"):
        exporting.export(lambda: (experiment, None), tmp_path / "base", METRICS)

    assert not (tmp_path / "base").exists()


def test_a_model_that_diverged_is_said(rows, tmp_path):
    experiment = experiment_of(rows, "two_tower")
    model = assembly.build(experiment.config, experiment.learnt_rows)
    for variable in model.trainable_variables:
        variable.assign(np.nan * variable)

    with pytest.raises(RunError, match="Item vectors of the model are no finite numbers"):
        exporting.export(lambda: (experiment, model), tmp_path / "base", METRICS)


def test_tables_of_half_precision_are_half_as_large(rows, exports, tmp_path):
    """That it answers as its model does, export has checked itself."""
    half = {"retrieve": 30, "golden_requests": 2, "tables": "float16"}
    experiment = experiment_of(rows, "two_tower", export=half)
    folders = {"float32": exports["two_tower"], "float16": exported(experiment, tmp_path / "half")}
    for name, folder in folders.items():
        stored = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        kinds = [stored.get_variable_to_dtype_map()[key] for key in _tables_of(stored)]
        assert {kind.name for kind in kinds} == {name}


def _tables_of(stored) -> list[str]:
    """The vectors of users and of items."""
    shapes = stored.get_variable_to_shape_map().items()
    return [key for key, shape in shapes if shape in ([NUM_USERS + 1, 8], [NUM_ITEMS + 1, 8])]
