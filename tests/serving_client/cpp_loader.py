"""Answers of TensorFlow's C++ loader, by the program of serving/cpp."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

import tensorflow as tf
from google.protobuf.message import Message
from recommender_client import golden, messages
from recommender_client.endpoint import Model, Signature, read_signatures
from recommender_client.rpc import predict_request
from recommender_client.tensors import Nested, decode
from tensorflow.core.protobuf import saved_model_pb2

SOURCE = pathlib.Path(__file__).parents[2] / "serving" / "cpp"


def build(folder: pathlib.Path) -> pathlib.Path:
    """Compiles the program into a folder; RuntimeError with what the compiler says."""
    program = folder / "answer"
    make = ["make", "-C", str(SOURCE), f"OUT={program}", f"PYTHON={sys.executable}"]
    _run(make)
    return program


def answer(
    program: pathlib.Path,
    export: pathlib.Path,
    requests: Sequence[Message],
    folder: pathlib.Path,
    libraries: Sequence[str] = (),
) -> list[dict[str, Nested]]:
    """Outputs of PredictRequests in turn; RuntimeError with what the program says of a failure."""
    asked, answered = folder / "requests.tfrecord", folder / "answers.tfrecord"
    with tf.io.TFRecordWriter(str(asked)) as file:
        for request in requests:
            file.write(request.SerializeToString())
    _run([program, export, asked, answered, *libraries], TF_CPP_MIN_LOG_LEVEL="3")
    responses = [
        messages.PredictResponse.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(answered))
    ]
    return [
        {name: decode(tensor) for name, tensor in response.outputs.items()}
        for response in responses
    ]


def replay(
    program: pathlib.Path,
    export: pathlib.Path,
    folder: pathlib.Path,
    libraries: Sequence[str] = (),
) -> golden.Drift:
    """The worst drift of an export's golden requests, files of the exchange into a folder."""
    expected = golden.read(export)
    signatures = signatures_of(export)
    asked = [
        predict_request(Model(expected.model), signatures[request.signature], request.inputs)
        for request in expected.requests
    ]
    found = answer(program, export, asked, folder, libraries)
    drift = golden.Drift()
    for request, outputs in zip(expected.requests, found, strict=True):
        drift |= golden.worst(golden.compare(request.outputs, outputs))
    return drift


def signatures_of(export: pathlib.Path) -> dict[str, Signature]:
    """The signatures of an export, from its file."""
    file = saved_model_pb2.SavedModel.FromString((export / "saved_model.pb").read_bytes())
    definitions = messages.SignatureDefMap()
    for name, signature in file.meta_graphs[0].signature_def.items():
        definitions.signature_def[name].MergeFromString(signature.SerializeToString())
    return read_signatures(definitions)


def _run(command: Sequence[str | pathlib.Path], **environment: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
