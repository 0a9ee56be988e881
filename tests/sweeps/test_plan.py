"""What a sweep is to do, and what is refused before there is data."""

import pathlib

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.sweeps import Asked, Plan


@pytest.fixture
def plan(recipe):
    def plan(*arguments, **asked):
        return Plan(Asked("tiny", arguments, **asked))

    return plan


def settings(plan):
    return [tuple(cell.settings.values()) for cell in plan.cells()]


def test_a_recipe_is_a_path_or_a_name(plan, recipe):
    by_name = plan("training.epochs=1,2")
    by_path = Plan(Asked(str(recipe), ["training.epochs=1,2"]))

    assert by_name.config == by_path.config
    assert by_name.name == by_path.name == "tiny"


def test_the_main_job_takes_smaller_embeddings_as_they_are():
    main_job = pathlib.Path(__file__).parents[2] / "config.yaml"

    cells = Plan(Asked(str(main_job), ["model.embedding_dimension=8,16"])).cells()

    widths = [cell.config.model.settings.ranking_dimension for cell in cells]
    assert widths == [64, 4, 8]


def test_an_unknown_recipe_is_shown_what_there_is(recipe):
    with pytest.raises(ConfigError) as error:
        Plan(Asked("tinny", ["training.epochs=1,2"]))

    assert str(error.value) == (
        "The recipe tinny is neither a file nor one of experiments/. Did you mean 'tiny'? "
        "There are: tiny."
    )


def test_a_grid_is_every_combination_and_the_recipe_as_it_is_first(plan):
    found = plan("model.embedding_dimension=8,16", "training.learning_rate=0.5,0.25", "epochs=9")

    assert settings(found) == [(4, 0.1), (8, 0.5), (8, 0.25), (16, 0.5), (16, 0.25)]
    assert {cell.config.training.epochs for cell in found.cells()} == {9}
    assert found.cells()[1].config.model.settings.embedding_dimension == 8


def test_the_recipe_as_it_is_is_not_repeated(plan):
    found = plan("model.embedding_dimension=8,4", "training.learning_rate=0.10,0.25")

    assert settings(found) == [(4, 0.1), (8, 0.1), (8, 0.25), (4, 0.25)]


def test_one_at_a_time_varies_each_key_from_the_recipe(plan):
    arguments = ["model.embedding_dimension=8,16", "training.learning_rate=0.5,0.1"]

    assert settings(plan(*arguments, one_at_a_time=True)) == [
        (4, 0.1),
        (8, 0.1),
        (16, 0.1),
        (4, 0.5),
    ]


def test_cells_of_the_same_data_stand_together(plan):
    found = plan("model.embedding_dimension=4,8", "split.seed=1,42")

    assert settings(found) == [(4, 42), (8, 42), (4, 1), (8, 1)]


def test_lists_and_null_are_values(plan):
    found = plan("model.hidden_layers=[8],[8,4]", "training.patience=null,3")

    assert ([8, 4], 3) in settings(found)
    assert len(settings(found)) == 5


def test_a_baseline_that_the_recipe_does_not_have_is_varied_from_its_defaults(plan):
    found = plan("evaluation.baselines.item_knn.neighbours=10,50")

    assert found.baseline == "item_knn"
    assert settings(found) == [(100,), (10,), (50,)]
    assert found.config.baselines.keys() == {"ease", "item_knn"}


def test_the_metric_chooses_the_epoch(plan):
    assert plan("epochs=1,2", metric="like/auc").config.training.monitor == "like/auc"


def test_values_that_do_not_go_together_are_a_cell_of_their_own(plan):
    found = plan("tasks.retrieval.weight=0,1", "tasks.like.weight=0,1").cells()

    faults = {tuple(cell.settings.values()): cell.fault for cell in found if cell.config is None}
    assert faults.keys() == {(0, 0)}
    assert faults[0, 0].startswith("The weight of every task is 0 (retrieval, like)")


def test_values_of_which_none_goes_together_are_refused(plan):
    with pytest.raises(ConfigError, match="tasks is empty, so there is nothing to learn"):
        plan("tasks={retrieval: null},{like: null}")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["model.embeding_dimension=4,8", "epochs=a,b", "training.learning_rate=0.1,-1"],
            [
                "model.embeding_dimension is not a setting. Did you mean 'embedding_dimension'?",
                "training.epochs is 'a', expected an integer.",
                "training.epochs is 'b', expected an integer.",
                "training.learning_rate is -1, expected a number greater than 0.0.",
            ],
        ),
        (["epochs=3"], ["Nothing is varied: give values such as"]),
        (["epochs=1,2", "training.seed=x"], ["training.seed is 'x', expected an integer."]),
        (["epochs=1..5"], ["training.epochs is a range, 1..5, which is for --search"]),
        (["training.monitor=loss,like/auc"], ["training.monitor cannot be varied: it is what"]),
        (["training.refit=true,false"], ["training.refit cannot be varied: what is judged here"]),
        (
            ["evaluation.baselines.ials.dimension=4,8", "epochs=1,2"],
            ["evaluation.baselines.ials.dimension and training.epochs are of different models"],
        ),
        (
            ["evaluation.baselines.ial.dimension=4,8"],
            ["evaluation.baselines.ial is no baseline."],
        ),
        (["odd", "epochs=1,2"], ["'odd' is not key=value"]),
    ],
)
def test_what_is_wrong_is_said_a_line_each(plan, arguments, lines):
    with pytest.raises(ConfigError) as error:
        plan(*arguments)

    found = str(error.value).split("\n")
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"trials": 0}, "--search is 0, expected a number of at least 1."),
        ({"seeds": 0}, "--seeds is 0, expected a number of at least 1."),
        ({"trials": 3, "seeds": 2}, "--search tries each setting once: repeat what it finds"),
        ({"trials": 3, "one_at_a_time": True}, "--search and --one-at-a-time are both given"),
    ],
)
def test_options_that_make_no_sense(plan, asked, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        plan("epochs=1,2", **asked)


def test_seeds_come_from_one_place(plan):
    with pytest.raises(ConfigError, match="training.seed is varied, and by --seeds too"):
        plan("training.seed=1,2", seeds=2)


def test_the_ends_of_a_range_are_checked(plan):
    with pytest.raises(ConfigError, match="^training.epochs is 0, expected a number greater than"):
        plan("epochs=0..5", trials=3)
    with pytest.raises(ConfigError, match="^training.epochs is 1.0, expected an integer"):
        plan("epochs=1.0..5.0", "training.learning_rate=1e-3..1e-1", trials=3)
