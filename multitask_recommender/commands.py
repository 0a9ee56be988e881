"""The commands, each with its arguments: they read them, then the config, and call the package.

What takes seconds to import is imported by the command that needs it, after its arguments and its
config have been found right.
"""

import argparse
import json
import pathlib
from collections.abc import Sequence

from multitask_recommender import (
    commands_on_runs,
    config_faults,
    config_file,
    config_schema,
    doctor,
    registry,
    run_folder,
)
from multitask_recommender.commands_on_runs import DONE
from multitask_recommender.comparison.command import compare
from multitask_recommender.config import load, parse
from multitask_recommender.errors import ConfigError
from multitask_recommender.planning.command import plan
from multitask_recommender.serving.command import serve

FAILED = 1  # the exit status of what finds a fault and does not raise
PROTOCOLS = ("full", "unfiltered", "sampled")


def train(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Train the recommender of a config, and evaluate it."""
    parser.add_argument(
        "--config",
        type=pathlib.Path,
        default=pathlib.Path("config.yaml"),
        metavar="FILE",
        help="the config (default: config.yaml)",
    )
    parser.add_argument(
        "--run-dir",
        type=pathlib.Path,
        metavar="DIR",
        help="where the run is written (default: a fresh folder under runs/)",
    )
    parser.add_argument(
        "--warm-start",
        type=pathlib.Path,
        metavar="RUN",
        help="begin with the weights of this finished run, of other data (training.warm_start)",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key=value",
        help="settings over those of the config: training.epochs=5, tasks.like=null",
    )
    parsed = parser.parse_intermixed_args(arguments)
    if parsed.warm_start is not None:
        origin = json.dumps(str(parsed.warm_start.absolute()))
        parsed.overrides.append(f"training.warm_start={origin}")
    config = load(parsed.config, parsed.overrides)

    from multitask_recommender import runs

    runs.train(config, parsed.run_dir or run_folder.fresh(config.model.name))
    return DONE


def evaluate(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Evaluate a trained run, or an export as it is served."""
    parser.add_argument(
        "run",
        type=pathlib.Path,
        metavar="RUN_OR_EXPORT",
        help="the folder of a run, or of an export",
    )
    parser.add_argument(
        "--protocol", choices=PROTOCOLS, help="which items compete (default: as the run's config)"
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the metrics there")
    parser.add_argument(
        "places",
        nargs="*",
        metavar="dataset.path=DIR",
        help="where the data are, if not where the config of the run says",
    )
    parser.add_argument(
        "--write-recommendations",
        type=pathlib.Path,
        metavar="FILE.parquet",
        help="write the best 100 items of every user there",
    )
    parsed = parser.parse_intermixed_args(arguments)

    from multitask_recommender import runs

    outputs = parsed.json, parsed.write_recommendations
    runs.evaluate(parsed.run, parsed.protocol, *outputs, parsed.places)
    return DONE


def export(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Write a finished run as a SavedModel that retrieves, filters and ranks, for TF Serving."""
    parser.add_argument("run", type=pathlib.Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--index",
        choices=registry.names("index"),
        help="what finds items (default: export.index of the run's config)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="DIR",
        help="the base path, in which the next version is written (default: RUN/export)",
    )
    parsed = parser.parse_args(arguments)

    from multitask_recommender import runs

    runs.export(parsed.run, parsed.index, parsed.out)
    return DONE


def explore(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Show what a dataset is: counts, labels, features, popularity, and a page with plots."""
    parser.add_argument("name", metavar="NAME", help="a dataset: movielens, tenrec, table, ...")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="key=value",
        help="settings of the dataset: variant=1m, path=FOLDER, scenario=qb_video",
    )
    parser.add_argument(
        "--overlap",
        action="append",
        default=[],
        metavar="key=value",
        help="count the users and items in common with the dataset of this other setting, say "
        "scenario=qk_video; may be given again",
    )
    parser.add_argument(
        "--html",
        type=pathlib.Path,
        metavar="FILE",
        help="where the page is written (default: explore-NAME.html)",
    )
    parsed = parser.parse_intermixed_args(arguments)
    chosen = {"dataset": {"name": parsed.name}}
    keys = [f"dataset.{setting}" for setting in parsed.settings]
    config = parse(chosen, keys)
    others = [parse(chosen, [*keys, f"dataset.{setting}"]) for setting in parsed.overlap]

    from multitask_recommender import exploration, report

    exploration.explore(
        exploration.read(config),
        [exploration.read(other) for other in others],
        parsed.html or pathlib.Path(f"explore-{parsed.name}.html"),
        report.console,
    )
    return DONE


def sweep(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Train a recipe at several settings, or search for good ones, and judge them on validation."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a config file, or the name of one of experiments/"
    )
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="key=a,b,c",
        help="what is varied: model.embedding_dimension=32,64 model.layers=[64],[64,32]; with "
        "--search also ranges: 8..128 (integers), 0.0..0.5, 1e-4..1e-1:log; key=value sets it",
    )
    parser.add_argument(
        "--one-at-a-time",
        action="store_true",
        help="vary each key from the recipe's own value (default: every combination)",
    )
    parser.add_argument("--search", type=int, metavar="N", help="N trials of Optuna's instead")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="train each with N seeds, from training.seed on: mean and standard deviation",
    )
    parser.add_argument(
        "--metric",
        help="what of validation they are judged by, say full/recall@20; it also chooses the epoch "
        "(default: training.monitor)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="DIR",
        help="where results are written, and gone on with (default: a fresh folder under runs/)",
    )
    parsed = parser.parse_intermixed_args(arguments)

    from multitask_recommender import sweeps

    plan = sweeps.Plan(
        sweeps.Asked(
            parsed.recipe,
            parsed.settings,
            parsed.one_at_a_time,
            parsed.search,
            parsed.seeds,
            parsed.metric,
        )
    )
    sweeps.run(plan, parsed.out or run_folder.fresh(f"sweep-{plan.name}"))
    return DONE


