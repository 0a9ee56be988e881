"""MovieLens through TensorFlow Datasets, into ./data, where there is a network."""

import dataclasses
import pathlib
import threading
import urllib.request

import numpy as np

FOLDER = pathlib.Path("data")
_HOST = "https://files.grouplens.org/"  # where TFDS takes MovieLens from
_PROBE_SECONDS = 3.0
_VARIANTS = ("100k", "1m", "latest-small", "20m", "25m")  # those that TFDS has
_COLUMNS = ("user_id", "movie_id", "user_rating", "timestamp")


@dataclasses.dataclass(frozen=True)
class Ratings:
    """The columns of a download, [N] each; raw ids and stars are not yet checked."""

    user_ids: np.ndarray  # int64
    item_ids: np.ndarray  # int64
    stars: np.ndarray  # float32
    timestamps: np.ndarray  # int64, seconds UTC
    place: pathlib.Path


def movielens(variant: str) -> Ratings | str:
    """The ratings as TFDS has them, or a sentence that says why there are none."""
    if variant not in _VARIANTS:
        return f"TFDS has no MovieLens {variant}."
    prepared = (FOLDER / "movielens" / f"{variant}-ratings").glob("*/dataset_info.json")
    # TFDS takes minutes to find out that it is offline, so it is asked only when it can answer.
    if not any(prepared) and not is_online():
        return f"No network: {_HOST} did not answer within {_PROBE_SECONDS:.0f} s."
    try:
        return _from_tfds(variant)
    except Exception as error:  # whatever TFDS, its checksums or the network have to say
        return f"The TFDS download failed: {type(error).__name__}: {error}"


def is_online() -> bool:
    """Whether the host answers in time. In a thread: looking up its name knows no time limit."""
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(_HOST, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):
                answers.append(True)
        except (OSError, ValueError):
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return bool(answers and answers[0])


def _from_tfds(variant: str) -> Ratings:
    import tensorflow_datasets as tfds  # imports TensorFlow

    builder = tfds.builder(f"movielens/{variant}-ratings", data_dir=FOLDER)
    builder.download_and_prepare()
    wanted = {name: builder.info.features[name] for name in _COLUMNS}
    rows = builder.as_dataset(split="train", decoders=tfds.decode.PartialDecoding(wanted))
    batches = list(tfds.as_numpy(rows.batch(65_536)))
    columns = {name: np.concatenate([batch[name] for batch in batches]) for name in _COLUMNS}
    return Ratings(
        user_ids=_integers(columns["user_id"]),
        item_ids=_integers(columns["movie_id"]),
        stars=columns["user_rating"].astype(np.float32),
        timestamps=columns["timestamp"].astype(np.int64),
        place=pathlib.Path(builder.data_dir),
    )


def _integers(texts: np.ndarray) -> np.ndarray:
    """TFDS keeps ids as bytes."""
    return texts.astype(bytes).astype(np.int64)
