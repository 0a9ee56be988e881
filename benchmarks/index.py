"""The indexes against brute force: `python benchmarks/index.py [--spread 1] [--picture FILE]`.

Items are a mixture of Gaussians: centres standard normal in 64 dimensions, items around them with a
deviation of `--spread` in each. Queries are drawn as items are. Each index is tuned on 512 of them
until it finds 99 of 100 of the exact best 100; its recall is then measured on 512 others, and its
speed beside plain `matmul` and `top_k`, in turns: a ratio is the median over rounds. `--picture`
draws recall and speed of all that tuning tried, next to the exact search that it measures by.
"""

import argparse
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from _timing import alternate, console, show

from multitask_recommender import registry
from multitask_recommender.index.tuning.recall import HeldOut
from multitask_recommender.index.tuning.tune import Tuned, tune

CUTOFF, BATCH, SINGLES = 100, 256, 16
QUERIES = 512  # to tune with, and as many again to measure with
PLAIN = "matmul, top_k"


def mixture(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items [I, D], and two sets of queries [Q, D]."""
    generator = np.random.default_rng(arguments.seed)
    shape = arguments.clusters, arguments.dimension
    centres = generator.standard_normal(shape, dtype=np.float32)

    def draw(number: int) -> np.ndarray:
        vectors = generator.standard_normal((number, shape[1]), dtype=np.float32)
        vectors *= arguments.spread
        vectors += centres[generator.integers(len(centres), size=number)]
        return vectors

    return draw(arguments.items), draw(QUERIES), draw(QUERIES)


def tuned_indexes(
    arguments: argparse.Namespace, items: np.ndarray, queries: np.ndarray
) -> dict[str, Tuned]:
    found = {}
    for name in registry.names("index"):
        settings = registry.settings_class("index", name)
        words = [each.partition("=") for each in arguments.given]
        given = {
            key.removeprefix(f"{name}."): int(value)
            for key, _, value in words
            if key.startswith(f"{name}.")
        }
        kind = registry.load("index", name).Index
        found[name] = tune(kind, settings(**given), items, queries, arguments.target, CUTOFF)
        console.print(f"{name}: {found[name].chosen}")
    return found


def searches(items: np.ndarray, indexes: Mapping[str, Tuned]) -> dict[str, Callable[[Any], Any]]:
    """By name, what takes queries [B, D] to scores and ids; the first is the plain way."""
    table, number = tf.constant(items), tf.constant(CUTOFF)

    def traced(index: Any) -> Callable[[Any], Any]:
        return tf.function(
            lambda queries: index(queries, number, tf.zeros([tf.shape(queries)[0], 0], tf.int32)),
            input_signature=[tf.TensorSpec([None, items.shape[1]])],
        )

    def plain(queries: tf.Tensor, number: tf.Tensor, _: tf.Tensor) -> Any:
        return tf.math.top_k(tf.matmul(queries, table, transpose_b=True), number)

    return {PLAIN: traced(plain)} | {name: traced(each.index) for name, each in indexes.items()}


def contenders(
    named: Mapping[str, Callable[[Any], Any]], queries: np.ndarray, batch: int, batches: int
) -> dict[str, Callable[[], Any]]:
    parts = [tf.constant(queries[n * batch : (n + 1) * batch]) for n in range(batches)]
    return {
        name: lambda search=search: [search(part)[1].numpy() for part in parts]
        for name, search in named.items()
    }


def draw(indexes: Mapping[str, Tuned], title: str, path: pathlib.Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for place, (name, tuned) in enumerate(indexes.items()):
        points = [(point.recall, point.speed) for point in tuned.curve]
        axes.plot(*zip(*points, strict=True), ".", color=f"C{place}", label=name)
        chosen = tuned.chosen
        axes.plot(chosen.recall, chosen.speed, "o", color=f"C{place}", fillstyle="none")
    axes.set_xscale("function", functions=(_stretched, _squeezed))
    axes.set_xticks([0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999])
    axes.set_xlim(0.5, 0.9995)
    axes.set_yscale("log")
    axes.set_xlabel(f"recall@{CUTOFF}; the one chosen is circled")
    axes.set_ylabel("queries a second, x the exact search in blocks")
    axes.set_title(title, fontsize="small")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def _stretched(recall: np.ndarray) -> np.ndarray:
    return -np.log10(1.0001 - np.minimum(recall, 1.0))


def _squeezed(place: np.ndarray) -> np.ndarray:
    return 1.0001 - 10 ** -np.asarray(place)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--spread", type=float, default=0.5)
    parser.add_argument("--target", type=float, default=0.99)
    parser.add_argument(
        "--given", nargs="*", default=[], help="settings not to search for, such as ivf.leaves=1000"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=pathlib.Path)
    arguments = parser.parse_args()
    items, held_out, others = mixture(arguments)
    indexes = tuned_indexes(arguments, items, held_out)
    check = HeldOut.of(items, others, CUTOFF)
    recalls = {name: check.measure(tuned.index)[0] for name, tuned in indexes.items()}
    named = searches(items, indexes)
    many = alternate(contenders(named, others, BATCH, 1), arguments.rounds)
    single = alternate(contenders(named, others, 1, SINGLES), arguments.rounds)
    many.record("index/batches", PLAIN)
    single.record("index/one at a time", PLAIN)
    rows = []
    for name in named:
        chosen = indexes[name].chosen.settings.model_dump() if name in indexes else {}
        rows.append(
            [
                name,
                ", ".join(f"{key} {value}" for key, value in chosen.items() if key != "seed"),
                f"{recalls.get(name, 1.0):.4f}",
                f"{BATCH / many.median(name):,.0f}",
                f"{many.ratio(PLAIN, name):.1f}",
                f"{1000 * single.median(name) / SINGLES:.2f}",
                f"{single.ratio(PLAIN, name):.1f}",
            ]
        )
    title = (
        f"{len(items):,} x {arguments.dimension}, {arguments.clusters:,} clusters, "
        f"spread {arguments.spread:g}"
    )
    columns = ["", "settings", f"recall@{CUTOFF}", f"queries/s of {BATCH}", "x", "ms of 1", "x"]
    show(title, columns, rows)
    if arguments.picture:
        draw(
            {name: each for name, each in indexes.items() if len(each.curve) > 1},
            title,
            arguments.picture,
        )


if __name__ == "__main__":
    main()
