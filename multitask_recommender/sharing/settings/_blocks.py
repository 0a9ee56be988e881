"""What the settings of several sharings have in common."""

from typing import Annotated

from pydantic import Field

Units = Annotated[int, Field(gt=0, le=65_536)]

NO_LAYERS = "none: heads are linear in the pair."
TOWER_LAYERS = "Units of each task's own layers, between what is shared and its head."
