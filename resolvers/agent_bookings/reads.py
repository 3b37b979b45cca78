"""Reads of agent bookings: their details, and bookings by an agency's id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.agent_bookings.agencies import agency_key, unknown_office_key
from resolvers.bookings.filters import visible_to
from resolvers.reading import ORGANIZATION, of_organization, rows_by
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    AgentBooking,
    AgentBookingItem,
    Booking,
    Product,
    columns,
    table,
)
from resolvers.storage.tables.agent_bookings import WAITS
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind


def agent_booking_details(viewer: Viewer, keys: Sequence[UUID]) -> Read[AgentBooking]:
    """The details of each agent booking by the booking's key.

    For keys of bookings that are visible.
    """
    return rows_by(AgentBooking, "id", viewer, keys, UNRESTRICTED)


def items_of_agent_bookings(
    kind: ProductKind, viewer: Viewer, keys: Sequence[UUID]
) -> Read[AgentBookingItem]:
    """The items of a kind in the newest revision of each booking, as submitted."""
    of_kind = sa.literal_column(f"'{kind}'", sa.String())

    def newest() -> sa.ColumnElement[bool]:
        i, b = columns(AgentBookingItem), columns(AgentBooking)
        current = sa.exists().where(
            b.organization_id == i.organization_id,
            b.id == i.booking_id,
            b.revision == i.revision,
        )
        return sa.and_(i.kind == of_kind, current)

    of_newest = Narrowing(("newest", kind), newest)
    return rows_by(AgentBookingItem, "booking_id", viewer, keys, of_newest, order="position")


def products_by_code(kind: ProductKind, viewer: Viewer, keys: Sequence[str]) -> Read[Product]:
    """The products of a kind with these codes."""
    of_kind = sa.literal_column(f"'{kind}'", sa.String())
    narrowing = Narrowing(kind, lambda: columns(Product).kind == of_kind)
    return rows_by(Product, "code", viewer, keys, narrowing)


def organizations_waiting(now: datetime, most: int) -> Read[Any]:
    """The organizations of the first `most` bookings that wait for stage 2 without a lease.

    Each row has an `organization_id`, and the number of its bookings as `total`.
    """

    def build(_: str) -> sa.Select[Any]:
        first = (
            sa.select(columns(AgentBooking).organization_id)
            .where(held_by_nobody())
            .order_by(columns(AgentBooking).id)  # or PostgreSQL may read the whole table for it
            .limit(sa.literal_column(str(most)))
            .subquery("first")
        )
        return sa.select(first.c.organization_id, sa.func.count().label("total")).group_by(
            first.c.organization_id
        )

    return Read(("organizations with agent bookings that wait", most), build, {"now": now})


def held_by_nobody() -> sa.ColumnElement[bool]:
    """Whether a booking waits for stage 2 without a valid lease at the instant bound as `now`."""
    a = columns(AgentBooking)
    return sa.and_(
        sa.text(f"agent_booking.{WAITS}"),
        sa.or_(
            a.status == sa.literal_column("'RECEIVED'"),
            a.leased_until <= sa.bindparam("now", type_=a.leased_until.type),
        ),
    )


def agent_bookings_named(
    viewer: Viewer, agent_booking_id: str, agency: str | None
) -> Read[AgentBooking]:
    """The visible bookings with an agency's id, at most one for each agency.

    `agency` is its name, or the code of an unknown office.
    """
    visible = visible_to(viewer)
    keys = [] if agency is None else [agency_key(agency), unknown_office_key(agency)]

    def build(_: str) -> sa.Select[Any]:
        a, b = columns(AgentBooking), columns(Booking)
        statement = (
            sa.select(table(AgentBooking))
            .join(
                table(Booking),
                sa.and_(b.organization_id == a.organization_id, b.id == a.id),
            )
            .where(
                of_organization(AgentBooking),
                a.agent_booking_id
                == sa.bindparam("agent_booking_id", type_=a.agent_booking_id.type),
                visible.narrow(),
            )
        )
        return statement.where(one_of(a.agency_key, "agencies")) if keys else statement

    return Read(
        ("agent bookings named", bool(keys)),
        build,
        {
            ORGANIZATION: viewer.organization_id,
            "agent_booking_id": agent_booking_id,
            **({"agencies": keys} if keys else {}),
        },
        by_key=True,
        narrowing=visible,
    )
