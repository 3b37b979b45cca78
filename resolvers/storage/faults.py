"""Errors of the drivers without the values that they quote: these errors reach logs and consoles.

PostgreSQL puts the whole row into the detail of an integrity error, and asyncpg quotes a value that
it cannot send. SQLite's messages name tables, columns and constraints only.
"""

import asyncpg


def without_values(error: BaseException) -> None:
    """Remove the values of a statement from an error, in place; its kind and traceback stay."""
    if isinstance(error, asyncpg.PostgresError):
        error.detail = error.hint = None
        if isinstance(error, asyncpg.DataError):
            error.args = (f"the database rejected a value, SQLSTATE {error.sqlstate}",)
    elif isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        error.args = ("a value does not fit the type of its parameter",)
        error.__cause__, error.__suppress_context__ = None, True
