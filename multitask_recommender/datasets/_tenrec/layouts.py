"""Which columns a file of Tenrec has, and what becomes of each; see `tenrec`."""

import dataclasses
import pathlib

from multitask_recommender.datasets import _files
from multitask_recommender.datasets._tenrec.files import (
    FILES,
    HISTORY_COLUMNS,
    ITEM_COLUMNS,
    LABELS,
    POST_EXPOSURE_COLUMNS,
    SCORE_COLUMNS,
    USER_COLUMNS,
)
from multitask_recommender.errors import DataError
from multitask_recommender.schema import ITEM_ID, USER_ID

FIRST_CLICKS = "first_clicks"  # what the feature of hist_1..10 is called
_LONGEST_HEADER = 1 << 16  # bytes


@dataclasses.dataclass(frozen=True)
class Layout:
    """The columns of a file in its own order; each is known by its name, wherever it stands."""

    scenario: str
    header: tuple[str, ...]
    num_bytes: int  # of the header, its line break included

    def _having(self, *columns: str) -> tuple[str, ...]:
        """Those of the columns that belong to the scenario and are there."""
        _, expected = FILES[self.scenario]
        return tuple(name for name in columns if name in expected and name in self.header)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._having(*LABELS)

    @property
    def of_users(self) -> tuple[str, ...]:
        return self._having(*USER_COLUMNS)

    @property
    def of_items(self) -> tuple[str, ...]:
        return self._having(*ITEM_COLUMNS, *SCORE_COLUMNS)

    @property
    def of_rows(self) -> tuple[str, ...]:
        return self._having(*POST_EXPOSURE_COLUMNS)

    @property
    def history(self) -> tuple[str, ...]:
        return self._having(*HISTORY_COLUMNS)

    @property
    def ids(self) -> tuple[str, ...]:
        return (USER_ID, ITEM_ID)

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.of_users + self.of_items + self.of_rows

    @property
    def categories(self) -> tuple[str, ...]:
        """The numbers that must be whole."""
        return self._having(*USER_COLUMNS, *ITEM_COLUMNS)

    @property
    def warnings(self) -> list[str]:
        _, expected = FILES[self.scenario]
        extra = [name for name in self.header if name not in expected]
        missing = [name for name in expected if name not in self.header]
        found = []
        if extra:
            found.append(f"Ignored columns that {self.scenario} does not have: {', '.join(extra)}.")
        if missing:
            found.append(f"The file lacks columns of {self.scenario}: {', '.join(missing)}.")
        return found


def read(path: pathlib.Path, scenario: str) -> Layout:
    """From the header. Raises DataError where it lacks what is needed."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if not line:
        raise DataError(f"{path} is empty: download it again.")
    text = line.decode("utf-8-sig", errors="backslashreplace").strip()
    layout = Layout(scenario, tuple(name.strip() for name in text.split(",")), len(line))
    _check_names(path, layout, _files.shortened(text))
    return layout


def _check_names(path: pathlib.Path, layout: Layout, found: str) -> None:
    _, expected = FILES[layout.scenario]
    names = layout.header
    for name in layout.ids:
        if name not in names:
            raise DataError(
                f"{path} line 1: no column {name}. Expected a header such as "
                f"{','.join(expected)}; found {found}."
            )
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path} line 1: two columns are called {name}: rename one of them.")
    if not layout.labels:
        labels = ", ".join(name for name in expected if name in LABELS)
        raise DataError(
            f"{path} line 1: no label, expected one or more of {labels} (scenario "
            f"{layout.scenario}); found {found}."
        )
