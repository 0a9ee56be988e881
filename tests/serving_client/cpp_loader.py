"""Answers of TensorFlow's C++ loader, by the program of serving/cpp."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

import tensorflow as tf
from google.protobuf.message import Message
from recommender_client import messages
from recommender_client.tensors import Nested, decode

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


def _run(command: Sequence[str | pathlib.Path], **environment: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
