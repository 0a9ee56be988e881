"""Evaluate a run: `python evaluate.py RUN_OR_EXPORT [--protocol full|unfiltered|sampled] ...`."""

import sys

from multitask_recommender import cli

if __name__ == "__main__":
    sys.exit(cli.run("evaluate", sys.argv[1:], "python evaluate.py"))
