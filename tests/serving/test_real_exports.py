"""Exports of real models, served: golden requests over both front ends, and the page."""

import json
import pathlib
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import assembly, config, exporting, splits
from multitask_recommender.experiment import Experiment
from multitask_recommender.interactions import Entities, Feature, Interactions, Source
from tests.serving import browser
from tests.serving.calls import Server, predict_request
from tests.serving.test_page import ITEMS, address

METRICS = {"metrics": {}, "baselines": {}, "protocol": {"trained_on": "train"}}
CASES = {
    "brute_force": {},
    "ivf": {"export": {"index": "ivf", "golden_requests": 4}},
    "scann": {"export": {"index": "scann", "golden_requests": 4}},
    "only_ranks": {"model": {"name": "fm"}, "tasks": {"like": {}, "rating": {}}},
    "session": {"model": {"name": "gru4rec"}, "tasks": {"retrieval": {}, "like": {}}},
}


@pytest.fixture(scope="module")
def rows() -> Interactions:
    """30 users with names, 60 items with numbers, likes, stars and a device."""
    generator = np.random.default_rng(5)
    users, items, number = 30, 60, 600
    return Interactions(
        generator.integers(1, users + 1, number).astype(np.int32),
        generator.integers(1, items + 1, number).astype(np.int32),
        Entities(np.array([f"üser {place}" for place in range(users)]), users, {}),
        Entities(np.arange(items) * 3 + 2**53, items, {}),
        labels={
            "like": (generator.random(number) < 0.3).astype(np.float32),
            "rating": generator.integers(1, 6, number).astype(np.float32),
        },
        timestamps=np.arange(number, dtype=np.int64),
        context={
            "device": Feature(generator.integers(0, 3, number).astype(np.int32), ("tv", "pc"))
        },
        source=Source("made by the test"),
    )


def write_export(rows: Interactions, base: pathlib.Path, **sections) -> pathlib.Path:
    """An export of an untrained model: what it answers is as good as any."""
    chosen = {
        "model": {"name": "two_tower", "embedding_dimension": 8},
        "tasks": {"retrieval": {}, "like": {}, "rating": {}},
        "split": {"name": "user_order"},
        "export": {"golden_requests": 4},
        **sections,
    }
    parsed = config.parse(chosen)
    experiment = Experiment(parsed, splits.split(rows, parsed.split))
    model = assembly.build(parsed, experiment.learnt_rows)
    return exporting.export(lambda: (experiment, model), base, METRICS)


SLOW = {"ivf", "brute_force", "session"}  # an export is ten seconds and more; two cases show it
PARAMS = [pytest.param(case, marks=[pytest.mark.slow] * (case in SLOW)) for case in CASES]


@pytest.fixture(scope="module", params=PARAMS)
def served(request, rows, tmp_path_factory) -> Iterator[tuple[Server, pathlib.Path]]:
    """A server of each case, and the folder of its version."""
    base = tmp_path_factory.mktemp("real") / request.param
    folder = write_export(rows, base, **CASES[request.param])
    with Server.of(base) as server:
        yield server, folder


def test_golden_requests_are_answered_as_they_were(served):
    server, folder = served
    golden = json.loads((folder / "assets.extra" / "golden_requests.json").read_text())
    kinds = server.get("/metadata")[1]["metadata"]["signature_def"]["signature_def"]

    assert len(golden["requests"]) > 4
    for each in golden["requests"]:
        signature, inputs, expected = each["signature"], each["inputs"], each["outputs"]
        dtypes = {
            name: tf.dtypes.as_dtype(kinds[signature]["inputs"][name]["dtype"][3:].lower())
            for name in inputs
        }
        protos = {name: tf.make_tensor_proto(inputs[name], dtypes[name]) for name in inputs}
        by_grpc = server.call(predict_request(server.name, signature, **protos))
        by_rest = server.columns(signature, **inputs)

        assert by_rest.keys() == by_grpc.keys() == expected.keys()
        for name, values in expected.items():
            found = by_grpc[name]
            if found.dtype == object:
                assert np.vectorize(bytes.decode)(found).tolist() == by_rest[name] == values
            elif found.dtype.kind == "i":
                assert found.tolist() == by_rest[name] == values
            else:
                np.testing.assert_allclose(found, values, atol=1e-5)
                np.testing.assert_allclose(by_rest[name], values, atol=1e-5)


def test_bad_values_are_refused_by_the_graph_with_a_sentence(served):
    server, _ = served

    for inputs in ({"k": [0]}, {"k": [61]}, {"weight_like": [float("nan")]}):
        status, answer = server.post({"inputs": inputs})
        assert status == 400, answer
        assert len(answer["error"]) < 300 and "node" not in answer["error"], answer
    assert server.post({"inputs": {"user_id": ["üser 3"]}})[0] == 200


def test_the_page_shows_what_the_api_answers(served, tmp_path):
    if not browser.CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium")
    server, _ = served
    expected = server.columns("recommend", user_id=["üser 3"], k=[5])["item_ids"][0]

    with browser.page(tmp_path) as chromium:
        chromium.open(address(server, "?user=%C3%BCser+3&k=5"))
        chromium.until(f"{ITEMS}.split(',').length === 5")

        assert chromium.value(ITEMS) == ",".join(map(str, expected))
        assert chromium.complaints() == []
