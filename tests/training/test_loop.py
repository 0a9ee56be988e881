"""The loop: a restored checkpoint goes on as if nothing had happened."""

import os
import resource
import signal

import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, registry
from multitask_recommender.batches import TrainingBatches
from multitask_recommender.errors import RunError
from multitask_recommender.layers import loss_scale
from multitask_recommender.training import loop
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.settings import Settings

SETTINGS = Settings(
    epochs=4, batch_size=4, learning_rate=0.05, optimizer="lazy_adam", learning_rate_decay="cosine"
)
# With everything that is drawn: dropout of each kind, and negatives.
MODEL = {
    "name": "two_tower",
    "embedding_dimension": 4,
    "user": ["id", "history"],
    "dropout": 0.3,
    "history_dropout": 0.3,
    "ranking": {"dimension": 3, "dropout": 0.3},
}
SHARING = {"name": "shared_bottom", "hidden_layers": [3], "dropout": 0.3}
TASKS = {"retrieval": {"negatives": "sampled", "num_negatives": 3}, "like": {}, "rating": {}}


@pytest.fixture(autouse=True)
def eager():
    """Tracing takes seconds, and is tested by what trains from a shell.

    Besides, one operation at a time: in a graph, `AddN` sums in an order that depends on which of
    its inputs is free first, so that the last bits of two runs of any kind may differ.
    """
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def begin(tiny, tmp_path):
    """Begins a training in a folder, or goes on with it: a new model, as in a new process."""

    def begin(folder="a", settings=SETTINGS, sharing=SHARING, weighting="fixed", **model):
        values = {"model": MODEL | model, "sharing": sharing, "tasks": TASKS}
        values["weighting"] = weighting
        model = experiment.build(config.parse(values), tiny)
        batches = TrainingBatches(tiny, settings.batch_size, settings.seed)
        return loop.Training(model, batches, settings, Checkpoints(tmp_path / folder))

    return begin


def run(training, last):
    return list(training.epochs(last, lambda steps: None))


@pytest.mark.parametrize("optimizer", ["lazy_adam"])
def test_an_interrupted_training_ends_as_one_that_was_not(begin, optimizer, assert_same_weights):
    settings = SETTINGS.model_copy(update={"optimizer": optimizer})
    whole = begin("whole", settings)
    losses = [epoch.losses for epoch in run(whole, 3)]

    first = begin("parts", settings)
    run(first, 1)
    first.save()
    run(first, 2)  # not saved: lost
    second = begin("parts", settings)
    assert (second.epoch, second.step) == (1, 3)
    again = [epoch.losses for epoch in run(second, 3)]

    assert_same_weights(whole, second)
    assert again == losses[1:]


@pytest.mark.parametrize("weighting", registry.names("weighting"))
def test_so_does_one_with_learnt_weights_gates_and_drawn_projections(
    begin, weighting, assert_same_weights
):
    sharing = {"name": "ple", "hidden_layers": [3], "tower_layers": [2], "dropout": 0.3}
    settings = SETTINGS.model_copy(update={"task_gradients": "always"})
    whole = begin("whole", settings, sharing, weighting)
    mixing = [
        weights
        for weights in whole.model.trainable_variables
        if "gate" in weights.name or "log_variances" in weights.name
    ]
    started = [weights.numpy() for weights in mixing]
    told = [epoch.sharing for epoch in run(whole, 2)]

    first = begin("parts", settings, sharing, weighting)
    run(first, 1)
    first.save()
    second = begin("parts", settings, sharing, weighting)
    again = [epoch.sharing for epoch in run(second, 2)]

    assert_same_weights(whole, second)
    assert again == told[1:]
    assert len(mixing) == (3 if weighting == "uncertainty" else 2)
    for before, after in zip(started, mixing, strict=True):
        assert (before != after.numpy()).any()


