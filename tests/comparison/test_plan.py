"""Grids and recipes as cells: who has which twin, and what is refused."""

import pathlib

import pytest

from multitask_recommender import cli
from multitask_recommender.comparison.plan import Asked, Plan
from multitask_recommender.errors import ConfigError

GRIDS = pathlib.Path(__file__).parents[2] / "experiments" / "grids"
BASE = """
base:
  dataset: {name: synthetic, users: 30, items: 20, rows: 300}
  model: {name: two_tower, embedding_dimension: 4}
  sharing: {name: shared_bottom, hidden_layers: [8]}
  tasks: {retrieval: {}, like: {weight: 0.5}, rating: {weight: 0}}
  training: {epochs: 1, monitor: rating/root_mean_squared_error}
  evaluation: {cutoffs: [5]}
"""


@pytest.fixture
def plan(elsewhere):
    def plan(axes: str, **asked) -> Plan:
        pathlib.Path("grid.yaml").write_text(BASE + axes)
        return Plan(Asked(["grid.yaml"], **asked))

    return plan


def cells(plan):
    return {cell.name: cell for cell in plan.cells}


def test_every_combination_and_seed_has_twins_of_its_own_and_shares_those_it_can(plan):
    found = cells(plan("axes: {model: [two_tower, mf_ncf], sharing: [shared_bottom, mmoe]}\n"))

    assert set(found) == {
        f"{model}-{rest}-s42"
        for model in ("two_tower", "mf_ncf")
        for rest in (
            *("shared_bottom", "shared_bottom-only-like", "shared_bottom-only-rating"),
            *("mmoe", "mmoe-only-like", "mmoe-only-rating"),
            "only-retrieval",
        )
    }
    joint = found["mf_ncf-mmoe-s42"]
    assert joint.twins == {
        "retrieval": "mf_ncf-only-retrieval-s42",
        "like": "mf_ncf-mmoe-only-like-s42",
        "rating": "mf_ncf-mmoe-only-rating-s42",
    }
    assert joint.config.model.name == "mf_ncf"
    assert joint.config.training.monitor == "rating/root_mean_squared_error"


def test_a_twin_has_one_task_the_base_s_weight_and_a_monitor_that_it_can_have(plan):
    found = cells(plan("axes: {weights: {a: {like: 0.9}, b: {like: 0.1}}}\n"))

    assert found["a-s42"].config.tasks["like"].settings.weight == 0.9
    twin = found["only-like-s42"]  # the weights of cells make no other twin
    assert [*twin.config.tasks] == ["like"]
    assert twin.config.tasks["like"].settings.weight == 0.5
    assert twin.config.training.monitor == "auto"
    assert (
        found["only-rating-s42"].config.tasks["rating"].settings.weight == 1.0
    )  # not the base's 0
    assert found["a-s42"].twins["like"] == found["b-s42"].twins["like"] == "only-like-s42"


def test_sections_for_twins_make_the_twins_of_all_sharings_one(plan):
    grid = "axes: {sharing: [shared_bottom, mmoe]}\ntwins: {sharing: {name: separate}}\n"

    found = cells(plan(grid))

    twins = [name for name in found if "only" in name]
    assert twins == ["only-retrieval-s42", "only-like-s42", "only-rating-s42"]
    assert found["only-like-s42"].config.sharing.name == "separate"


def test_an_option_of_another_name_leaves_the_settings_of_the_base_s_behind(plan):
    grid = """axes: {sharing: {mmoe: {}, shared_bottom: {}, wide: {sharing: {name: shared_bottom,
      hidden_layers: [32]}}}}\ntwins: false\n"""

    found = cells(plan(grid))

    layers = {name: cell.config.sharing.settings.hidden_layers for name, cell in found.items()}
    assert layers == {"mmoe-s42": [64], "shared_bottom-s42": [8], "wide-s42": [32]}


def test_what_makes_no_sense_together_is_refused_with_the_reason_and_the_rest_goes_on(plan):
    found = plan("axes: {model: [two_tower, fm]}\nseeds: [1, 2]\ntwins: false\n")

    assert set(cells(found)) == {"two_tower-s1", "two_tower-s2"}
    (refused,) = found.refused
    assert refused.setting == {"model": "fm"}
    assert "retrieval" in refused.reason


