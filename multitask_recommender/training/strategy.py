"""What training.strategy makes: the devices that train together, on one machine or several."""

import contextlib
import functools
import os

import tensorflow as tf

from multitask_recommender.errors import ConfigError
from multitask_recommender.training import cluster
from multitask_recommender.training.parameter_servers import ParameterServers
from multitask_recommender.training.replicas import Replicas, listening
from multitask_recommender.training.settings import Settings

_OPERATIONS_AT_ONCE = "TF_NUM_INTEROP_THREADS"  # how many, where the user says so


@functools.cache
def _replicas(kind: str, number: int | None) -> Replicas:
    if kind == "parameter_server":
        group = cluster.read(kind)
        with listening(group):
            return ParameterServers(group)
    gpus = [] if kind == "none" else tf.config.list_physical_devices("GPU")
    if not gpus:
        _make_sums_in_one_order()
    if kind == "multi_worker":
        group = cluster.read(kind)
        with listening(group):
            return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), group)
    if kind == "none" or (kind == "auto" and len(gpus) < 2):
        return Replicas(device="GPU:0" if gpus else None)
    # Not by TensorFlow's default, collectives: see models/_replicas.py, of gradients of some rows.
    exchange = tf.distribute.NcclAllReduce() if gpus else tf.distribute.ReductionToOneDevice()
    return Replicas(tf.distribute.MirroredStrategy(_devices(len(gpus), number), exchange))


def replicas(settings: Settings) -> Replicas:
    """The replicas that the settings ask for, made once in a process.

    Raises ConfigError where the machine or the cluster does not have them.
    """
    return _replicas(settings.strategy, settings.replicas)


def _make_sums_in_one_order() -> None:
    """Runs one operation at a time, so that a seed gives the same weights to the last bit.

    `AddN`, which sums the gradients of what several operations read, begins with an input whose
    memory happens to be free: with several operations at once, that is a matter of luck. Each
    still divides its work among all cores. Where this process has run TensorFlow before, or the
    environment says how many operations it wants, that stays as it is.
    """
    if _OPERATIONS_AT_ONCE not in os.environ:
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_inter_op_parallelism_threads(1)


def _devices(num_gpus: int, number: int | None) -> list[str]:
    """Names of the devices of a mirrored strategy: GPUs, else parts of the CPU."""
    if num_gpus:
        if number is not None and number > num_gpus:
            raise ConfigError(f"training.replicas is {number}, but there are {num_gpus} GPUs.")
        return [f"GPU:{place}" for place in range(number or num_gpus)]
    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = len(tf.config.get_logical_device_configuration(cpu) or [None])
    number = number or parts
    if number > parts:
        options = [tf.config.LogicalDeviceConfiguration() for _ in range(number)]
        try:
            tf.config.set_logical_device_configuration(cpu, options)
        except RuntimeError as error:
            raise ConfigError(
                f"training.replicas is {number}, but this process has divided its CPU in {parts} "
                "already: train in a process of its own."
            ) from error
    return [f"CPU:{place}" for place in range(number)]
