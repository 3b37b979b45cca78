"""Messages and exit codes for errors of the command line."""

import sqlite3
from typing import Final

import asyncpg
import sqlalchemy.exc
from alembic.util import CommandError

from gateway.failures import Failed, Misused
from gateway.settings import WrongSetting
from resolvers.sources.json_text import Unreadable
from resolvers.storage import Overloaded
from resolvers.storage.migrated import NotMigrated

DATABASE_ERRORS: Final = (
    CommandError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    sqlalchemy.exc.SQLAlchemyError,
)


def explained(error: Exception) -> tuple[str, int] | None:
    """The message and the exit code for an error; None for an unexpected exception."""
    match error:
        case WrongSetting() | Misused() | Unreadable():
            return str(error), 2
        case Failed() | NotMigrated():
            return str(error), 1
        case Overloaded():
            return "the database is busy. Run the command again; completed work is kept", 1
        case OSError() if error.filename is not None:
            return _first_line(error), 1
    if isinstance(error, (OSError, *DATABASE_ERRORS)):
        return f"the database cannot be used: {_first_line(error)}", 1
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
