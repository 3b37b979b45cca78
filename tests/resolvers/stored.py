"""Rows as the storage writes them."""

from typing import Any

from resolvers.storage.rows import as_dict, changed
from resolvers.storage.tables.derived import derived


def as_stored(model: Any, row: Any) -> Any:
    """A new row with the columns that the storage derives from the others."""
    return changed(row, **derived(model, None, as_dict(row)))
