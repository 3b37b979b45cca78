"""Failures of the command line."""


class Failed(Exception):
    """The command cannot be carried out. The message says why, and what to do."""


class Misused(Exception):
    """The arguments of the command are not valid."""
