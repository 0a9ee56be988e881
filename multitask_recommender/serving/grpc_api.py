"""The gRPC front end: PredictionService and ModelService of TensorFlow Serving."""

import functools
import logging
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec

from multitask_recommender.errors import RunError
from multitask_recommender.serving import messages, proto_form
from multitask_recommender.serving.faults import Fault, Kind, invalid
from multitask_recommender.serving.models import Asked
from multitask_recommender.serving.service import Service

log = logging.getLogger(__name__)
Answer = TypeVar("Answer", bound=Message)
Method = Callable[[Any, Message, grpc.ServicerContext], Answer]


def _guarded(answer: Callable[[Any, Message], Answer]) -> Method:
    """A method whose faults become gRPC's codes."""

    @functools.wraps(answer)
    def method(self: Any, request: Message, context: grpc.ServicerContext) -> Answer:
        try:
            if context.time_remaining() == 0.0:  # None where there is no deadline
                raise Fault(Kind.DEADLINE, "The deadline passed before the request had its turn.")
            return answer(self, request)
        except Fault as fault:
            found = fault
        except Exception:  # whatever it is, the next request is to be answered
            log.exception("a request failed")
            found = Fault(Kind.INTERNAL, "An error of the server's own: its log says which.")
        context.abort(grpc.StatusCode[found.kind.grpc], found.sentence)

    return method


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the others are UNIMPLEMENTED."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @_guarded
    def Predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:  # noqa: N802
        spec = request.model_spec
        with self._service.admitted():
            version, signature, outputs = self._service.predict(
                _asked(spec),
                spec.signature_name,
                functools.partial(proto_form.arrays, request.inputs),
                request.output_filter,
            )
            response = predict_pb2.PredictResponse()
            response.model_spec.name = spec.name
            response.model_spec.version.value = version.number
            response.model_spec.signature_name = signature.name
            proto_form.fill(response.outputs, outputs)
            return response

    @_guarded
    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if set(request.metadata_field) != {messages.SIGNATURES}:
            raise invalid(
                f"metadata_field is {list(request.metadata_field)}, expected "
                f"[{messages.SIGNATURES!r}]."
            )
        asked = _asked(request.model_spec)
        return messages.metadata(self._service.models.find(asked), asked.model)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; HandleReloadConfigRequest is UNIMPLEMENTED."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @_guarded
    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return messages.status(self._service.models, _asked(request.model_spec))


def start(
    service: Service, host: str, port: int, pool: futures.ThreadPoolExecutor
) -> tuple[grpc.Server, int]:
    """A server that answers already, and its port; raises RunError where it cannot listen."""
    server = grpc.server(
        pool,
        options=(
            ("grpc.max_receive_message_length", service.limits.body_bytes),
            ("grpc.max_send_message_length", -1),
            # Else a second server on the port would take half of the requests, and say nothing.
            ("grpc.so_reuseport", 0),
        ),
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(service), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(service), server)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError as error:
        raise RunError(
            f"gRPC cannot listen at {address}: is the port taken, or the host not of this machine? "
            "Choose others with --grpc-port and --host."
        ) from error
    server.start()
    return server, bound


def _asked(spec: ModelSpec) -> Asked:
    if not spec.name:
        raise invalid("The request names no model: set model_spec.name.")
    choice = spec.WhichOneof("version_choice")
    return Asked(
        spec.name,
        number=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )
