"""Settings of weighting/pcgrad.py: none, the weights being those of the tasks."""

from typing import Any

from multitask_recommender.settings import Settings as Base


class Settings(Base):
    def conflicts(self, config: Any) -> list[str]:
        tasks = {name: each.settings for name, each in config.tasks.items() if _counts(each)}
        if len(tasks) < 2:
            return [
                "weighting.name is pcgrad, which needs two tasks of a weight above 0 that may "
                f"conflict: there is {', '.join(tasks)}."
            ]
        ranks_apart = getattr(config.model.settings, "ranks_apart", False)
        if ranks_apart and sum(each.predicts_label for each in tasks.values()) < 2:
            return [
                f"weighting.name is pcgrad, but {' and '.join(tasks)} cannot conflict: in this "
                "model ranking tasks share nothing with retrieval (model.embeddings is separate)."
            ]
        return []


def _counts(task: Any) -> bool:
    return task.settings.weight > 0
