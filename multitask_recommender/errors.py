"""Errors that are the user's to mend: shown as one line, never as a traceback."""


class ConfigError(Exception):
    """Wrong usage or settings: exit status 2, nothing written."""


class DataError(Exception):
    """Data that cannot be used as it is: names file, line and value; exit status 1."""


class RunError(Exception):
    """A run that cannot start, go on or be read: exit status 1."""
