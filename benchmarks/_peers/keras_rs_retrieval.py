"""Retrieval as the guide of keras-rs has it: `python keras_rs_retrieval.py FOLDER EPOCHS`.

Two embeddings of 64, a softmax over the batch's items, summed, Adagrad at 0.1, batches of 4,096,
`fit`, TensorFlow as its backend. `keras_rs.layers.BruteForceRetrieval` finds items as in the guide;
it is made, and not asked, for ranks are measured elsewhere.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import keras_rs
import tensorflow as tf
from curve import fit, read


class Model(keras.Model):
    def __init__(self, num_users: int, num_items: int) -> None:
        super().__init__()
        self.users = keras.layers.Embedding(num_users + 1, 64)
        self.items = keras.layers.Embedding(num_items + 1, 64)
        self.retrieval = keras_rs.layers.BruteForceRetrieval(k=10, return_scores=False)
        self.loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum")

    def build(self, shape: tuple[int, ...]) -> None:
        self.users.build(shape)
        self.items.build(shape)
        self.retrieval.candidate_embeddings = self.items.embeddings
        self.retrieval.build(shape)
        super().build(shape)

    def call(self, users: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        found = {"embeddings": self.users(users)}
        if not training:
            found["predictions"] = self.retrieval(found["embeddings"])
        return found

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True) -> tf.Tensor:
        queries, candidates = y_pred["embeddings"], self.items(y)
        labels = keras.ops.eye(keras.ops.shape(queries)[0])
        scores = keras.ops.matmul(queries, keras.ops.transpose(candidates))
        return self.loss_fn(labels, scores)


def main() -> None:
    folder, epochs = sys.argv[1], int(sys.argv[2])
    train = read(folder)
    keras.utils.set_random_seed(42)
    model = Model(int(train["num_users"]), int(train["num_items"]))
    model.compile(optimizer=keras.optimizers.Adagrad(learning_rate=0.1))
    pairs = (train["users"], train["items"])
    rows = tf.data.Dataset.from_tensor_slices(pairs).shuffle(len(pairs[0])).batch(4096)
    fit(model, rows, folder, epochs)


if __name__ == "__main__":
    main()
