"""Sessions: a line of items in the order in which they were met, and for test what came next.

The form in which the data of SR-GNN (Wu et al., AAAI 2019) is passed on, Diginetica for one:

    dataset: {name: sessions, path: FOLDER}
    split: {name: given, validation: 0.1, validation_by: session}

    train_sessions.txt        4 17 4 256      the items of a session, apart by blanks
    test_prefix_target.tsv    4 17<TAB>256    a query: what was met, and what is to be found

Every line is a user of its own, called by its file and number: `train:1`, `test:1`. Times are
places in the session. A prefix is fold-in rows: it is told as a history, and never learnt from; the
target is the test row. A test line without a TAB is a whole session, whose last item is the target.

Ids are whole numbers, 0 among them, and raw ids stay as they are. Items may come again. Empty lines
are passed over, but they count in the numbers of lines. A session of one item gives nothing to
learn: those with fewer than `min_length` are left out of train, and that is said. A test line of
one item is a target without a history, and that is said, too. An item that test alone has is
outside the vocabulary, as everywhere: not told in a history, and never found. Of a long prefix the
latest items are told, as many as user_sessions.LONGEST.

`min_item_count` takes the items out of the training sessions that are met there fewer times, before
lengths count (5 in Hidasi et al., ICLR 2016, and in SR-GNN); in test such items are unknown.

Without `dataset.path`, the folders `$MTR_DATA/<variant>` and `./data/<variant>` are tried.
"""

import pathlib
import re
from collections.abc import Callable
from typing import Literal

import numpy as np
import pydantic

from multitask_recommender.datasets import _files, _number_files
from multitask_recommender.datasets._number_files import Numbers
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.schema import ALL_PARTS, FOLD_IN, TEST, TRAIN
from multitask_recommender.settings import Settings as StrictSettings

FILES = ("train_sessions.txt", "test_prefix_target.tsv")
_NO_TARGET = re.compile(rb"\t(?! *\d+ *(?:\n|\Z))")  # a TAB before anything but one number


