"""A made-up world in the form of Tenrec: its rows, its best scores, its files."""
