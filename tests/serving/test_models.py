"""Versions that come, go, and are not complete."""

import gc
import os
import pathlib
import shutil
import threading
import time
import weakref

import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.serving import models as models_module
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.models import AVAILABLE, END, Asked, Models
from multitask_recommender.serving.options import Limits, find_export


@pytest.fixture
def base(exports, tmp_path) -> pathlib.Path:
    """An export of version 1, to write into."""
    return pathlib.Path(shutil.copytree(exports["strings"], tmp_path / "films"))


def add(base, number):
    shutil.copytree(base / "1", base / "aside")
    os.rename(base / "aside", base / str(number))


def opened(base, **labels):
    models = Models(find_export(base), labels, Limits())
    models.open()
    return models


def newest(models):
    return models.find(Asked("films")).number


def told(models):
    return {number: each.state for number, each in models.statuses(Asked("films")).items()}


def test_the_newest_is_served_by_number_too(base):
    add(base, 10)
    models = opened(base)

    assert newest(models) == 10
    assert models.find(Asked("films", number=10)).number == 10
    assert told(models) == {10: AVAILABLE}


def test_a_new_version_takes_the_place_of_the_old_one(base):
    models = opened(base)
    before = models.find(Asked("films"))
    add(base, 2)
    models.poll()

    assert newest(models) == 2
    assert told(models) == {2: AVAILABLE, 1: END}
    with pytest.raises(Fault, match="Version 1 of model 'films' is not served. Served: 2"):
        models.find(Asked("films", number=1))
    # Who began with the old one ends with it.
    assert before.run(before.signature("embed_query"), {})["source"].tolist() == [b"popularity"]


def test_what_is_served_is_spared_by_the_collector_and_what_is_not_goes(base):
    gc.unfreeze()
    models = opened(base)
    assert gc.get_freeze_count() > 0

    before = weakref.ref(models.find(Asked("films")))
    add(base, 2)
    models.poll()
    assert before() is None


def test_a_half_written_version_is_not_served_until_it_is_whole(base, caplog):
    models = opened(base)
    (base / "2").mkdir()
    models.poll()

    assert newest(models) == 1
    assert told(models) == {2: END, 1: AVAILABLE}
    fault = models.statuses(Asked("films", number=2))[2].fault
    assert fault.endswith("2 has no saved_model.pb: it is not complete.")
    assert caplog.text.count("version 2 is not served") == 1

    models.poll()
    assert caplog.text.count("version 2 is not served") == 1  # once, not at every look

    shutil.copy(base / "1" / "saved_model.pb", base / "2")
    models.poll()
    assert newest(models) == 1
    assert "2 cannot be loaded" in models.statuses(Asked("films", number=2))[2].fault

    shutil.copytree(base / "1", base / "2", dirs_exist_ok=True)
    models.poll()
    assert newest(models) == 2


def test_a_version_that_cannot_be_read_is_not_served_and_the_one_before_is(base, monkeypatch):
    add(base, 2)
    version = models_module.Version

    def unreadable(folder, limits):
        if folder.name == "2":
            raise PermissionError(13, "Permission denied", str(folder / "saved_model.pb"))
        return version(folder, limits)

    monkeypatch.setattr(models_module, "Version", unreadable)
    models = opened(base)

    assert newest(models) == 1
    assert "Permission denied" in models.statuses(Asked("films", number=2))[2].fault


def test_the_newest_that_is_whole_is_served_at_the_start(base):
    (base / "2").mkdir()

    assert newest(opened(base)) == 1


def test_an_older_version_comes_back_when_the_newer_one_goes(base):
    add(base, 2)
    models = opened(base)
    shutil.rmtree(base / "2")
    models.poll()

    assert newest(models) == 1


def test_the_last_version_stays_when_its_folder_goes(base):
    models = opened(base)
    shutil.rmtree(base / "1")
    models.poll()

    assert newest(models) == 1


def test_labels_keep_their_versions(base):
    add(base, 2)
    models = opened(base, stable=1, canary=2)

    assert models.find(Asked("films", label="stable")).number == 1
    assert newest(models) == 2
    add(base, 3)
    models.poll()
    assert told(models) == {3: AVAILABLE, 2: AVAILABLE, 1: AVAILABLE}


def test_one_version_alone(base):
    add(base, 2)

    models = Models(find_export(base / "1"), {}, Limits())
    models.open()

    assert newest(models) == 1


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        (Asked("film"), Kind.NOT_FOUND, "There is no model 'film' here. There is 'films'"),
        (Asked("films", number=7), Kind.NOT_FOUND, "Version 7 .* is not served. Served: 1"),
        (Asked("films", label="x"), Kind.INVALID, "There is no label 'x'. Labels: none; serve wi"),
    ],
)
def test_what_is_not_there(base, asked, kind, message):
    with pytest.raises(Fault, match=message) as caught:
        opened(base).find(asked)

    assert caught.value.kind is kind


def test_before_anything_is_loaded(base):
    with pytest.raises(Fault, match="No version of model 'films' is loaded yet") as caught:
        Models(find_export(base), {}, Limits()).find(Asked("films"))

    assert caught.value.kind is Kind.UNAVAILABLE


def test_the_status_of_a_version_that_never_was(base):
    with pytest.raises(Fault, match="There is no version 9 of model 'films' here"):
        opened(base).statuses(Asked("films", number=9))


def test_nothing_to_serve_at_the_start(base):
    (base / "1" / "saved_model.pb").unlink()

    with pytest.raises(RunError, match="1 has no saved_model.pb"):
        opened(base)


def test_a_label_of_no_version(base):
    with pytest.raises(RunError, match="5 has no saved_model.pb"):
        opened(base, stable=5)


def test_the_watch_sees_a_new_version_and_ends_when_told(base):
    models = opened(base)
    stop = threading.Event()
    thread = threading.Thread(target=models.watch, args=(0.01, stop))
    thread.start()
    add(base, 2)
    until = time.monotonic() + 20
    while newest(models) != 2 and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    thread.join(10)

    assert newest(models) == 2
    assert not thread.is_alive()


def test_the_watch_survives_a_folder_that_goes(base, caplog):
    models = opened(base)
    stop = threading.Event()
    os.rename(base, base.with_name("elsewhere"))
    thread = threading.Thread(target=models.watch, args=(0.01, stop))
    thread.start()
    time.sleep(0.1)
    stop.set()
    thread.join(10)

    assert "films cannot be read" in caplog.text
    assert newest(models) == 1
