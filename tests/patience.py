"""The limit of every wait in these tests."""

from typing import Final

PATIENCE: Final = 120
"""Seconds. A wait ends as soon as its condition holds; only a failing test waits this long."""
