"""The tables, one module for each noun.

Every table but `worker_presence` carries `organization_id`, every key begins with it and every
foreign key includes it, so one organization's row can't refer to another's, and the tables can be
spread by organization.
"""

from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage.tables.agent_bookings import (
    AgentBooking,
    AgentBookingItem,
    AgentBookingRevision,
)
from resolvers.storage.tables.bookings import Accommodation, Booking, Enrolment, Payment
from resolvers.storage.tables.candidates import (
    Candidate,
    CandidateCentre,
    CandidateDepartment,
    CandidateDuplicate,
    CandidateGroup,
    CandidateModule,
    CandidateSubject,
    Department,
)
from resolvers.storage.tables.centres import Centre, CentreSubject, Room
from resolvers.storage.tables.events import Event, EventModule, EventVersion
from resolvers.storage.tables.log import (
    ChangeLog,
    ExternalId,
    IdempotencyKey,
    ImportReceipt,
    LogPosition,
    NumberSeries,
)
from resolvers.storage.tables.notifications import (
    NotificationDelivery,
    NotificationEndpoint,
    WorkerPresence,
)
from resolvers.storage.tables.organizations import (
    Organization,
    User,
    UserAgentOffice,
    UserCentre,
    UserSubject,
)
from resolvers.storage.tables.products import (
    AgentOffice,
    OfferPlace,
    OfferStartDate,
    Product,
    ProductOffer,
)
from resolvers.storage.tables.registrations import Registration, RegistrationTransfer
from resolvers.storage.tables.seats import EventSeats, RoomSeats
from resolvers.storage.tables.test_schedules import SessionPin, TestSchedule
from resolvers.storage.tables.tests import Module, Subject, Test, TestForm, TestModule

metadata = SQLModel.metadata


def table(model: type[SQLModel]) -> sa.Table:
    """The SQLAlchemy table behind a model."""
    return cast(sa.Table, cast(Any, model).__table__)


def columns(model: type[SQLModel]) -> sa.sql.base.ReadOnlyColumnCollection[str, sa.Column[Any]]:
    """The columns of a model's table by name."""
    return table(model).c


__all__ = [
    "Accommodation",
    "AgentBooking",
    "AgentBookingItem",
    "AgentBookingRevision",
    "AgentOffice",
    "Booking",
    "Candidate",
    "CandidateCentre",
    "CandidateDepartment",
    "CandidateDuplicate",
    "CandidateGroup",
    "CandidateModule",
    "CandidateSubject",
    "Centre",
    "CentreSubject",
    "ChangeLog",
    "Department",
    "Enrolment",
    "Event",
    "EventModule",
    "EventSeats",
    "EventVersion",
    "ExternalId",
    "IdempotencyKey",
    "ImportReceipt",
    "LogPosition",
    "Module",
    "NotificationDelivery",
    "NotificationEndpoint",
    "NumberSeries",
    "OfferPlace",
    "OfferStartDate",
    "Organization",
    "Payment",
    "Product",
    "ProductOffer",
    "Registration",
    "RegistrationTransfer",
    "Room",
    "RoomSeats",
    "SessionPin",
    "Subject",
    "Test",
    "TestForm",
    "TestModule",
    "TestSchedule",
    "User",
    "UserAgentOffice",
    "UserCentre",
    "UserSubject",
    "WorkerPresence",
    "columns",
    "metadata",
    "table",
]
