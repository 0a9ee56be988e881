"""The config: typed, strict, and clear about every fault.

The options are stand-ins, so that their keys and defaults are in sight.
"""

import pathlib
import subprocess
import sys
import textwrap
import time

import pytest

from multitask_recommender import config, registry
from multitask_recommender.errors import ConfigError, ConflictError

OPTIONS = {
    "datasets/movielens": """
        variant: Literal["100k", "1m"] = "100k"
        path: pathlib.Path | None = None
    """,
    "datasets/table": """
        path: pathlib.Path
        columns: Columns = Columns()
        splits: dict[str, Columns] = {}
    """,
    "models/two_tower": """
        embedding_dimension: int = Field(64, gt=0)
        hidden: tuple[int, ...] = ()
        dropout: float = Field(0.0, ge=0, lt=1)
        biases: bool = True
        negatives: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
        cut: float = Field(1.0, allow_inf_nan=False)
        layers: list[int] | str = "none"

        @pydantic.model_validator(mode="after")
        def _agree(self):
            if self.dropout and not self.hidden:
                raise ValueError("dropout needs hidden layers")
            return self

        @pydantic.field_validator("hidden")
        @classmethod
        def _widths(cls, hidden):
            if any(width % 2 for width in hidden):
                raise ValueError("every width must be even.")
            return hidden
    """,
    "models/plain": "pass",
    "models/ranker": """
        def conflicts(self, config):
            return ["ranker cannot retrieve: take tasks.retrieval out."] * (
                "retrieval" in config.tasks
            )
    """,
    "sharing/shared_bottom": "units: list[int] = Field([64], min_length=1)",
    "sharing/separate": "pass",
    "weighting/fixed": "pass",
    "index/brute_force": "pass",
    "tasks/retrieval": """
        predicts_label: ClassVar[bool] = False
        weight: float = 1.0
        temperature: float = Field(1.0, gt=0)
    """,
    "tasks/rating": "predicts_label: ClassVar[bool] = True\nweight: float = 1.0",
    "tasks/binary": "predicts_label: ClassVar[bool] = True\nweight: float = 1.0",
}
HEAD = """
import pathlib
from typing import Annotated, ClassVar, Literal
import pydantic
from pydantic import Field
from multitask_recommender import settings

class Columns(settings.Settings):
    user: str = "user"
    labels: dict[str, str] = {}

class Settings(settings.Settings):
"""


def write_options(root: pathlib.Path) -> None:
    """A package `stand_ins` with OPTIONS."""
    for name, body in OPTIONS.items():
        path = root / "stand_ins" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n")


@pytest.fixture(autouse=True)
def options(tmp_path, monkeypatch):
    write_options(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_ROOT", tmp_path / "stand_ins")
    monkeypatch.setattr(registry, "_PACKAGE", "stand_ins")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "stand_ins"]:
        del sys.modules[name]


def faults(values, *overrides):
    """The lines of the error that a config raises."""
    with pytest.raises(ConfigError) as error:
        config.parse(values, overrides)
    return str(error.value).split("\n")


def test_an_empty_mapping_is_the_main_job():
    found = config.parse({})

    assert (found.dataset.name, found.dataset.settings.variant) == ("movielens", "100k")
    assert (found.model.name, found.model.settings.embedding_dimension) == ("two_tower", 64)
    assert (found.sharing.name, found.weighting.name) == ("shared_bottom", "fixed")
    assert {name: task.name for name, task in found.tasks.items()} == {
        "retrieval": "retrieval",
        "like": "binary",
        "rating": "rating",
    }
    assert found.training.seed == 42


def test_sections_that_say_nothing_are_their_defaults():
    assert config.parse({"training": None, "model": None, "sharing": {}}) == config.parse({})


def test_a_bare_name_chooses_an_option():
    found = config.parse({"model": "plain", "sharing": "separate", "tasks": {"share": "binary"}})

    assert (found.model.name, found.sharing.name) == ("plain", "separate")
    assert found.tasks["share"].name == "binary"


def test_settings_without_a_name_are_those_of_the_default_option():
    found = config.parse({"model": {"embedding_dimension": 8}})

    assert (found.model.name, found.model.settings.embedding_dimension) == ("two_tower", 8)


def test_a_list_becomes_a_tuple_and_text_a_path_and_an_integer_a_float():
    found = config.parse({"model": {"hidden": [64, 32], "dropout": 0}, "dataset": {"path": "here"}})

    assert found.model.settings.hidden == (64, 32)
    assert found.dataset.settings.path == pathlib.Path("here")


