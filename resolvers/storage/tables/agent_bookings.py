"""Agent bookings, every revision of them, and what each asks for `[004]`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from resolvers.storage.columns import choice, document, instant, key, text
from resolvers.storage.tables.tenant import Keyed, TableModel, check, index, refers_to, unique
from resolvers.vocabulary import AgentBookingStatus, ProductKind

NOT_GENERATED = {"autoincrement": False}

WAITS = "status in ('RECEIVED', 'VALIDATING')"
"""Whether stage 2 is still to be done, word for word as the partial index has it."""


class AgentBooking(Keyed, table=True):
    """The rest of an agent booking, under its booking's key.

    Lifecycle: RECEIVED with each revision, then VALIDATING, then INVALID or CONFIRMED; CANCELLED
    from any of them, and RECEIVED again. `content` is what the newest revision says;
    `confirmed_revision` is the one in force, which a newer one leaves so until it is confirmed
    itself. `agency_key` says inside of what the id is unique: an agency, or an office that is not
    known. While it is VALIDATING a worker holds it until `leased_until`; `lease` tells that worker
    from another that has held it before.
    """

    __tablename__ = "agent_booking"
    __table_args__ = (
        refers_to("booking", "id"),
        refers_to("agent_office"),
        unique("agent_booking_id", "agency_key"),
        # what waits for a worker, of all organizations; keys sort by the time they were made
        sa.Index(
            "ix_agent_booking_waits",
            "id",
            postgresql_where=sa.text(WAITS),
            sqlite_where=sa.text(WAITS),
        ),
        check("revision", "revision >= 1"),
        check("lease", "(status = 'VALIDATING') = (lease is not null)"),
        check("leased_until", "(lease is null) = (leased_until is null)"),
        check("confirmed_revision", "confirmed_revision between 1 and revision"),
        check("cancelled", "status <> 'CANCELLED' or confirmed_revision is null"),
    )

    agent_booking_id: str = text(50)
    agency_key: str = text(250)
    agent_office_id: UUID | None = key()
    status: AgentBookingStatus = choice(AgentBookingStatus)
    revision: int
    confirmed_revision: int | None = None
    backend_booking_id: int | None = None
    backend_student_id: int | None = None
    content: Any = document(nullable=False)
    validation_messages: Any = document(default_factory=list, nullable=False)
    leased_until: datetime | None = instant()
    lease: UUID | None = key()


class AgentBookingRevision(TableModel, table=True):
    """What was submitted as one revision, by whom and when; appended, never changed."""

    __tablename__ = "agent_booking_revision"
    __table_args__ = (refers_to("booking"),)

    organization_id: UUID = key(primary_key=True)
    booking_id: UUID = key(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs=NOT_GENERATED)
    content: Any = document(nullable=False)
    received_at: datetime = instant()
    received_by_user_id: UUID | None = key()
    received_by_name: str = text(200)
    received_by_proxy: str | None = text(200)


class AgentBookingItem(TableModel, table=True):
    """A course, lodging, extra or transfer that a revision asks for; appended, never changed."""

    __tablename__ = "agent_booking_item"
    __table_args__ = (
        refers_to("booking"),
        index("ix_agent_booking_item_code", "kind", "code", "date_from"),
        check(
            "dates",
            "(kind in ('COURSE', 'LODGING')) = (date_from is not null)"
            " and (date_from is null) = (number_of_weeks is null)",
        ),
        check("number_of_weeks", "number_of_weeks >= 1"),
        check("quantity", "(kind = 'OPTIONAL_EXTRA') = (quantity is not null)"),
        check("at_least_one", "quantity >= 1"),
    )

    organization_id: UUID = key(primary_key=True)
    booking_id: UUID = key(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs=NOT_GENERATED)
    kind: ProductKind = choice(ProductKind, primary_key=True)
    position: int = Field(primary_key=True, sa_column_kwargs=NOT_GENERATED)
    code: str = text(10)
    date_from: date | None = None
    number_of_weeks: int | None = None
    quantity: int | None = None
