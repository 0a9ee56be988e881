"""Graph models and two towers on Gowalla.

    python benchmarks/gowalla_quality.py [--seeds 3] [NAME ...]      NAMEs of experiments/

The split of NGCF and LightGCN (dataset `adjacency`, in $MTR_DATA/gowalla). Each recipe of
experiments/ learns from all of train.txt for the epochs of its config, which validation rows out of
train.txt chose, and is scored once on test.txt: all items but those of train.txt, ties against the
model, mean over users.
"""

from _recipes import main

if __name__ == "__main__":
    main(
        title="Gowalla",
        description=__doc__,
        recipes=("lightgcn", "lightgcn_bpr_hard", "ngcf", "two_tower_gowalla"),
        metrics={"recall@20": "test/full/recall@20", "ndcg@20": "test/full/ndcg@20"},
    )
