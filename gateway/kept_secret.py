"""The secret that tokens are signed with, in a file beside a SQLite database.

The file is made together with the database's first organization. If it is missing later, it was
lost, or was left out when the database was restored: every token is invalid then.
"""

import contextlib
import logging
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

FILE: Final = "jwt-secret"
SECRET_BYTES: Final = 32
"""HS256 signs with 256 bits; a shorter secret is the weaker part."""

LOST: Final = (
    "%s is missing, although the database has organizations. A new secret was made:"
    " tokens that were issued before are no longer valid. To keep them valid, stop the gateway"
    " and restore the file from the backup."
)


class WrongSecret(ValueError):
    """The kept secret cannot be used; the message is the end of a sentence about it."""


def kept_secret(database: Path, *, may_replace: bool) -> str:
    """The secret beside a database; a new one if there is none.

    `may_replace`: also if the database has organizations, whose tokens it makes invalid. Raises:
    WrongSecret.
    """
    file = database.parent / FILE
    if not file.exists():
        is_lost = has_organizations(database)
        if is_lost and not may_replace:
            raise WrongSecret(
                f"is required: {file} is missing, although the database has organizations."
                " Restore the file from the backup"
            )
        make_secret(file)
        if is_lost:
            logger.warning(LOST, file)
    secret = file.read_text(encoding="utf-8").strip()
    if len(secret.encode()) < SECRET_BYTES:
        raise WrongSecret(f"kept in {file} is shorter than {SECRET_BYTES} bytes")
    return secret


def make_first_secret(database: Path) -> None:
    """Make the secret of a database without organizations, unless it is there."""
    file = database.parent / FILE
    if not file.exists() and not has_organizations(database):
        make_secret(file)


def make_secret(file: Path) -> None:
    """Put a new secret into a file that only its owner can read, unless it exists by then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # whole before it has its name: another process must not read half of it
    made = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        file.hardlink_to(made)
    made.unlink()


def has_organizations(database: Path) -> bool:
    """Whether a SQLite database has rows of organizations."""
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("SELECT 1 FROM organization LIMIT 1").fetchone()
        except sqlite3.OperationalError:  # not migrated
            return False
    return found is not None
