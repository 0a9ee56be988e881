"""A trained model, exported and served by the local server: the client gets the model's answers."""

import pathlib
import shutil
from collections.abc import Iterator

import pytest
from client import Client, GrpcEndpoint, Model, Query, RestEndpoint
from recommender_client import golden
from recommender_client.commands import main
from recommender_client.replay import replay

from multitask_recommender.serving import server
from multitask_recommender.serving.options import Options, find_export

Places = dict[str, list[str]]  # the arguments that name a server, by transport


def _places(ports: tuple[int, int]) -> Places:
    rest_port, grpc_port = ports
    return {
        "rest": ["--rest", f"http://127.0.0.1:{rest_port}"],
        "grpc": ["--grpc", f"127.0.0.1:{grpc_port}"],
    }


@pytest.fixture(scope="module")
def places(exported: pathlib.Path) -> Iterator[Places]:
    """The export, served."""
    options = Options(find_export(exported.parent), rest_port=0, grpc_port=0)
    with server.running(options) as ports:
        yield _places(ports)


@pytest.fixture(params=["rest", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


def _client(places: Places, transport: str) -> Client:
    _, place = places[transport]
    endpoint = RestEndpoint(place) if transport == "rest" else GrpcEndpoint(place)
    return Client(endpoint, Model("recommender"), timeout_s=20.0)


@pytest.fixture
def own_client(places: Places, transport: str) -> Iterator[Client]:
    with _client(places, transport) as client:
        yield client


def test_golden_requests(places, transport, exported, capsys):
    assert main(["replay", *places[transport], str(exported), "--repeat", "2"]) == 0

    out = capsys.readouterr().out
    for signature in ("embed_query", "rank", "recommend", "retrieve", "similar_items"):
        assert signature in out
    assert "golden requests answered within 1e-05." in out
    assert "0 failed" in out


def test_a_batch_of_unlike_queries_is_answered_as_one_by_one(own_client, exported):
    """What fills up rows is nobody's to read: neither history, nor exclusions, nor items."""
    users = [
        request.inputs["user_id"][0]
        for request in golden.read(exported).requests
        if "user_id" in request.inputs
    ][:2]
    items = [item.id for item in own_client.retrieve(Query(k=5)).items]
    queries = [
        Query(user_id=users[0], k=3, exclude_ids=items[:3]),
        Query(user_id=users[1], k=5, weights={"like": 1.0, "retrieval": 0.0}),
        Query(history=items[:2], k=1, exclude_seen=False),
    ]

    together = own_client.recommend_batch(queries)

    assert [len(answer.items) for answer in together] == [3, 5, 1]
    assert not {item.id for item in together[0].items} & set(items[:3])
    for query, answer in zip(queries, together, strict=True):
        alone = own_client.recommend(query)
        assert [item.id for item in alone.items] == [item.id for item in answer.items]
        assert [item.score for item in alone.items] == pytest.approx(
            [item.score for item in answer.items], abs=1e-5
        )
        assert alone.source == answer.source


def test_lists_of_two_lengths_are_ranked_as_one_by_one(own_client):
    items = [item.id for item in own_client.retrieve(Query(k=4)).items]
    queries, lists = [Query(user_id=1), Query(history=items[:2])], [items[:3], items[3:]]

    together = own_client.rank_batch(queries, lists)

    for query, ids, answer in zip(queries, lists, together, strict=True):
        assert [item.id for item in answer.items] == ids
        likes = [item.predictions["like"] for item in own_client.rank(query, ids).items]
        assert [item.predictions["like"] for item in answer.items] == pytest.approx(likes, abs=1e-5)


def test_an_export_of_other_data_in_its_place(exported, toy_folder, tmp_path, transport):
    """Its version has the same number; its vocabulary is another."""
    base = tmp_path / "recommender"
    base.mkdir()
    shutil.copytree(toy_folder, base / "1")
    with server.running(Options(find_export(base), rest_port=0, grpc_port=0)) as ports:
        with _client(_places(ports), transport) as client:
            replayed = replay(client, golden.read(exported), 1e-5)

    assert any("answers from another vocabulary" in fault for fault in replayed.faults)