def test_a_dotted_path_is_an_option_of_the_users_own():
    found = config.parse({"model": {"name": "stand_ins.models.two_tower", "cut": 2}})

    assert (found.model.name, found.model.settings.cut) == ("stand_ins.models.two_tower", 2.0)


@pytest.mark.parametrize("name", ["click", "like", "share", "follow", "read", "favorite"])
def test_a_well_known_label_is_a_binary_task(name):
    assert config.parse({"tasks": {name: {"weight": 2}}}).tasks[name].name == "binary"


def test_a_task_may_say_its_kind():
    found = config.parse({"tasks": {"finish": {"kind": "binary"}, "like": {"kind": "rating"}}})

    assert {name: task.name for name, task in found.tasks.items()} == {
        "finish": "binary",
        "like": "rating",
    }


def test_null_takes_a_task_away():
    assert list(config.parse({}, ["tasks.like=null"]).tasks) == ["retrieval", "rating"]
    assert list(config.parse({"tasks": {"click": None, "like": {}}}).tasks) == ["like"]


def test_overrides_stand_over_the_file_and_over_the_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("training: {epochs: 3, seed: 7}\nmodel: two_tower\n")

    found = config.load(
        tmp_path / "c.yaml", ["training.epochs=5", "model.cut=1e-3", "tasks.rating.weight=0.25"]
    )

    assert (found.training.epochs, found.training.seed) == (5, 7)
    assert found.model.settings.cut == 0.001
    assert found.tasks["rating"].settings.weight == 0.25
    assert len(found.tasks) == 3


def test_the_flat_file_is_the_two_tower_of_retrieval_and_rating(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "embedding_dimension: 32\nrating_weight: 1.0\nretrieval_weight: 0.5\n"
        "learning_rate: 0.1\nepochs: 3\nbatch_size: 8192\n"
    )

    found = config.load(tmp_path / "c.yaml")

    assert (found.dataset.name, found.dataset.settings.variant) == ("movielens", "100k")
    assert (found.model.name, found.sharing.name) == ("two_tower", "shared_bottom")
    assert found.model.settings.embedding_dimension == 32
    assert {name: task.settings.weight for name, task in found.tasks.items()} == {
        "retrieval": 0.5,
        "rating": 1.0,
    }
    assert found.training.learning_rate == 0.1
    assert (found.training.epochs, found.training.batch_size) == (3, 8192)


