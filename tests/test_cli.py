"""The commands: arguments, exit statuses, and errors as lines. `runs` is a stand-in."""

import json
import logging
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import textwrap
import types

import pytest

import multitask_recommender
from multitask_recommender import cli, commands, doctor
from multitask_recommender.errors import ConfigError, DataError, RunError

ROOT = pathlib.Path(cli.__file__).parents[1]


@pytest.fixture
def calls(monkeypatch):
    """What the commands ask of `runs`: the arguments of each call."""
    made = []
    runs = types.ModuleType("runs")
    runs.train = lambda *arguments: made.append(arguments)
    runs.evaluate = lambda *arguments: made.append(arguments)
    monkeypatch.setitem(sys.modules, "multitask_recommender.runs", runs)
    monkeypatch.setattr(multitask_recommender, "runs", runs, raising=False)
    return made


@pytest.fixture
def loads(monkeypatch):
    """What is asked of `config.load`, which answers with a config of the model `tiny`."""
    made = []

    def load(path, overrides):
        made.append((path, overrides))
        return types.SimpleNamespace(model=types.SimpleNamespace(name="tiny"))

    monkeypatch.setattr(commands, "load", load)
    return made


def python(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={"PYTHONPATH": f"{cwd}:{ROOT}"},
        capture_output=True,
        text=True,
    )


