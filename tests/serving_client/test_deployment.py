"""What TensorFlow Serving reads is of its own forms, and the files agree with one another."""

import json
import pathlib
import re

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf import wrappers_pb2 as wrappers
from tensorflow_serving.config import model_server_config_pb2

SERVING = pathlib.Path(__file__).parents[2] / "serving"
INT64 = (".google.protobuf.Int64Value", False)

# tensorflow-serving-api has no classes of these: their fields, as of TensorFlow Serving's
# servables/tensorflow/session_bundle_config.proto and config/monitoring_config.proto.
# field: (number, type, is repeated)
BATCHING = {
    "max_batch_size": (1, *INT64),
    "batch_timeout_micros": (2, *INT64),
    "max_enqueued_batches": (3, *INT64),
    "num_batch_threads": (4, *INT64),
    "thread_pool_name": (5, ".google.protobuf.StringValue", False),
    "allowed_batch_sizes": (6, "int64", True),
    "pad_variable_length_inputs": (7, "bool", False),
}
PROMETHEUS = {"enable": (1, "bool", False), "path": (2, "string", False)}
MONITORING = {"prometheus_config": (1, ".test.Prometheus", False)}


def _classes(**messages: dict) -> dict:
    """Message classes of fields."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto", package="test", syntax="proto3", dependency=[wrappers.DESCRIPTOR.name]
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, is_repeated) in fields.items():
            is_message = kind.startswith(".")
            message.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if is_repeated else kinds.LABEL_OPTIONAL,
                type=kinds.TYPE_MESSAGE if is_message else kinds.Type.Value(f"TYPE_{kind.upper()}"),
                type_name=kind if is_message else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))
        for name in messages
    }


@pytest.fixture(scope="module")
def classes() -> dict:
    return _classes(Batching=BATCHING, Prometheus=PROMETHEUS, Monitoring=MONITORING)


@pytest.fixture
def models() -> model_server_config_pb2.ModelConfig:
    text = (SERVING / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    [model] = config.model_config_list.config
    return model


@pytest.fixture
def compose() -> dict:
    return yaml.safe_load((SERVING / "docker-compose.yaml").read_text())["services"]


def test_labels_are_of_versions_that_are_served(models):
    versions = set(models.model_version_policy.specific.versions)

    assert set(models.version_labels) == {"stable", "canary"}
    assert set(models.version_labels.values()) <= versions


def test_batches(classes):
    text = (SERVING / "batching.config").read_text()
    config = text_format.Parse(text, classes["Batching"]())

    sizes = list(config.allowed_batch_sizes)
    assert sizes == sorted(sizes)
    assert sizes[-1] == config.max_batch_size.value  # or TensorFlow Serving does not start
    assert config.num_batch_threads.value >= 1
    assert config.pad_variable_length_inputs


def test_monitoring(classes):
    text = (SERVING / "monitoring.config").read_text()
    config = text_format.Parse(text, classes["Monitoring"]())

    assert config.prometheus_config.enable
    assert config.prometheus_config.path.startswith("/")


def test_a_setting_that_does_not_exist_is_found(classes):
    with pytest.raises(text_format.ParseError, match='no field named "max_batch"'):
        text_format.Parse("max_batch { value: 1 }", classes["Batching"]())


def test_the_containers_are_given_what_their_flags_name(compose, models):
    service = compose["tensorflow-serving"]
    mounted = dict(each.removesuffix(":ro").rsplit(":", 1) for each in service["volumes"])
    inside = {target: source for source, target in mounted.items()}
    named = re.findall(r"=(/config/\S+)", " ".join(service["command"]))

    assert len(named) == 3
    for target in named:
        assert (SERVING / inside[target]).is_file()
    assert pathlib.PurePath(models.base_path).parent == pathlib.PurePath("/models")
    assert "/models" in inside
    assert "--allow_version_labels_for_unavailable_models=true" in service["command"]


def test_no_container_is_open_to_others_or_may_write(compose):
    for service in compose.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert all(volume.endswith(":ro") for volume in service["volumes"])
        assert service["read_only"] is True


def test_the_image_with_scann_is_made_of_what_is_there(compose):
    build = compose["scann"]["build"]
    root = (SERVING / build["context"]).resolve()
    dockerfile = (root / build["dockerfile"]).read_text()

    for source in re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE):
        assert (root / source).exists()
        assert f"!{source}" in (SERVING / "scann.Dockerfile.dockerignore").read_text()
    assert compose["scann"]["profiles"] == ["scann"]


def test_pins_are_those_of_the_project():
    def pins(path: pathlib.Path) -> set[str]:
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        return {line for line in lines if line}

    assert pins(SERVING / "requirements.txt") <= pins(SERVING.parent / "requirements.txt")


def test_requests_of_the_readme_are_json():
    bodies = re.findall(r"-d '(.*?)'", (SERVING / "README.md").read_text(), re.DOTALL)

    assert {json.loads(body)["signature_name"] for body in bodies} == {
        "recommend",
        "rank",
        "similar_items",
    }
