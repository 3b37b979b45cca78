"""Keeps the file of SQLite's write-ahead log short.

SQLite writes a log from its start again only once all of it was copied into the database and no
reader uses it. While a long reader lasts the log grows, and afterwards its file keeps its size.
"""

import sqlite3
from pathlib import Path

LARGE_BYTES = 8 * 1024 * 1024
"""Above this size the file is shortened."""

COPIED_AT_PAGES = 1000
"""SQLite's default: a commit copies a log of this many pages, 4 MB, into the database."""

LOOK_SECONDS = 1.0

PATIENCE_MS = 10
"""How long a writer may wait for readers to leave the log."""


def is_large(database: Path) -> bool:
    """Whether the log's file is to be shortened."""
    try:
        return Path(f"{database}-wal").stat().st_size > LARGE_BYTES
    except FileNotFoundError:
        return False


def leave_growing(writing: sqlite3.Connection) -> None:
    """Let commits copy nothing: the first one after a long reader would copy the whole log."""
    writing.execute("PRAGMA wal_autocheckpoint = 0").fetchall()


def copy(reading: sqlite3.Connection) -> None:
    """Copy into the database what no reader needs to find in the log; writers go on meanwhile."""
    reading.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def truncate(writing: sqlite3.Connection) -> None:
    """Copy what is left, and empty the file unless a reader uses it; no writer may go on."""
    [(patience_ms,)] = writing.execute("PRAGMA busy_timeout").fetchall()
    writing.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}").fetchall()
    try:
        [(is_busy, _, _)] = writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if not is_busy:
            writing.execute(f"PRAGMA wal_autocheckpoint = {COPIED_AT_PAGES}").fetchall()
    finally:
        writing.execute(f"PRAGMA busy_timeout = {patience_ms}").fetchall()
