"""Settings of weighting/pcgrad.py: none, the weights being those of the tasks."""

from typing import Any

from multitask_recommender.settings import Settings as Base


class Settings(Base):
    def conflicts(self, config: Any) -> list[str]:
        weights = {name: task.settings.weight for name, task in config.tasks.items()}
        if sum(weight > 0 for weight in weights.values()) > 1:
            return []
        return [
            "weighting.name is pcgrad, which needs two tasks of a weight above 0 that may "
            f"conflict: there is {', '.join(weights)}."
        ]
