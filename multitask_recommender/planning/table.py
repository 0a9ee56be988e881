"""A plan as a person sees it: what takes how much, and what to do where a machine lacks it."""

import os
from collections.abc import Iterator, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from multitask_recommender.config import Config
from multitask_recommender.planning import model
from multitask_recommender.planning.arrays import Array
from multitask_recommender.planning.estimate import (
    EXPORT,
    IMPORTS,
    Part,
    Plan,
)
from multitask_recommender.report import console

_LEAST_SHARE = 0.01  # of the parameters, for a line of its own
_LEAST_STATE = "rowwise_adagrad"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")  # powers of 1000


def show(plan: Plan, config: Config) -> None:
    """Prints the plan."""
    shape = plan.shape
    console.print(f"[bold]{escape(shape.source)}[/]", highlight=False)
    console.print(
        f"{shape.users.number:,} users, {shape.items.number:,} items, {shape.rows:,} rows to learn "
        f"from, {shape.held_out:,} held out",
        highlight=False,
    )
    console.print(_tables(plan))
    for stage, parts in plan.memory.items():
        console.print(_parts(f"memory: {stage}", parts, plan.peak(stage)))
    console.print(_parts("on disk", plan.disk, None))
    for line in verdict(plan, config, machine_memory()):
        console.print(line, highlight=False)


def verdict(plan: Plan, config: Config, memory: int) -> Iterator[str]:
    """Whether a machine with so many bytes of memory will do, and else what would."""
    yield (
        f"Beside {written(IMPORTS)} that Python and TensorFlow take; this machine has "
        f"{written(memory)}."
    )
    of_a_run = [stage for stage in plan.memory if stage != EXPORT]
    for name, stages in (("train.py", of_a_run), ("export", (EXPORT,))):
        needed = IMPORTS + plan.peak(*stages)
        if needed > memory:
            yield (
                f"[bold red]{name} needs {written(needed)}, more than this machine has.[/] "
                + _advice(config)
            )


def machine_memory() -> int:
    """Bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def written(number: float) -> str:
    """Bytes as 1.23 GB."""
    unit = 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"


def _tables(plan: Plan) -> Table:
    table = Table(title="parameters", title_justify="left", box=box.SIMPLE)
    for column in ("", "rows of", "shape", "parameters", "bytes"):
        table.add_column(column, justify="left" if column in ("", "rows of") else "right")
    learnt = plan.arrays[model.LEARNT]
    large = [array for array in learnt if array.size >= _LEAST_SHARE * plan.parameters]
    for array in large:
        table.add_row(
            array.name,
            ", ".join(array.axes) or "-",
            " x ".join(f"{length:,}" for length in array.shape) or "1",
            *_size([array]),
        )
    others = [array for array in learnt if array.size < _LEAST_SHARE * plan.parameters]
    if others:
        table.add_row(f"{len(others)} others", "", "", *_size(others))
    table.add_row("[bold]all", "", "", *_size(learnt))
    return table


def _size(arrays: Sequence[Array]) -> tuple[str, str]:
    return f"{sum(each.size for each in arrays):,}", written(sum(each.bytes for each in arrays))


def _parts(title: str, parts: Sequence[Part], total: float | None) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column(min_width=32)
    table.add_column(justify="right", min_width=8)
    for part in parts:
        table.add_row(part.name, written(part.bytes))
    if total is not None:
        table.add_row("[bold]at its peak", written(total))
    return table


def _advice(config: Config) -> str:
    """What makes it less, of what the config does not do already."""
    training = config.training
    advice = []
    if training.optimizer != _LEAST_STATE:
        advice.append(
            f"training.optimizer={_LEAST_STATE} (one number of state for each row of a table; "
            f"{training.optimizer} has one or two for each parameter)"
        )
    size = getattr(config.model.settings, "embedding_dimension", None)
    if size is not None and size > 1:
        advice.append(f"model.embedding_dimension={size // 2} (half of every table)")
    for name, task in config.tasks.items():
        if not task.settings.predicts_label and task.settings.negatives == "full":
            advice.append(f"tasks.{name}.negatives=in_batch (no scores of all items in a step)")
    if config.export.tables == "float32":
        advice.append(
            "export.tables=float16 (an export of half the size, which is not planned for)"
        )
    advice.append("fewer inputs, or evaluation.block_megabytes below its default")
    return "Try " + "; ".join(advice) + ". More machines do not help: each holds all tables."
