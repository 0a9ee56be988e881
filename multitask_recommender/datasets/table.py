"""Your own log: CSV or Parquet, a file or a folder of them, a row an event.

    dataset:
      name: table
      path: log.csv                  # or .parquet, or a folder: its files by name
      columns:
        user: user_id                # strings or integers
        item: item_id
        timestamp: time              # seconds, or dates and times (UTC where they do not say)
        labels: {click: clicked, like: liked, rating: stars}
        user_features: [country]
        item_features: [price, tags]
        context: [device]            # of the event itself, known when it begins
        post_exposure: [seconds]     # of the event, known only afterwards
      users: users.csv               # if there is one: a row a user, in a column of the same name
      items: items.parquet           # the catalogue: what may be recommended

Labels are 0, 1, true or false; `rating` is any number. A label without a value, or NaN, is not
observed. A feature is looked for in the catalogue, else in the log, where the last value of each
user or item counts, among the rows of train and validation: `splits` adds these features. Numbers
with a fraction are numeric; lists, and texts with `|`, are multi-valued; all else is categorical.
So it is with features of events, which are the row's own: the rows of train and validation say of
what kind they are, and which values are known. The traps refuse `post_exposure` as inputs.
A folder of train, test and, perhaps, validation files gives the split `given`. The same pair may be
in several rows.
"""

from typing import Literal

import pydantic

from multitask_recommender.datasets import _files
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings as StrictSettings


class Columns(StrictSettings):
    """The names of the columns in the files."""

    user: str
    item: str
    timestamp: str | None = None
    labels: dict[str, str] = {}
    user_features: list[str] = []
    item_features: list[str] = []
    context: list[str] = []
    post_exposure: list[str] = []

    @property
    def of_events(self) -> list[str]:
        """The columns of features of the event, whenever they are known."""
        return [*self.context, *self.post_exposure]

    @pydantic.model_validator(mode="after")
    def _context_is_known_in_time(self) -> "Columns":
        for name in self.context:
            if name in self.post_exposure:
                raise ValueError(
                    f"'{name}' is in context and in post_exposure: is it known when the event "
                    "begins? Name it in one of them."
                )
        return self


class Settings(StrictSettings):
    name: Literal["table"] = "table"
    path: str
    columns: Columns
    users: str | None = None
    items: str | None = None
    max_rows: int | None = pydantic.Field(None, ge=1)


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The rows in the order of the files. DataError names file, line and value at fault."""
    _files.refuse_fold(fold, "table")
    from multitask_recommender.datasets import _table  # polars takes half a second

    return _table.read(settings)