def test_a_written_config_loads_again_equal(tmp_path):
    found = config.parse(
        {
            "dataset": {
                "name": "table",
                "path": "log.csv",
                "columns": {"labels": {"click": "yes"}},
            },
            "model": {"hidden": [4], "dropout": 0.5, "cut": 1e-5, "layers": "1e3"},
            "sharing": "separate",
            "tasks": {"finish": "binary", "retrieval": {"weight": 0.1}, "like": None},
        }
    )
    (tmp_path / "c.yaml").write_text(found.to_yaml())

    assert config.load(tmp_path / "c.yaml") == found
    assert config.load(tmp_path / "c.yaml", ["model.cut=2"]) != found


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"model": {"biasses": True}},
            "model.biasses is not a setting. Did you mean 'biases'? Settings here: name, "
            "embedding_dimension, hidden, dropout, biases, negatives, cut, layers.",
        ),
        (
            {"model": {"name": "plain", "zzz": 1}},
            "model.zzz is not a setting. Settings here: name.",
        ),
        (
            {"dataset": {"name": "table", "path": "x", "columns": {"usr": "u"}}},
            "dataset.columns.usr is not a setting. Did you mean 'user'? "
            "Settings here: user, labels.",
        ),
        (
            {"dataset": {"name": "table", "path": "x", "splits": {"a": {"usr": "u"}}}},
            "dataset.splits.a.usr is not a setting. Did you mean 'user'? "
            "Settings here: user, labels.",
        ),
        ({"dataset": "table"}, "dataset.path is missing: it has no default."),
        ({"training": {"epochs": "5"}}, "training.epochs is '5', expected an integer."),
        ({"training": {"epochs": 2.5}}, "training.epochs is 2.5, expected an integer."),
        ({"training": {"epochs": True}}, "training.epochs is true, expected an integer."),
        ({"training": {"epochs": None}}, "training.epochs is null, expected an integer."),
        ({"training": {"epochs": 0}}, "training.epochs is 0, expected a number greater than 0."),
        (
            {"training": {"optimizer": "adagard"}},
            "training.optimizer is 'adagard', expected 'adagrad', 'rowwise_adagrad', 'adam' or "
            "'lazy_adam'. Did you mean 'adagrad'?",
        ),
        ({"training": 5}, "training is 5, expected a mapping (key: value)."),
        ({"model": {"biases": "no"}}, "model.biases is 'no', expected true or false."),
        ({"model": {"dropout": "x"}}, "model.dropout is 'x', expected a number."),
        (
            {"model": {"dropout": -1}},
            "model.dropout is -1, expected a number of at least 0.0.",
        ),
        ({"model": {"dropout": 1}}, "model.dropout is 1, expected a number less than 1.0."),
        ({"model": {"cut": float("inf")}}, "model.cut is Infinity, expected a finite number."),
        ({"model": {"hidden": 4}}, "model.hidden is 4, expected a list."),
        ({"model": {"hidden": [4, "8"]}}, "model.hidden.1 is '8', expected an integer."),
        ({"model": {"hidden": [3]}}, "model.hidden is [3]: every width must be even."),
        ({"model": {"dropout": 0.5}}, "model: dropout needs hidden layers."),
        (
            {"model": {"negatives": "atuo"}},
            "model.negatives is 'atuo', expected an integer or 'auto'. Did you mean 'auto'?",
        ),
        (
            {"model": {"negatives": 0}},
            "model.negatives is 0, expected a number of at least 1 or 'auto'.",
        ),
        ({"model": {"layers": [1, "x"]}}, "model.layers.1 is 'x', expected an integer."),
        ({"sharing": {"units": []}}, "sharing.units is [], expected at least 1 of them."),
        ({"dataset": {"path": 5}}, "dataset.path is 5, expected text."),
        (
            {"dataset": {"name": "table", "path": "x", "columns": {"labels": ["click"]}}},
            'dataset.columns.labels is ["click"], expected a mapping (key: value).',
        ),
        (
            {"model": "two_towr"},
            "model.name is 'two_towr'. No models/two_towr.py. Did you mean 'two_tower'? "
            "Available models: plain, ranker, two_tower.",
        ),
        ({"model": 5}, "model is 5, expected a name or a mapping (key: value)."),
        ({"model": {"name": 5}}, "model.name is 5, expected one of: plain, ranker, two_tower."),
        (
            {"model": "nowhere.model"},
            "model.name is 'nowhere.model'. No module nowhere.model for models: "
            "No module named 'nowhere'.",
        ),
        (
            {"tasks": {"liek": {}}},
            "tasks.liek.kind is missing. Did you mean 'like'? "
            "Available tasks: binary, rating, retrieval.",
        ),
        (
            {"tasks": {"like": "binry"}},
            "tasks.like.kind is 'binry'. No tasks/binry.py. Did you mean 'binary'? "
            "Available tasks: binary, rating, retrieval.",
        ),
        (
            {"tasks": {"like": {"wieght": 1}}},
            "tasks.like.wieght is not a setting. Did you mean 'weight'? "
            "Settings here: kind, weight.",
        ),
        (
            {"tasks": ["like"]},
            'tasks is ["like"], expected the tasks by name, such as `like: {weight: 0.5}`.',
        ),
        (
            {"tasks": {"like": {"weight": -1}}},
            "tasks.like.weight is -1.0, expected a number of at least 0.",
        ),
        (
            {"tasks": {"like": {"weight": 0}, "rating": {"weight": 0}}},
            "The weight of every task is 0 (like, rating), so there is nothing to learn: "
            "set tasks.like.weight above 0.",
        ),
        (
            {"tasks": {"like": None}},
            "tasks is empty, so there is nothing to learn: give at least one, such as "
            "`tasks: {retrieval: {weight: 1}}`.",
        ),
        (
            {"modle": "plain"},
            "modle is not a setting. Did you mean 'model'? Settings here: dataset, split, model, "
            "sharing, tasks, weighting, training, evaluation, export, traps.",
        ),
        (
            {"optimiser": "adam"},
            "optimiser is not a setting. Did you mean 'training.optimizer'? Settings here: "
            "dataset, split, model, sharing, tasks, weighting, training, evaluation, export, "
            "traps.",
        ),
        (
            {"epoch": 3},
            "epoch is not a setting. Did you mean 'training.epochs'? Settings here: "
            "dataset, split, model, sharing, tasks, weighting, training, evaluation, export, "
            "traps.",
        ),
        ({"epochs": "3"}, "epochs is '3', expected an integer."),
        ({"rating_weight": "x"}, "rating_weight is 'x', expected a number."),
    ],
)
def test_a_fault_is_one_line_with_place_value_and_remedy(values, line):
    assert faults(values) == [line]


