"""Cost of a step by size of the tables: `python benchmarks/step_cost.py [--rounds 7]`.

Milliseconds of a training step without retrieval (like and rating, linear heads; towers of ids,
d 64, batch 4096), for tables of 10k to 4M users and as many items, on random events. A step reads
and updates only the rows of its batch, so that its cost is not to grow with the tables: at most
1.3 times from the smallest to the largest. Optimizers run one after the other, the sizes of each in
turn. With 4M rows, Adagrad needs about 6 GB of memory and lazy Adam 8 GB; fewer with --rows.

Part of the ratio is work: of 4096 random ids more are distinct among more rows ("touched"). Another
part is the memory's pages: `GLIBC_TUNABLES=glibc.malloc.hugetlb=1` before the command gives large
tables large pages, for any training.
"""

import argparse
import gc
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from _timing import alternate, show

from multitask_recommender.interactions import Entities, Interactions

DIMENSION, BATCH_SIZE = 64, 4096
SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
OPTIMIZERS = ("adagrad", "rowwise_adagrad", "lazy_adam")
STEPS = 40  # of a round


def events(num_rows: int, number: int = STEPS * BATCH_SIZE) -> Interactions:
    """So many random events among users and items, num_rows of each, all equally likely."""
    generator = np.random.default_rng(0)
    stars = generator.integers(1, 6, number).astype(np.float32)
    user_ids, item_ids = generator.integers(1, num_rows + 1, (2, number), dtype=np.int32)
    entities = Entities(np.arange(1, num_rows + 1), num_rows)
    labels = {"like": (stars >= 4).astype(np.float32), "rating": stars}
    return Interactions(user_ids, item_ids, entities, entities, labels)


def steps_of(num_rows: int, optimizer: str, folder: pathlib.Path) -> Callable[[], Any]:
    """What makes STEPS more steps when called."""
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.models import two_tower
    from multitask_recommender.sharing import shared_bottom
    from multitask_recommender.tasks import binary, rating
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training
    from multitask_recommender.training.settings import Settings
    from multitask_recommender.weighting import fixed

    train = events(num_rows)
    tasks = [
        binary.Task("like", binary.Settings(), train),
        rating.Task("rating", rating.Settings(), train),
    ]
    ranking = {task.name: task for task in tasks}
    model = two_tower.Model(
        two_tower.Settings(embedding_dimension=DIMENSION),
        train,
        tasks=tasks,
        make_sharing=lambda shape: shared_bottom.Sharing(
            shared_bottom.Settings(hidden_layers=[]), shape, ranking
        ),
        weighting=fixed.Weighting(fixed.Settings(), tasks),
    )
    settings = Settings(batch_size=BATCH_SIZE, optimizer=optimizer, learning_rate=0.01)
    batches = TrainingBatches(model.narrowed(train), BATCH_SIZE, seed=0)
    epochs = Training(model, batches, settings, Checkpoints(folder)).epochs(
        10**6, lambda steps: None
    )
    return lambda: next(epochs)


def _touched(num_rows: int) -> float:
    """The expected number of distinct ids in a batch."""
    return num_rows * (1.0 - (1.0 - 1.0 / num_rows) ** BATCH_SIZE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help=f"of {STEPS} steps each")
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="sizes of the tables")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, nargs="+", default=OPTIMIZERS)
    arguments = parser.parse_args()
    sizes = [f"{num_rows:,}" for num_rows in arguments.rows]
    table = []
    for optimizer in arguments.optimizer:
        with tempfile.TemporaryDirectory() as folder:
            runs = {
                size: steps_of(num_rows, optimizer, pathlib.Path(folder))
                for size, num_rows in zip(sizes, arguments.rows, strict=True)
            }
            times = alternate(runs, arguments.rounds)
        times.record(f"step_cost/{optimizer}", sizes[0])
        for size, num_rows in zip(sizes, arguments.rows, strict=True):
            milliseconds = 1e3 * times.median(size) / STEPS
            ratio = times.ratio(size, sizes[0])
            touched = f"{_touched(num_rows):,.0f}"
            table.append([optimizer, size, touched, f"{milliseconds:.1f}", f"{ratio:.2f}"])
        del runs
        gc.collect()
    show(
        f"a step of {BATCH_SIZE} rows, d {DIMENSION}, no retrieval",
        ["optimizer", "users, items", "touched", "ms", f"x {sizes[0]}"],
        table,
    )


if __name__ == "__main__":
    main()
