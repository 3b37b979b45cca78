"""The commands on enrolments."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.bookings.payment_rules import NO_TERMS, PaymentTerms
from resolvers.changes import Origin
from resolvers.references import Ref
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    BookingStatus,
    EnrolmentResult,
    PaymentMethod,
    PaymentStatus,
    RuleOverride,
)


@frozen(kw_only=True)
class SourceRecord:
    """A source's record of a booking that was already made there.

    Permissions and rules about the present do not apply to it; all other rules do.
    """

    number: int | None = None
    status: BookingStatus = BookingStatus.CONFIRMED
    result: EnrolmentResult | None = None
    attempt_number: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)  # columns of `enrolment`
    cancellation: Mapping[str, Any] = field(default_factory=dict)  # columns of `booking`
    payment: Mapping[str, Any] = field(default_factory=dict)  # columns of `payment`


@frozen(kw_only=True)
class BookEnrolment:
    """Book one seat for a candidate."""

    viewer: Viewer = field(repr=False)
    candidate: Ref
    event: Ref
    module: Ref | None = None
    room: Ref | None = None
    online: bool = False
    on_demand_time: datetime | None = None
    payment: PaymentTerms = NO_TERMS
    overrides: tuple[RuleOverride, ...] = ()
    origin: Origin | None = None
    imported: SourceRecord | None = None


@frozen(kw_only=True)
class MoveEnrolment:
    """Move an enrolment to another time, room, centre or event.

    The `from_…` values must match the current ones.
    """

    viewer: Viewer = field(repr=False)
    enrolment: Ref
    to_event: Ref | None = None
    to_room: Ref | None = None
    to_on_demand_time: datetime | None = None
    from_event: Ref | None = None
    from_room: Ref | None = None
    from_on_demand_time: datetime | None = None
    overrides: tuple[RuleOverride, ...] = ()
    expected_version: int | None = None
    reason: str | None = None
    origin: Origin | None = None
    imported: SourceRecord | None = None


@frozen(kw_only=True)
class AssignResult:
    """Assign a result to an enrolment, or correct it.

    `position` is its index in a request of several.
    """

    viewer: Viewer = field(repr=False)
    enrolment: Ref
    result: EnrolmentResult
    position: int | None = None
    origin: Origin | None = None
    imported: SourceRecord | None = None


@frozen(kw_only=True)
class RecordPayment:
    """Record the new status of a payment.

    `duplicate_reference`: the reference of a refunded duplicate; the payment itself does not
    change.
    """

    viewer: Viewer = field(repr=False)
    reference: UUID
    status: PaymentStatus
    method: PaymentMethod | None = None
    provider: str | None = None
    provider_reference: str | None = None
    duplicate_reference: str | None = None
    origin: Origin | None = None
