"""What a config will take, of memory and of disk, before anything is trained.

`shape.py` says how large the data are, `model.py` which arrays a model of them has (found on data
of the same columns in small, so that no table is allocated), `estimate.py` what that comes to, and
`table.py` shows it.
"""
