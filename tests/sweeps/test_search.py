"""Searches by Optuna: proposals, pruning, and going on with a study."""

import json
import pathlib
import shutil
import statistics

import optuna
import pytest

from multitask_recommender import cli
from multitask_recommender.sweeps import pictures

RATE = "training.learning_rate"
RANGE = f"{RATE}=1e-3..0.9:log"


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(pictures, "draw", lambda *_: [])


def study(folder="out"):
    backend = optuna.storages.journal.JournalFileBackend(f"{folder}/study.journal")
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name="sweep", storage=storage)


def rates(folder="out"):
    """Of the trainings in their order, without the recipe's own."""
    lines = pathlib.Path(folder, "cells.jsonl").read_text().splitlines()[2:]
    return [json.loads(line)["settings"][RATE] for line in lines]


def test_a_search_makes_its_trials_and_stands_them_beside_the_recipe(sweep, trainings):
    found = sweep(RANGE, "model.embedding_dimension=8,16", "--search", "6")

    assert len(trainings) == len(found["cells"]) == 7
    own = next(cell for cell in found["cells"] if cell["is_recipe"])
    assert own["settings"] == {RATE: 0.1, "model.embedding_dimension": 4}
    others = [cell["settings"] for cell in found["cells"] if cell is not own]
    assert all(1e-3 <= each[RATE] <= 0.9 for each in others)
    assert {each["model.embedding_dimension"] for each in others} == {8, 16}
    assert len(study().trials) == 6  # an embedding of 4 is not among what is searched
    best = found["cells"][0]
    assert best["settings"][RATE] == min(training["rate"] for training in trainings)
    assert study().best_trial.value == best["value"]


def test_integers_stay_integers(sweep, trainings):
    found = sweep("model.embedding_dimension=2..64:log", "--search", "5")

    values = [cell["settings"]["model.embedding_dimension"] for cell in found["cells"]]
    assert all(isinstance(value, int) and 2 <= value <= 64 for value in values)


def test_what_is_worse_than_the_median_is_pruned(sweep, trainings):
    """The stand-in's metric at the first epoch falls with the learning rate."""
    found = sweep(RANGE, "--search", "14")

    complete, pruned = [], 0
    for place, training in enumerate(trainings):
        # The recipe as it is counts as a trial; the first five are never pruned.
        is_worse = place >= 5 and training["rate"] > statistics.median(complete)
        assert training["epochs"] == (1 if is_worse else 4)
        pruned += is_worse
        if not is_worse:
            complete.append(training["rate"])
    assert pruned >= 2
    states = [cell["state"] for cell in found["cells"]]
    assert states == ["complete"] * (15 - pruned) + ["pruned"] * pruned
    assert all(cell["difference"] is None for cell in found["cells"][-pruned:])
    names = [trial.state.name for trial in study().trials]
    assert names.count("PRUNED") == pruned


@pytest.mark.parametrize("metric", ["full/ndcg@5", "loss"])
def test_the_search_goes_towards_the_better(sweep, trainings, metric):
    sweep(f"{RATE}=0.001..0.9", "--search", "25", "--metric", metric)

    late = statistics.mean(training["rate"] for training in trainings[-10:])
    assert (late > 0.6) if metric == "loss" else (late < 0.3)


def test_a_search_that_was_killed_ends_as_one_that_was_not(sweep, trainings, monkeypatch):
    from multitask_recommender.experiment import Experiment

    sweep(RANGE, "--search", "12", out="whole")
    search = Experiment.search
    for fatal in (0, 3, 8):  # the recipe's own, and trials

        def killed(self, folder, goes_on, fatal=fatal):
            if len(rates("parts")) == fatal:
                raise KeyboardInterrupt
            return search(self, folder, goes_on)

        monkeypatch.setattr(Experiment, "search", killed)
        assert cli.main(["sweep", "tiny", RANGE, "--search", "12", "--out", "parts"]) == 130
    monkeypatch.setattr(Experiment, "search", search)

    resumed = sweep(RANGE, "--search", "12", out="parts")

    assert rates("parts") == rates("whole")
    whole = json.loads(pathlib.Path("whole/sweep.json").read_text())
    assert [cell["state"] for cell in resumed["cells"]] == [c["state"] for c in whole["cells"]]


