"""Bytes of a run before there is one: in memory by stage, and on disk.

Counted are arrays whose shapes are known, as often as they are there at once. What cannot be
counted (graphs, threads, lookup tables) are the constants below. `benchmarks/plan_accuracy.py`
holds all of it against fresh processes. Memory is the peak above a process's imports.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from multitask_recommender import threads
from multitask_recommender.config import Config
from multitask_recommender.evaluation.scorer import block_slices
from multitask_recommender.planning import model
from multitask_recommender.planning.arrays import Array, total
from multitask_recommender.planning.shape import DataShape

MIB = 2**20
IMPORTS = 590 * MIB  # Python with TensorFlow, Polars and this package, before anything is done
_RUNTIME = 140 * MIB  # graphs of a training step, and threads with their heaps
_TRACED = 124 * MIB  # those of an export: its signatures, written and loaded again
_ID = 144  # bytes of an id in the four lookup tables of an export, two of them loaded again
_GRAPH = 8e5  # bytes on disk of an export without its variables, and of its golden requests
_RECORD = 4e4  # of a run's small files
_TRIED = 256  # queries of it at a time
_SCORES = 12  # bytes of a score of a batch: itself, its exponential and its gradient
_PARQUET = 6  # bytes of a held-out row on disk
_ARRANGED = 60  # and in memory, once it is arranged for evaluation (evaluation/held_out.py)
_BLOCKS = 3  # of scores that a worker of evaluation has: scores, and what selection makes of them
_GROUPED = 32  # bytes a row, of rows grouped by user and by item (histories.py)
_HISTORY = 32  # bytes a row, of histories in order and of windows that share them
_EDGE = 48  # bytes an edge, of the graph's matrix and of what it is made of
_MANY_USERS = 10_000  # whose blocks are as large as any
_BLOCK_ROWS = 64  # of the tables of indexes, which are filled up


@dataclasses.dataclass(frozen=True)
class _Index:
    """What an index takes beside its variables.

    made, kept, loaded: while it is made of vectors, and once it is, them included; and once it is
      loaded; all in vectors of all items.
    scores: bytes of those of a search that tries it, at the most; of indexes that look into leaves,
      the exact search (index/tuning/exact.py) has more.
    """

    made: float
    kept: float
    loaded: float
    scores: int


_EXACT = _Index(2, 2, 0, 12 * 2**26)  # as brute_force, and what is not known here
_INDEXES = {"ivf": _Index(2, 2, 0, 8 * 2**24), "scann": _Index(3.5, 1.65, 1, 8 * 2**24)}


@dataclasses.dataclass(frozen=True)
class Part:
    """Something that takes memory, or room on a disk."""

    name: str
    bytes: float


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a config will take. Stages are by name, and a process needs what its largest needs."""

    shape: DataShape
    arrays: Mapping[str, Sequence[Array]]
    memory: Mapping[str, Sequence[Part]]
    disk: Sequence[Part]

    @property
    def parameters(self) -> int:
        return sum(array.size for array in self.arrays[model.LEARNT])

    def peak(self, *stages: str) -> float:
        """Bytes above the imports that a process needs which goes through these stages."""
        return max(_sum(self.memory[stage]) for stage in stages)


def _sum(parts: Sequence[Part]) -> float:
    return sum(part.bytes for part in parts)


TRAINING, EVALUATION, EXPORT = "training", "evaluation", "export"
AT_THE_END = "export at the end of training"
_LASTING = 5  # parts of training that are still there while it is evaluated


def plan(config: Config, shape: DataShape) -> Plan:
    """Raises ConfigError where the data lack what the config asks for."""
    arrays = model.arrays(config, shape)
    bytes_of = {kind: total(each) for kind, each in arrays.items()}
    sizes = _Sizes(config, shape, bytes_of)
    memory = {TRAINING: sizes.training(), EVALUATION: sizes.evaluation()}
    if config.export.when_trained:
        memory[AT_THE_END] = sizes.export_at_the_end()
    memory[EXPORT] = sizes.export()
    return Plan(
        shape,
        arrays,
        {stage: [part for part in parts if part.bytes] for stage, parts in memory.items()},
        list(sizes.disk()),
    )


