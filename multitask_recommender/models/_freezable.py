"""How a model stops learning: what scoring reads of the training data becomes variables."""

from collections.abc import Sequence

from multitask_recommender.errors import RunError
from multitask_recommender.layers.item_table import ItemTable


class Freezable:
    """A part of the base of all models, which are `tf.Module`s."""

    is_frozen = False

    def freeze(self) -> None:
        """Keeps what scoring reads of the training data in variables: it cannot learn any more.

        Tables with a row for each item are `item_tables` from here on.
        """
        if self.is_frozen:
            return
        self.is_frozen = True
        for layer in self.submodules:
            if layer is not self and hasattr(layer, "freeze"):
                layer.freeze()
        self.freeze_own()

    def halve(self) -> None:
        """Keeps the tables of ids in float16: half the memory, three digits. It cannot learn on."""
        for layer in self.submodules:
            if layer is not self and hasattr(layer, "halve"):
                layer.halve()
        self._trace()  # what was traced reads the tables as they were

    def freeze_own(self) -> None:
        """Called by `freeze` after the layers': for what a subclass holds beside them."""

    @property
    def item_tables(self) -> Sequence[ItemTable]:
        return [each for each in self.submodules if isinstance(each, ItemTable)]

    def check_learns(self) -> None:
        """Raises RunError where the model is frozen."""
        if self.is_frozen:
            raise RunError(
                "The model is frozen, as an export reads it, and cannot learn any more: build it "
                "anew, and load its weights."
            )
