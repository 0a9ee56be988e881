"""The phases of training: search, refit, and going on after an interruption at any place."""

import weakref

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.batches import STEP_SEED, TrainingBatches
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.training import loop
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.early_stopping import Monitor
from multitask_recommender.training.fit import Fit, Validation
from multitask_recommender.training.history import History
from multitask_recommender.training.settings import Settings

MONITOR = "validation/like/auc"
SETTINGS = Settings(epochs=5, batch_size=4, learning_rate=0.05, optimizer="lazy_adam", patience=99)
# The best is epoch 3.
AUCS = {1: 0.5, 2: 0.6, 3: 0.8, 4: 0.7, 5: 0.75}


class Interrupted(Exception):
    pass


class Progress:
    """Hears everything; interrupts after a number of epochs, as `kill` would."""

    def __init__(self, epochs=None):
        self.left, self.phases, self.steps = epochs, [], 0

    def start(self, phase, done, epochs, steps_per_epoch):
        self.phases.append((phase, done, epochs * steps_per_epoch))

    def advance(self, steps):
        self.steps += steps

    def tell(self, epoch, losses, best, of):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted

    def finish(self):
        pass


class Little(tf.keras.Model):
    """A table of what items are rated, and a bit of chance; it knows how many rows it is for."""

    def __init__(self, rows):
        super().__init__()
        self.table = self.add_weight(
            "table", shape=[7], initializer=tf.constant_initializer(len(rows))
        )
        self.mean = tf.keras.metrics.Mean("loss")

    def task_losses(self, features, training):
        pass

    def batches(self, rows, batch_size, seed, by):
        return TrainingBatches(rows.narrowed({"rating"}, ()), batch_size, seed, by)

    def traced_mixtures(self, features):
        return {"gate/like/expert_0": self.table[1]}

    def train_step(self, features):
        assert "like" not in features
        noise = tf.random.stateless_uniform(tf.shape(features["rating"]), features[STEP_SEED])
        with tf.GradientTape() as tape:
            errors = features["rating"] + noise - tf.gather(self.table, features["item_id"])
            loss = tf.reduce_mean(tf.square(errors))
        self.optimizer.apply_gradients([(tape.gradient(loss, self.table), self.table)])
        self.mean.update_state(loss)


@pytest.fixture
def parts(tiny):
    return tiny.take(np.arange(10) != 2), tiny  # train, and all rows


