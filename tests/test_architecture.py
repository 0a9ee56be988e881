"""The house is as DESIGN draws it: imports point one way, and the rules of the folders hold.

Everything is read from the files as they are, so that a new one is held to it at once.
"""

import ast
import graphlib
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = "multitask_recommender"

# Each line may import only from lines below it; within a line, a folder only from itself.
ARROW = [
    {"train.py", "evaluate.py", "setup.py", "__main__"},
    {"cli"},
    {"commands"},
    {"serving", "commands_on_runs"},
    {"ensembling", "explaining", "comparison"},
    {"runs", "reindexing", "run_listing", "sweeps", "planning"},
    {"ensembles", "explanation"},
    {"exporting"},
    {"export_facts"},
    {"experiment", "exploration"},
    {
        "assembly",
        "experiment_rows",
        "record",
        "report",
        "doctor",
        "config_schema",
        "plots",
        "pages",
    },
    # The config knows the settings of every part; no part knows the config.
    {"config"},
    {"config_choices"},
    {"config_faults"},
    {"config_file", "registry"},
    {"export"},
    {"evaluation", "index", "training", "traps"},
    {"models", "baselines"},
    {"tasks", "sharing", "weighting", "label_chains"},
    {"datasets", "splits", "batches", "layers"},
    {"graph", "user_sessions"},
    {"histories"},
    {"pairs", "shares"},
    {"interactions"},
    {"metrics", "given_negatives"},
    {"schema", "settings", "run_folder", "threads", "columns"},
    {"differences"},
    {"errors", "__init__"},
]
# What may choose a file of a folder by its name.
MAY_USE_REGISTRY = {
    "assembly",
    "config_choices",
    "config_schema",
    "experiment",
    "ensembles",
    "exploration",
    "commands",
}
OPTION_FOLDERS = {  # and the word by which code speaks of a choice from it
    "models": "model",
    "sharing": "sharing",
    "weighting": "weighting",
    "datasets": "dataset",
    "baselines": "baseline",
    "tasks": "kind",
    "index": "index",
}
SLOW = {"tensorflow", "tensorflow_recommenders", "tensorflow_datasets", "tf_keras", "keras"}
MAX_LINES = 300
MAX_SCRIPT_LINES = 60


class House:
    """The source files under a root: the package, and the scripts beside it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.package = root / PACKAGE
        scripts = {path.name: path for path in root.glob("*.py")}
        self.files = scripts | {
            ".".join(path.relative_to(self.package).with_suffix("").parts): path
            for path in sorted(self.package.rglob("*.py"))
        }  # `models.two_tower`, `models.__init__`, `cli`, `train.py`
        self.trees = {name: ast.parse(path.read_text()) for name, path in self.files.items()}

    def imports(self, name: str, top_only: bool = False) -> set[str]:
        """Dotted names that a file imports, each `from` with what it takes from it."""
        found = set()
        for node in _statements(self.trees[name], top_only):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                package = ".".join((PACKAGE, *name.split(".")[: -node.level])) if node.level else ""
                base = ".".join(filter(None, (package, node.module)))
                found |= {f"{base}.{alias.name}" for alias in node.names}
        return found

    def own_imports(self, name: str, top_only: bool = False) -> set[str]:
        """The files of the package that a file imports."""
        return {
            self._file(imported)
            for imported in self.imports(name, top_only)
            if imported.split(".")[0] == PACKAGE
        } - {name}

    def slow_imports(self, name: str) -> set[str]:
        """What importing a file imports of TensorFlow's family, through whichever files."""
        seen, ahead, slow = set(), [name], set()
        while ahead:
            name = ahead.pop()
            seen.add(name)
            slow |= {f"{name} imports {each}" for each in self._slow(name)}
            ahead.extend((self.own_imports(name, top_only=True) | self._parents(name)) - seen)
        return slow

    def _slow(self, name: str) -> set[str]:
        return {each.split(".")[0] for each in self.imports(name, top_only=True)} & SLOW

    def _parents(self, name: str) -> set[str]:
        """The `__init__` files that run before a file does."""
        parts = name.split(".")
        candidates = {".".join((*parts[:n], "__init__")) for n in range(len(parts))}
        return candidates & self.files.keys()

    def _file(self, imported: str) -> str:
        """The file that holds an imported name: the module itself, or the one it is a part of."""
        parts = imported.split(".")[1:]
        for length in range(len(parts), -1, -1):
            for name in (".".join(parts[:length]), ".".join((*parts[:length], "__init__"))):
                if name in self.files:
                    return name
        return "__init__"


def _statements(tree: ast.AST, top_only: bool) -> Iterator[ast.AST]:
    """Every node; or only those that run on import, so none within functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if not (top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            yield from _statements(node, top_only)


def _imported(node: ast.AST) -> list[str]:
    """Absolute names that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


def unit(name: str) -> str:
    """What has a place in the arrow: a file or folder at the top of the package, or a script."""
    return name if name.endswith(".py") else name.split(".")[0]


def height(name: str) -> int | None:
    """The line of the arrow that a file stands on, counted from the top."""
    return next((line for line, units in enumerate(ARROW) if unit(name) in units), None)


def wrong_imports(house: House) -> list[str]:
    """Imports that do not point down the arrow."""
    return [
        f"{name} imports {imported}"
        for name in house.files
        for imported in sorted(house.own_imports(name))
        if unit(imported) != unit(name) and not (height(imported) or 0) > (height(name) or 0)
    ]