def test_how_tasks_share_is_told_each_epoch(begin):
    """Of gradients by default where epochs are long: this one has three steps."""
    sharing = {"name": "mmoe", "experts": 2, "hidden_layers": [3]}
    always = SETTINGS.model_copy(update={"task_gradients": "always"})

    short, told = (
        run(begin(folder, settings, sharing), 1)[0].sharing
        for folder, settings in (("a", SETTINGS), ("b", always))
    )

    gates = [f"gate/{label}/expert_{n}" for label in ("like", "rating") for n in (0, 1)]
    assert list(short) == gates
    assert short["gate/like/expert_0"] + short["gate/like/expert_1"] == pytest.approx(1)
    assert list(told) == [
        *gates,
        *("gradient_norm/retrieval", "gradient_norm/like", "gradient_norm/rating"),
        "gradient_cosine/retrieval/like",
        "gradient_cosine/retrieval/rating",
        "gradient_cosine/like/rating",
    ]
    assert all(-1 <= told[name] <= 1 for name in told if "cosine" in name)


def test_sigterm_in_the_middle_of_an_epoch_loses_nothing(begin, monkeypatch, assert_same_weights):
    monkeypatch.setattr(loop, "_STEPS_PER_CALL", 1)
    whole = begin("whole")
    losses = [epoch.losses for epoch in run(whole, 2)]
    before = signal.getsignal(signal.SIGTERM)

    first = begin("parts")
    with pytest.raises(SystemExit) as stopped:
        list(first.epochs(2, lambda steps: os.kill(os.getpid(), signal.SIGTERM)))
    second = begin("parts")
    assert (stopped.value.code, second.step) == (143, 1)
    again = [epoch.losses for epoch in run(second, 2)]

    assert_same_weights(whole, second)
    assert again == losses  # the step before the signal counts in the first epoch's means
    assert signal.getsignal(signal.SIGTERM) == before


def test_training_is_a_function_of_its_seed(begin, assert_same_weights):
    other = SETTINGS.model_copy(update={"seed": 43})
    first, second, third = begin("a"), begin("b"), begin("c", other)

    losses = [[epoch.losses for epoch in run(each, 1)] for each in (first, second, third)]

    assert_same_weights(first, second)
    assert losses[0] == losses[1] != losses[2]


def test_epochs_are_told_with_their_steps_and_losses(begin, monkeypatch):
    monkeypatch.setattr(loop, "_STEPS_PER_CALL", 2)
    told = []

    epochs = list(begin().epochs(2, told.append))

    assert [epoch.number for epoch in epochs] == [1, 2]
    assert (told[0], sum(told)) == (1, 6)  # the first is timed alone; three steps an epoch
    assert set(told) <= {1, 2}
    for epoch in epochs:
        assert epoch.losses.keys() == {"retrieval", "like", "rating", "loss"}
        parts = sum(epoch.losses[name] for name in ("retrieval", "like", "rating"))
        assert epoch.losses["loss"] == pytest.approx(parts, rel=0.2)  # likes are not all observed
    assert epochs[1].losses["loss"] != epochs[0].losses["loss"]


def test_long_steps_are_made_one_at_a_time(begin, monkeypatch):
    """So that SIGTERM and the clock of checkpoints are not kept waiting."""
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 0.0)
    told = []

    list(begin().epochs(2, told.append))

    assert told == [1] * 6


def test_a_checkpoint_within_an_epoch_keeps_its_means(begin, monkeypatch, assert_same_weights):
    """Whoever hears of steps is killed there, without any warning: after the fifth of six."""
    monkeypatch.setattr(loop, "_STEPS_PER_CALL", 1)
    settings = SETTINGS.model_copy(update={"checkpoint_seconds": 0.0})
    whole = begin("whole", settings)
    losses = [epoch.losses for epoch in run(whole, 2)]

    first, made = begin("parts", settings), []
    with pytest.raises(KeyboardInterrupt):
        for _ in first.epochs(2, lambda steps: made.append(steps) if len(made) < 4 else stop()):
            first.save_if_due()
    second = begin("parts", settings)
    assert (second.epoch, second.step) == (1, 4)
    again = [epoch.losses for epoch in run(second, 2)]

    assert_same_weights(whole, second)
    assert again == losses[1:]


def stop():
    raise KeyboardInterrupt


def test_what_is_done_is_not_done_again(begin):
    training = begin()
    run(training, 1)

    assert run(training, 1) == []


def test_a_cosine_ends_at_zero(begin):
    training = begin(settings=SETTINGS.model_copy(update={"epochs": 1}))
    run(training, 1)

    assert float(training.model.optimizer._decayed_lr(tf.float32)) == pytest.approx(0, abs=1e-9)


