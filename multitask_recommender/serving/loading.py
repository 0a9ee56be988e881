"""A version of an export, read and warmed up. Reading it runs no code of ours: it is a graph."""

import importlib
import pathlib
import threading
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from multitask_recommender.errors import RunError
from multitask_recommender.export.folder import EXTRA, MODEL_FILE
from multitask_recommender.serving import proto_form, signatures
from multitask_recommender.serving.faults import Fault
from multitask_recommender.serving.graph_faults import fault_of
from multitask_recommender.serving.options import Limits
from multitask_recommender.serving.signatures import Arrays, Signature

WARMUP_FILE = "tf_serving_warmup_requests"
DEFAULT_SIGNATURE = "serving_default"
_SCANN = "Scann>"  # the operations of ScaNN's library are called so


class Version:
    """The functions of a SavedModel, by signature.

    Raises RunError where the folder holds none that can be read here.
    """

    def __init__(self, folder: pathlib.Path, limits: Limits) -> None:
        self.folder = folder
        self.number = int(folder.name)
        self._first_run = threading.Lock()
        self._has_run: set[str] = set()
        graph = _graph(folder)
        _load_operations(graph, folder)
        self.definitions = SignatureDefMap(signature_def=graph.signature_def)
        try:
            self._model = tf.saved_model.load(str(folder))
            self._signatures = {
                name: signatures.read(name, definition, limits)
                for name, definition in sorted(graph.signature_def.items())
                if definition.method_name == signatures.METHOD
            }
        except Exception as error:  # TF raises of every kind; whatever it is, it is not served
            raise RunError(f"{folder} cannot be loaded: {_first_line(error)}") from error

    @property
    def signatures(self) -> tuple[str, ...]:
        return tuple(self._signatures)

    def signature(self, name: str) -> Signature:
        """The signature of a name, "" being the default one."""
        name = name or DEFAULT_SIGNATURE
        if name not in self._signatures:
            raise signatures.unknown(name, self.signatures)
        return self._signatures[name]

    def run(self, signature: Signature, given: Arrays) -> Arrays:
        """What a signature makes of inputs; raises Fault for inputs that it does not take."""
        inputs = {
            name: tf.constant(array, signature.inputs[name].dtype)
            for name, array in signature.complete(given).items()
        }
        try:
            found = self._call(signature.name, inputs)
        except tf.errors.OpError as error:
            raise fault_of(error, signature.name) from error
        return {name: np.asarray(tensor) for name, tensor in found.items()}

    def _call(self, name: str, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        function = self._model.signatures[name]
        if name not in self._has_run:
            # TensorFlow optimises a function when it first runs. Threads that came at once would
            # each do so: with all places taken, that is longer than anyone waits.
            with self._first_run:
                if name not in self._has_run:
                    try:
                        return function(**inputs)
                    finally:
                        self._has_run.add(name)
        return function(**inputs)

    def warm_up(self) -> int:
        """Runs the requests that the export holds for that, and counts them.

        TensorFlow optimises a graph when it first runs, which takes longer than all later ones.
        Raises RunError where one fails: then clients' requests would.
        """
        count = 0
        for count, request in enumerate(_warmup_requests(self.folder / EXTRA / WARMUP_FILE), 1):
            try:
                signature = self.signature(request.model_spec.signature_name)
                self.run(signature, proto_form.arrays(request.inputs, signature))
            except Fault as fault:
                raise RunError(
                    f"{self.folder}: warm-up request {count} fails: {fault.sentence}"
                ) from fault
        return count


def _graph(folder: pathlib.Path) -> MetaGraphDef:
    """The graph for serving, and what it says of itself."""
    path = folder / MODEL_FILE
    try:
        model = SavedModel.FromString(path.read_bytes())
    except FileNotFoundError as error:
        raise RunError(f"{folder} has no {MODEL_FILE}: it is not complete.") from error
    except DecodeError as error:
        raise RunError(f"{path} is no SavedModel: {_first_line(error)}") from error
    for graph in model.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return graph
    raise RunError(f"{path} holds no graph that is tagged {tf.saved_model.SERVING!r}.")


def _load_operations(graph: MetaGraphDef, folder: pathlib.Path) -> None:
    """Makes ScaNN's operations known to TensorFlow, if the graph has any."""
    nodes = [graph.graph_def.node] + [each.node_def for each in graph.graph_def.library.function]
    if not any(node.op.startswith(_SCANN) for each in nodes for node in each):
        return
    try:
        importlib.import_module("scann")
    except ImportError as error:
        raise RunError(
            f"{folder} searches by ScaNN, whose operations are not here ({error}). Install them "
            "with `pip install scann`, in the version of requirements.txt, or export again with "
            "--index ivf or brute_force."
        ) from error


def _warmup_requests(path: pathlib.Path) -> Iterator[PredictRequest]:
    if not path.exists():
        return
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield PredictionLog.FromString(record).predict_log.request
    except (tf.errors.OpError, DecodeError) as error:
        raise RunError(f"{path} cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
