"""Which settings of an index find enough of what an exact search finds."""
