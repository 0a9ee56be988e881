"""Comparisons: models x sharings x weights over seeds, beside their single-task twins.

grid, plan     what is compared: a grid file, recipes, finished runs; checked before there is data
workers        cells as processes of their own, each an ordinary run in an ordinary folder
finished       runs, read and found unchanged; groups: which may be ranked together
differences    joint minus twin, paired
leaderboard    what was found, as JSON; table, page and pictures show it
"""