class Settings(StrictSettings):
    name: Literal["sessions"] = "sessions"
    path: str | None = None  # a folder with train_sessions.txt and test_prefix_target.tsv
    variant: Literal["diginetica"] = "diginetica"  # which, without a path
    min_length: int = pydantic.Field(
        2, ge=1, description="Training sessions of fewer items are left out."
    )
    min_item_count: int = pydantic.Field(
        1, ge=1, description="Items met fewer times in the training sessions are taken out of them."
    )
    max_rows: int | None = pydantic.Field(None, ge=1)


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The events of train_sessions.txt, then of the test file, line by line.

    Raises DataError where the files are missing, or faulty, with the line.
    """
    _files.refuse_fold(fold, "sessions")
    folder = _files.find_folder(settings.path, settings.variant, f"put {' and '.join(FILES)} there")
    paths = _files.require_files(folder, FILES)
    train, warnings = _worth_learning(_numbers_of(paths[0], _fault), settings, paths[0])
    test = _numbers_of(paths[1], _fault_of_query, _NO_TARGET)
    if settings.max_rows is not None:
        num_rows = len(train.values) + len(test.values)
        train, test = (
            _first_lines(each, len(each.values) * settings.max_rows // num_rows)
            for each in (train, test)
        )
    raw_items, items = _number_files.numbered(train.values, test.values)
    places = np.concatenate([_places(train.lines), _places(test.lines)])
    parts = _number_files.parts_of(len(train.values), len(test.values))
    is_last = np.append(places[1:] == 0, True)
    parts[(parts == ALL_PARTS.index(TEST)) & ~is_last] = ALL_PARTS.index(FOLD_IN)
    raw_users = np.concatenate([_names(TRAIN, train.lines), _names(TEST, test.lines)])
    return Interactions(
        user_ids=np.cumsum(places == 0, dtype=np.int32),
        item_ids=np.concatenate(items),
        users=Entities(raw_users, 0),
        items=Entities(raw_items, 0),
        timestamps=places,
        ordered_by_user=True,
        parts=parts,
        source=Source(
            f"sessions {folder.resolve().name}",
            _files.checksums(paths),
            (*warnings, *_without_history(test, paths[1])),
        ),
    )


def _numbers_of(
    path: pathlib.Path,
    fault_of: Callable[[str], str | None],
    refused: re.Pattern[bytes] | None = None,
) -> Numbers:
    """The items of a file, and the line of each."""
    text = _number_files.text_of(path)
    numbers = _number_files.parse(text)
    if numbers is None or (refused and refused.search(text)):
        _files.check_lines(path, fault_of)
        raise DataError(f"{path}: not only digits and blanks. Write ids as digits, spaces between.")
    if not len(numbers.values):
        raise DataError(f"{path} is empty: no session in it.")
    return numbers


def _worth_learning(
    sessions: Numbers, settings: Settings, path: pathlib.Path
) -> tuple[Numbers, list[str]]:
    """The training sessions that are long enough, without rare items; and what was left out."""
    _, item, counts = np.unique(sessions.values, return_inverse=True, return_counts=True)
    is_frequent = counts[item] >= settings.min_item_count
    lengths = np.bincount(sessions.lines, is_frequent)  # by line
    is_long = lengths >= settings.min_length
    kept = is_frequent & is_long[sessions.lines]
    lines = np.unique(sessions.lines)
    short = lines[~is_long[lines]]
    told = f"items met {settings.min_item_count} times or more"
    items = told if settings.min_item_count > 1 else "items"
    if not kept.any():
        raise DataError(
            f"{path}: no session has {settings.min_length} {items}, the longest has "
            f"{lengths.max():g}: lower dataset.min_length or dataset.min_item_count."
        )
    warnings = []
    if len(short):
        warnings.append(
            f"{path.name}: {len(short):,} of {len(lines):,} sessions have fewer than "
            f"{settings.min_length} {items}, such as line {short[0] + 1}: they were left out."
        )
    return Numbers(sessions.values[kept], sessions.lines[kept]), warnings


def _without_history(test: Numbers, path: pathlib.Path) -> list[str]:
    lines, lengths = np.unique(test.lines, return_counts=True)
    alone = lines[lengths == 1]
    if not len(alone):
        return []
    return [
        f"{path.name}: {len(alone):,} of {len(lines):,} lines have one item alone, such as line "
        f"{alone[0] + 1}: it is to be found without a history."
    ]


def _places(lines: np.ndarray) -> np.ndarray:
    """The place of each item [n] in its line, from 0."""
    starts = np.flatnonzero(np.diff(lines, prepend=-1))
    return np.arange(len(lines)) - np.repeat(starts, np.diff(starts, append=len(lines)))


def _names(part: str, lines: np.ndarray) -> np.ndarray:
    """The raw id of each line that has items."""
    return np.char.add(f"{part}:", (np.unique(lines) + 1).astype(str))


def _first_lines(sessions: Numbers, num_rows: int) -> Numbers:
    """The first lines that have no more rows together, but one at the least."""
    ends = np.searchsorted(sessions.lines, sessions.lines, side="right")
    kept = (ends <= num_rows) | (sessions.lines == sessions.lines[0])
    return Numbers(sessions.values[kept], sessions.lines[kept])


def _fault(line: str) -> str | None:
    """What is wrong with a line, if anything is."""
    faults = (_number_files.fault_of("item", text) for text in _number_files.fields(line))
    fault = next(filter(None, faults), None)
    return fault and f"{fault}. A line is the items of a session: correct it, or take it out."


def _fault_of_query(line: str) -> str | None:
    """What is wrong with a line of the test file, if anything is."""
    _, *targets = line.split("\t")
    if len(targets) > 1:
        return f"{len(targets)} TABs, expected one at the most: between a prefix and its target."
    if targets and not re.fullmatch(r" *\S+ *", targets[0]):
        return (
            f"{_files.shortened(targets[0])} after the TAB, expected one item: the target of the "
            "prefix before it."
        )
    return _fault(line)
