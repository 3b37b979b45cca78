"""The file of SQLite's write-ahead log becomes short again after a long reader."""

import sqlite3
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.storage import Read
from resolvers.storage.tables import ImportReceipt, table
from resolvers.storage.write_ahead_log import LARGE_BYTES, is_large
from tests.patience import eventually
from tests.resolvers.storage.conftest import Receipts

EVERYTHING: Read[Any] = Read("test all receipts", lambda _: sa.select(table(ImportReceipt)))


@pytest.fixture
def file(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


def write_much(file: Path) -> None:
    """Make the log larger than it may stay."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE scratch (content BLOB)")
        connection.execute("INSERT INTO scratch VALUES (zeroblob(?))", [2 * LARGE_BYTES])
        connection.commit()


def bytes_of_log(file: Path) -> int:
    return Path(f"{file}-wal").stat().st_size


async def test_the_log_becomes_short_after_a_long_reader(receipts: Receipts, file: Path) -> None:
    """It cannot while the reader lasts; writes go on before and after."""
    storage = receipts.storage
    await storage.write(receipts.write, ["one", "two", "three"])
    async with aclosing(storage.stream(EVERYTHING, size=1)) as rows:
        assert len(await anext(rows)) == 1
        write_much(file)
        await storage.write(receipts.write, ["while the reader lasts"])
        assert bytes_of_log(file) > 2 * LARGE_BYTES

    await eventually(lambda: not is_large(file))

    await storage.write(receipts.write, ["afterwards"])
    assert len(await receipts.written()) == 5


async def test_a_large_log_becomes_short_without_another_write(
    receipts: Receipts, file: Path
) -> None:
    """A large transaction leaves a large file, even if it is the last one for hours."""
    write_much(file)
    assert is_large(file)

    await eventually(lambda: not is_large(file))
