"""A statement that reads much more than it returns is found, on both databases."""

from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.storage import Read
from resolvers.storage.tables import ImportReceipt, columns, table
from tests.conftest import SettableClock
from tests.resolvers.storage.conftest import Receipts
from tests.resolvers.storage.plans import bad, measured

pytestmark = pytest.mark.both_databases

ROWS, AT_ONCE = 20_000, 1_000


def by(**values: Any) -> Read[ImportReceipt]:
    """The receipts that have these values."""
    c = columns(ImportReceipt)
    same = [c[name] == sa.bindparam(name, type_=c[name].type) for name in values]
    return Read(
        ("test receipts by", tuple(values)),
        lambda _: sa.select(table(ImportReceipt)).where(*same),
        values,
    )


async def test_a_scan_is_found_to_be_bad(
    receipts: Receipts, database_url: str, clock: SettableClock
) -> None:
    """A look-up by the whole key reads few pages; one by the last column of a key reads all."""
    organization_id = receipts.organization_id
    for first in range(0, ROWS, AT_ONCE):
        texts = [f"{n:060}" for n in range(first, first + AT_ONCE)]
        await receipts.storage.write(receipts.write, texts)

    async with measured(database_url, clock=clock) as (storage, statements):
        key = {"organization_id": organization_id, "format": "test", "content_hash": f"{7:060}"}
        assert len(await storage.read(by(**key))) == 1
        [looked_up] = statements
        assert len(await storage.read(by(content_hash=key["content_hash"]))) == 1
        [_, scanned] = statements

    assert (looked_up.rows, looked_up.is_bad) == (1, False)
    assert (scanned.rows, scanned.is_bad) == (1, True)
    assert scanned.read > 10 * looked_up.read, statements
    assert len(bad(statements)) == 1


async def test_what_a_command_reads_is_measured(
    receipts: Receipts, database_url: str, clock: SettableClock
) -> None:
    """Writes and the statements inside a transaction are measured, too."""
    async with measured(database_url, clock=clock) as (storage, statements):
        await storage.write(receipts.write, ["one", "two"])

    inserted = [one for one in statements if one.sql.startswith("INSERT INTO import_receipt")]
    # PostgreSQL inserts all rows in one statement, SQLite executes it for each row
    assert len(inserted) == (1 if storage.dialect_name == "postgresql" else 2)
    assert bad(statements) == []
