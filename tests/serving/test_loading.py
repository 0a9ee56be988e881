"""A version, read: its signatures, its warm-up, and what is none."""

import builtins
import pathlib
import shutil
import sys
import threading
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from multitask_recommender.errors import RunError
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.loading import EXTRA, WARMUP_FILE, Version
from multitask_recommender.serving.options import Limits
from tests.serving.calls import predict_request


@pytest.fixture
def folder(exports, tmp_path) -> pathlib.Path:
    """A copy of version 1, to write into."""
    return pathlib.Path(shutil.copytree(exports["strings"] / "1", tmp_path / "1"))


def write_warmup(folder, *requests):
    with tf.io.TFRecordWriter(str(folder / EXTRA / WARMUP_FILE)) as writer:
        for request in requests:
            log = PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def test_a_version_answers_by_its_signatures(exports):
    version = Version(exports["strings"] / "1", Limits())

    assert version.number == 1
    assert {"recommend", "serving_default", "rank"} < set(version.signatures)
    assert version.signature("").name == "serving_default"
    found = version.run(version.signature("rank"), {"item_ids": np.array([[b"a", b"b"]], object)})
    np.testing.assert_allclose(found["scores"], [[0.1, 0.2]], rtol=1e-6)  # of nobody known
    assert found["source"].tolist() == [b"popularity"]


def test_defaults_are_those_of_the_file(exports):
    version = Version(exports["integers"] / "1", Limits())
    inputs = version.signature("recommend").inputs

    assert inputs["k"].default.tolist() == [3]
    assert inputs["user_id"].default.tolist() == [-1]
    assert inputs["history"].default.shape == (1, 0)
    assert version.signature("rank").inputs["item_ids"].default is None


def test_the_graphs_refusal_is_a_fault(exports):
    version = Version(exports["strings"] / "1", Limits())

    with pytest.raises(Fault, match="'recommend': k is larger than the catalogue") as caught:
        version.run(version.signature("recommend"), {"k": np.array([6], np.int32)})

    assert caught.value.kind is Kind.INVALID


def test_only_one_thread_runs_a_function_first(exports, monkeypatch):
    version = Version(exports["strings"] / "1", Limits())
    signature = version.signature("echo")
    entered, seen_by_the_first = [], []
    others = threading.Barrier(3)  # passed by three at once, or by none

    def function(text):
        entered.append(text)
        if not seen_by_the_first:
            time.sleep(0.05)
            seen_by_the_first.append(len(entered))
        else:
            others.wait(20)
        return {"text": text}

    monkeypatch.setattr(version, "_model", types.SimpleNamespace(signatures={"echo": function}))
    inputs = {"text": np.array([b"a"], object)}
    threads = [threading.Thread(target=version.run, args=(signature, inputs)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen_by_the_first == [1]
    assert len(entered) == 4 and not others.broken


def test_warm_up_runs_every_request(folder):
    requests = [predict_request("m", name, user_id=["ann"]) for name in ("", "embed_query")]
    write_warmup(folder, *requests)

    assert Version(folder, Limits()).warm_up() == 2


def test_no_warm_up_is_none(exports):
    assert Version(exports["strings"] / "1", Limits()).warm_up() == 0


def test_a_warm_up_that_fails_tells_which(folder):
    write_warmup(folder, predict_request("m", k=[1]), predict_request("m", k=[0]))

    with pytest.raises(RunError, match="1: warm-up request 2 fails: .* k must be at least 1"):
        Version(folder, Limits()).warm_up()


def test_a_warm_up_that_is_cut_short(folder):
    write_warmup(folder, predict_request("m", k=[1]))
    path = folder / EXTRA / WARMUP_FILE
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(RunError, match=f"{WARMUP_FILE} cannot be read: .*(truncated|corrupted)"):
        Version(folder, Limits()).warm_up()


def test_a_folder_without_a_model(tmp_path):
    (tmp_path / "3").mkdir()

    with pytest.raises(RunError, match="3 has no saved_model.pb: it is not complete"):
        Version(tmp_path / "3", Limits())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a proto", "saved_model.pb is no SavedModel"),
        (b"", "saved_model.pb holds no graph that is tagged 'serve'"),
    ],
)
def test_a_file_that_is_no_model(folder, content, message):
    (folder / "saved_model.pb").write_bytes(content)

    with pytest.raises(RunError, match=message):
        Version(folder, Limits())


def test_a_model_without_its_variables(folder):
    shutil.rmtree(folder / "variables")

    with pytest.raises(RunError, match="1 cannot be loaded: "):
        Version(folder, Limits())


def name_an_operation(folder, name):
    path = folder / "saved_model.pb"
    model = SavedModel.FromString(path.read_bytes())
    model.meta_graphs[0].graph_def.library.function[0].node_def.add(name="search", op=name)
    path.write_bytes(model.SerializeToString())


def test_scann_is_imported_for_a_model_that_needs_it(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "scann", raising=False)
    Version(folder, Limits())
    assert "scann" not in sys.modules

    name_an_operation(folder, "Scann>NoSuchOperation")
    with pytest.raises(RunError, match="1 cannot be loaded: .*Scann>NoSuchOperation"):
        Version(folder, Limits())

    assert "scann" in sys.modules


def test_without_scann_it_is_said_what_to_install(folder, monkeypatch):
    name_an_operation(folder, "Scann>ScannSearchBatched")
    monkeypatch.setitem(sys.modules, "scann", None)  # as if it were not installed

    with pytest.raises(RunError, match="searches by ScaNN, .* Install them with `pip install scan"):
        Version(folder, Limits())


def test_loading_runs_no_code_of_ours(folder, monkeypatch):
    """Nothing of the package is imported on behalf of a file."""
    imported = []
    original = builtins.__import__

    def watch(name, *arguments, **named):
        imported.append(name)
        return original(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", watch)
    Version(folder, Limits())

    assert not [name for name in imported if name.startswith("multitask_recommender")]


def test_a_default_that_is_no_tensor(folder):
    path = folder / "saved_model.pb"
    model = SavedModel.FromString(path.read_bytes())
    default = model.meta_graphs[0].signature_def["recommend"].defaults["k"]
    default.int_val[:] = [1, 2, 3]  # of a shape of one
    path.write_bytes(model.SerializeToString())

    with pytest.raises(RunError, match="1 cannot be loaded: "):
        Version(folder, Limits())
