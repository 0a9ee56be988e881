"""MovieLens through TFDS: its download manager, given a small folder instead of the network."""

import time
import urllib.request

import numpy as np
import pytest

from multitask_recommender.datasets import _download, movielens
from multitask_recommender.errors import DataError


@pytest.fixture
def tfds_unpacks(monkeypatch, ml_100k):
    """TFDS takes the folder of `ml_100k` for what it has downloaded and unpacked."""
    tfds = pytest.importorskip("tensorflow_datasets")
    asked = []

    def downloaded(manager, url):
        asked.append(url)
        return str(ml_100k.parent)

    monkeypatch.setattr(_download, "is_online", lambda: True)
    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", downloaded)
    return asked


def test_the_original_files_come_through_tfds_where_there_are_none(
    tfds_unpacks, ml_100k, elsewhere
):
    (elsewhere / "data").mkdir()
    unpacked_by_hand = movielens.read(movielens.Settings(path=str(ml_100k)))
    downloaded = movielens.read(movielens.Settings())
    again = movielens.read(movielens.Settings())

    assert tfds_unpacks == ["https://files.grouplens.org/datasets/movielens/ml-100k.zip"]
    np.testing.assert_array_equal(downloaded.user_ids, unpacked_by_hand.user_ids)
    assert downloaded.users.features.keys() == unpacked_by_hand.users.features.keys()
    md5 = sorted(unpacked_by_hand.source.files.values())
    assert sorted(downloaded.source.files.values()) == md5
    assert again.source == downloaded.source


@pytest.mark.parametrize("variant", _download._VARIANTS)
def test_tfds_knows_the_checksum_of_each_release(variant):
    tfds = pytest.importorskip("tensorflow_datasets")
    urls = tfds.builder_cls("movielens").url_infos

    assert f"https://files.grouplens.org/datasets/movielens/ml-{variant}.zip" in urls


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
    def never(*arguments, **options):
        time.sleep(30)
        raise TimeoutError

    monkeypatch.setattr(_download, "_PROBE_SECONDS", 0.2)
    monkeypatch.setattr(urllib.request, "urlopen", never)
    start = time.monotonic()

    assert not _download.is_online()
    assert time.monotonic() - start < 2
