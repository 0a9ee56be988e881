"""Fixed weights: the total is the sum of weight x loss, as the config says."""

from collections.abc import Sequence

from multitask_recommender.weighting._weighting import Task, TaskWeighting
from multitask_recommender.weighting.settings.fixed import Settings


class Weighting(TaskWeighting):
    """Combines the tasks' mean losses."""

    def __init__(self, settings: Settings, tasks: Sequence[Task]) -> None:
        del settings  # the weights are the tasks' own
        super().__init__(tasks)
