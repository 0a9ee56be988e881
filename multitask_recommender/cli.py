"""The command line: which command is run, and what its errors and its ends are to a shell."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from multitask_recommender.commands import COMMANDS, FAILED
from multitask_recommender.errors import ConfigError, DataError, RunError

WRONG_USAGE, INTERRUPTED, TERMINATED = 2, 130, 143  # exit statuses, beside those of commands
_RESUME = "A training goes on where it was saved when the same command is given again."


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in the way of every other error."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}. See {self.prog} --help.")


def script() -> int:
    """The console command of an installed wheel: `multitask-recommender COMMAND ...`.

    As with `python -m`, a config may name modules of the working folder.
    """
    sys.path.insert(0, "")
    return main(sys.argv[1:], "multitask-recommender")


def main(arguments: Sequence[str], prog: str = "python -m multitask_recommender") -> int:
    """`PROG COMMAND ...`; returns the exit status."""
    width = max(map(len, COMMANDS))
    parser = _Parser(
        prog=prog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train and evaluate multi-task recommenders.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {run.__doc__}" for name, run in COMMANDS.items()),
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="...",
        help="those of the command: see COMMAND --help",
    )
    try:
        parsed = parser.parse_args(arguments)
    except ConfigError as error:
        return _fail(error, WRONG_USAGE)
    return run(parsed.command, parsed.arguments, f"{parser.prog} {parsed.command}")


def run(command: str, arguments: Sequence[str], prog: str) -> int:
    """Runs one command, shown as `prog` in its help; returns the exit status."""
    function = COMMANDS[command]
    # Training saves first: it has a handler of its own while it runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    # TensorFlow warns of many models in one process, which a run and its export are by themselves.
    logging.getLogger("tensorflow").addFilter(_is_no_retracing)
    parser = _Parser(prog=prog, description=function.__doc__, allow_abbrev=False)
    try:
        return function(parser, arguments)
    except ConfigError as error:
        return _fail(error, WRONG_USAGE)
    except (DataError, RunError) as error:
        return _fail(error, FAILED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}.", FAILED)
    except MemoryError as error:
        return _fail(f"out of memory: {error}", FAILED)
    except KeyboardInterrupt:
        return _fail(f"interrupted. {_RESUME}", INTERRUPTED)
    except SystemExit as end:
        if end.code != TERMINATED:
            raise
        return _fail(f"stopped by SIGTERM. {_RESUME}", TERMINATED)


def _is_no_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


def _fail(fault: object, status: int) -> int:
    for line in str(fault).splitlines():
        print(f"error: {line}", file=sys.stderr)
    return status
