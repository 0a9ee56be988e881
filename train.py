"""Train a recommender: `python train.py [--config config.yaml] [--run-dir DIR] [key=value ...]`."""

import sys

from multitask_recommender import cli

if __name__ == "__main__":
    sys.exit(cli.run("train", sys.argv[1:], "python train.py"))
