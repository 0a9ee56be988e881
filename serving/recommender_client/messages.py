"""The messages of TensorFlow Serving that the client speaks, without TensorFlow.

The classes of `tensorflow-serving-api` import TensorFlow, and generated ones of the same names
would clash with it in a process that has both. So the few fields that are needed are described
here, by the numbers of tensorflow_serving/apis and tensorflow/core, in a pool of their own. Fields
that are left out survive a round trip, unread: protobuf keeps what it does not know.
"""

from typing import TypeAlias

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2
from google.protobuf.message import Message

# The types of an export's tensors, by the numbers of tensorflow/core/framework/types.proto.
DTYPES = {"DT_FLOAT": 1, "DT_INT32": 3, "DT_STRING": 7, "DT_INT64": 9, "DT_BOOL": 10}

# Message: {field: (number, type)}; a type in brackets is repeated, in braces a map from strings.
_FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "Dim": {"size": (1, "int64")},
    "TensorShape": {"dim": (2, "[Dim]"), "unknown_rank": (3, "bool")},
    "TensorProto": {
        "dtype": (1, "DataType"),
        "tensor_shape": (2, "TensorShape"),
        "tensor_content": (4, "bytes"),
        "float_val": (5, "[float]"),
        "int_val": (7, "[int32]"),
        "string_val": (8, "[bytes]"),
        "int64_val": (10, "[int64]"),
        "bool_val": (11, "[bool]"),
    },
    "TensorInfo": {"dtype": (2, "DataType"), "tensor_shape": (3, "TensorShape")},
    "SignatureDef": {
        "inputs": (1, "{TensorInfo}"),
        "outputs": (2, "{TensorInfo}"),
        "defaults": (4, "{TensorProto}"),
    },
    "SignatureDefMap": {"signature_def": (1, "{SignatureDef}")},
    "ModelSpec": {
        "name": (1, "string"),
        "version": (2, ".google.protobuf.Int64Value"),
        "signature_name": (3, "string"),
        "version_label": (4, "string"),
    },
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, "{TensorProto}")},
    "PredictResponse": {"outputs": (1, "{TensorProto}"), "model_spec": (2, "ModelSpec")},
    "GetModelMetadataRequest": {"model_spec": (1, "ModelSpec"), "metadata_field": (2, "[string]")},
    "GetModelMetadataResponse": {
        "model_spec": (1, "ModelSpec"),
        "metadata": (2, "{.google.protobuf.Any}"),
    },
}
_PACKAGE = "recommender_client"
_Field: TypeAlias = descriptor_pb2.FieldDescriptorProto


def _set_type(field: _Field, kind: str) -> None:
    if kind in _FIELDS or kind.startswith("."):
        field.type = _Field.TYPE_MESSAGE
        field.type_name = kind if kind.startswith(".") else f".{_PACKAGE}.{kind}"
    elif kind == "DataType":
        field.type = _Field.TYPE_ENUM
        field.type_name = f".{_PACKAGE}.DataType"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind[0] in "[{":
        field.label = _Field.LABEL_REPEATED
    if kind[0] != "{":
        _set_type(field, kind.strip("[]"))
        return
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    _add_field(entry, "key", 1, "string")
    _add_field(entry, "value", 2, kind.strip("{}"))
    field.type = _Field.TYPE_MESSAGE
    field.type_name = f".{_PACKAGE}.{message.name}.{entry.name}"


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{_PACKAGE}.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name],
    )
    data_type = file.enum_type.add(name="DataType")
    for name, number in {"DT_INVALID": 0, **DTYPES}.items():
        data_type.value.add(name=name, number=number)
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    for module in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _pool()


def _message(name: str) -> type[Message]:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


TensorProto = _message("TensorProto")
SignatureDefMap = _message("SignatureDefMap")
ModelSpec = _message("ModelSpec")
PredictRequest = _message("PredictRequest")
PredictResponse = _message("PredictResponse")
GetModelMetadataRequest = _message("GetModelMetadataRequest")
GetModelMetadataResponse = _message("GetModelMetadataResponse")