def test_a_setting_of_several_sections_is_shown_every_place():
    line = faults({"seed": 5})[0]

    assert "Did you mean 'split.seed' or 'training.seed' or 'evaluation.seed'?" in line


def test_a_protocol_by_override_does_not_inherit_the_sizes_of_another_split():
    values = {"split": {"name": "random", "test": 0.2, "validation": 0.1, "seed": 7}}

    split = config.parse(values, ["split.name=tenrec_ctr"]).split

    assert (split.test, split.validation, split.seed) == (0.1, 1 / 9, 7)
    assert config.parse(values, ["split.name=tenrec_sbr"]).split.test == 1 / 30
    assert config.parse(values, ["split.name=time"]).split.test == 0.2
    with pytest.raises(ConfigError, match="test is 0.2, but tenrec_ctr is 8:1:1"):
        config.parse(values, ["split.name=tenrec_ctr", "split.test=0.2"])


def test_another_option_by_override_does_not_inherit_the_settings_of_the_first():
    values = {"dataset": {"name": "movielens", "variant": "1m"}}

    other = config.parse(values, ["dataset.name=table", "dataset.path=log.csv"])
    assert (other.dataset.name, str(other.dataset.settings.path)) == ("table", "log.csv")
    assert config.parse(values, ["dataset.name=movielens"]).dataset.settings.variant == "1m"


def test_every_fault_is_reported():
    lines = faults(
        {
            "zzz": 1,
            "model": {"biases": 1, "cut": "x"},
            "tasks": {"like": {"weight": "x"}, "finish": {}},
            "training": {"epochs": 0},
        },
        "sharing=nothing",
    )

    assert [line.partition(" ")[0] for line in lines] == [
        "zzz",
        "model.biases",
        "model.cut",
        "sharing.name",
        "tasks.like.weight",
        "tasks.finish.kind",
        "training.epochs",
    ]


def test_what_is_right_by_itself_and_does_not_go_together_is_told_from_what_is_wrong():
    with pytest.raises(ConflictError, match="The weight of every task is 0"):
        config.parse({"tasks": {"like": {"weight": 0}}})
    with pytest.raises(ConfigError) as wrong:
        config.parse({"tasks": {"like": {"weight": "0"}}})
    assert not isinstance(wrong.value, ConflictError)


def test_an_option_may_refuse_what_makes_no_sense_with_it():
    assert faults({"model": "ranker"}) == ["ranker cannot retrieve: take tasks.retrieval out."]
    assert config.parse({"model": "ranker"}, ["tasks.retrieval=null"]).model.name == "ranker"


def test_long_values_are_cut():
    line = faults({"training": {"epochs": "x" * 500}})[0]

    assert len(line) < 150


def test_parsing_leaves_the_mapping_as_it_was():
    values = {"epochs": 3, "tasks": {"like": {}}}

    config.parse(values, ["tasks.like.weight=2"])

    assert values == {"epochs": 3, "tasks": {"like": {}}}


def test_a_config_is_read_without_tensorflow_and_in_a_second(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "dataset: stand_ins.datasets.movielens\n"
        "model: stand_ins.models.two_tower\n"
        "sharing: stand_ins.sharing.separate\n"
        "weighting: stand_ins.weighting.fixed\n"
        "tasks: {like: stand_ins.tasks.binary}\n"
    )
    code = (
        "import pathlib, sys\n"
        "from multitask_recommender import config\n"
        "config.load(pathlib.Path('c.yaml'))\n"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'polars', 'scipy', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    start = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{pathlib.Path(config.__file__).parents[1]}:{tmp_path}"},
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert time.monotonic() - start < 2


def test_the_task_that_retrieves_has_the_name_that_the_config_gives_it():
    assert config.parse({"tasks": {"next": {"kind": "retrieval"}, "like": {}}}).retrieval == "next"
    assert config.parse({"tasks": {"like": {}}}).retrieval is None


def test_with_other_training_all_else_is_the_same():
    chosen = config.parse({"training": {"epochs": 3, "seed": 7}})

    other = chosen.with_training(seed=8)

    assert (other.training.epochs, other.training.seed) == (3, 8)
    assert chosen.training.seed == 7
    assert other.with_training(seed=7) == chosen
