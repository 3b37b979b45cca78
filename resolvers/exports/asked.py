"""The request for an exported file, and its form inside an address."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from resolvers.exports.fields import BY_NAME, FIELDS, ExportField
from resolvers.storage.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from resolvers.values import frozen
from resolvers.vocabulary import EventSortField, ExportFormat, SortDirection

Sort = tuple[tuple[EventSortField, SortDirection], ...]


@frozen
class EventExport:
    """The filter, the order, the fields and the format of an export."""

    filter: Filter
    sort: Sort
    format: ExportFormat
    fields: tuple[ExportField, ...] = FIELDS

    def packed(self) -> dict[str, Any]:
        """The request as JSON values; `unpacked` is the inverse."""
        return {
            "filter": _packed(self.filter),
            "sort": self.sort,
            "format": self.format,
            "fields": None if self.fields == FIELDS else [field.name for field in self.fields],
        }

    @classmethod
    def unpacked(cls, given: Mapping[str, Any]) -> "EventExport":
        """The request from JSON values. Raises: KeyError, ValueError, TypeError, for invalid
        values."""
        names = given["fields"]
        return cls(
            filter=_unpacked(given["filter"]),
            sort=tuple((EventSortField(by), SortDirection(way)) for by, way in given["sort"]),
            format=ExportFormat(given["format"]),
            fields=FIELDS if names is None else tuple(BY_NAME[name] for name in names),
        )


@frozen
class ExportedFile:
    """The address of a file, and its expiry."""

    url: str
    file_name: str
    content_type: str
    expires_at: datetime


def _packed(part: Filter) -> list[Any]:
    match part:
        case AllOf(parts):
            return ["and", *map(_packed, parts)]
        case AnyOf(parts):
            return ["or", *map(_packed, parts)]
        case Not(inner):
            return ["not", _packed(inner)]
        case Condition(field, operator, value):
            return ["is", field, operator, _packed_value(value)]


def _packed_value(value: Any) -> Any:
    match value:
        case tuple() | list():
            return [_packed_value(one) for one in value]
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"on": value.isoformat()}
        case UUID():
            return {"key": value.hex}
        case _:
            return value


def _unpacked(part: Sequence[Any]) -> Filter:
    match part:
        case ["and", *parts]:
            return AllOf(tuple(map(_unpacked, parts)))
        case ["or", *parts]:
            return AnyOf(tuple(map(_unpacked, parts)))
        case ["not", inner]:
            return Not(_unpacked(inner))
        case ["is", field, operator, value]:
            return Condition(field, Operator(operator), _unpacked_value(value))
    raise ValueError(part)


def _unpacked_value(value: Any) -> Any:
    match value:
        case list():
            return tuple(_unpacked_value(one) for one in value)
        case {"at": text}:
            return datetime.fromisoformat(text)
        case {"on": text}:
            return date.fromisoformat(text)
        case {"key": digits}:
            return UUID(hex=digits)
        case _:
            return value
