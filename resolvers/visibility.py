"""The rows that a viewer can name: the rows that the viewer can see, for every referenced table.

References are resolved within them, so a row that the viewer cannot see is treated as absent: it is
not found, not counted as one of several matches, and not locked.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.bookings.actions import may_touch
from resolvers.bookings.filters import visible_to as bookings_visible_to
from resolvers.candidates.visible import visible_to as candidates_visible_to
from resolvers.notifications.reads import deliveries_visible_to
from resolvers.notifications.visible import owned_by
from resolvers.organizations.visible import users_visible_to
from resolvers.products.reads import offices_visible_to
from resolvers.reading import rows_by
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    AgentOffice,
    Booking,
    Candidate,
    Centre,
    Department,
    Event,
    Module,
    NotificationDelivery,
    NotificationEndpoint,
    Product,
    ProductOffer,
    Room,
    Subject,
    Test,
    TestForm,
    TestSchedule,
    User,
    columns,
    table,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer

OPEN: frozenset[type[SQLModel]] = frozenset(
    {Centre, Department, Event, Module, Product, ProductOffer, Room, Subject, Test, TestForm}
)
"""Reference data: every viewer of the organization can see all of it."""


def _schedules_visible_to(viewer: Viewer) -> Narrowing:
    """Select the schedules whose bookings the viewer can see."""
    visible = bookings_visible_to(viewer)

    def narrow() -> sa.ColumnElement[bool]:
        s, b = columns(TestSchedule), columns(Booking)
        return (
            sa.select(sa.literal_column("1"))
            .select_from(table(Booking))
            .where(b.organization_id == s.organization_id, b.id == s.id, visible.narrow())
            .exists()
        )

    return Narrowing(("of visible bookings", visible.shape), narrow, visible.values)


NARROWED: Mapping[type[SQLModel], Callable[[Viewer], Narrowing]] = {
    AgentOffice: offices_visible_to,
    Candidate: candidates_visible_to,
    NotificationDelivery: deliveries_visible_to,
    NotificationEndpoint: owned_by,
    TestSchedule: _schedules_visible_to,
    User: users_visible_to,
}
"""The tables of which a viewer with a scope sees only a part, and the condition on their rows."""


def _sees_booking(viewer: Viewer, booking: Any) -> bool:
    """Whether a viewer may see a booking; true for a marker, since the row has no markers."""
    return may_touch(viewer, booking) or viewer.scope.marker is not None


BY_ROW: Mapping[type[SQLModel], Callable[[Viewer, Any], bool]] = {Booking: _sees_booking}
"""The tables whose rows determine who can see them; no statement for each scope is needed."""


def is_confined(model: type[SQLModel], viewer: Viewer) -> bool:
    """Whether the table may have rows that the viewer cannot name."""
    return not viewer.scope.everything and model not in OPEN


def narrowing_to(model: type[SQLModel], viewer: Viewer | None) -> Narrowing:
    """Return the condition on the rows that a viewer can name; None is a viewer without a scope."""
    return UNRESTRICTED if viewer is None else NARROWED[model](viewer)


def hidden(
    work: UnitOfWork, model: type[SQLModel], viewer: Viewer, keys: Collection[UUID]
) -> set[UUID]:
    """Return those of the keys whose rows the viewer cannot see. For tables in `NARROWED`."""
    if not keys or not is_confined(model, viewer):
        return set()
    narrowing = narrowing_to(model, viewer)
    seen: Read[Any] = rows_by(model, "id", viewer, sorted(keys), narrowing)
    return set(keys) - {row.id for row in work.rows(seen)}
