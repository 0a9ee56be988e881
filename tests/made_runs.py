"""Finished runs that no training made: folders with a config and untrained weights."""

import pathlib
from typing import Any

from multitask_recommender import assembly, config, record, run_folder
from multitask_recommender.experiment import Experiment
from multitask_recommender.training import loop

DATA = {
    "dataset": {"name": "synthetic", "users": 30, "items": 25, "rows": 450},
    "split": {"validation": 0.2},
    "training": {"refit": False, "seed": 3},
    "evaluation": {"protocols": ["full"], "cutoffs": [5, 10]},
    "export": {"retrieve": 12, "golden_requests": 4},
}
TWO_TOWER = {
    "name": "two_tower",
    "embedding_dimension": 6,
    "user": ["id", "history", "age"],
    "item": ["id", "history", "genres"],
    "ranking": {"dimension": 4},
}
LIGHTGCN = {"name": "lightgcn", "embedding_dimension": 5, "hops": 2, "item_bias": True}
GRU4REC = {"name": "gru4rec", "embedding_dimension": 6, "session_length": 6}


def made_run(
    folder: pathlib.Path, model: dict[str, Any], has_weights: bool = True, **sections: Any
) -> pathlib.Path:
    """A run of untrained weights, which answer as well as any. sections: over those of DATA."""
    chosen = config.parse({**DATA, "model": model, **sections})
    experiment = Experiment(chosen)
    folder.mkdir(parents=True)
    if has_weights:
        untrained = assembly.build(chosen, experiment.learnt_rows)
        loop.save_weights(untrained, folder / run_folder.CHECKPOINTS)
    text = record.config_text(chosen, experiment.data.train.source)
    (folder / run_folder.CONFIG).write_text(text)
    run_folder.write_json(folder / run_folder.METRICS, {"metrics": {}})
    return folder
