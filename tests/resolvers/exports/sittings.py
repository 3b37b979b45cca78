"""Rows of an events file, with every field set by default."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resolvers.exports.calendar import COLUMNS
from resolvers.exports.fields import FIELDS, ExportField, ValueKind

KEY = UUID("123e4567-e89b-12d3-a456-426614174000")
INSTANT = datetime(2025, 8, 29, 22, 13, 52, 542_000, tzinfo=UTC)
SAMPLE: dict[ValueKind, Any] = {
    ValueKind.IDENTIFIER: KEY,
    ValueKind.FLAG: True,
    ValueKind.TEXT: "text",
    ValueKind.NUMBER: 1,
    ValueKind.INSTANT: INSTANT,
}
"""The values of [003]'s own sample."""


def fields(*names: str) -> tuple[ExportField, ...]:
    """Return some of the fields, by the source's names."""
    return tuple(field for name in names for field in FIELDS if field.name == name)


def row(of: tuple[ExportField, ...] = FIELDS, **values: Any) -> tuple[Any, ...]:
    """Return the sample's row with other values for some of the source's names."""
    return tuple(values.get(field.name, SAMPLE[field.kind]) for field in of)


def sitting(**values: Any) -> tuple[Any, ...]:
    """Return a calendar row by its columns."""
    given = {
        "identifier": KEY,
        "start_at": datetime(2027, 3, 1, 9, tzinfo=UTC),
        "end_at": datetime(2027, 3, 1, 10, 30, tzinfo=UTC),
        "title": "Anatomy",
        "summary": None,
        "description": None,
        "centre_name": "York",
        "room_name": "Hall",
        "cancelled_at": None,
        "last_change_time": INSTANT,
        "version": 3,
        **values,
    }
    return tuple(given[name] for name in COLUMNS)


def written(file: Any, *batches: list[tuple[Any, ...]]) -> bytes:
    """Return the complete file, from its first step to its last."""
    try:
        pieces = [file.begin(), *(file.add(rows) for rows in batches), *file.end()]
    finally:
        file.close()
    return b"".join(pieces)