def test_killed_between_the_record_and_the_study_nothing_is_trained_twice(
    sweep, trainings, monkeypatch
):
    tell = optuna.Study.tell

    def killed(self, *arguments, **options):
        if len(rates()) == 4:
            raise KeyboardInterrupt
        return tell(self, *arguments, **options)

    monkeypatch.setattr(optuna.Study, "tell", killed)
    assert cli.main(["sweep", "tiny", RANGE, "--search", "8", "--out", "out"]) == 130
    monkeypatch.setattr(optuna.Study, "tell", tell)

    sweep(RANGE, "--search", "8")
    sweep(RANGE, "--search", "8", out="whole")

    assert len(trainings) == 2 * 9
    assert rates() == rates("whole")


def test_more_trials_go_on_with_a_search_that_is_done(sweep, trainings):
    sweep(RANGE, "--search", "3")
    sweep(RANGE, "--search", "3")
    assert len(trainings) == 4

    sweep(RANGE, "--search", "9")
    sweep(RANGE, "--search", "9", out="whole")

    assert len(trainings) == 10 + 10
    assert rates() == rates("whole")


def test_what_is_proposed_again_is_not_trained_again_and_that_is_said(sweep, trainings, capsys):
    found = sweep("model.embedding_dimension=4,8", "--search", "6")

    assert len(trainings) == len(found["cells"]) == 2
    assert capsys.readouterr().out.count("as before: not trained again") == 5  # of six trials
    assert len(study().trials) == 7  # with the recipe as it is


def test_a_trial_that_fails_is_recorded_and_the_others_go_on(sweep, trainings):
    found = sweep(f"{RATE}=1,0.5,0.25", "--search", "8")

    states = {cell["settings"][RATE]: cell["state"] for cell in found["cells"]}
    assert states == {0.1: "complete", 0.5: "complete", 0.25: "complete", 1: "failed"}
    failed = [trial for trial in study().trials if trial.state.name == "FAIL"]
    assert failed[0].user_attrs["error"] == "The total loss is nan in epoch 1."


def test_another_range_is_another_search(sweep, trainings, capsys):
    sweep(RANGE, "--search", "2")

    assert cli.main(["sweep", "tiny", f"{RATE}=1e-3..1.0", "--search", "2", "--out", "out"]) == 2

    assert (
        "out/cells.jsonl is of another sweep: varied.training.learning_rate is '0.001..0.9:log' "
        "there and '0.001..1.0' here." in capsys.readouterr().err
    )


def refused(capsys, message):
    capsys.readouterr()
    assert cli.main(["sweep", "tiny", RANGE, "--search", "2", "--out", "out"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: out/study.journal{message}")
    assert error.endswith("Choose another --out, or remove the folder and begin anew.\n")


def test_the_study_of_another_search_is_refused(sweep, trainings, capsys):
    sweep(RANGE, "--search", "2")
    sweep(RANGE, "epochs=2", "--search", "2", out="other")
    shutil.copy("other/study.journal", "out/study.journal")

    refused(capsys, " is of another sweep: config.training.epochs is 2 there and 4 here.")


def test_a_study_that_is_none_of_ours_is_refused(sweep, trainings, capsys):
    sweep(RANGE, "--search", "2")
    path = pathlib.Path("out/study.journal")
    path.unlink()
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    optuna.create_study(storage=optuna.storages.JournalStorage(backend), study_name="mine")

    refused(capsys, ' is of another sweep: studies is ["mine"] there and ["sweep"] here.')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [*lines[:3], "no JSON\n", *lines[4:]], ", line 4, is damaged: 'no JSON"),
        (lambda lines: [*lines, '{"op_code": 4'], ", line "),
        (lambda lines: lines[1:], " is damaged, Optuna cannot read it: "),
        (lambda lines: ["3\n"], " is damaged, Optuna cannot read it: "),
    ],
)
def test_a_damaged_study_is_refused(sweep, trainings, damage, message, capsys):
    sweep(RANGE, "--search", "2")
    path = pathlib.Path("out/study.journal")
    path.write_text("".join(damage(path.read_text().splitlines(keepends=True))))

    refused(capsys, message)


def test_a_study_without_its_records_is_refused(sweep, trainings, capsys):
    sweep(RANGE, "--search", "2")
    path = pathlib.Path("out/cells.jsonl")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    refused(capsys, " knows trial 2, {'training.learning_rate': ")


def test_a_baseline_is_searched_too(sweep, trainings):
    found = sweep("evaluation.baselines.item_knn.neighbours=1..20", "--search", "4")

    assert trainings == []
    assert 2 <= len(found["cells"]) <= 5
    assert found["cells"][0]["value"] >= found["cells"][-1]["value"]
