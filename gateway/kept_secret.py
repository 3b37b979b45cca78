"""The secret that signs tokens, in a file next to a SQLite database.

The file is created together with the database's first organization. If it is missing later, it was
lost, or the database was restored without it. All tokens are then invalid.
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
"""The shortest secret. HS256 uses 256 bits."""

LOST: Final = (
    "%s is missing, although the database has organizations. A new secret was made:"
    " tokens that were issued before are no longer valid. To keep them valid, stop the gateway"
    " and restore the file from the backup."
)


class WrongSecret(ValueError):
    """The stored secret cannot be used. The message completes a sentence that starts with the
    setting."""


def kept_secret(database: Path, *, may_replace: bool) -> str:
    """The secret of a database; a new one if there is none.

    With `may_replace`, a lost secret is replaced even if the database has organizations, which
    makes their tokens invalid. Raises: WrongSecret.
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
    """Create the secret of a database without organizations, unless it exists."""
    file = database.parent / FILE
    if not file.exists() and not has_organizations(database):
        make_secret(file)


def make_secret(file: Path) -> None:
    """Write a new secret to a file that only its owner can read, unless the file exists."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # complete before it has its name: another process must not read a part of it
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
