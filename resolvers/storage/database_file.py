"""The files of an open SQLite database, and whether they are still those under its path.

Unix lets a file be deleted or replaced while it is open. SQLite does not notice: it goes on with
the file that it has, and whatever is committed is lost once the last process closes it.
"""

import sqlite3
import time
from pathlib import Path

Identity = tuple[int, int]
"""The device and the inode of a file. An inode is not used again while the file is open."""

LOG, LOG_INDEX = "-wal", "-shm"

LOOK_SECONDS = 0.25
"""How often reads look at the files. Three looks take 3 to 40 µs, as long as a read by a key."""


class DatabaseFileMoved(sqlite3.OperationalError):
    """The database's file, its log, or the log's index was deleted or replaced."""

    sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    sqlite_errorname = "SQLITE_CANTOPEN"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the file {path} was deleted or replaced while the gateway had it open;"
            " restart the gateway"
        )


class DatabaseFile:
    """The files of one database, from the moment that they were opened."""

    def __init__(self, path: Path) -> None:
        self._files = [path, Path(f"{path}{LOG}"), Path(f"{path}{LOG_INDEX}")]
        self._identities: list[Identity] = []
        self._looked_at = 0.0

    def opened(self) -> None:
        """Remember the files. A connection must have read: that is what makes the log."""
        self._identities = [_identity(file) for file in self._files]

    def require_recently_in_place(self) -> None:
        """The same for reads: looks at most four times a second. Raises: DatabaseFileMoved."""
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self.require_in_place()

    def require_in_place(self) -> None:
        """Let a statement through only if its database is the one under the path.

        Raises: DatabaseFileMoved.
        """
        self._looked_at = 0.0  # after a failure, the next read looks again
        for file, identity in zip(self._files, self._identities, strict=True):
            if _identity(file) != identity:
                raise DatabaseFileMoved(file)
        self._looked_at = time.monotonic()


def _identity(file: Path) -> Identity:
    """Raises: DatabaseFileMoved."""
    try:
        found = file.stat()
    except OSError as error:
        raise DatabaseFileMoved(file) from error
    return found.st_dev, found.st_ino
