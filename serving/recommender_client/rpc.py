"""TensorFlow Serving's PredictionService over gRPC."""

from collections.abc import Mapping

import grpc
from google.protobuf.message import Message

from . import messages
from .endpoint import Interface, Model, Signature, read_signatures
from .errors import ServingError, UsageError
from .tensors import Nested, decode, encode

_SERVICE = "/tensorflow.serving.PredictionService"
# Both are said of a server that has too much to do, the second as REST's 429. It is said of
# messages that are too large, too: these are sent again in vain.
_TRANSIENT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
_OPTIONS = [
    ("grpc.max_receive_message_length", 64 * 2**20),
    # Our own retries know the time that a call has, and draw their waits.
    ("grpc.enable_retries", 0),
    # A server that was away is looked for again within the waits of a call.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


class GrpcEndpoint:
    """A server at `host:port`; in clear text unless credentials of a channel are given."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        self.where = f"grpc://{target}"
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=_OPTIONS)
        self._predict = self._method("Predict", messages.PredictResponse)
        self._metadata = self._method("GetModelMetadata", messages.GetModelMetadataResponse)

    def _method(self, name: str, answer: type[Message]) -> grpc.UnaryUnaryMultiCallable:
        return self._channel.unary_unary(
            f"{_SERVICE}/{name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=answer.FromString,
        )

    def interface(self, model: Model, timeout_s: float) -> Interface:
        request = messages.GetModelMetadataRequest(
            model_spec=_spec(model), metadata_field=["signature_def"]
        )
        answer = self._call(self._metadata, request, f"metadata of {model.name}", timeout_s)
        definitions = messages.SignatureDefMap.FromString(answer.metadata["signature_def"].value)
        return Interface(answer.model_spec.version.value, read_signatures(definitions))

    def predict(
        self, model: Model, signature: Signature, inputs: Mapping[str, Nested], timeout_s: float
    ) -> dict[str, Nested]:
        request = predict_request(model, signature, inputs)
        answer = self._call(self._predict, request, f"{signature.name} of {model.name}", timeout_s)
        return {name: decode(tensor) for name, tensor in answer.outputs.items()}

    def close(self) -> None:
        self._channel.close()

    def _call(
        self, method: grpc.UnaryUnaryMultiCallable, request: Message, what: str, timeout_s: float
    ) -> Message:
        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            code = error.code()
            is_transient = code in _TRANSIENT
            where = f"{self.where}, {what}"
            raise ServingError(where, code.name, error.details(), is_transient) from error


def predict_request(model: Model, signature: Signature, inputs: Mapping[str, Nested]) -> Message:
    """The message of a request; UsageError names an input that the signature does not take."""
    request = messages.PredictRequest(model_spec=_spec(model))
    request.model_spec.signature_name = signature.name
    for name, values in inputs.items():
        if name not in signature.inputs:
            known = ", ".join(sorted(signature.inputs))
            raise UsageError(f"{signature.name} has no input {name}. Its inputs: {known}.")
        try:
            request.inputs[name].CopyFrom(encode(values, signature.inputs[name]))
        except UsageError as error:
            raise UsageError(f"{signature.name}, input {name}: {error}") from error
    return request


def _spec(model: Model) -> Message:
    spec = messages.ModelSpec(name=model.name)
    if model.version is not None:
        spec.version.value = model.version
    elif model.label is not None:
        spec.version_label = model.label
    return spec