def test_a_scale_of_losses_goes_on_where_it_was(begin, assert_same_weights):
    """From 2**19, where gradients of float16 overflow: such steps are left out, and no fault."""
    settings = SETTINGS.model_copy(update={"precision": "float16"})
    whole = begin("whole", settings)
    loss_scale.state(whole.model.optimizer)[0].assign(2.0**19)
    run(whole, 3)

    first = begin("parts", settings)
    loss_scale.state(first.model.optimizer)[0].assign(2.0**19)
    run(first, 2)
    first.save()
    second = begin("parts", settings)
    run(second, 3)

    assert_same_weights(whole, second)
    scale, in_a_row = (each.numpy() for each in loss_scale.state(second.model.optimizer))
    assert 2.0**10 < scale < 2.0**19 and 0 < in_a_row < whole.step == 9
    assert [each.numpy() for each in loss_scale.state(whole.model.optimizer)] == [scale, in_a_row]


def test_a_gradient_that_no_scale_helps_is_said(begin):
    """The losses are finite: what is not is weight decay, which is none of a task's."""
    settings = SETTINGS.model_copy(update={"precision": "float16"})
    training = begin(settings=settings, l2=1e38)
    training.model.trainable_variables[0].assign_add(tf.fill([5, 4], 10.0))
    loss_scale.state(training.model.optimizer)[0].assign(4.0)
    with pytest.raises(
        RunError,
        match=r"A gradient is not finite, with no scale left to lower, at step 2, in epoch 1: "
        r"float16 ends at 65,504; try training.precision=bfloat16, or try a smaller",
    ):
        run(training, 1)


def test_a_loss_that_is_not_finite_is_said(begin):
    training = begin(settings=SETTINGS.model_copy(update={"learning_rate": 1e30}))

    with pytest.raises(
        RunError,
        match=r"The loss of \w+ is (nan|inf) at step \d, in epoch \d: try a smaller .* There is no",
    ):
        run(training, 4)


def test_weights_that_no_loss_has_told_of_are_not_saved(begin, tmp_path):
    """A last step may spoil them: the checkpoint before it stays the last good one."""
    training = begin()
    run(training, 1)
    training.save()
    run(training, 2)
    weight = training.model.trainable_variables[0]
    weight.assign(tf.fill(weight.shape, float("nan")))

    with pytest.raises(RunError, match="is not finite after step 6: try a smaller"):
        training.save()
    with pytest.raises(RunError, match="is not finite after step 6: try a smaller"):
        loop.save_weights(training.model, tmp_path / "weights")

    assert begin().step == 3
    assert not (tmp_path / "weights").exists()


class TestWeights:
    def test_are_read_as_they_were_written(self, begin, tmp_path, assert_same_weights):
        training = begin()
        run(training, 1)
        loop.save_weights(training.model, tmp_path / "weights")

        other = begin("other")
        loop.load_weights(other.model, tmp_path / "weights")

        assert_same_weights(training, other)

    def test_are_replaced_when_saved_again(self, begin, tmp_path, assert_same_weights):
        training = begin()
        for last in (1, 2):
            run(training, last)
            loop.save_weights(training.model, tmp_path / "weights")
        other = begin("other")

        loop.load_weights(other.model, tmp_path / "weights")

        assert_same_weights(training, other)
        assert len(list((tmp_path / "weights").glob("*.index"))) == 1

    def test_that_are_not_there_are_an_error(self, begin, tmp_path):
        with pytest.raises(RunError, match="nowhere holds no checkpoint"):
            loop.load_weights(begin().model, tmp_path / "nowhere")

    def test_of_another_model_are_an_error(self, begin, tmp_path):
        loop.save_weights(begin().model, tmp_path / "weights")

        with pytest.raises(RunError, match="does not fit the model of this config"):
            loop.load_weights(begin("b", embedding_dimension=5).model, tmp_path / "weights")
        with pytest.raises(RunError, match="does not fit the model of this config"):
            loop.load_weights(begin("c", item=["id", "genres"]).model, tmp_path / "weights")


def test_a_disk_that_fills_is_said(begin, tmp_path):
    """Not one of TensorFlow, which would reach the user as a traceback."""
    training = begin()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(RunError, match="weights cannot be written: File too large.$"):
            loop.save_weights(training.model, tmp_path / "weights")
        with pytest.raises(RunError, match="/a cannot be written: File too large.$"):
            training.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
