"""Workers that learn side by side from tables in shards on servers: Li et al., "Scaling Distributed
Machine Learning with the Parameter Server", OSDI 2014, on TensorFlow's ParameterServerStrategy.

A worker takes a whole batch, reads the rows that it names from the servers, and sends them its
gradients, waiting for nobody: gradients are of tables that others have changed meanwhile, so that
no two trainings are the same to the last digits. Of two steps that write a row at the same time,
one may be lost.

The chief alone has the data. It hands out batches, one by one and in their order, and ends a round
when all of its batches have been learnt; then tables stand still, and it evaluates and saves as a
single process does. The batch of a worker that is lost is given to another, and may count twice.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from multitask_recommender.batches import TrainingBatches
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import cluster
from multitask_recommender.training.replicas import Replicas, Rounds, are_finite, listening

SHARD_BYTES = 2**18  # a table is cut in shards of no less, and in no more than there are servers
_PROTOCOL = "grpc"
_SECONDS_BETWEEN_LOOKS, _SECONDS_TO_ANSWER, _LOOKS = 1.0, 10.0, 3


class ParameterServers(Replicas):
    """The chief's view of its workers and servers. Each step is one worker's, on a whole batch."""

    def __init__(self, group: cluster.Cluster) -> None:
        num_workers, num_servers = map(group.number_of, (cluster.WORKER, cluster.SERVER))
        partitioner = tf.distribute.experimental.partitioners.MinSizePartitioner(
            SHARD_BYTES, num_servers
        )
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(group.addresses),
            task_type=group.kind,
            task_id=group.index,
            rpc_layer=_PROTOCOL,
        )
        strategy = tf.distribute.ParameterServerStrategy(resolver, partitioner)
        if strategy.num_replicas_in_sync > 1:
            raise ConfigError(
                f"Each worker has {strategy.num_replicas_in_sync} GPUs, but a worker of "
                "training.strategy parameter_server uses one: start one for each GPU, with "
                "CUDA_VISIBLE_DEVICES."
            )
        super().__init__(strategy)
        self._coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        # For good: where Python takes it apart, at the end, it waits for workers that are lost.
        threading.Thread(target=_hold, args=[self._coordinator], daemon=True).start()
        self._told = f"{num_workers} workers and {num_servers} parameter servers"
        self.steps_at_once = num_workers

    def division(self, rows: int) -> str:
        return f"{self._told}: batches of {rows:,} rows, each of one worker"

    def rounds(self, model: tf.keras.Model, batches: TrainingBatches) -> Rounds:
        def step(features: dict[str, tf.Tensor]) -> None:
            self._strategy.run(model.learn, args=(features,))

        signature = [batches.dataset().element_spec]
        step = tf.function(step, input_signature=signature, autograph=False)

        def begin(start: int) -> Callable[[int], bool]:
            iterator = iter(batches.dataset(start))

            def make(number: int) -> bool:
                place = int(model.optimizer.iterations) + number
                for _ in range(number):
                    self._coordinator.schedule(step, args=(next(iterator),))
                self._coordinator.join()
                model.optimizer.iterations.assign(place)  # where a batch counted twice
                return bool(are_finite(model))

            return make

        return begin


def start(group: cluster.Cluster) -> tf.distribute.Server:
    """A worker or a server of a cluster, which from here on does what it is asked."""
    # A thread waits for what it has asked another process: with fewer of them than processes that
    # may ask, all could wait for each other.
    threads = max(os.cpu_count(), sum(map(len, group.addresses.values())))
    return tf.distribute.Server(
        tf.train.ClusterSpec(group.addresses),
        group.kind,
        group.index,
        protocol=_PROTOCOL,
        config=tf.compat.v1.ConfigProto(inter_op_parallelism_threads=threads),
    )


def serve(group: cluster.Cluster) -> None:
    """What workers and servers do: what the chief asks of them, from when it comes until it ends.

    They have no data and read no config: the chief sends what they compute, with every batch.
    """
    with listening(group):
        _ = start(group)  # it serves as long as somebody holds it
    (chief,) = group.addresses[cluster.CHIEF]
    host, port = cluster.endpoint(chief)
    missed = -1  # looks in a row without an answer; -1 until the first
    while missed < _LOOKS:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        if _answers(host, port):
            missed = 0
        elif missed >= 0:
            missed += 1


def _hold(anything: Any) -> None:
    threading.Event().wait()


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _SECONDS_TO_ANSWER).close()
    except OSError:
        return False
    return True
