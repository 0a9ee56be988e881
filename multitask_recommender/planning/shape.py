"""How large a config's data are: counts and columns, read from the data or given without any."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.schema import TIMESTAMP
from multitask_recommender.splits import Splits

_NO_FEATURES = ("id", "history", "recent")  # inputs of a model that are none
_LABEL_KEYS = (
    "positive",
    "history_positive",
    "recent_positive",
    "graph_positive",
    "only_with",
    "observed_where",
)
_LABEL_BYTES, _TIME_BYTES = 4, 8  # of a dataset that does not say what it holds
_DIGITS = 9  # of a raw id, where only their number is given: users and items by the million


@dataclasses.dataclass(frozen=True)
class Column:
    """A feature, without its values."""

    words: int | None = None  # of its vocabulary; None for a number
    width: int | None = None  # values of a row, M; None where a row has one and no list
    lacks_some: bool = False  # of a number: whether some are missing
    of_items: bool = False  # codes are item ids

    @classmethod
    def of(cls, feature: Feature) -> "Column":
        values = feature.values
        if not feature.is_categorical:
            return cls(lacks_some=bool(np.isnan(values[1:]).any()))
        width = values.shape[1] if values.ndim == 2 else None
        return cls(len(feature.vocabulary), width, of_items=feature.of_items)

    @property
    def row_bytes(self) -> int:
        return 4 * (self.width or 1)


Columns = Mapping[str, Column]  # by name


@dataclasses.dataclass(frozen=True)
class Side:
    """Users or items: how many, what their raw ids are, and their features."""

    number: int
    id_bytes: float  # of a raw id as text, the mean
    are_words: bool = False  # raw ids are no numbers
    columns: Columns = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, entities: Entities) -> "Side":
        vocabulary = entities.vocabulary
        sample = vocabulary[:: max(1, len(vocabulary) // 10_000)]
        texts = [len(str(word).encode()) for word in sample.tolist()]
        return cls(
            entities.num_known,
            float(np.mean(texts)) if texts else 0.0,
            vocabulary.dtype.kind not in "iu",
            {name: Column.of(feature) for name, feature in entities.features.items()},
        )


@dataclasses.dataclass(frozen=True)
class DataShape:
    """Counts of what is learnt from, and the columns of its rows.

    `read_bytes` is what reading has left in memory, where the data were read: else it is None, and
    the columns of all rows are counted.
    """

    source: str
    users: Side
    items: Side
    rows: int  # that the final model learns from
    held_out: int  # of test, and of validation where it is not learnt from
    test_users: int
    labels: Mapping[str, int]  # bytes of a value
    masked: frozenset[str] = frozenset()  # labels that are not observed everywhere
    time_bytes: int = _TIME_BYTES  # 0 where there are no times
    context: Columns = dataclasses.field(default_factory=dict)
    positives: int | None = None  # rows that are retrieved; all, where None
    read_bytes: int | None = None

    @property
    def row_bytes(self) -> int:
        """Of an event in memory: two ids, its labels with their masks, its time, its context."""
        labels = sum(self.labels.values()) + len(self.masked)
        context = sum(column.row_bytes for column in self.context.values())
        return 8 + labels + self.time_bytes + context

    @property
    def seen(self) -> int:
        """Pairs of users with what they have met, at the most: repetitions count."""
        return self.rows if self.positives is None else self.positives


def of(data: Splits, config: Config, learnt: Interactions, read_bytes: int) -> DataShape:
    """The shape of data that were read."""
    train, held_out = data.train, len(data.test)
    if len(learnt) == len(train):
        held_out += len(data.validation)
    labels = [getattr(task.settings, "positive", None) for task in config.tasks.values()]
    positives = learnt.positives(next(filter(None, labels), None))
    return DataShape(
        source=train.source.name,
        users=Side.of(train.users),
        items=Side.of(train.items),
        rows=len(learnt),
        held_out=held_out,
        test_users=len(np.unique(data.test.user_ids)),
        labels={name: values.itemsize for name, values in train.labels.items()},
        masked=frozenset(train.observed),
        time_bytes=0 if train.timestamps is None else train.timestamps.itemsize,
        context={name: Column.of(feature) for name, feature in train.context.items()},
        positives=None if positives is None else int(positives.sum()),
        read_bytes=read_bytes,
    )


def given(config: Config, numbers: tuple[int, int, int], features: Sequence[str]) -> DataShape:
    """Of so many users, items and rows, that nobody has read.

    features: `name=words` of each that the model reads, `name=0` for a number. Raises ConfigError
    where one is missing. Rows have what their dataset is known to hold, else what the config names;
    of context, what the model reads, if it says so.
    """
    users, items, rows = numbers
    held = config.dataset.settings.columns_held()
    of_rows = {name: Column() for name in held.get("context", ())}
    known = of_rows | dict(map(_column, features))
    read = config.model.settings.inputs_read()
    columns = {
        side: _columns(read.get(side, ()), known, side) for side in ("user", "item", "context")
    }
    split = config.split
    test = round(rows * split.test)
    validation = round((rows - test) * split.validation)
    learnt = rows - test - (0 if config.training.refit else validation)
    return DataShape(
        source="a shape that was given",
        users=Side(users, min(_DIGITS, len(str(users))), columns=columns["user"]),
        items=Side(items, min(_DIGITS, len(str(items))), columns=columns["item"]),
        rows=learnt,
        held_out=rows - learnt,
        test_users=min(users, test),
        labels=held.get("labels", dict.fromkeys(_labels(config), _LABEL_BYTES)),
        time_bytes=sum(held.get("timestamps", {TIMESTAMP: _TIME_BYTES}).values()),
        context=columns["context"] if "context" in read else of_rows,
    )


def _column(text: str) -> tuple[str, Column]:
    name, equals, words = text.partition("=")
    if not equals or not words.isdigit():
        raise ConfigError(
            f"--feature is {text!r}, expected its name and how many words it has, such as "
            "category=300, or 0 where it is a number: price=0."
        )
    return name, Column(int(words) or None)


def _columns(names: object, known: Columns, side: str) -> dict[str, Column]:
    read = [name for name in names if name not in _NO_FEATURES]
    missing = [name for name in sorted(read) if name not in known]
    if missing:
        raise ConfigError(
            f"model.{side} reads {', '.join(missing)}, of which no data were read: say how many "
            f"words each has, such as --feature {missing[0]}=300, or 0 for a number."
        )
    return {name: known[name] for name in read}


def _labels(config: Config) -> list[str]:
    """Those that tasks and models name."""
    chosen = [config.model.settings, *(task.settings for task in config.tasks.values())]
    named = [getattr(settings, key, None) for settings in chosen for key in _LABEL_KEYS]
    predicted = [name for name, task in config.tasks.items() if task.settings.predicts_label]
    return list(dict.fromkeys([*predicted, *filter(None, named)]))