def worked() -> float:
    """Seconds that processors gave to the processes run so far: others do not lengthen them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_train_reads_the_config_with_overrides_wherever_they_stand(calls, loads):
    status = cli.main(
        ["train", "epochs=5", "--config", "c.yaml", "tasks.like=null", "--run-dir", "r", "a.b=-1"]
    )

    assert status == 0
    assert loads == [(pathlib.Path("c.yaml"), ["epochs=5", "tasks.like=null", "a.b=-1"])]
    assert calls[0][0].model.name == "tiny"
    assert calls[0][1] == pathlib.Path("r")


def test_train_reads_config_yaml_and_writes_a_fresh_folder_by_default(calls, loads):
    assert cli.run("train", [], "python train.py") == 0
    assert cli.run("train", [], "python train.py") == 0

    assert loads[0] == (pathlib.Path("config.yaml"), [])
    first, second = calls[0][1], calls[1][1]
    assert first.parent == pathlib.Path("runs")
    assert "tiny" in first.name
    assert first != second


def test_evaluate_passes_on_its_arguments(calls):
    status = cli.run(
        "evaluate",
        ["runs/a", "--protocol", "sampled", "--json", "m.json"]
        + ["--write-recommendations", "r.parquet", "dataset.path=x"],
        "python evaluate.py",
    )

    paths = [pathlib.Path(name) for name in ("runs/a", "m.json", "r.parquet")]
    assert status == 0
    assert calls == [(paths[0], "sampled", paths[1], paths[2], ["dataset.path=x"])]


def test_evaluate_leaves_open_what_is_not_said(calls):
    assert cli.run("evaluate", ["runs/a"], "python evaluate.py") == 0
    assert calls == [(pathlib.Path("runs/a"), None, None, None, [])]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "argument COMMAND: invalid choice: 'trian'"),
        ([], "the following arguments are required: COMMAND"),
        (["train", "--confg", "c.yaml"], "unrecognized arguments: --confg"),
        (["train", "--conf", "c.yaml"], "unrecognized arguments: --conf"),
        (["train", "--config"], "argument --config: expected one argument"),
        (["evaluate"], "the following arguments are required: RUN_OR_EXPORT"),
        (["evaluate", "a", "--protocol", "fll"], "argument --protocol: invalid choice: 'fll'"),
        (["sweep"], "the following arguments are required: RECIPE"),
        (["sweep", "a", "--search", "x"], "argument --search: invalid int value: 'x'"),
        (["schema", "x"], "unrecognized arguments: x"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, message, calls, loads, capsys):
    assert cli.main(arguments) == 2

    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1
    assert "--help" in error
    assert calls == []


def test_a_missing_config_is_status_2(calls, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert cli.main(["train"]) == 2

    assert capsys.readouterr().err == (
        "error: The config file config.yaml cannot be read: No such file or directory. "
        "Name one with --config.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status", "lines"),
    [
        (ConfigError("a is wrong.\nb is wrong."), 2, ["a is wrong.", "b is wrong."]),
        (DataError("u.data, line 3: 'x'."), 1, ["u.data, line 3: 'x'."]),
        (RunError("runs/a exists."), 1, ["runs/a exists."]),
        (OSError(28, "No space left on device", "r/x"), 1, ["r/x: No space left on device."]),
        (OSError("odd"), 1, ["odd."]),
        (KeyboardInterrupt(), 130, ["interrupted. " + cli._RESUME]),
    ],
)
def test_errors_become_lines_and_statuses(error, status, lines, calls, loads, capsys):
    def fail(*arguments):
        raise error

    multitask_recommender.runs.train = fail

    assert cli.main(["train"]) == status
    assert capsys.readouterr().err.splitlines() == [f"error: {line}" for line in lines]


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), SystemExit(7)])
def test_what_is_not_the_users_to_mend_passes_through(error, calls, loads):
    def fail(*arguments):
        raise error

    multitask_recommender.runs.train = fail

    with pytest.raises(type(error)):
        cli.main(["train"])


def test_sigterm_is_a_line_and_143(calls, loads, capsys):
    def fail(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)

    multitask_recommender.runs.train = fail

    assert cli.main(["train"]) == 143
    assert capsys.readouterr().err.startswith("error: stopped by SIGTERM.")


def test_tensorflows_advice_on_retracing_is_not_for_users(calls, loads, caplog):
    assert cli.main(["train"]) == 0

    tensorflow = logging.getLogger("tensorflow")
    tensorflow.warning("5 out of the last 14 calls to %s triggered tf.function retracing.", "f")
    tensorflow.warning("The disk is full.")
    assert caplog.messages == ["The disk is full."]


def test_generate_writes_the_file_that_tenrec_ships(tmp_path, capsys):
    arguments = [str(tmp_path / "new"), "scenario=qb_video", "users=9", "items=8", "rows=70"]

    assert cli.main(["generate", *arguments]) == 0

    path = tmp_path / "new" / "QB-video.csv"
    assert len(path.read_text().splitlines()) == 71
    output = capsys.readouterr().out
    assert "70/70 rows" in output
    assert "Written:" in output and "QB-video.csv" in output.replace("\n", "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["usrs=3"], "synthetic.usrs is not a setting. Did you mean 'users'?"),
        (["users=0"], "synthetic.users is 0, expected a number of at least 1."),
        (["shape=movielens"], "shape is 'movielens', of which no files can be written"),
        (["scenario=ctr"], "synthetic.scenario is 'ctr'"),
        (["rows"], "'rows' is not key=value"),
    ],
)
def test_generate_answers_a_wrong_setting_before_anything_is_written(
    settings, message, tmp_path, capsys
):
    assert cli.main(["generate", str(tmp_path / "new"), *settings]) == 2

    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert list(tmp_path.iterdir()) == []


def test_generate_writes_over_nothing(tmp_path, capsys):
    (tmp_path / "ctr_data_1M.csv").write_text("precious")

    assert cli.main(["generate", str(tmp_path)]) == 2

    assert "ctr_data_1M.csv exists: choose another folder, or remove it." in capsys.readouterr().err
    assert (tmp_path / "ctr_data_1M.csv").read_text() == "precious"


def test_schema_prints_json(capsys):
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_doctor_prints_what_it_finds_and_fails_on_a_fault(monkeypatch, capsys):
    findings = [
        doctor.Finding("python", "3.11"),
        doctor.Finding("numpy", "-", fault="not installed", remedy="pip install numpy"),
        doctor.Finding("gpu", "none", warning="there is a driver"),
    ]
    monkeypatch.setattr(doctor, "diagnose", lambda: iter(findings))

    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["python", "numpy", "->", "gpu", "1"]

    findings.pop(1)
    assert cli.main(["doctor"]) == 0


def test_help_says_what_its_arguments_are(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    text = capsys.readouterr().out
    for name in ("COMMAND", "..."):
        assert re.search(rf"^  {re.escape(name)} +\w", text, re.MULTILINE)
    for name in cli.COMMANDS:
        assert re.search(rf"^  {name} +\w", text, re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    [
        ["train.py"],
        ["evaluate.py"],
        ["-m", "multitask_recommender"],
        ["-m", "multitask_recommender", "train"],
        ["-m", "multitask_recommender", "sweep"],
    ],
)
def test_help_comes_at_once(command):
    before = worked()

    done = python(*command, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("usage: python " + " ".join(command))
    assert worked() - before < 1.5  # TensorFlow alone takes four seconds


def test_a_wrong_setting_is_answered_by_train_py_at_once_and_nothing_is_written(tmp_path):
    (tmp_path / "own.py").write_text(
        textwrap.dedent("""
            from multitask_recommender import settings
            class Settings(settings.Settings):
                weight: float = 1.0
        """)
    )
    (tmp_path / "config.yaml").write_text(
        "dataset: {name: own.x}\nmodel: own\nsharing: own\nweighting: own\ntasks: {like: own}\n"
    )
    before = sorted(tmp_path.iterdir())
    start = worked()

    done = python("-B", ROOT / "train.py", "training.epoch=5", cwd=tmp_path)

    assert worked() - start < 1.5
    assert (done.returncode, done.stdout) == (2, "")
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert "error: training.epoch is not a setting. Did you mean 'epochs'?" in done.stderr
    assert sorted(tmp_path.iterdir()) == before
