"""What is written is true: commands parse, files exist, configs are configs, examples run."""

import argparse
import ast
import json
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import yaml

from docs import grid
from multitask_recommender import cli, config, config_faults, registry
from multitask_recommender.comparison import plan as comparison
from multitask_recommender.comparison.grid import is_grid
from multitask_recommender.datasets import synthetic
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment import Experiment
from multitask_recommender.sweeps import Asked, Plan

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "serving/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAVED = re.compile(r"[Ss]ave as `([^`]+)`:\n+```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OURS = "multitask_recommender"
OTHERS = {"pip", "tensorboard", "docker", "git", "ruff", "jupyter"}  # programs that are not ours


def commands(page: pathlib.Path) -> Iterator[list[str]]:
    """The words of each command of a page: lines of its blocks, and what stands in backticks."""
    text = page.read_text()
    for language, block in FENCE.findall(text):
        if language in ("", "sh"):
            for line in _lines(block):
                words = shlex.split(line, comments=True) if language or _is_ours(line) else []
                yield from [words] if words else []
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        if _is_ours(code):
            yield shlex.split(" ".join(code.split()))


def _lines(block: str) -> Iterator[str]:
    """A command each; variables that the block gives a value are replaced by it."""
    values = {}
    for line in block.replace("\\\n", " ").splitlines():
        if given := re.fullmatch(r'(\w+)="(.*)"', line):
            values[f"${given[1]}"] = given[2]
        else:
            for name, value in values.items():
                line = line.replace(name, value)
            yield line


def _is_ours(line: str) -> bool:
    return re.match(r"(\w+=\S+ )*(\S*python|make|multitask-recommender|curl) ", line) is not None


COMMANDS = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)[:90]}")
    for page in PAGES
    for words in commands(page)
]


class Parsed(Exception):
    """The arguments were right; the command is not to be run."""


class Parser(cli._Parser):
    def parse_args(self, *given) -> argparse.Namespace:
        raise Parsed(super().parse_args(*given))

    def parse_intermixed_args(self, *given) -> argparse.Namespace:
        raise Parsed(super().parse_intermixed_args(*given))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[pathlib.Path]:
    """A checkout, with the files that the pages tell a reader to save."""
    folder = tmp_path_factory.mktemp("reader")
    for path in ROOT.iterdir():
        (folder / path.name).symlink_to(path)
    for page in PAGES:
        for name, text in SAVED.findall(page.read_text()):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            (path.parent / "__init__.py").touch()
    yield folder
    for name, module in list(sys.modules.items()):  # other tests have modules by the same names
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def there(folder, monkeypatch) -> pathlib.Path:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_is_one(words, there):
    while re.match(r"\w+=", words[0]):
        words = words[1:]
    program, rest = pathlib.Path(words[0]).name, words[1:]
    if program == "make":
        assert re.search(rf"^{rest[0]}:", pathlib.Path("Makefile").read_text(), re.MULTILINE)
    elif program == "curl" and "-d" in rest:
        json.loads(rest[rest.index("-d") + 1])
    elif program == "multitask-recommender":
        check(*rest)
    elif program.startswith("python"):
        check_python(rest)
    else:
        assert program in OTHERS | {"curl", "export"}
    for name in (after for word, after in zip(rest, rest[1:], strict=False) if word == "-r"):
        assert pathlib.Path(name).is_file()


def check_python(rest: list[str]) -> None:
    if rest == ["-m", OURS]:
        return  # the package is spoken of
    if rest[0] == "-m" and rest[1] == OURS:
        check(*rest[2:])
    elif rest[0] == "-m":
        file = pathlib.Path(f"{rest[1].replace('.', '/')}.py")
        assert rest[1] in OTHERS | {"pytest"} or file.is_file()
    elif rest[0] in ("train.py", "evaluate.py"):
        check(rest[0].removesuffix(".py"), *rest[1:])
    else:
        assert pathlib.Path(rest[0]).is_file()


