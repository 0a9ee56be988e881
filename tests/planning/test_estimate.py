"""Bytes by hand, and how they are told."""

import pytest

from multitask_recommender import config
from multitask_recommender.errors import ConfigError
from multitask_recommender.planning import asked, estimate, table
from multitask_recommender.planning.estimate import AT_THE_END, EVALUATION, EXPORT, TRAINING

USERS, ITEMS, ROWS, SIZE = 2_000_000, 1_000_000, 10_000_000, 64
TABLES = 4 * ((USERS + 1) + (ITEMS + 1)) * SIZE
BIASES = 4 * ((USERS + 1) + 2 * (ITEMS + 1))


def planned(**sections):
    values = {
        "model": {"name": "two_tower", "embedding_dimension": SIZE},
        "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}},
        "training": {"batch_size": 4096},
        **sections,
    }
    return asked.of(config.parse(values), (USERS, ITEMS, ROWS)), config.parse(values)


def bytes_of(plan, stage):
    return {part.name: part.bytes for part in plan.memory[stage]}


def test_the_parts_of_training_by_hand():
    plan, _ = planned()
    parts = bytes_of(plan, TRAINING)

    assert parts["weights"] == pytest.approx(TABLES + BIASES, rel=1e-4)
    assert parts["optimizer"] == pytest.approx(TABLES + BIASES, rel=1e-4)
    assert parts["scores of a batch"] == 12 * 4096 * 4096
    assert "dense gradients" not in parts and "who met what" not in parts
    row = 2 * 4 + 4 + 8  # ids, a label and a time
    assert parts["data, its columns"] == ROWS * row + 8 * (USERS + ITEMS)
    assert parts["train and validation, joined"] == 8_000_000 * row
    assert plan.peak(TRAINING) == sum(parts.values())


def test_without_a_refit_nothing_is_joined():
    plan, _ = planned(training={"refit": False})

    assert "train and validation, joined" not in bytes_of(plan, TRAINING)


def test_who_reads_histories_keeps_them():
    model = {"name": "two_tower", "embedding_dimension": SIZE, "user": ["id", "history"]}

    assert bytes_of(planned(model=model)[0], TRAINING)["who met what"] == 8_000_000 * 32


def test_adam_has_two_states_and_dense_gradients():
    parts = bytes_of(planned(training={"optimizer": "adam"})[0], TRAINING)

    assert parts["optimizer"] == pytest.approx(2 * (TABLES + BIASES), rel=1e-4)
    assert parts["dense gradients"] == pytest.approx(TABLES + BIASES, rel=1e-4)


def test_a_process_needs_what_its_largest_stage_needs():
    plan, _ = planned()
    stages = [sum(part.bytes for part in plan.memory[name]) for name in (TRAINING, EVALUATION)]

    assert plan.peak(TRAINING, EVALUATION) == max(stages)


def test_exports_differ_by_their_index():
    disk = {part.name: part.bytes for part in planned()[0].disk}
    vectors = 4 * ITEMS * (SIZE + 1)

    assert disk["run"] == pytest.approx(TABLES + BIASES, rel=0.05)
    more = disk["export, scann"] - disk["export, brute_force"]
    assert more == pytest.approx(vectors / 16 + 4 * ITEMS, rel=0.05)
    unlike = disk["export, brute_force"]
    model = {"name": "two_tower", "embedding_dimension": SIZE, "normalise": True}
    alike = {part.name: part.bytes for part in planned(model=model)[0].disk}["export, brute_force"]
    assert unlike - alike == pytest.approx(8 * ITEMS)  # a length and an id of each


@pytest.mark.parametrize(
    ("index", "moment", "vectors", "scores"),
    [
        ("brute_force", "an index", 2, 12 * 2**26),
        ("scann", "an index, while it is made", 3.5, 8 * 256 * 2**16),
    ],
)
def test_an_export_needs_the_model_and_its_index_beside_the_data(index, moment, vectors, scores):
    plan, _ = planned(export={"index": index})

    parts = bytes_of(plan, EXPORT)

    assert parts["weights"] == bytes_of(plan, TRAINING)["weights"]
    assert "data, its columns" in parts
    assert parts[moment] == pytest.approx(vectors * 4 * ITEMS * (SIZE + 1))
    assert parts["scores, kept by TensorFlow"] == scores


