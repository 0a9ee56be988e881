"""Whatever is sent, the answer is an answer or a fault of the request: never one of the server's.

What this finds is kept as a test by name in test_bad_requests.py and the forms' own tests.
"""

import json

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies as st
from tensorflow.core.framework.tensor_pb2 import TensorProto

from multitask_recommender.serving import json_form, proto_form
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.models import Asked, Models
from multitask_recommender.serving.options import Limits, find_export
from multitask_recommender.serving.service import Service
from tests.fuzzing import bounded

BOUNDED = bounded(150)
SIGNATURES = ["", "recommend", "rank", "similar_items", "embed_query", "echo", "x"]
NAMES = [
    "user_id",
    "history",
    "history_length",
    "k",
    "exclude_ids",
    "exclude_seen",
    "weight_like",
    "item_ids",
    "item_id",
    "text",
    "x",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 6),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["ann", "a", "b", "\ud800"]),
    st.builds(lambda text: {"b64": text}, st.text(max_size=8)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)
# Mostly of the right form, so that what is looked at lies behind the first check.
TENSORS = st.one_of(
    st.lists(SCALARS, max_size=3), st.lists(st.lists(SCALARS, max_size=3), max_size=3), VALUES
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), TENSORS, max_size=5)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES) | VALUES,
        "inputs": OBJECTS | VALUES,
        "instances": st.lists(OBJECTS, max_size=3) | VALUES,
        "more": VALUES,
    },
)


@pytest.fixture(scope="module")
def service(exports):
    limits = Limits(k=4, ids=3, batch=3)
    models = Models(find_export(exports["strings"]), {}, limits)
    models.open()
    return Service(models, limits)


def answered(service, body: bytes) -> None:
    """Asks as REST does; raises what is no fault of the request."""
    try:
        document = json_form.read(body)
        _, _, outputs = service.predict(Asked("strings"), document.signature, document.arrays)
        json.loads(json_form.write(outputs, document.is_rows))
    except Fault as fault:
        assert fault.kind is Kind.INVALID
        assert fault.sentence.endswith(".") and len(fault.sentence) < 2_000
        fault.sentence.encode()


@BOUNDED
@hypothesis.given(REQUESTS)
def test_json_of_the_form(service, request_):
    answered(service, json.dumps(request_).encode())


@BOUNDED
@hypothesis.given(st.sampled_from(SIGNATURES[:-1]), OBJECTS)
def test_columns_of_a_signature(service, signature, inputs):
    answered(service, json.dumps({"signature_name": signature, "inputs": inputs}).encode())


@BOUNDED
@hypothesis.given(st.binary(max_size=60) | st.text('{}[]":,0aeE-.\\ui', max_size=60))
def test_bytes_of_no_form(service, body):
    answered(service, body if isinstance(body, bytes) else body.encode())


@st.composite
def protos(draw) -> TensorProto:
    """Tensors with shapes, types and values that need not go together."""
    dtype = draw(st.sampled_from([tf.string, tf.int32, tf.int64, tf.float32, tf.bool, tf.half]))
    made = TensorProto(dtype=draw(st.just(dtype.as_datatype_enum) | st.integers(0, 200)))
    sizes = st.integers(0, 3) | st.integers(-(2**63), 2**63 - 1)
    for size in draw(st.lists(sizes, max_size=3)):
        made.tensor_shape.dim.add(size=size)
    made.tensor_shape.unknown_rank = draw(st.integers(0, 9)) == 0
    made.int_val.extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)))
    made.int64_val.extend(draw(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4)))
    made.float_val.extend(draw(st.lists(st.floats(width=32), max_size=4)))
    made.string_val.extend(draw(st.lists(st.binary(max_size=5), max_size=4)))
    made.bool_val.extend(draw(st.lists(st.booleans(), max_size=4)))
    made.tensor_content = draw(st.just(b"") | st.binary(max_size=16))
    return made


@BOUNDED
@hypothesis.given(
    st.sampled_from(SIGNATURES), st.dictionaries(st.sampled_from(NAMES), protos(), max_size=3)
)
def test_tensors(service, signature, inputs):
    try:
        service.predict(Asked("strings"), signature, lambda found: proto_form.arrays(inputs, found))
    except Fault as fault:
        assert fault.kind is Kind.INVALID
