"""Places for requests, and outputs that were asked for."""

import numpy as np
import pytest

from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.models import Asked, Models
from multitask_recommender.serving.options import Limits, find_export
from multitask_recommender.serving.service import Service


@pytest.fixture
def service(exports):
    models = Models(find_export(exports["strings"]), {}, Limits())
    models.open()
    return Service(models, Limits(requests=2))


def test_no_more_requests_than_places(service):
    with service.admitted(), service.admitted():
        with pytest.raises(
            Fault, match=r"As many requests run as may at once: 2 \(--max-req"
        ) as full:
            with service.admitted():
                pass
    assert full.value.kind is Kind.BUSY

    with service.admitted():
        pass


def test_a_request_that_fails_leaves_its_place(service):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), service.admitted():
            raise ZeroDivisionError


def test_predict_runs_what_is_read_by_the_signature(service):
    seen = []

    def read(signature):
        seen.append(signature.name)
        return {"item_id": np.array([b"c"], object), "k": np.array([1], np.int32)}

    version, signature, outputs = service.predict(Asked("strings"), "similar_items", read)

    assert (version.number, signature.name, seen) == (1, "similar_items", ["similar_items"])
    assert outputs["item_ids"].tolist() == [[b"b"]]


def test_only_the_outputs_asked_for(service):
    _, _, outputs = service.predict(Asked("strings"), "", lambda _: {}, ["source", "like"])

    assert set(outputs) == {"source", "like"}
    with pytest.raises(Fault, match="no output 'lik'"):
        service.predict(Asked("strings"), "", lambda _: {}, ["lik"])
