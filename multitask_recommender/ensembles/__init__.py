"""Several finished runs, and baselines, as one recommender.

    ensemble = ensembles.restore(place, data)
    ensemble.scorer().score_block(queries)

A folder holds `ensemble.json`: who its members are and what they count (recipe.py). Members are
opened and held against each other (members.py), their scores and predictions added (fusion.py,
fused.py), by weights that are given or learnt on validation (learning.py). Sums of products are
products: those are exported as one model (product.py).
"""
