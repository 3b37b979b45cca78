"""Numbers of imported enrolments: the source's own, and the series counts on above them."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from resolvers.enrolments.booking import NUMBERS
from resolvers.links import rows_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, NumberSeries, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingKind


def number_for(work: UnitOfWork, organization_id: UUID, wanted: int | None) -> int:
    """The source's number, unless an enrolment of ours has it already; else the next of the series.

    Taken here and not in blocks: a number between the series' next and a block's end may be a later
    row's own.
    """
    if wanted is None or _is_taken(work, organization_id, wanted):
        return _raised(work, organization_id, least=0) - 1
    _raised(work, organization_id, least=wanted + 1, by=0)
    return wanted


def _is_taken(work: UnitOfWork, organization_id: UUID, number: int) -> bool:
    found = rows_of(work, Booking, "reference", [(organization_id, f"ENR-{number}")])
    return any(booking.kind is BookingKind.ENROLMENT for booking in found)


def _raised(work: UnitOfWork, organization_id: UUID, *, least: int, by: int = 1) -> int:
    """Raise the series by so much, and to at least so much; the number that it gives next."""
    read: Read[Any] = Read(
        "raise series to",
        _raising,
        {
            "of": organization_id,
            "series": NUMBERS,
            "first": max(1 + by, least),
            "by": by,
            "least": least,
        },
    )
    next_number: int = work.rows(read)[0].next
    return next_number


def _raising(dialect: str) -> sa.Executable:
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    c = columns(NumberSeries)
    least = sa.bindparam("least", type_=sa.BigInteger)
    raised = c.next + sa.bindparam("by", type_=sa.BigInteger)
    return (
        insert(table(NumberSeries))
        .values(
            organization_id=sa.bindparam("of", type_=c.organization_id.type),
            name=sa.bindparam("series", type_=c.name.type),
            next=sa.bindparam("first", type_=sa.BigInteger),
        )
        .on_conflict_do_update(
            index_elements=["organization_id", "name"],
            set_={"next": sa.case((raised < least, least), else_=raised)},
        )
        .returning(c.next)
    )
