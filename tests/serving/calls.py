"""How tests call a server: plain HTTP, and gRPC by TensorFlow Serving's stubs."""

import contextlib
import dataclasses
import http.client
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from multitask_recommender.serving import server
from multitask_recommender.serving.options import Options, find_export


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server: its model's name and ports."""

    name: str
    rest_port: int
    grpc_port: int

    @classmethod
    def of(cls, path: pathlib.Path) -> "contextlib.AbstractContextManager[Server]":
        return cls.started(Options(find_export(path), rest_port=0, grpc_port=0))

    @classmethod
    @contextlib.contextmanager
    def started(cls, options: Options) -> Iterator["Server"]:
        with server.running(options) as ports:
            yield cls(options.export.name, *ports)

    def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=30)
        with contextlib.closing(connection):
            connection.request(
                method, path, body, {name.replace("_", "-"): each for name, each in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, answer.read()

    def get(self, path: str = "") -> tuple[int, Any]:
        status, body = self.send("GET", f"/v1/models/{self.name}{path}")
        return status, json.loads(body)

    def post(self, request: Any, version: str = "") -> tuple[int, Any]:
        """The status and answer to a request, given as JSON holds it or as bytes."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, answer = self.send(
            "POST",
            f"/v1/models/{self.name}{version}:predict",
            body,
            content_type="application/json",
        )
        return status, json.loads(answer)

    def columns(self, signature: str, **inputs: Any) -> dict[str, Any]:
        """The outputs by name, asked over REST."""
        status, answer = self.post({"signature_name": signature, "inputs": inputs})
        assert status == 200, answer
        return answer["outputs"]

    @contextlib.contextmanager
    def busy(self, seconds: float = 1.0) -> Iterator[list[int]]:
        """Takes the one place of a server that has one; yields the statuses of that request."""
        statuses: list[int] = []

        def spend() -> None:
            while not statuses or statuses[-1] == 429:  # a probe was there first
                statuses[:] = [self.post({"signature_name": "spend", "inputs": [seconds]})[0]]

        thread = threading.Thread(target=spend)
        thread.start()
        while self.post({"inputs": {}})[0] != 429:
            assert not statuses or statuses == [429], "answered before it was seen to run"
        yield statuses
        thread.join()

    @contextlib.contextmanager
    def stub(self) -> Iterator[prediction_service_pb2_grpc.PredictionServiceStub]:
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            yield prediction_service_pb2_grpc.PredictionServiceStub(channel)

    @contextlib.contextmanager
    def status_stub(self) -> Iterator[model_service_pb2_grpc.ModelServiceStub]:
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            yield model_service_pb2_grpc.ModelServiceStub(channel)

    def call(self, request: predict_pb2.PredictRequest) -> dict[str, np.ndarray]:
        with self.stub() as stub:
            answer = stub.Predict(request, timeout=30)
        return {name: tf.make_ndarray(each) for name, each in answer.outputs.items()}

    def fails(self, request: predict_pb2.PredictRequest) -> tuple[str, str]:
        """The code and the sentence with which a request is refused over gRPC."""
        try:
            found = self.call(request)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError(f"answered: {found}")


def predict_request(
    name: str, signature: str = "", version: int | None = None, **inputs: Any
) -> predict_pb2.PredictRequest:
    """A request whose inputs are anything that `tf.make_tensor_proto` takes, or protos."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for key, value in inputs.items():
        is_proto = hasattr(value, "tensor_shape")
        request.inputs[key].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
    return request