def generate(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Write a file in the form of Tenrec, of made-up rows, into a folder."""
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER", help="made if need be")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="key=value",
        help="settings of the synthetic dataset: scenario=sbr_1m users=1000 rows=100_000",
    )
    parsed = parser.parse_intermixed_args(arguments)
    values = config_file.override({"shape": "tenrec"}, parsed.settings)

    from multitask_recommender.datasets import synthetic

    settings = config_faults.checked(synthetic.Settings, values, "synthetic")
    path = synthetic.csv_path(settings, parsed.folder)
    if path.exists():
        raise ConfigError(f"{path} exists: choose another folder, or remove it.")
    run_folder.check_writable(path)

    from multitask_recommender import report

    with report.counting("rows", min(settings.rows, settings.max_rows or settings.rows)) as advance:
        synthetic.write_csv(settings, parsed.folder, advance)
    report.show_written([path])
    return DONE


def schema(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Print the JSON schema of the config, for editors: ... schema > config.schema.json"""
    parser.parse_args(arguments)
    print(json.dumps(config_schema.schema(), indent=1))
    return DONE


def check(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Show what is installed, loads, fits and is found here, and what mends that which does not."""
    parser.parse_args(arguments)
    faults = 0
    for finding in doctor.diagnose():
        print(finding, flush=True)  # the next may take seconds
        faults += bool(finding.fault)
    print(f"{faults} faults" if faults else "no fault")
    return FAILED if faults else DONE


COMMANDS = {
    "train": train,
    "evaluate": evaluate,
    "export": export,
    "reindex": commands_on_runs.reindex,
    "explore": explore,
    "sweep": sweep,
    "ensemble": commands_on_runs.ensemble,
    "explain": commands_on_runs.explain,
    "compare": compare,
    "generate": generate,
    "plan": plan,
    "serve": serve,
    "runs": commands_on_runs.manage,
    "schema": schema,
    "doctor": check,
}
