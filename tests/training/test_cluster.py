"""TF_CONFIG: which process this is among those that train together."""

import json

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.training import cluster

WORKERS = {"worker": ["a:1", "b:1", "c:1"]}


@pytest.fixture
def tf_config(monkeypatch):
    def set_to(addresses, kind, index):
        value = {"cluster": addresses, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(value))

    return set_to


def test_worker_0_is_the_chief_where_none_is_named(tf_config):
    tf_config(WORKERS, "worker", 0)
    assert cluster.read("multi_worker").is_chief
    tf_config(WORKERS, "worker", 2)
    read = cluster.read("multi_worker")
    assert not read.is_chief
    assert read.num_workers == 3


def test_a_chief_that_is_named_is_it(tf_config):
    addresses = {"chief": ["z:1"], **WORKERS}
    tf_config(addresses, "chief", 0)
    assert cluster.read("multi_worker").is_chief
    tf_config(addresses, "worker", 0)
    assert not cluster.read("multi_worker").is_chief
    assert cluster.read("multi_worker").num_workers == 4


def test_without_one_it_is_told_how_to_set_it(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ConfigError, match=r"multi_worker, but TF_CONFIG is not set.*TF_CONFIG='\{"):
        cluster.read("multi_worker")


@pytest.mark.parametrize("value", ["{", "{}", '{"cluster": {}, "task": {"type": "worker"}}'])
def test_one_that_names_no_process_is_refused(value, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ConfigError, match="names no process of a cluster .*Expected such as"):
        cluster.read("multi_worker")


def test_an_index_beyond_the_cluster_is_refused(tf_config):
    tf_config(WORKERS, "worker", 3)
    with pytest.raises(ConfigError, match="names no process of a cluster"):
        cluster.read("multi_worker")


def test_a_negative_index_is_refused(tf_config):
    tf_config(WORKERS, "worker", -1)
    with pytest.raises(ConfigError, match="names no process of a cluster"):
        cluster.read("multi_worker")


@pytest.mark.parametrize("found", [["a", "b:1"], ["a:one"], "a:1", [None]])
def test_addresses_that_are_none_are_refused(tf_config, found):
    tf_config({"worker": found}, "worker", 0)
    with pytest.raises(ConfigError, match="names no process of a cluster .*Expected such as"):
        cluster.read("multi_worker")


@pytest.mark.parametrize(
    "address, expected",
    [("host0:2222", ("host0", 2222)), ("[fe80::7]:2222", ("fe80::7", 2222))],
)
def test_an_address_is_a_host_and_a_port(address, expected):
    assert cluster.endpoint(address) == expected


def test_parameter_servers_are_refused_where_all_hold_the_tables(tf_config):
    tf_config({"ps": ["p:1"], **WORKERS}, "worker", 1)
    with pytest.raises(ConfigError, match="TF_CONFIG has ps, worker: .* chief and workers alone"):
        cluster.read("multi_worker")


SERVERS = {"chief": ["c:1"], "ps": ["p:1", "p:2"], **WORKERS}


@pytest.mark.parametrize("kind, serves", [("chief", False), ("worker", True), ("ps", True)])
def test_of_parameter_servers_all_but_the_chief_serve(tf_config, kind, serves):
    tf_config(SERVERS, kind, 0)
    read = cluster.read("parameter_server")
    assert (read.is_chief, read.serves) == (not serves, serves)
    assert (read.number_of("worker"), read.number_of("ps")) == (3, 2)
    assert read.address == f"{kind[0].replace('w', 'a')}:1"


@pytest.mark.parametrize(
    "addresses",
    [
        WORKERS,
        {**SERVERS, "ps": []},
        {"chief": ["c:1"], "ps": ["p:1"], "worker": []},
        {**SERVERS, "chief": ["c:1", "c:2"]},
        {**SERVERS, "evaluator": ["e:1"]},
    ],
)
def test_a_cluster_without_any_of_them_or_with_others_is_refused(tf_config, addresses):
    kind = next(kind for kind, each in addresses.items() if each)
    tf_config(addresses, kind, 0)
    with pytest.raises(ConfigError, match="TF_CONFIG has {.*}: .* of one chief, and of one worker"):
        cluster.read("parameter_server")
