"""MovieLens through TFDS: its own builder, fed a small folder instead of the network."""

import time
import urllib.request

import pytest

from multitask_recommender.datasets import _download, movielens
from multitask_recommender.errors import DataError


@pytest.fixture
def tfds_reads(monkeypatch, ml_100k):
    """TFDS takes `ml_100k`, rid of ids that its catalogue lacks, for what it has downloaded."""
    tfds = pytest.importorskip("tensorflow_datasets")
    gcs_utils = pytest.importorskip("tensorflow_datasets.core.utils.gcs_utils")
    monkeypatch.setattr(gcs_utils, "_is_gcs_disabled", True)
    monkeypatch.setattr(_download, "is_online", lambda: True)

    def downloaded(manager, url):
        return str(ml_100k.parent)

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", downloaded)
    lines = (ml_100k / "u.data").read_text().splitlines()
    kept = [line + "\n" for line in lines if not line.startswith("900")]
    (ml_100k / "u.data").write_text("".join(kept))
    return ml_100k


def test_ratings_come_from_tfds_where_no_files_are(tfds_reads, elsewhere):
    data = movielens.read(movielens.Settings())

    rows = zip(
        data.users.raw_ids[data.user_ids - 1].tolist(),
        data.items.raw_ids[data.item_ids - 1].tolist(),
        data.labels["rating"].tolist(),
        data.timestamps.tolist(),
        strict=True,
    )
    assert sorted(rows) == [
        (1, 10, 1.0, 3000),
        (1, 20, 5.0, 7000),
        (1, 30, 3.0, 4000),
        (3, 10, 5.0, 1000),
        (3, 20, 4.0, 2000),
        (3, 30, 4.0, 6000),
    ]
    assert "TFDS" in data.source.name
    assert "another order" in data.source.warnings[0]


def test_a_failed_download_is_the_reason_given(elsewhere, monkeypatch):
    def fails(variant):
        raise OSError("disk full")

    monkeypatch.setattr(_download, "is_online", lambda: True)
    monkeypatch.setattr(_download, "_from_tfds", fails)

    with pytest.raises(DataError, match="The TFDS download failed: OSError: disk full"):
        movielens.read(movielens.Settings(offline="error"))


def test_tfds_is_not_asked_for_what_it_does_not_have(elsewhere):
    with pytest.raises(DataError, match="TFDS has no MovieLens 32m"):
        movielens.read(movielens.Settings(variant="32m", offline="error"))


def test_a_network_that_does_not_answer_costs_a_few_seconds_only(monkeypatch):
    monkeypatch.setattr(_download, "_PROBE_SECONDS", 0.2)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: time.sleep(30))
    start = time.monotonic()

    assert not _download.is_online()
    assert time.monotonic() - start < 2
