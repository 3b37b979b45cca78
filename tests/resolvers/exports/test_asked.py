"""An export request is unchanged after encoding in a URL."""

from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest

from resolvers.exports.asked import EventExport
from resolvers.storage.filters import (
    NO_FILTER,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Not,
    Operator,
)
from resolvers.vocabulary import (
    EventKind,
    EventSortField,
    EventStatus,
    ExportFormat,
    SortDirection,
)
from tests.resolvers.exports.sittings import fields

KEY = UUID("123e4567-e89b-12d3-a456-426614174000")
FILTERS: list[Filter] = [
    NO_FILTER,
    AnyOf(()),
    Condition("title", Operator.CONTAINS, '50% "off"'),
    Condition("start", Operator.GTE, datetime(2027, 1, 1, 9, 0, 0, 123456, tzinfo=UTC)),
    Condition("local_date", Operator.EQ, date(2027, 1, 1)),
    Condition("identifier", Operator.IN, (KEY, UUID(int=0))),
    Condition("identifier", Operator.IN, ()),
    Condition("centre_id", Operator.EQ, KEY),
    Condition("kind", Operator.IN, (EventKind.EXAM,)),
    Condition("status", Operator.IN, (EventStatus.DRAFT, EventStatus.LOCKED)),
    Condition("has_free_seats", Operator.EQ, True),
    Condition("number", Operator.IN, (1, 2)),
    Condition("credit_hours", Operator.LTE, 0.1),
    Condition("title", Operator.IS_NULL, False),
    AllOf((AnyOf((Not(Condition("title", Operator.EQ, "and")), NO_FILTER)), Not(AnyOf(())))),
]


@pytest.mark.parametrize("filter", FILTERS, ids=repr)
def test_a_filter_survives(filter: Filter) -> None:
    export = EventExport(filter, (), ExportFormat.CSV)

    assert EventExport.unpacked(orjson.loads(orjson.dumps(export.packed()))) == export


def test_order_format_and_fields_survive() -> None:
    sort = (
        (EventSortField.TITLE, SortDirection.DESC),
        (EventSortField.START, SortDirection.ASC),
    )
    export = EventExport(NO_FILTER, sort, ExportFormat.XLSX, fields("EventTitle", "VenueRoom"))

    assert EventExport.unpacked(orjson.loads(orjson.dumps(export.packed()))) == export
