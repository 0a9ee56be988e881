"""Settings of sharing/esmm.py."""

from typing import Any, Literal

from pydantic import Field

from multitask_recommender.sharing.settings._blocks import NO_LAYERS, BlockSettings, Units


class Settings(BlockSettings):
    hidden_layers: list[Units] = Field([64], description=f"Units of the layers; {NO_LAYERS}")
    bottom: Literal["separate", "shared"] = Field(
        "separate", description="Whether the tasks have layers of their own, or one stack for all."
    )
    dropout: float = Field(0.0, ge=0, lt=1)

    def conflicts(self, config: Any) -> list[str]:
        labels = {
            name: task.settings
            for name, task in config.tasks.items()
            if hasattr(task.settings, "only_with")
        }
        chained = {name: each for name, each in labels.items() if each.only_with is not None}
        if not chained:
            return [
                "sharing.name is esmm, but no task says which label it comes only with: set one "
                "such as tasks.like.only_with=click."
            ]
        faults = [
            f"tasks.{name}.only_with is '{each.only_with}', which is no task of a binary label: "
            f"esmm multiplies the chances of both. Such tasks here: {', '.join(labels)}."
            for name, each in chained.items()
            if each.only_with not in labels
        ]
        return faults + [
            f"tasks.{name}.observed_where is '{each.observed_where}', but esmm learns "
            f"'{name}' from all rows, as a product: leave it out."
            for name, each in chained.items()
            if each.observed_where is not None
        ]
