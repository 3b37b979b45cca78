"""Reads of registrations: lists of them, and what is theirs beside the booking."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.filters import visible_to
from resolvers.bookings.reads import bookings_count, bookings_page
from resolvers.reading import ORGANIZATION, of_organization, rows_by
from resolvers.registrations.commands import RegistrationCriteria
from resolvers.registrations.criteria import found_by
from resolvers.storage.columns import one_of
from resolvers.storage.filters import NO_FILTER, Filter
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.paging import PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Booking,
    ExternalId,
    Registration,
    RegistrationTransfer,
    columns,
    table,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind, SourceSystem

EVERY_ONE = RegistrationCriteria()
SHIFT_IQ = (SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2)
EXTERNAL_KIND = "registration"


def registrations_page(
    viewer: Viewer,
    page: PageRequest,
    criteria: RegistrationCriteria = EVERY_ONE,
    filter: Filter = NO_FILTER,
) -> Read[Booking]:
    """A page of the registrations that criteria and filter find, in an order of `bookings_order`.

    Raises: what `found_by` raises.
    """
    found, source = found_by(criteria, viewer)
    kind = BookingKind.REGISTRATION
    return bookings_page(viewer, page, filter, kind, also=found, source=source)


def registrations_count(
    viewer: Viewer, criteria: RegistrationCriteria = EVERY_ONE, filter: Filter = NO_FILTER
) -> Read[Any]:
    """How many registrations `registrations_page` pages through, as `total`."""
    found, source = found_by(criteria, viewer)
    return bookings_count(viewer, filter, BookingKind.REGISTRATION, also=found, source=source)


def registration_keys(viewer: Viewer, identifier: UUID) -> Read[Any]:
    """The keys of visible bookings that a caller's UUID means, as `id`; the first is meant.

    A registration's own identifier comes before what an external id of Shift iQ's says.
    """
    visible = visible_to(viewer)

    def sees(organization: Any, key: Any) -> sa.ColumnElement[bool]:
        if not visible.restricts:
            return sa.true()
        b = columns(Booking)
        return (
            sa.select(sa.literal_column("1"))
            .select_from(table(Booking))
            .where(b.organization_id == organization, b.id == key, visible.narrow())
            .exists()
        )

    def build(_: str) -> sa.Executable:
        own, known = columns(Registration), columns(ExternalId)
        by_identifier = sa.select(own.id, sa.literal_column("1").label("place")).where(
            of_organization(Registration),
            own.identifier == sa.bindparam("identifier", type_=own.identifier.type),
            sees(own.organization_id, own.id),
        )
        by_external_id = sa.select(known.object_id, sa.literal_column("2")).where(
            of_organization(ExternalId),
            sees(known.organization_id, known.object_id),
            sa.or_(*(known.system == system for system in SHIFT_IQ)),
            known.kind == sa.literal_column(f"'{EXTERNAL_KIND}'", sa.String()),
            one_of(known.value, "written"),
        )
        return sa.union_all(by_identifier, by_external_id).order_by("place")

    written = str(identifier)
    values = {"identifier": identifier, "written": [written, written.upper()]}
    return Read(
        "registration keys",
        build,
        {ORGANIZATION: viewer.organization_id, **values},
        by_key=True,
        narrowing=visible,
    )


def registration_details(viewer: Viewer, keys: Sequence[UUID]) -> Read[Registration]:
    """The rest of each registration, under its booking's key.

    For keys of bookings that are visible.
    """
    return rows_by(Registration, "id", viewer, keys, UNRESTRICTED)


def transfers_of_registrations(viewer: Viewer, keys: Sequence[UUID]) -> Read[RegistrationTransfer]:
    """The transfers of each registration, by its booking's key, oldest first."""
    return rows_by(RegistrationTransfer, "booking_id", viewer, keys, UNRESTRICTED, order="at")
