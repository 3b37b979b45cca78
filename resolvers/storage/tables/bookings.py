"""What all kinds of booking share, and the rest of each kind under the same key."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from resolvers.storage.columns import amount, choice, document, instant, key, text, wall_time
from resolvers.storage.tables.tenant import Keyed, check, index, of_organization, refers_to, unique
from resolvers.vocabulary import (
    AccommodationScope,
    BookingKind,
    BookingStatus,
    CancellationReason,
    DeliveryMode,
    EnrolmentResult,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
)

SEATED = frozenset({BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS})
"""The statuses in which a booking takes a seat."""

TAKES_A_SEAT = "status in ('PENDING', 'CONFIRMED', 'IN_PROGRESS')"
"""The same in SQL."""


class Booking(Keyed, table=True):
    """A candidate's claim, of any kind.

    Lifecycle: PENDING or CONFIRMED when made, then as the kind's own table of transitions says;
    never erased. `busy_until_at` is the end with every minute of extra time and breaks: conflicts
    and rooms are judged by it. What can be begun at any time of a window has the window's first and
    last instant, buffer included: it expires once that is over, and keeps its candidate busy only
    from `session_started_at`.
    """

    __table_args__ = (
        of_organization(),
        refers_to("candidate"),
        refers_to("centre"),
        refers_to("room"),
        refers_to("event"),
        refers_to("test"),
        refers_to("subject"),
        refers_to("agent_office"),
        # two agencies may use the same id, so agent bookings have a rule of their own
        index(
            "uq_booking_reference",
            "kind",
            "reference",
            where="kind <> 'AGENT_BOOKING'",
            unique=True,
        ),
        index("ix_booking_event", "event_id", "start_at", "id"),
        index("ix_booking_reference", "lower(reference)"),
        index("ix_booking_candidate", "candidate_id", "start_at", "id"),
        index(
            "ix_booking_agent_office",
            "agent_office_id",
            "start_at",
            "id",
            where="agent_office_id is not null",
        ),
        # the other kinds have none: the rare ones are found by uq_booking_reference
        index("ix_booking_agent_start", "start_at", "id", where="kind = 'AGENT_BOOKING'"),
        index("ix_booking_lapses_at", "lapses_at", where="status = 'PENDING'"),
        # the sort orders of `bookings`, each with its tie-breaker
        index("ix_booking_start", "start_at", "id"),
        index("ix_booking_created_at", "created_at", "id"),
        index("ix_booking_updated_at", "updated_at", "id"),
        check(
            "ends_after_start",
            "end_at >= start_at and busy_until_at > coalesce(session_started_at, start_at)",
        ),
        check("window", "opens_at is null or closes_at is not null and closes_at > opens_at"),
        check("cancellation", "(cancel_reason is null) = (cancelled_at is null)"),
        check("cancelled_has_reason", "status <> 'CANCELLED' or cancel_reason is not null"),
        check("version", "version >= 1"),
    )

    kind: BookingKind = choice(BookingKind)
    reference: str = text(50)
    status: BookingStatus = choice(BookingStatus)
    candidate_id: UUID = key()
    centre_id: UUID | None = key()
    room_id: UUID | None = key()
    event_id: UUID | None = key()
    test_id: UUID | None = key()
    subject_id: UUID | None = key()
    # whose booking it is among agents; null for whatever no agent office has booked
    agent_office_id: UUID | None = key()
    time_zone: str = text(64)
    # Nullable only while a command drafts it: what is written has a start, so lists by start can be
    # paged by comparing rows, which an index answers.
    local_start: datetime | None = wall_time(nullable=False)
    local_end: datetime | None = wall_time()
    start_at: datetime | None = instant(nullable=False)
    end_at: datetime | None = instant()
    busy_until_at: datetime | None = instant(nullable=False)
    duration_minutes: int | None = None
    extra_time_minutes: int = 0
    extra_break_minutes: int = 0
    accommodation_count: int = 0
    opens_at: datetime | None = instant()
    closes_at: datetime | None = instant()  # what is CONFIRMED then is over: see bookings.clock
    session_started_at: datetime | None = instant()
    lapses_at: datetime | None = instant()  # while PENDING: unpaid after this, the seat is released
    cancel_reason: CancellationReason | None = choice(CancellationReason)
    cancel_message: str | None = text(500)
    cancelled_at: datetime | None = instant()
    cancelled_by_user_id: UUID | None = key()
    cancelled_by_name: str | None = text(200)
    cancelled_on_behalf: bool = False
    version: int = 1
    created_at: datetime = instant()
    updated_at: datetime = instant()
    created_by_user_id: UUID | None = key()
    created_by_name: str = text(200)
    created_by_proxy: str | None = text(200)


class Enrolment(Keyed, table=True):
    """The rest of an enrolment, under its booking's key."""

    __table_args__ = (
        refers_to("booking", "id"),
        refers_to("booking", "previous_attempt_id"),
        refers_to("module"),
        check("attempt_number", "attempt_number >= 1"),
    )

    module_id: UUID | None = key()
    on_demand: bool = False
    delivery: DeliveryMode = choice(DeliveryMode)
    attempt_number: int
    previous_attempt_id: UUID | None = key()
    result: EnrolmentResult | None = choice(EnrolmentResult)
    appeal_upheld: bool = False
    appeal_details: str | None = text(4000)
    complaint_details: str | None = text(4000)
    reasonable_adjustment_requests: str | None = text(4000)
    reasonable_adjustment_decision: str | None = text(4000)


class Accommodation(Keyed, table=True):
    """An exam accommodation that a booking was granted; one of each type."""

    __table_args__ = (
        refers_to("booking"),
        unique("booking_id", "type"),
        check("time_extension_minutes", "time_extension_minutes between 0 and 999"),
        check("extra_time_percentage", "extra_time_percentage between 0 and 999"),
        check("extra_breaks_per_section", "extra_breaks_per_section between 0 and 99"),
    )

    booking_id: UUID = key()
    type: str = text(50)
    name: str | None = text(200)
    scope: AccommodationScope = choice(AccommodationScope)
    time_extension_minutes: int | None = None
    extra_time_percentage: int | None = None
    effective_minutes: int = 0
    extra_breaks_per_section: int | None = None
    reason: str | None = text(500)
    granted_by_user_id: UUID | None = key()
    granted_by_name: str = text(200)
    granted_by_proxy: str | None = text(200)
    granted_at: datetime = instant()


class Payment(Keyed, table=True):
    """What a booking costs and what became of it. No card data and no provider's secret is kept."""

    __table_args__ = (
        refers_to("booking"),
        unique("booking_id"),
        unique("reference"),
        check("cost", "(cost_amount is null) = (cost_currency is null)"),
    )

    booking_id: UUID = key()
    reference: UUID = key()
    method: PaymentMethod | None = choice(PaymentMethod)
    responsibility: PaymentResponsibility = choice(PaymentResponsibility)
    status: PaymentStatus = choice(PaymentStatus)
    cost_amount: Decimal | None = amount()
    cost_currency: str | None = text(3)
    due_by: datetime | None = instant()
    url: str | None = text(2000)
    provider: str | None = text(50)
    provider_reference: str | None = text(200)
    refund_reference: str | None = text(200)
    duplicates: Any = document(nullable=True)  # see bookings.duplicate_payments
    purchase_order: str | None = text(50)