def cycle(house: House) -> list[str] | None:
    """Files that import each other in a ring, late imports included."""
    graph = {name: house.own_imports(name) for name in house.files}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def hard_coded_options(house: House) -> list[str]:
    """Comparisons of a choice with the name of an option, outside that option's own folder."""
    found = []
    for name, tree in house.trees.items():
        for folder, word in OPTION_FOLDERS.items():
            options = {
                other.split(".")[-1] for other in house.files if other.startswith(f"{folder}.")
            }
            if unit(name) == folder:
                continue
            for node in ast.walk(tree):
                if not isinstance(node, ast.Compare | ast.match_case | ast.Match):
                    continue
                texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                names = {
                    each.id if isinstance(each, ast.Name) else each.attr
                    for each in ast.walk(node)
                    if isinstance(each, ast.Name | ast.Attribute)
                }
                if texts & options and any(word in each for each in names):
                    found.append(f"{name}:{node.lineno} {ast.unparse(node)}")
    return found


HOUSE = House(ROOT)
HOLDERS = [  # of settings, and what answers before TensorFlow is there
    name
    for name, tree in HOUSE.trees.items()
    if any(isinstance(node, ast.ClassDef) and node.name == "Settings" for node in tree.body)
] + [
    "train.py",
    "evaluate.py",
    "__main__",
    "cli",
    "commands",
    "commands_on_runs",
    "config",
    "config_schema",
    "doctor",
    "serving.command",
    "planning.command",
    "sweeps.plan",
    "comparison.command",
    "comparison.plan",
]


@pytest.mark.parametrize("name", HOUSE.files)
def test_every_file_has_a_place_in_the_arrow(name):
    assert height(name) is not None, f"give {unit(name)} a place in ARROW"


def test_imports_point_down_the_arrow():
    assert wrong_imports(HOUSE) == []


def test_no_files_import_each_other_in_a_ring():
    assert cycle(HOUSE) is None


def test_only_the_config_and_the_experiment_choose_files_by_name():
    users = {unit(name) for name in HOUSE.files if "registry" in HOUSE.own_imports(name)}

    assert users <= MAY_USE_REGISTRY


def test_no_option_is_hard_coded_elsewhere():
    assert hard_coded_options(HOUSE) == []


@pytest.mark.parametrize("name", HOLDERS)
def test_settings_and_commands_come_without_tensorflow(name):
    assert HOUSE.slow_imports(name) == set()


@pytest.mark.parametrize("name", HOUSE.files)
def test_a_file_is_short_enough_to_read(name):
    lines = len(HOUSE.files[name].read_text().splitlines())

    assert lines <= (MAX_SCRIPT_LINES if name.endswith(".py") else MAX_LINES)


CLIENT = sorted((ROOT / "serving").rglob("*.py"))


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_client_stands_alone(path):
    """It is copied to where neither the package nor TensorFlow is."""
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }

    assert imported & ({PACKAGE, "tensorflow_serving", "numpy"} | SLOW) == set()
    assert len(path.read_text().splitlines()) <= MAX_LINES


class TestTheChecksThemselves:
    """Each finds, in a house of two or three rooms, what it is there to find."""

    @pytest.fixture
    def build(self, tmp_path):
        def build(**files: str) -> House:
            (tmp_path / PACKAGE).mkdir()
            for name, text in {"__init__": "", **files}.items():
                path = tmp_path / PACKAGE / f"{name.replace('__in__', '/')}.py"
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            return House(tmp_path)

        return build

    @pytest.mark.parametrize(
        "text",
        [
            "from multitask_recommender import config",
            "import multitask_recommender.config as c",
            "from multitask_recommender.config import load",
            "from . import config",
            "from .config import load",
            "def f():\n    from multitask_recommender import config\n",
        ],
    )
    def test_an_import_that_points_up(self, build, text):
        assert wrong_imports(build(splits=text, config="")) == ["splits imports config"]

    def test_an_import_within_a_line(self, build):
        assert wrong_imports(build(splits="from . import batches", batches="")) == [
            "splits imports batches"
        ]

    def test_an_import_that_points_down(self, build):
        assert wrong_imports(build(config="from . import splits", splits="")) == []

    def test_imports_within_a_folder(self, build):
        house = build(
            models__in__a="from . import b",
            models__in__b="from ..models.c import x",
            models__in__c="",
        )

        assert house.own_imports("models.a") == {"models.b"}
        assert house.own_imports("models.b") == {"models.c"}
        assert wrong_imports(house) == []

    def test_a_ring_closed_by_a_late_import(self, build):
        house = build(
            models__in__a="from multitask_recommender.models import b",
            models__in__b="def f():\n    from multitask_recommender.models import a\n",
        )

        assert set(cycle(house)) == {"models.a", "models.b"}

    def test_an_import_for_types_alone_is_none(self, build):
        text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import config\n"

        assert wrong_imports(build(splits=text, config="")) == []

    @pytest.mark.parametrize(
        "text",
        [
            "if config.model.name == 'lightgcn': pass",
            "x = model in ('lightgcn', 'other')",
            "match model:\n    case 'lightgcn': pass",
        ],
    )
    def test_a_hard_coded_option(self, build, text):
        assert len(hard_coded_options(build(experiment=text, models__in__lightgcn=""))) == 1

    def test_the_same_word_about_something_else(self, build):
        house = build(splits="if self.name == 'random': pass", baselines__in__random="")

        assert hard_coded_options(house) == []

    def test_tensorflow_behind_another_file(self, build):
        house = build(
            models__in____init__="",
            models__in__settings="from multitask_recommender import splits",
            splits="import tensorflow as tf",
            evaluation="def f():\n    import tensorflow as tf\n",
        )

        assert house.slow_imports("models.settings") == {"splits imports tensorflow"}
        assert house.slow_imports("evaluation") == set()

    def test_a_file_without_a_place(self):
        assert height("somewhere.else") is None
