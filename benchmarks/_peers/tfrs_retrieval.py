"""Retrieval as the tutorial of TFRS has it: `python tfrs_retrieval.py FOLDER EPOCHS`.

Two embeddings of 64, `tfrs.tasks.Retrieval` without its metrics, which are slow, Adagrad at 0.1,
batches of 4,096, `fit`. The tutorial's ids are strings that a layer looks up; these are numbers.
"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf
import tensorflow_recommenders as tfrs
from curve import fit, read


class Model(tfrs.Model):
    def __init__(self, num_users: int, num_items: int) -> None:
        super().__init__()
        self.users = tf.keras.layers.Embedding(num_users + 1, 64)
        self.items = tf.keras.layers.Embedding(num_items + 1, 64)
        self.task = tfrs.tasks.Retrieval()

    def compute_loss(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        users, items = self.users(features["users"]), self.items(features["items"])
        return self.task(users, items, compute_metrics=False)


def main() -> None:
    folder, epochs = sys.argv[1], int(sys.argv[2])
    train = read(folder)
    tf.random.set_seed(42)
    model = Model(int(train["num_users"]), int(train["num_items"]))
    model.compile(optimizer=tf.keras.optimizers.Adagrad(0.1))
    pairs = {name: train[name] for name in ("users", "items")}
    rows = tf.data.Dataset.from_tensor_slices(pairs).shuffle(len(pairs["users"])).batch(4096)
    fit(model, rows, folder, epochs)


if __name__ == "__main__":
    main()
