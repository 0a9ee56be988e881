"""The status and the metadata of a model as TensorFlow Serving's messages, for both front ends."""

from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusResponse,
    ModelVersionStatus,
)

from multitask_recommender.serving.loading import Version
from multitask_recommender.serving.models import Asked, Models

SIGNATURES = "signature_def"  # the one kind of metadata there is
_FAILED = 2  # UNKNOWN of google.rpc.Code, as TF Serving says of what did not load


def status(models: Models, asked: Asked) -> GetModelStatusResponse:
    """The state of each version, or of the one asked for."""
    response = GetModelStatusResponse()
    for number, found in models.statuses(asked).items():
        message = response.model_version_status.add(
            version=number, state=ModelVersionStatus.State.Value(found.state)
        )
        message.status.error_message = found.fault
        if found.fault:
            message.status.error_code = _FAILED
    return response


def metadata(version: Version, model: str) -> GetModelMetadataResponse:
    """The signatures of a version: inputs, outputs, defaults."""
    response = GetModelMetadataResponse()
    response.model_spec.name = model
    response.model_spec.version.value = version.number
    response.metadata[SIGNATURES].Pack(version.definitions)
    return response
