"""What is gRPC's own: messages that cannot be made, servers that are away."""

import socket
import threading
import time

import pytest
from client import Client, GrpcEndpoint, Model, Retries, ServingError, UsageError
from recommender_client.endpoint import Signature
from recommender_client.rpc import predict_request

from . import toy_server

SIMILAR = Signature("similar_items", {"item_id": 7, "k": 3}, ("item_ids",), {})


def test_an_input_of_another_type():
    told = r"similar_items, input k: \['two'\] is not of type int32"
    with pytest.raises(UsageError, match=told):
        predict_request(Model("toy"), SIMILAR, {"k": ["two"]})


def test_an_input_that_the_signature_has_not():
    told = "similar_items has no input item. Its inputs: item_id, k."
    with pytest.raises(UsageError, match=told):
        predict_request(Model("toy"), SIMILAR, {"item": ["a"]})


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def test_no_server_there():
    target = f"127.0.0.1:{_free_port()}"
    client = Client(GrpcEndpoint(target), Model("toy"), retries=Retries(2, 0.001))

    told = rf"grpc://{target}, metadata of toy: UNAVAILABLE: .*\(tried 2 times\)"
    with pytest.raises(ServingError, match=told):
        client.interface()


def test_a_server_that_comes_back_is_found_within_the_call(stub):
    port = _free_port()
    client = Client(
        GrpcEndpoint(f"127.0.0.1:{port}"), Model("toy"), 10.0, Retries(attempts=50, cap_s=0.2)
    )
    found = []
    thread = threading.Thread(target=lambda: found.append(client.interface().version))
    thread.start()
    time.sleep(0.3)

    with toy_server.grpc_server(stub, port):
        thread.join()

    assert found == [3]