def test_a_grid_of_which_nothing_is_left_is_an_error(plan):
    with pytest.raises(ConfigError, match="retrieval"):
        plan("axes: {model: [fm]}\n")


@pytest.mark.parametrize(
    ("axes", "fault"),
    [
        ("axes: {}\n", "grid.axes is empty, so there is nothing to compare"),
        ("axes: {models: [two_tower]}\n", "grid.axes.models is not a setting"),
        ("axes: {model: [two_towre]}\n", "No models/two_towre.py. Did you mean 'two_tower'?"),
        (
            "axes: {model: {two_tower: {split: {seed: 1}}}}\n",
            "grid.axes.model.two_tower.split cannot be set: all cells have that of the base",
        ),
        (
            "axes: {sharing: [separate, mmoe]}\nagainst: {sharing: ple}\n",
            "grid.against.sharing is ple, which is no label of grid.axes.sharing: separate, mmoe",
        ),
        (
            "axes: {sharing: [mmoe]}\nagainst: {model: fm}\n",
            "grid.against.model is fm, which is no label of grid.axes.model: it has none",
        ),
        (
            "axes: {weights: {a: {click: 1.0}}}\n",
            "weights.a.click is no task of the base, which has retrieval, like, rating",
        ),
        ("axes: {model: {a b: {model: {name: fm}}, a-b: {}}}\n", "a-b"),
    ],
)
def test_a_grid_that_is_wrong_says_where(plan, axes, fault):
    with pytest.raises(ConfigError, match=fault.replace(".", r"\.").replace("?", r"\?")):
        plan(axes)


def test_cells_are_held_against_those_that_differ_in_a_label_alone(plan):
    axes = "axes: {model: [two_tower, mf_ncf], sharing: [separate, mmoe]}\ntwins: false\n"

    found = cells(plan(f"{axes}against: {{model: two_tower, sharing: separate}}\nseeds: [7]\n"))

    assert {name: cell.against for name, cell in found.items()} == {
        "two_tower-separate-s7": (),
        "two_tower-mmoe-s7": ("two_tower-separate-s7",),
        "mf_ncf-separate-s7": ("two_tower-separate-s7",),
        "mf_ncf-mmoe-s7": ("two_tower-mmoe-s7", "mf_ncf-separate-s7"),
    }


def test_recipes_are_cells_with_seeds_from_their_own_on(elsewhere):
    for name, model in (("one", "two_tower"), ("two", "mf_ncf")):
        text = f"model: {model}\ntasks: {{retrieval: {{}}}}\ntraining: {{seed: 7}}\n"
        pathlib.Path(f"{name}.yaml").write_text(text)

    found = Plan(Asked(["one.yaml", "two.yaml"], seeds=2))

    assert [*cells(found)] == ["one-s7", "two-s7", "one-s8", "two-s8"]  # one task: no twin


def test_finished_runs_need_no_cell(make_run):
    run = make_run("a")

    found = Plan(Asked([str(run)]))

    assert (found.cells, found.runs, found.name) == ([], [run], "runs")


def test_the_command_line_refuses_what_it_cannot_mean(plan, tmp_path, capsys):
    plan("axes: {sharing: [mmoe]}\n")
    for arguments, fault in (
        (["grid.yaml", "other"], "is a grid, which is compared with finished runs alone"),
        (["grid.yaml", "--seeds", "2"], "lists its seeds itself"),
        (["grid.yaml", "--workers", "0"], "--workers is 0"),
        ([str(tmp_path)], "is not a run"),
        (["runs/nothing"], "runs/nothing does not exist."),
        (["nothing"], "The recipe nothing is neither a file nor one of experiments/"),
    ):
        assert cli.main(["compare", *arguments]) == 2
        assert fault in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(GRIDS.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_of_the_grids_of_the_repository_is_refused(path):
    found = Plan(Asked([str(path)]))

    assert found.refused == []


def test_the_grid_of_the_repository_is_four_models_by_three_sharings_with_twins():
    found = Plan(Asked([str(GRIDS / "movielens_100k.yaml")]))

    assert len(found.cells) == 72
    assert sum(cell.task is None for cell in found.cells) == 4 * 3 * 3
    assert sum(cell.task is not None for cell in found.cells) == 4 * 3 * 3  # three tasks alone
