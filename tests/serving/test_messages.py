"""Status and metadata as TensorFlow Serving's messages."""

import shutil

import pytest
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from multitask_recommender.serving import messages
from multitask_recommender.serving.models import Asked, Models
from multitask_recommender.serving.options import Limits, find_export


@pytest.fixture
def models(exports, tmp_path):
    """Version 1 answers, version 2 is empty."""
    base = tmp_path / "films"
    shutil.copytree(exports["strings"], base)
    (base / "2").mkdir()
    made = Models(find_export(base), {}, Limits())
    made.open()
    return made


def test_the_status_tells_why_a_version_is_not_served(models):
    broken, served = messages.status(models, Asked("films")).model_version_status

    assert (served.version, served.state) == (1, ModelVersionStatus.AVAILABLE)
    assert (served.status.error_code, served.status.error_message) == (0, "")
    assert (broken.version, broken.state) == (2, ModelVersionStatus.END)
    assert broken.status.error_code == 2
    assert "2 has no saved_model.pb" in broken.status.error_message


def test_the_metadata_is_the_signatures_with_their_defaults(models):
    response = messages.metadata(models.find(Asked("films")), "films")

    assert (response.model_spec.name, response.model_spec.version.value) == ("films", 1)
    found = SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert found.signature_def["recommend"].defaults["k"].int_val[0] == 3