def test_at_the_end_of_training_it_finds_what_tensorflow_has_kept():
    plan, chosen = planned(export={"when_trained": True}, training={"optimizer": "adam"})
    kept = bytes_of(plan, AT_THE_END)["kept by TensorFlow from training"]

    # Two states and a gradient of each weight, of which scores take some; and 140 MiB of graphs.
    rest = 3 * (TABLES + BIASES) - bytes_of(plan, EXPORT)["scores, kept by TensorFlow"]
    assert kept == pytest.approx(rest + 140 * 2**20, rel=1e-4)
    assert plan.peak(AT_THE_END) == plan.peak(EXPORT) + kept
    trains, exports = (
        line for line in table.verdict(plan, chosen, memory=10**9) if "needs" in line
    )
    needed = max(plan.peak(TRAINING), plan.peak(EVALUATION), plan.peak(AT_THE_END))
    assert f"train.py needs {table.written(needed + estimate.IMPORTS)}" in trains
    assert f"export needs {table.written(plan.peak(EXPORT) + estimate.IMPORTS)}" in exports


def test_or_beside_who_met_what_and_ids_where_these_are_more():
    chosen = config.parse({"tasks": {"retrieval": {}}, "training": {"refit": False}})
    rows, learnt = 20_000_000, 14_400_000  # 80 %, and of these 90

    parts = bytes_of(asked.of(chosen, (USERS, 1_000, rows)), EXPORT)

    assert parts["who met what, twice"] == 8 * learnt
    assert parts["ids in lookup tables"] == 72 * (USERS + 1_000)
    assert "weights" in parts and "an index, while it is made" not in parts


def test_or_it_needs_what_it_is_itself_where_that_is_more():
    chosen = config.parse({"model": {"name": "fm"}, "tasks": {"like": {}}})  # no index is made

    plan = asked.of(chosen, (USERS, ITEMS, 1000))

    on_disk = {part.name: part.bytes for part in plan.disk}["export, brute_force"]
    assert bytes_of(plan, EXPORT)["what was written, loaded again"] == on_disk
    assert not {"weights", "data, its columns"} & bytes_of(plan, EXPORT).keys()


def test_a_model_that_only_ranks_has_no_vectors_to_search():
    plan, _ = planned(model={"name": "fm", "embedding_dimension": SIZE}, tasks={"like": {}})

    assert "an index, while it is made" not in bytes_of(plan, EXPORT)
    assert "scores of users" not in bytes_of(plan, EVALUATION)


@pytest.mark.parametrize(
    ("numbers", "features"),
    [((5, None, None), []), ((5, 6, 0), []), ((None, None, None), ["age=0"])],
)
def test_numbers_are_given_all_or_not_at_all(numbers, features):
    with pytest.raises(ConfigError, match="users, items and rows are .*: give all three, 1 or"):
        asked.of(config.parse({}), numbers, features)


def test_data_are_read_where_there_are_no_numbers():
    dataset = {"name": "synthetic", "users": 40, "items": 60, "rows": 500}
    chosen = config.parse(
        {"dataset": dataset, "tasks": {"retrieval": {}}, "model": {"embedding_dimension": 4}}
    )

    plan = asked.of(chosen, (None, None, None))

    assert (plan.shape.users.number, plan.shape.rows) == (40, 400)
    assert plan.parameters == 41 * 4 + 61 * 4 + 61


class TestTheVerdict:
    def test_a_machine_that_is_large_enough_is_not_complained_of(self):
        plan, chosen = planned()

        (line,) = table.verdict(plan, chosen, memory=10**12)

        assert line.startswith(
            "Beside 619 MB that Python and TensorFlow take; this machine has 1 TB"
        )

    def test_a_machine_that_is_too_small_is_told_what_would_fit(self):
        plan, chosen = planned(training={"optimizer": "adam"})

        lines = list(table.verdict(plan, chosen, memory=10**9))

        assert "train.py needs" in lines[1] and "export needs" in lines[2]
        assert "training.optimizer=rowwise_adagrad" in lines[1]
        assert "model.embedding_dimension=32" in lines[1]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1_234, "1.23 kB"), (999_600, "1 MB")]
)
def test_bytes_are_written_with_three_digits(number, text):
    assert table.written(number) == text


def test_a_plan_is_shown(capsys, monkeypatch):
    plan, chosen = planned()

    table.show(plan, chosen)

    shown = capsys.readouterr().out
    assert "2,000,001 x 64" in shown and "at its peak" in shown
    assert estimate.IMPORTS == 590 * 2**20
