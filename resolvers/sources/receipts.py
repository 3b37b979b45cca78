"""Receipts: which command bodies were imported, known by the hash of their content."""

import hashlib
import json
from typing import Any

from resolvers.links import rows_of
from resolvers.sources.rows import ImportContext
from resolvers.storage.rows import new_row
from resolvers.storage.tables import ImportReceipt
from resolvers.storage.unit_of_work import UnitOfWork


def content_hash(content: Any) -> str:
    """The same for the same JSON value, however it was written."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def is_received(work: UnitOfWork, importing: ImportContext, content: str) -> bool:
    """Whether a body with this hash was imported before."""
    owner = (importing.organization_id, content)
    receipts = rows_of(work, ImportReceipt, "content_hash", [owner])
    return any(receipt.format == importing.format for receipt in receipts)


def receive(work: UnitOfWork, importing: ImportContext, content: str) -> None:
    """Remember a body, in the transaction that imports it."""
    receipt = new_row(
        ImportReceipt,
        organization_id=importing.organization_id,
        format=importing.format,
        content_hash=content,
        imported_at=work.now,
    )
    work.insert(ImportReceipt, [receipt])
