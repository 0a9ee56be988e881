"""What one propagation over a graph costs, against the memory traffic that it needs.

    python benchmarks/propagation.py [--path FOLDER] [--rounds 20] [--dimension 64]

A propagation multiplies the normalised adjacency of users and items by their vectors. The bound
counts what must move, if no vector stays in a cache between two of its readers: for each non-zero
the vector that it reads (4 D bytes), its value and its column (8); for each node the vector that is
written (4 D). Divided by how fast this machine copies memory, in bytes read and written by as many
threads, measured in the same rounds, that is a time. A ratio below 1 means that caches helped.

FOLDER holds train.txt in the form of Gowalla (dataset `adjacency`). Without it, pairs are drawn: as
many users, items and pairs as Gowalla's, users evenly, items by a power law.
"""

import argparse
import os
import pathlib
import threading

import numpy as np
from _timing import alternate, show

from multitask_recommender import graph
from multitask_recommender.interactions import Entities, Interactions

USERS, ITEMS, PAIRS = 29_858, 40_981, 810_128
COPIED = 2**25  # floats a thread


def drawn() -> Interactions:
    generator = np.random.default_rng(0)
    shares = 1.0 / np.arange(50, ITEMS + 50)
    users = generator.integers(1, USERS + 1, 2 * PAIRS, dtype=np.int32)
    items = 1 + generator.choice(ITEMS, 2 * PAIRS, p=shares / shares.sum()).astype(np.int32)
    pairs = np.unique(np.stack([users, items], axis=1), axis=0)
    users, items = generator.choice(pairs, PAIRS, replace=False).T
    entities = (Entities(np.arange(number), number) for number in (USERS, ITEMS))
    return Interactions(users, items, *entities)


def read(path: pathlib.Path) -> Interactions:
    from multitask_recommender.datasets import adjacency
    from multitask_recommender.splits import Settings, split

    whole = adjacency.read(adjacency.Settings(path=str(path)))
    return split(whole, Settings(name="given", validation=0.0)).train


def copy_in_threads(number: int):
    """What copies COPIED floats in each of some threads, when called."""
    pairs = [(np.ones(COPIED, np.float32), np.empty(COPIED, np.float32)) for _ in range(number)]

    def copy() -> None:
        threads = [threading.Thread(target=np.copyto, args=(to, source)) for source, to in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--dimension", type=int, default=64)
    arguments = parser.parse_args()

    import tensorflow as tf

    from multitask_recommender.layers.sparse_product import SymmetricProduct

    train = drawn() if arguments.path is None else read(arguments.path)
    matrix = graph.normalised_adjacency(train)
    nodes = tf.random.stateless_normal([matrix.shape[0], arguments.dimension], [1, 2])
    entries = matrix.tocoo()
    cells = np.stack([entries.row, entries.col], axis=1).astype(np.int64)
    sparse = tf.SparseTensor(cells, entries.data, matrix.shape)
    multiply = tf.function(SymmetricProduct(matrix))
    slow = tf.function(lambda dense: tf.sparse.sparse_dense_matmul(sparse, dense))
    in_numpy, threads = nodes.numpy(), len(os.sched_getaffinity(0))
    contenders = {
        "copy": copy_in_threads(threads),
        "TensorFlow's CSR kernel": lambda: multiply(nodes),
        "scipy, one thread": lambda: matrix @ in_numpy,
        "tf.sparse.sparse_dense_matmul": lambda: slow(nodes),
    }
    times = alternate(contenders, arguments.rounds)
    times.record("propagation", "copy")

    moved = matrix.nnz * (4 * arguments.dimension + 8) + 4 * arguments.dimension * matrix.shape[0]
    share = moved / (2 * 4 * COPIED * threads)  # of what the copy moved
    speed = 2 * 4 * COPIED * threads / times.median("copy") / 1e9
    bound = times.median("copy") * share
    rows = [["moving its bytes", f"{1e3 * bound:.1f}", "1"]]
    for name in list(contenders)[1:]:
        ratio = times.ratio(name, "copy") / share
        rows.append([name, f"{1e3 * times.median(name):.1f}", f"{ratio:.2f}"])
    show(
        f"{matrix.shape[0]:,} nodes, {matrix.nnz:,} non-zeros, D {arguments.dimension}: "
        f"{moved / 1e6:.0f} MB at {speed:.1f} GB/s",
        ["one propagation", "ms", "x the bound"],
        rows,
    )


if __name__ == "__main__":
    main()
