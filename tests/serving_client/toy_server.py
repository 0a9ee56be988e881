"""A server of the toy export with TensorFlow Serving's real messages, that can be told to fail.

Not the project's local server: this one is slow and strict on purpose. As TensorFlow Serving does
with batching on, it refuses a request whose inputs differ in their first dimension.
"""

import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

HTTP = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNAVAILABLE": 503, "RESOURCE_EXHAUSTED": 429}


class Refusal(Exception):
    """A status by gRPC's name, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class Stub:
    """Answers with an export; each of the next requests fails or waits as `script` says."""

    folder: pathlib.Path
    name: str = "toy"
    script: list[Refusal | float] = field(default_factory=list)
    requests: list[predict_pb2.PredictRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        file = saved_model_pb2.SavedModel.FromString((self.folder / "saved_model.pb").read_bytes())
        self.definitions = file.meta_graphs[0].signature_def
        self._functions = tf.saved_model.load(str(self.folder))
        self.version = int(self.folder.name)

    def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        self._check(request.model_spec)
        answer = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        answer.model_spec.version.value = self.version
        definitions = get_model_metadata_pb2.SignatureDefMap(signature_def=self.definitions)
        answer.metadata["signature_def"].Pack(definitions)
        return answer

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        self.requests.append(request)
        step = self.script.pop(0) if self.script else 0.0
        if isinstance(step, Refusal):
            raise step
        time.sleep(step)
        self._check(request.model_spec)
        name = request.model_spec.signature_name
        given = {key: tf.make_ndarray(tensor) for key, tensor in request.inputs.items()}
        defaults = self.definitions[name].defaults
        filled = {key: tf.make_ndarray(tensor) for key, tensor in defaults.items()} | given
        if len({len(each) for each in filled.values()}) > 1:
            raise Refusal("INVALID_ARGUMENT", "inputs did not have equal 0th-dimension sizes")
        answer = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, value in self.compute(name, filled).items():
            answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return answer

    def compute(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        function = self._functions.signatures[signature]
        try:
            outputs = function(**{key: tf.constant(value) for key, value in inputs.items()})
        except tf.errors.InvalidArgumentError as error:
            raise Refusal("INVALID_ARGUMENT", error.message) from error
        return {key: value.numpy() for key, value in outputs.items()}

    def _check(self, spec) -> None:
        if spec.name != self.name or spec.version.value not in (0, self.version):
            raise Refusal("NOT_FOUND", f"Servable not found for request: {spec.name}")
        if spec.version_label not in ("", "stable"):
            raise Refusal("NOT_FOUND", f"Unrecognized servable version label: {spec.version_label}")


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def Predict(self, request, context):  # noqa: N802 (the name is the service's)
        return self._or_refuse(self._stub.predict, request, context)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return self._or_refuse(self._stub.metadata, request, context)

    def _or_refuse(self, answer, request, context):
        try:
            return answer(request)
        except Refusal as refusal:
            context.abort(grpc.StatusCode[refusal.code], str(refusal))


@contextlib.contextmanager
def grpc_server(stub: Stub, port: int = 0) -> Iterator[str]:
    """Serves until left; gives its `host:port`."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Service(stub), server)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def do_GET(self) -> None:  # noqa: N802
        self._answer(self._metadata)

    def do_POST(self) -> None:  # noqa: N802
        self._answer(self._predict)

    def log_message(self, *args) -> None:
        pass

    def _answer(self, answer) -> None:
        try:
            status, content = 200, answer()
        except Refusal as refusal:
            status, content = HTTP[refusal.code], {"error": str(refusal)}
        body = json.dumps(content).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _spec(self, spec, path: str) -> None:
        """Reads `/v1/models/NAME[/versions/N|/labels/L]`."""
        _, _, _, spec.name, *which = path.split("/")
        if which and which[0] == "versions":
            spec.version.value = int(which[1])
        elif which:
            spec.version_label = which[1]

    def _metadata(self) -> dict:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._spec(request.model_spec, self.path.removesuffix("/metadata"))
        answer = self.stub.metadata(request)
        # As TensorFlow Serving prints it; its pool of messages must know SignatureDefMap.
        return json_format.MessageToDict(
            answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def _predict(self) -> dict:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = predict_pb2.PredictRequest()
        self._spec(request.model_spec, self.path.removesuffix(":predict"))
        request.model_spec.signature_name = body["signature_name"]
        infos = self.stub.definitions[body["signature_name"]].inputs
        for name, values in body["inputs"].items():
            tensor = tf.make_tensor_proto(values, dtype=infos[name].dtype)
            request.inputs[name].CopyFrom(tensor)
        outputs = self.stub.predict(request).outputs
        return {"outputs": {key: listed(tf.make_ndarray(each)) for key, each in outputs.items()}}


def listed(array: np.ndarray) -> list:
    return (
        np.char.decode(array.astype(bytes), "utf-8").tolist()
        if array.dtype == object
        else (array.tolist())
    )


@contextlib.contextmanager
def rest_server(stub: Stub) -> Iterator[str]:
    """Serves until left; gives its URL."""
    handler = type("Handler", (_Handler,), {"stub": stub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