@pytest.fixture
def fit(tmp_path, parts):
    """Fits in a folder, in a new model as a new process would."""

    def fit(
        folder="run",
        interrupt_after=None,
        has_validation=True,
        refit=True,
        aucs=AUCS,
        monitor=MONITOR,
        goes_on=None,
        build=Little,
        **settings,
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        progress = Progress(interrupt_after)

        def validate(model):
            steps = 3  # an epoch of nine rows
            return {MONITOR: aucs[int(model.optimizer.iterations) // steps]}

        train, all_rows = parts
        validation = Validation(
            validate,
            Monitor(monitor, False),
            all_rows if refit else None,
            goes_on or (lambda epoch, value: True),
        )
        place = tmp_path / folder
        made = Fit(
            SETTINGS.model_copy(update=settings),
            build,
            validation if has_validation else None,
            History(place / "history.csv", place / "tensorboard", "tiny"),
            Checkpoints(place / "checkpoints"),
            progress,
        )
        made.progress = progress
        try:
            if goes_on is not None:  # the search alone
                made.searched = made.search(train)
            else:
                made.model = made(train)
        except Interrupted:
            return None
        return made

    return fit


def test_the_refit_is_as_long_as_the_best_epoch_on_all_rows(fit):
    made = fit()

    assert made.chosen_epoch == 3
    assert made.chosen_metrics == {MONITOR: 0.8}
    assert made.progress.phases == [("search", 0, 15), ("refit", 0, 9)]  # 9 rows, and 10
    assert made.progress.steps == 24


def test_the_model_of_the_search_is_gone_when_that_of_the_refit_is_made(fit):
    """Its tables and their state would take as much memory again."""
    alive = []

    class Watched(Little):
        def __init__(self, rows):
            super().__init__(rows)
            self.others = sum(each() is not None for each in alive)
            alive.append(weakref.ref(self))

    made = fit(build=Watched)

    assert len(alive) == 2 and made.model.others == 0


def test_without_a_refit_the_weights_are_those_of_the_best_epoch(fit, assert_same_weights):
    made = fit(refit=False)

    best = fit("best", refit=False, epochs=3)
    assert made.chosen_epoch == best.chosen_epoch == 3
    assert_same_weights(made, best)


def test_without_validation_all_epochs_are_the_model(fit):
    made = fit(has_validation=False)

    assert (made.chosen_epoch, made.chosen_metrics) == (5, {})
    assert made.progress.phases == [("search", 0, 15)]


def test_patience_ends_the_search(fit):
    made = fit(patience=2, epochs=50, aucs={1: 0.5, 2: 0.9, 3: 0.8, 4: 0.9})

    assert made.chosen_epoch == 2
    assert made.progress.steps == 4 * 3 + 2 * 3


def test_only_epochs_that_are_due_and_the_last_are_validated(fit):
    made = fit(validate_every=2)

    assert made.chosen_epoch == 5  # of 2, 4 and 5


@pytest.mark.parametrize("refit", [True, False])
def test_the_search_alone_tells_what_validation_said_and_keeps_no_weights(fit, refit, tmp_path):
    heard = []

    made = fit(refit=refit, goes_on=lambda *told: heard.append(told) or True)

    assert heard == made.searched.curve == list(AUCS.items())
    assert (made.searched.epoch, made.searched.validation) == (3, {MONITOR: 0.8})
    assert made.searched.parameters == 7
    assert made.progress.phases == [("search", 0, 15)]
    assert not loop.has_weights(tmp_path / "run" / "checkpoints" / "best")


def test_the_search_alone_ends_where_it_is_told_to(fit):
    made = fit(patience=None, goes_on=lambda epoch, value: epoch < 2)

    assert made.searched.curve == [(1, 0.5), (2, 0.6)]
    assert made.searched.validation == {}  # of the last epoch, the fifth
    assert made.progress.steps == 6


def test_the_search_alone_goes_on_where_it_was_interrupted(fit):
    whole = fit("whole", goes_on=lambda *_: True)

    assert fit("parts", 2, checkpoint_seconds=0.0, goes_on=lambda *_: True) is None
    resumed = fit("parts", checkpoint_seconds=0.0, goes_on=lambda *_: True)
    again = fit("parts", goes_on=lambda *_: True)

    assert resumed.searched == again.searched == whole.searched
    assert resumed.progress.phases == [("search", 6, 15)]
    assert again.progress.phases == []


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize(
    ("interrupt_after", "checkpoint_seconds"), [(0, 0.0), (2, 0.0), (3, 1e9), (5, 1e9), (6, 0.0)]
)
def test_a_run_interrupted_anywhere_ends_as_one_that_was_not(
    fit, refit, interrupt_after, checkpoint_seconds, assert_same_weights
):
    settings = {"refit": refit, "checkpoint_seconds": checkpoint_seconds}
    whole = fit("whole", **settings)

    fit("parts", interrupt_after, **settings)
    resumed = fit("parts", **settings)

    assert_same_weights(whole, resumed)
    assert resumed.chosen_metrics == whole.chosen_metrics


@pytest.mark.parametrize("has_validation", [True, False])
@pytest.mark.parametrize("refit", [True, False])
def test_a_run_interrupted_after_its_training_has_its_model(
    fit, refit, has_validation, assert_same_weights
):
    """In evaluation, say: training is over, and the run is not complete."""
    settings = {"refit": refit, "has_validation": has_validation}
    whole = fit("run", **settings)

    resumed = fit("run", **settings)

    assert_same_weights(whole, resumed)
    assert resumed.chosen_metrics == whole.chosen_metrics


def test_without_validation_too_an_interrupted_run_goes_on(fit, assert_same_weights):
    whole = fit("whole", has_validation=False)
    for interrupt_after in (2, 4):
        folder = f"parts{interrupt_after}"
        fit(folder, interrupt_after, has_validation=False)

        assert_same_weights(whole, fit(folder, has_validation=False))


def test_the_final_weights_are_all_in_the_checkpoint(fit, tmp_path, parts, assert_same_weights):
    made, other = fit(), fit("other", epochs=1)

    loop.load_weights(other.model, tmp_path / "run" / "checkpoints")

    assert_same_weights(made, other)
    folders = [path for path in (tmp_path / "run" / "checkpoints").iterdir() if path.is_dir()]
    assert folders == []


def test_a_monitor_that_validation_does_not_give_is_named(fit):
    with pytest.raises(
        RunError,
        match="validation/like/auk is to choose the epoch .training.monitor., but was not "
        "computed. There are: validation/like/auc",
    ):
        fit(monitor="validation/like/auk")


def test_a_sweep_has_no_cluster(tmp_path):
    settings = SETTINGS.model_copy(update={"strategy": "multi_worker"})
    history = History(tmp_path / "history.csv", tmp_path / "tensorboard", "made by the test")
    fit = Fit(settings, Little, None, history, Checkpoints(tmp_path), Progress())

    with pytest.raises(ConfigError, match=r"multi_worker, which is for train\.py"):
        fit.search(None)
