"""The log of changes, and what makes commands and imports repeatable."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from resolvers.storage.columns import choice, document, instant, key, text
from resolvers.storage.tables.tenant import TableModel, check, index, of_organization, unique
from resolvers.vocabulary import (
    BookingKind,
    BookingStatus,
    ChangeType,
    EventChangeType,
    SourceSystem,
)

NOT_GENERATED = {"autoincrement": False}


class LogPosition(TableModel, table=True):
    """The newest position of an organization's log.

    A transaction raises it last, and the row stays locked until the commit: positions are dense and
    in commit order. `notifies` is set with the first endpoint of the organization: without one
    nobody looks for those to be told.
    """

    __tablename__ = "log_position"
    __table_args__ = (of_organization(),)

    organization_id: UUID = key(primary_key=True)
    position: int = Field(default=0, sa_type=sa.BigInteger)
    notifies: bool = False


class ChangeLog(TableModel, table=True):
    """One recorded fact about a booking or an event; appended, never changed.

    The columns of a booking's state stand twice, as they are after the change and, prefixed `was_`,
    as they were before it: a filter that matches either side delivers the change, whenever it is
    read.
    """

    __tablename__ = "change_log"
    __table_args__ = (
        of_organization(),
        unique("id"),
        index("ix_change_log_booking", "booking_id", "position", where="booking_id is not null"),
        # the changes of events are few among those of bookings
        index("ix_change_log_event", "position", where="event_type is not null"),
        check("one_subject", "(booking_id is null) <> (event_type is null)"),
    )

    organization_id: UUID = key(primary_key=True)
    position: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs=NOT_GENERATED)
    id: UUID = key()
    at: datetime = instant()
    actor_user_id: UUID | None = key()
    actor_name: str = text(200)
    actor_proxy: str | None = text(200)
    reason: str | None = text(500)
    origin: Any = document(nullable=True)
    overrides: Any = document(nullable=True)
    warnings: Any = document(nullable=True)
    changed_fields: Any = document(nullable=False)
    before: Any = document(nullable=True)
    after: Any = document(nullable=True)
    version: int

    event_type: EventChangeType | None = choice(EventChangeType)
    event_id: UUID | None = key()
    room_id: UUID | None = key()

    booking_type: ChangeType | None = choice(ChangeType)
    booking_id: UUID | None = key()
    kind: BookingKind | None = choice(BookingKind)
    reference: str | None = text(50)
    candidate_id: UUID | None = key()
    created_at: datetime | None = instant()
    status: BookingStatus | None = choice(BookingStatus)
    centre_id: UUID | None = key()
    test_id: UUID | None = key()
    subject_id: UUID | None = key()
    agent_office_id: UUID | None = key()
    start_at: datetime | None = instant()
    updated_at: datetime | None = instant()
    accommodation_count: int | None = None
    was_status: BookingStatus | None = choice(BookingStatus, check="was_status")
    was_centre_id: UUID | None = key()
    was_room_id: UUID | None = key()
    was_event_id: UUID | None = key()
    was_test_id: UUID | None = key()
    was_subject_id: UUID | None = key()
    was_agent_office_id: UUID | None = key()
    was_start_at: datetime | None = instant()
    was_updated_at: datetime | None = instant()
    was_accommodation_count: int | None = None


class ExternalId(TableModel, table=True):
    """The key under which a source system knows one of our rows."""

    __tablename__ = "external_id"
    __table_args__ = (of_organization(), index("ix_external_id_object", "object_id"))

    organization_id: UUID = key(primary_key=True)
    system: SourceSystem = choice(SourceSystem, primary_key=True)
    kind: str = text(50, primary_key=True)
    value: str = text(200, primary_key=True)
    object_type: str = text(50)
    object_id: UUID = key()


class IdempotencyKey(TableModel, table=True):
    """A request that was carried out under a key of its viewer, with its answer.

    Inserted without an answer at the start of the transaction, so that a second call waits for the
    first; removed again if nothing of the request succeeded. Counts for 24 hours.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (
        of_organization(),
        # of all organizations: the oldest
        sa.Index("ix_idempotency_key_created", "created_at"),
    )

    organization_id: UUID = key(primary_key=True)
    viewer: str = text(250, primary_key=True)
    idempotency_key: str = text(255, primary_key=True)
    fingerprint: str = text(64)
    claim: UUID = key()
    answer: Any = document(nullable=True)
    created_at: datetime = instant()


class NumberSeries(TableModel, table=True):
    """The next number of a series that an organization counts up.

    Of 64 bits: an import raises it above the source's own numbers, which have 32.
    """

    __tablename__ = "number_series"
    __table_args__ = (of_organization(),)

    organization_id: UUID = key(primary_key=True)
    name: str = text(50, primary_key=True)
    next: int = Field(sa_type=sa.BigInteger)


class ImportReceipt(TableModel, table=True):
    """A command body that was imported, known by the hash of its content."""

    __tablename__ = "import_receipt"
    __table_args__ = (of_organization(),)

    organization_id: UUID = key(primary_key=True)
    format: str = text(50, primary_key=True)
    content_hash: str = text(64, primary_key=True)
    imported_at: datetime = instant()