def check(command: str, *arguments: str) -> None:
    """Parses the arguments, and checks the keys and values of a config that they give."""
    if command == "COMMAND":
        return
    assert command in cli.COMMANDS
    if not arguments or "..." in arguments:  # it is spoken of
        return
    arguments = arguments[: arguments.index(">")] if ">" in arguments else arguments
    with pytest.raises(Parsed) as parsed:
        cli.COMMANDS[command](Parser(prog=command), arguments)
    (given,) = parsed.value.args
    if command == "train":
        config.load(given.config, given.overrides)
    elif command == "sweep":
        asked = given.recipe, given.settings, given.one_at_a_time, given.search, given.seeds
        Plan(Asked(*asked, given.metric))
    elif command == "compare" and not re.match("(runs|DIR)/", given.places[0]):  # not there
        comparison.Plan(comparison.Asked(given.places, given.seeds))
    elif command == "explore" and not given.name.isupper():
        keys = [f"dataset.{setting}" for setting in given.settings]
        config.parse({"dataset": {"name": given.name}}, keys)
    elif command == "generate":
        values = config.config_file.override({"shape": "tenrec"}, given.settings)
        config_faults.checked(synthetic.Settings, values, "synthetic")


def test_commands_are_found():
    found = {" ".join(words) for page in PAGES for words in commands(page)}

    assert "make train" in found
    assert "python -m multitask_recommender doctor" in found
    assert any(len(command.split()) > 6 for command in found)


@pytest.mark.parametrize(
    "words",
    [
        "make trian",
        "python train.py training.epoch=5",
        "python train.py --config experiments/none.yaml",
        "python benchmarks/none.py",
        "python -m docs.none",
        "python -m multitask_recommender export runs/mine --index fais",
        "python -m multitask_recommender sweep config.yaml tasks.like.wieght=1,2",
        "python -m multitask_recommender compare experiments/grids/none.yaml",
    ],
)
def test_what_is_no_command_is_noticed(words, there):
    with pytest.raises((AssertionError, ConfigError)):
        test_a_command_is_one(words.split(), there)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
class TestEveryPage:
    def test_its_configs_are_configs(self, page, there):
        for language, block in FENCE.findall(page.read_text()):
            if language == "yaml" and not is_grid(values := yaml.safe_load(block)):
                config.parse(values)

    def test_its_python_can_be_read(self, page):
        for language, block in FENCE.findall(page.read_text()):
            if language == "python":
                ast.parse(block)

    def test_its_links_lead_somewhere(self, page):
        generated = {"reference.md"}
        for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert link in generated or (page.parent / link).exists(), link


def test_every_page_is_on_the_site():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]

    listed = set(re.findall(r"[\w-]+\.md", str(nav)))

    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} | {"reference.md"}


def test_the_picture_is_of_what_there_is():
    assert grid.PICTURE.read_text() == grid.draw(), "draw it anew: python -m docs.grid"


def test_the_log_of_the_guide_is_read_by_its_config(there):
    settings = config.load(there / "my.yaml").dataset.settings

    events = registry.load("datasets", "table").read(settings)

    assert events.users.raw_ids.tolist() == ["ann", "bob"]
    assert events.items.raw_ids.tolist() == ["A1", "B7"]
    assert events.is_observed("rating").tolist() == [True, False, True]


@pytest.fixture(scope="module")
def metric_learner(folder, tmp_path_factory) -> tuple[Experiment, object]:
    """The model of the guide, a little trained on little."""
    little = ["dataset.users=60", "dataset.items=40", "dataset.rows=900", "training.epochs=2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        experiment = Experiment(config.load(folder / "cml.yaml", [*little, "training.refit=false"]))
        fitted = experiment.fit(tmp_path_factory.mktemp("cml"))
    return experiment, fitted.model


def test_the_model_of_the_guide_orders_items_by_their_distance(metric_learner):
    experiment, model = metric_learner
    users = np.array([1, 7, 60], np.int32)

    scores = model.scorer().score_block({"user_id": users})

    tables = [tower._ids.numpy() for tower in (model._users, model._items)]
    u, q = (table / np.maximum(np.linalg.norm(table, axis=1), 1.0)[:, None] for table in tables)
    distances = np.square(u[users][:, None] - q[None, 1:]).sum(axis=2)  # [3, 40]
    offsets = scores + distances / 2
    np.testing.assert_allclose(offsets, np.broadcast_to(offsets[:, :1], offsets.shape), atol=1e-5)


def test_the_model_of_the_guide_predicts_all_of_its_labels(metric_learner):
    experiment, model = metric_learner

    metrics = experiment.test(model).metrics

    assert {"test/full/ndcg@20", "test/like/auc", "test/rating/root_mean_squared_error"} <= set(
        metrics
    )


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: make docs")

    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "api" / "multitask_recommender.models.html").read_text()
    assert "multitask_recommender.models.two_tower" in page
