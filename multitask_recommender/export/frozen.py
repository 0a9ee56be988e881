"""A model as a cascade reads it: functions of dense ids, and what is to be known of it beside them.

The functions are traced once and saved with the export, apart from what surrounds them, with the
tables of items that they read, whose number of rows is open (layers/item_table.py). Loaded again
they answer for other items than before, by the very same operations: without the model's code, the
data that it has learnt from, or anything of it that an export does not hold.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
import tensorflow as tf

from multitask_recommender import run_folder
from multitask_recommender.errors import RunError
from multitask_recommender.export.folder import EXTRA
from multitask_recommender.layers.item_table import ItemTable
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models._queries import tells_of_users
from multitask_recommender.schema import (
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_ROW,
    ITEM_ID,
    TOLD_FEATURE,
    TOLD_HISTORY,
    USER_ID,
)
from multitask_recommender.settings import Settings

FILE = "parts.json"  # in assets.extra: Facts
_IDS, _LISTS, _NUMBERS = (
    tf.TensorSpec(shape, kind)
    for shape, kind in (([None], tf.int32), ([None, None], tf.int32), ([None], tf.float32))
)


class InputFacts(Settings):
    """A feature that requests tell, and whether its values are words, and several in a row."""

    name: str
    has_words: bool
    has_several: bool


class ItemFeatureFacts(Settings):
    """A feature of items that the model reads: its words by code, from 1; None for numbers."""

    vocabulary: list[str] | None
    has_several: bool = False


class Facts(Settings):
    """What an export must know of its model to answer for other items.

    num_items: that are answered; ids above are of items that were removed.
    retrieval: the name of that task, None for a model that only ranks.
    labels: of the tasks that predict one.
    recent_length: of the histories that the model reads; None if it reads none.
    unmet: the popularity of an item that nobody has met.
    user_features, context: by the names of their inputs, in the order of their files of words.
    index: the name of what finds items, None without retrieval.
    """

    num_items: int
    retrieval: str | None
    labels: list[str]
    bias_coordinates: int
    recent_length: int | None
    reads_told_history: bool
    orders_by_history: bool
    unmet: float
    user_features: dict[str, InputFacts]
    context: dict[str, InputFacts]
    item_features: dict[str, ItemFeatureFacts]
    index: str | None

    @property
    def tasks(self) -> list[str]:
        return [*self.labels, *([self.retrieval] if self.retrieval else [])]


@dataclasses.dataclass(frozen=True)
class Frozen:
    """functions: a Functions, or what a loaded SavedModel holds of one.

    Held where TensorFlow does not look: an export has what its graph reads, no more.
    """

    facts: Facts
    functions: Any

    def embed_queries(self, features: Features) -> tf.Tensor:
        """As the model's; so are the others."""
        return self.functions.embed_queries(features)

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        return self.functions.embed_items(ids)

    def is_told_of(self, features: Features) -> tf.Tensor:
        return self.functions.is_told_of(features)

    def predictions(self, features: Features) -> Features:
        return self._in_order(self.functions.predictions(features))

    def gains(self, predictions: Features) -> Features:
        """Of each label's predictions [B, N], on a scale of 0..1."""
        return self._in_order(self.functions.gains(predictions))

    def _in_order(self, by_label: Features) -> Features:
        """A loaded function has lost the order of the labels, by which gains are summed."""
        return {label: by_label[label] for label in self.facts.labels}


class Functions(tf.Module):
    """The functions of a frozen model, and its tables of items, by how a new item's row begins."""

    def __init__(self, model: MultiTaskModel, facts: Facts) -> None:
        super().__init__()
        queries = _query_spec(facts)
        self.is_told_of = _traced(model.is_told_of, queries)
        functions = [self.is_told_of]
        if facts.retrieval is not None:
            self.embed_queries = _traced(model.embed_queries, queries)
            self.embed_items = _traced(model.embed_items, _IDS)
            functions += [self.embed_queries, self.embed_items]
        if facts.labels:
            several = tf.TensorSpec([None, None], tf.float32)
            self.predictions = _traced(model.predictions, _pair_spec(facts, queries))
            self.gains = _traced(_gains(model), dict.fromkeys(facts.labels, several))
            functions += [self.predictions, self.gains]
        graphs = [function.get_concrete_function() for function in functions]
        self.read = list({id(v): v for graph in graphs for v in graph.variables}.values())
        self.tables = _by_start(model.item_tables, self.read)


def write(folder: pathlib.Path, facts: Facts) -> None:
    run_folder.write_json(folder / EXTRA / FILE, facts.model_dump(mode="json"))


def read(folder: pathlib.Path) -> Facts:
    """Of an export. Raises RunError where it has none that can be read."""
    path = folder / EXTRA / FILE
    try:
        return Facts.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError, pydantic.ValidationError) as error:
        raise RunError(
            f"{path} cannot be read: the export was written by another version of this library. "
            f"Export the run again. ({error})"
        ) from error


def _by_start(
    tables: Sequence[ItemTable], read: Sequence[tf.Variable]
) -> dict[str, list[tf.Variable]]:
    are_read = {id(variable) for variable in read}
    by_start: dict[str, list[tf.Variable]] = {}
    for table in tables:
        if id(table.rows) in are_read:
            by_start.setdefault(table.start, []).append(table.rows)
    return by_start


def _gains(model: MultiTaskModel) -> Any:
    def gains(predictions: Features) -> Features:
        return {name: task.gain(predictions[name]) for name, task in model.ranking.items()}

    return gains


def _traced(function: Any, spec: Any) -> Any:
    return tf.function(function, input_signature=[spec], autograph=False)


def _query_spec(facts: Facts) -> dict[str, tf.TensorSpec]:
    """Of the features of a Query (export/query.py)."""
    spec = {USER_ID: _IDS}
    if facts.recent_length is not None:
        spec[HISTORY] = _LISTS
    if facts.reads_told_history:
        spec[TOLD_HISTORY] = _LISTS
    told = {each.name: _spec_of(each) for each in facts.user_features.values()}
    return spec | {f"{TOLD_FEATURE}{name}": each for name, each in told.items()}


def _pair_spec(facts: Facts, queries: Mapping[str, tf.TensorSpec]) -> dict[str, tf.TensorSpec]:
    """Of what `Query.pairs` gives."""
    told = {name: spec for name, spec in queries.items() if tells_of_users(name)}
    spec = {USER_ID: _IDS, ITEM_ID: _IDS}
    spec |= {each.name: _spec_of(each) for each in facts.context.values()}
    if told:
        spec |= told | {HISTORY_ROW: _IDS}
    if HISTORY in told:
        spec[HISTORY_LENGTH] = _IDS
    return spec


def _spec_of(feature: InputFacts) -> tf.TensorSpec:
    if not feature.has_words:
        return _NUMBERS
    return _LISTS if feature.has_several else _IDS
