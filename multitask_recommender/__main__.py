"""`python -m multitask_recommender COMMAND`."""

import sys

from multitask_recommender import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