@dataclasses.dataclass(frozen=True)
class _Sizes:
    config: Config
    shape: DataShape
    bytes_of: Mapping[str, int]  # the arrays of model.py, by kind

    @property
    def data(self) -> Part:
        shape = self.shape
        if shape.read_bytes is not None:
            return Part("data as read", shape.read_bytes)
        columns = (shape.rows + shape.held_out) * shape.row_bytes
        raw_ids = 8 * (shape.users.number + shape.items.number)
        return Part("data, its columns", columns + raw_ids)

    @property
    def joined(self) -> Part:
        """Beside the parts of the split, what a refit learns from."""
        is_made = self.config.training.refit and self.config.split.validation > 0
        is_read = self.shape.read_bytes is not None  # with the data
        rows = self.shape.rows if is_made and not is_read else 0
        return Part("train and validation, joined", rows * self.shape.row_bytes)

    @property
    def weights(self) -> int:
        return self.bytes_of[model.LEARNT] + self.bytes_of[model.KEPT]

    @property
    def gradients(self) -> Part:
        dense = self.config.training.optimizer == "adam"
        return Part("dense gradients", self.bytes_of[model.LEARNT] if dense else 0)

    @property
    def vectors(self) -> int:
        """What retrieval compares of all items; 0 for a model that only ranks."""
        return self.bytes_of[model.VECTORS]

    @property
    def index(self) -> _Index:
        return _INDEXES.get(self.config.index.name, _EXACT)

    @property
    def tried(self) -> int:
        """Bytes of scores by which an index is tried."""
        cells = _TRIED * self.shape.items.number
        return min(8 * cells, self.index.scores) if self.vectors else 0

    def training(self) -> list[Part]:
        return [
            self.data,
            self.joined,
            Part("who met what", self.shape.rows * self._bytes_of_a_row()),
            Part("weights", self.weights),
            Part("optimizer", self.bytes_of[model.STATE]),
            self.gradients,
            Part("scores of a batch", self._batch()),
            Part("graphs and threads", _RUNTIME),
        ]

    def evaluation(self) -> list[Part]:
        settings, items = self.config.evaluation, self.shape.items.number
        test_users = max(1, self.shape.test_users)
        drawn = min(test_users, settings.users or test_users)
        users = min(drawn, _MANY_USERS)
        blocks = block_slices(users, items, settings.block_megabytes)
        block = 4 * items * max((each.stop - each.start for each in blocks), default=0)
        exposed = 8 * len(settings.cutoffs) * items
        scores = threads.num_workers() * _BLOCKS * block + exposed if self.vectors else 0
        return [
            *self.training()[:_LASTING],
            Part("vectors of items", self.vectors),
            Part("scores of users", scores),
            Part("held-out rows", _ARRANGED * self.shape.held_out * drawn / test_users),
            Part("graphs and threads", _RUNTIME),
        ]

    def export(self) -> list[Part]:
        """The most of three moments: the model is restored, and its index made and tried; all is
        written; and what was written is loaded again, when model and data have been let go of.
        """
        index = self.index
        loaded = index.loaded * self.vectors + self.exported(self.config.index.name)
        ids = _ID * (self.shape.users.number + self.shape.items.number)
        restored = [
            self.data,
            self.joined,
            Part("weights", self.weights),
            Part("scores, kept by TensorFlow", self.tried),
        ]
        made = [Part("an index, while it is made", index.made * self.vectors)]
        written = [
            Part("an index", index.kept * self.vectors),
            Part("who met what, twice", 2 * 4 * self.shape.seen),
            Part("ids in lookup tables", ids / 2),
        ]
        again = [
            Part("what was written, loaded again", loaded),
            Part("ids in lookup tables", ids),
        ]
        most = max([*restored, *made], [*restored, *written], again, key=_sum)
        return [*most, Part("graphs and threads", _TRACED)]

    def export_at_the_end(self) -> list[Part]:
        """The same in a process that has trained: the model goes, but TensorFlow gives no memory
        back. That of its weights is used again for those of the run, and the rest for scores.
        """
        rest = self.bytes_of[model.STATE] + self.gradients.bytes
        kept = max(0, rest - self.tried) + _RUNTIME
        return [*self.export(), Part("kept by TensorFlow from training", kept)]

    def disk(self) -> Iterator[Part]:
        yield Part("run", self.weights + _PARQUET * self.shape.held_out + _RECORD)
        saved = self.weights + self.bytes_of[model.STATE]
        yield Part("run, while it trains", 2 * saved + 2 * self.weights)
        for index in ("brute_force", "ivf", "scann"):
            yield Part(f"export, {index}", self.exported(index))

    def exported(self, index: str) -> float:
        """Bytes of an export: variables, words and the graph."""
        users, items = self.shape.users, self.shape.items
        numbers = users.number + items.number
        words = users.number * (users.id_bytes + 1) + items.number * (items.id_bytes + 1)
        seen = 8 * users.number + 4 * self.shape.seen
        recent = seen if getattr(self.config.model.settings, "reads_recent", False) else 0
        popular = 2 * 4 * items.number + users.number  # and as a table; who was met
        parts = self.bytes_of[model.EXPORTED] + seen + recent + popular + words + numbers / 8
        return parts + self._index(index) + _GRAPH

    def _index(self, name: str) -> float:
        """The index, and the lengths of its vectors where they have not one length already."""
        items = self.shape.items.number
        if not self.vectors:
            return 0.0
        own = self.vectors
        alike = 0 if getattr(self.config.model.settings, "normalise", False) else 8 * items
        leaves = math.sqrt(items)
        width = own / max(1, items)  # bytes of a vector
        if name == "ivf":
            filled = leaves * _BLOCK_ROWS / 2
            own = (items + filled) * (width + 4) + leaves * width
        if name == "scann":
            own += items * (width / 16 + 4) + leaves * width
        return own + alike

    def _bytes_of_a_row(self) -> int:
        """Of who met what, for models that read it."""
        settings = self.config.model.settings
        read = settings.inputs_read()
        each = 0
        each += _HISTORY if getattr(settings, "reads_recent", False) else 0
        each += _GROUPED if any("history" in names for names in read.values()) else 0
        return each + (_EDGE if hasattr(settings, "graph_positive") else 0)

    def _batch(self) -> float:
        """Scores of a batch: its queries, at the most, against all that they are compared with."""
        tasks = [task.settings for task in self.config.tasks.values()]
        task = next((each for each in tasks if not each.predicts_label), None)
        if task is None or (task.loss == "bpr" and not task.hardness):
            return 0.0
        training, shape = self.config.training, self.shape
        positives = min(training.batch_size, shape.rows) * shape.seen / max(1, shape.rows)
        queries = positives
        if training.batch_by != "row":
            parts = 0.0 if training.batch_by == "user" else 1 / training.batch_by
            queries *= min(1.0, shape.users.number / max(1, shape.rows) + parts)
        negatives = task.negatives_among(shape.items.number)
        compared = {
            "full": shape.items.number,
            "in_batch": positives,
            "sampled": positives + task.num_negatives,
            "drawn": task.num_negatives,
        }
        return _SCORES * queries * min(compared[negatives], shape.items.number)
