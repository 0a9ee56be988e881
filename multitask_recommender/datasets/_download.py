"""The original MovieLens files through TensorFlow Datasets, into ./data, where there is a network.

TFDS downloads, checks and unpacks; what is then read are the release's own files, so that order,
splits and features are those of a folder that the user has unpacked.
"""

import pathlib
import threading
import urllib.request

FOLDER = pathlib.Path("data")
_HOST = "https://files.grouplens.org/"  # where TFDS takes MovieLens from
_PROBE_SECONDS = 3.0
_VARIANTS = ("100k", "1m", "latest-small", "20m", "25m")  # those whose checksums TFDS has


def movielens(variant: str) -> pathlib.Path | str:
    """The folder of the release's files, or a sentence that says why there is none."""
    if variant not in _VARIANTS:
        return f"TFDS has no MovieLens {variant}."
    # TFDS takes minutes to find out that it is offline, so it is asked only when it can answer.
    if not is_online():
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


def _from_tfds(variant: str) -> pathlib.Path:
    import tensorflow_datasets as tfds  # imports TensorFlow

    manager = tfds.download.DownloadManager(
        download_dir=FOLDER / "downloads",
        url_infos=tfds.builder_cls("movielens").url_infos,
        dataset_name="movielens",
        force_checksums_validation=True,
    )
    unpacked = manager.download_and_extract(f"{_HOST}datasets/movielens/ml-{variant}.zip")
    place = FOLDER / f"ml-{variant}"  # where the next run finds it, without a network
    return (pathlib.Path(unpacked) / place.name).rename(place)
