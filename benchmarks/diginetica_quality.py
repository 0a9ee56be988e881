"""Session models on Diginetica.

    python benchmarks/diginetica_quality.py [--seeds 3] [NAME ...]      NAMEs of experiments/

The split of SR-GNN (dataset `sessions`, in $MTR_DATA/diginetica). Each recipe of experiments/
learns from all training sessions for the epochs of its config, which the latest tenth of them
chose, and is scored once on the 60,858 prefixes of test: all items, also those of the prefix, ties
against the model. session_knn and popularity stand beside.
"""

from _recipes import main

if __name__ == "__main__":
    main(
        title="Diginetica",
        description=__doc__,
        recipes=("gru4rec", "sr_gnn", "youtube_dnn"),
        metrics={"P@20": "test/unfiltered/hit_rate@20", "MRR@20": "test/unfiltered/mrr@20"},
    )
