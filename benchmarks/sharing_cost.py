"""Cost of sharing blocks: `python benchmarks/sharing_cost.py [--rounds 15]`.

Milliseconds of a step, forward and backward, of each block alone, two tasks on a pair of 320
numbers (20 fields of 16) at batch 4096, all with 64 hidden units: a shared bottom, MMoE with 4
experts, PLE with one level of one expert a task and two shared, ESMM with a tower a task. "at
least" is what the products of all their experts would take alone, as one dense layer.
"""

import argparse
import types
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from _timing import alternate, show

from multitask_recommender import registry
from multitask_recommender.layers.heads import PairShape

WIDTH, BATCH_SIZE = 320, 4096
SETTINGS: dict[str, dict[str, Any]] = {
    "shared_bottom": {},
    "separate": {},
    "mmoe": {"experts": 4},
    "ple": {"task_experts": 1, "shared_experts": 2},
    "esmm": {},
}
EXPERTS = {"shared_bottom": 1, "separate": 2, "mmoe": 4, "ple": 4, "esmm": 2}


def step_of(block: Callable[[Any], Any]) -> Callable[[], Any]:
    """What makes a step when called: the gradients of all weights and of the pair."""
    pair = tf.random.stateless_normal([BATCH_SIZE, WIDTH], [1, 2])
    block(pair[:1])

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(pair)
            loss = tf.add_n([tf.reduce_sum(tf.square(output)) for output in block(pair).values()])
        gradients = tape.gradient(loss, [pair, *block.trainable_variables])
        return tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return lambda: step().numpy()


def sharing(name: str) -> Any:
    click = types.SimpleNamespace(initial_output=-1.0, only_with=None)
    like = types.SimpleNamespace(initial_output=-3.0, only_with="click")
    settings = registry.settings_class("sharing", name)(**SETTINGS[name])
    shape = PairShape(vectors=100, fields=20)
    return registry.load("sharing", name).Sharing(settings, shape, {"click": click, "like": like})


def dense(experts: int) -> Any:
    """One layer of as many units as the experts have."""

    class Dense(tf.keras.layers.Dense):
        def call(self, pair: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"all": super().call(pair)}

    return Dense(64 * experts, activation="relu")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    layers = {f"dense x {number}": dense(number) for number in sorted(set(EXPERTS.values()))}
    steps = {name: step_of(block) for name, block in layers.items()}
    steps |= {name: step_of(sharing(name)) for name in SETTINGS}
    times = alternate(steps, arguments.rounds)
    times.record("sharing_cost", "shared_bottom")
    rows = []
    for name in SETTINGS:
        least = f"dense x {EXPERTS[name]}"
        rows.append(
            [
                name,
                f"{1e3 * times.median(name):.1f}",
                f"{1e3 * times.median(least):.1f}",
                f"{times.ratio(name, 'shared_bottom'):.2f}",
                f"{times.ratio(name, least):.2f}",
            ]
        )
    show(
        f"a step of {BATCH_SIZE} rows of {WIDTH} numbers",
        ["sharing", "ms", "at least", "x shared_bottom", "x least"],
        rows,
    )


if __name__ == "__main__":
    main()
