"""The drivers' errors: what they mean, and how they are logged without the values that they quote.

PostgreSQL puts the whole row into the detail of an integrity error, and asyncpg quotes a value that
it cannot send. SQLite's messages name tables, columns and constraints only.
"""

import sqlite3
from typing import Any

import asyncpg

GONE = (
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.PostgresConnectionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    OSError,  # a TimeoutError is one
)
"""What a statement raises on a connection that the server has ended."""

UNAVAILABLE = (
    *GONE,
    asyncpg.OperatorInterventionError,  # starting, stopping, or a statement that took too long
    asyncpg.InsufficientResourcesError,  # disk, memory, connections
    asyncpg.ReadOnlySQLTransactionError,  # after a failover
    asyncpg.PostgresSystemError,  # input and output
)
"""What asyncpg raises while PostgreSQL cannot be used; the statement is not at fault."""

UNAVAILABLE_FILE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
PRIMARY_CODE = 0xFF  # the rest of an error's code says more than is needed


def is_unavailable(error: BaseException) -> bool:
    """Whether a driver's error says that the database cannot be used at present."""
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & PRIMARY_CODE in UNAVAILABLE_FILE
    return isinstance(error, UNAVAILABLE)


def is_gone(error: BaseException, connection: Any) -> bool:
    """Whether a statement failed because its connection to PostgreSQL has ended."""
    return isinstance(error, GONE) or connection.is_closed()


def without_values(error: BaseException) -> None:
    """Remove the values of a statement from an error, in place; its kind and traceback stay."""
    if isinstance(error, asyncpg.PostgresError):
        error.detail = error.hint = None
        if isinstance(error, asyncpg.DataError):
            error.args = (f"the database rejected a value, SQLSTATE {error.sqlstate}",)
    elif isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        error.args = ("a value does not fit the type of its parameter",)
        error.__cause__, error.__suppress_context__ = None, True
