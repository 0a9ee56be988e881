"""A version of an export as what the next one can be made of."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from multitask_recommender.export import card, frozen, known
from multitask_recommender.export.cascade import Parts
from multitask_recommender.export.changes import Changes
from multitask_recommender.export.folder import EXTRA
from multitask_recommender.export.frozen import Facts, Frozen, InputFacts
from multitask_recommender.export.known import Known
from multitask_recommender.export.query import FeatureInput
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.saved import Saved
from multitask_recommender.export.vocabulary import Vocabulary, read_words
from multitask_recommender.index import brute_force
from multitask_recommender.index.settings.brute_force import Settings as Everything
from multitask_recommender.layers.item_table import MEAN

ASSETS = "assets"


@dataclasses.dataclass(frozen=True)
class Previous:
    """Of a version: what it knows, its raw ids, and itself as it answers.

    Its tables become those of the next version (`grow`): from then on it answers no more.
    """

    folder: pathlib.Path
    facts: Facts
    saved: Saved
    users: RawIds
    items: RawIds
    known: Known

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Previous":
        """Raises RunError for an export of another form."""
        facts, saved = frozen.read(folder), Saved(folder)
        users, items = (
            RawIds(read_words(folder / ASSETS / f"{name}.txt", saved.is_number(key)))
            for name, key in (("users", "user_id"), ("items", "history"))
        )
        return cls(folder, facts, saved, users, items, known.read(saved.module.cascade.known))

    @property
    def card(self) -> dict[str, Any]:
        return json.loads((self.folder / EXTRA / f"{card.FILE}.json").read_text())

    @property
    def are_numbers(self) -> bool:
        """Whether raw ids of items are int64; else they are text."""
        return self.saved.is_number("history")

    def vectors(self, kind: Any) -> np.ndarray:
        """Of those that are answered [I, D], as its index holds them.

        kind: the class `Index` of its file.
        """
        return kind.vectors_of(self.saved.module.cascade.index, self.facts.num_items)

    def grow(self, changes: Changes) -> None:
        """Gives the model's tables the rows that they are to have."""
        met = np.append(False, self.known.popularity > self.facts.unmet + 1e-6)
        for start, tables in self.saved.module.model.tables.items():
            for table in tables:
                table.assign(changes.table(table.numpy(), start, met, self.facts.unmet))

    def begins_with_mean(self) -> bool:
        """Whether there is a table in which a new item begins as the mean of others."""
        return bool(self.saved.module.model.tables.get(MEAN))

    def parts(self, changes: Changes, aside: pathlib.Path) -> Parts:
        """What the next version is made of, but for the indexes of its vectors.

        aside: a folder for files that it is to hold.
        """
        facts = self.facts.model_copy(update={"num_items": changes.num_items})
        popularity = changes.numbers(self.known.popularity, self.facts.unmet)
        recent = self.known.recent
        return Parts(
            model=Frozen(facts, self.saved.module.model),
            index=None,
            alike=None,
            popular=brute_force.Index(Everything(), popularity[: changes.num_items, None]),
            users=Vocabulary(self.users.all, aside / "users.txt"),
            items=Vocabulary(changes.raw_ids(self.items), aside / "items.txt"),
            known=Known(
                popularity,
                self.known.met_users,
                changes.lists(self.known.seen),
                None if recent is None else changes.lists(recent),
            ),
            user_features=self._inputs("user", self.facts.user_features, aside),
            context=self._inputs("context", self.facts.context, aside),
        )

    def _inputs(
        self, kind: str, features: Mapping[str, InputFacts], aside: pathlib.Path
    ) -> dict[str, FeatureInput]:
        cascade = self.saved.module.cascade
        readers = cascade.context if kind == "context" else cascade.user_features
        inputs = {}
        for place, (key, feature) in enumerate(features.items()):
            words = codes = None
            if feature.has_words:
                name = f"{kind}_{place}.txt"
                words = Vocabulary(read_words(self.folder / ASSETS / name, False), aside / name)
                codes = readers[key].codes.numpy()
            inputs[key] = FeatureInput(feature.name, words, codes, feature.has_several)
        return inputs

    def ranked(self, saved: Saved, users: np.ndarray, items: np.ndarray) -> dict[str, np.ndarray]:
        """What a version predicts for users [U] and each of the items [n], raw ids; [U, n] each."""
        weights = {f"weight_{task}": [1.0] for task in self.facts.tasks}
        asked = {"user_id": users, "item_ids": np.tile(items, (len(users), 1)), **weights}
        found = saved("rank", asked)
        return {name: values for name, values in found.items() if values.dtype == np.float32}
