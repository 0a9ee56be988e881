"""implicit's alternating least squares: `python implicit_als.py FOLDER EPOCHS`.

Conjugate gradients and float32, as by default. 64 factors; regularization and alpha are what
validation chose of 30 pairs between .01, 1 and 100, 20, at 15 iterations.
"""

import sys

import implicit.als
import numpy as np
import scipy.sparse
from curve import Curve, read

REGULARIZATION, ALPHA = 20.0, 2.0


def main() -> None:
    folder, epochs = sys.argv[1], int(sys.argv[2])
    train = read(folder)
    pairs = (train["users"], train["items"] - 1)
    shape = int(train["num_users"]) + 1, int(train["num_items"])
    met = scipy.sparse.csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), shape)
    model = implicit.als.AlternatingLeastSquares(
        factors=64,
        regularization=REGULARIZATION,
        alpha=ALPHA,
        iterations=epochs,
        random_state=0,
        use_gpu=False,
        num_threads=1,
    )
    curve = Curve(folder)

    def on_iteration(*_: object) -> None:
        curve.stop()
        curve.write(model.user_factors, model.item_factors)
        curve.start()

    curve.start()
    model.fit(met, show_progress=False, callback=on_iteration)


if __name__ == "__main__":
    main()
