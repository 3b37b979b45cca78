"""The interface of every kind of booking, and the objects that belong to a booking."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from resolvers.bookings import actions
from resolvers.bookings.actions import ActionContext
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.payment_rules import is_pending
from resolvers.change_reads import IN_COMMIT_ORDER, count_of_history_of_each, history_of_each
from resolvers.vocabulary import (
    AccommodationScope,
    BookingAction,
    BookingKind,
    BookingStatus,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
)
from schema.bookings.room_conflicts import RoomConflict, sees_conflicts
from schema.bookings.times import BookingTimes, Cancellation, cancellation
from schema.candidates.types import Candidate
from schema.centres.types import Centre, Room
from schema.events.types import Event
from schema.grammar.connections import Connection
from schema.grammar.context import Context
from schema.grammar.declaring import interface_type, object_type
from schema.grammar.fields import OverRow, attribute, column, computed, embedded, relation
from schema.grammar.lists import PageArguments, listed, listing
from schema.grammar.log_cursors import changes_cursor, check_of
from schema.grammar.node import KINDS, Node, Sourced, show_booking, shown_as
from schema.grammar.scalars import URL, CurrencyCode
from schema.organizations.types import Actor, Organization, actor

if TYPE_CHECKING:
    from schema.changes.types import BookingChange


@object_type(description="An amount of money.")
class Money(OverRow):
    row: strawberry.Private[Any]

    amount: Decimal = column("cost_amount", description="The exact amount.")
    currency: CurrencyCode = column("cost_currency", description="Its currency.")


@object_type(
    description="A payment that was made after the booking had already been paid. It must be "
    "refunded."
)
class DuplicatePayment:
    provider: str | None = attribute(
        description="The payment provider; null if it was not recorded."
    )
    provider_reference: str = attribute(description="The provider's number of the payment.")
    method: PaymentMethod | None = attribute(
        description="How it was paid; null if that was not recorded."
    )
    recorded_at: datetime = attribute(description="When it was recorded.")
    refund_reference: str | None = attribute(
        description="The provider's number of the refund; null until it is refunded."
    )
    refunded_at: datetime | None = attribute(
        description="When the refund was recorded; null while it is to be refunded."
    )

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "DuplicatePayment":
        """A duplicate in the form that the payment stores."""
        method, refunded_at = kept["method"], kept["refundedAt"]
        return cls(
            provider=kept["provider"],
            provider_reference=kept["providerReference"],
            method=None if method is None else PaymentMethod(method),
            recorded_at=datetime.fromisoformat(kept["recordedAt"]),
            refund_reference=kept["refundReference"],
            refunded_at=None if refunded_at is None else datetime.fromisoformat(refunded_at),
        )


@object_type(description="What a booking costs, and what became of it.")
class Payment(Node):
    reference: UUID = column(description="Our reference; always there.")
    method: PaymentMethod | None = column(description="How it is paid; null while unknown.")
    responsibility: PaymentResponsibility = column(description="Who pays.")
    status: PaymentStatus = column(description="Where the payment stands.")
    cost: Money | None = embedded(
        present="cost_amount", description="Null where nothing is to be paid."
    )
    due_by: datetime | None = column(
        description="Until when it has to be paid; null without a deadline."
    )
    url: URL | None = column(description="Where the payer pays; null where that is not known.")
    return_url: str = computed(
        "reference",
        by=lambda row, _: return_url_of(row.reference),
        description="Payment/Confirmation/{reference}",
    )
    is_pending: bool = computed(
        "status",
        by=lambda row, _: is_pending(row),
        description="Whether there is something to pay that is not paid yet.",
    )
    provider: str | None = column(description="Who handles the payment; null while nobody does.")
    provider_reference: str | None = column(description="The provider's number of the payment.")
    refund_reference: str | None = column(description="The provider's number of the refund.")
    purchase_order: str | None = column(description="The payer's purchase order.")
    duplicates: list[DuplicatePayment] = computed(
        "duplicates",
        by=lambda row, _: [DuplicatePayment.of(one) for one in row.duplicates or ()],
        description="Payments made after the first one, in the order in which they were recorded.",
    )


def return_url_of(reference: Any) -> str:
    """Return the URL to which the payer's browser returns, by the payment's reference `[000]`."""
    return f"Payment/Confirmation/{reference}"


@object_type(description="Exam accommodation, also called reasonable adjustment. Never lodging.")
class Accommodation(Node):
    type: str = column(description="What it is; unique inside one booking.")
    name: str | None = column(description="A short description; null without one.")
    scope: AccommodationScope = column(description="What it lengthens.")
    time_extension_minutes: int | None = column(description="Extra minutes; null if not so given.")
    extra_time_percentage: int | None = column(
        description="Extra time in percent; null if not so given."
    )
    effective_minutes: int = column(
        description="The extra minutes that it comes to. Minutes win over percentage."
    )
    extra_breaks_per_section: int | None = column(description="Extra breaks in each section.")
    reason: str | None = column(description="Why it was granted; null where nobody said.")
    granted_by: Actor = actor("granted_by", description="Who granted it.")
    granted_at: datetime = column(description="When it was granted.")


async def _allowed(row: Any, context: Context) -> list[BookingAction]:
    settings = await context.loaders.load("organization_by_id", row.organization_id)
    situation = ActionContext(row, settings, context.now)
    return list(actions.allowed(kind_of(row).transitions, situation, context.viewer))


@interface_type(
    description="The common face of Enrolment, TestSchedule, Registration and AgentBooking."
)
class Booking(Node, Sourced):
    told_by = ("kind", KINDS)

    @classmethod
    def of(cls, row: Any) -> Any:
        return show_booking(row)

    kind: BookingKind = column(description="The kind of booking.")
    reference: str = column(description="Human-usable, unique inside the organization and kind.")
    status: BookingStatus = column(
        description="The common status; each kind has a finer one of its own."
    )
    allowed_actions: list[BookingAction] = computed(
        "organization_id",
        "kind",
        "status",
        "start_at",
        "opens_at",
        "closes_at",
        "lapses_at",
        "accommodation_count",
        "version",
        "candidate_id",
        "centre_id",
        "subject_id",
        "agent_office_id",
        by=_allowed,
        description="What you may do now: state, policy and permissions together.",
    )
    candidate: Candidate = relation(
        "candidate_by_id", key="candidate_id", description="Whose booking it is."
    )
    centre: Centre | None = relation(
        "centre_by_id", key="centre_id", description="Where it takes place; null online."
    )
    room: Room | None = relation(
        "room_by_id", key="room_id", description="In which room; null online."
    )
    event: Event | None = relation(
        "event_by_id", key="event_id", description="The sitting; null for kinds without one."
    )
    organization: Organization = relation(
        "organization_by_id", key="organization_id", description="Whose system it is in."
    )
    times: BookingTimes = embedded(description="When it takes place.")
    room_conflicts: list[RoomConflict] | None = relation(
        "room_conflicts_of_booking",
        shown_to=sees_conflicts,
        description="The times, within this booking and its extra time and breaks, at which its "
        "room has more bookings than seats. Empty without a conflict, without a room, and for a "
        "booking that takes no seat. Null for agents and candidates.",
    )
    accommodations: list[Accommodation] = relation(
        "accommodations_of_booking", description="What was granted, by type."
    )
    payment: Payment | None = relation(
        "payment_of_booking", description="Null for kinds that have none."
    )
    cancellation: Cancellation | None = cancellation(
        description="Null unless it was cancelled, or the candidate was absent."
    )
    version: int = column(description="Goes up by one with every change: the optimistic lock.")
    created_at: datetime = column(description="When it was made.")
    updated_at: datetime = column(description="When it was last changed.")
    created_by: Actor = actor("created_by", description="Who made it.")
    changes_cursor: str = changes_cursor()

    @listed(
        "id",
        description="What happened to it, oldest first; append-only. A deployment can limit for "
        "how long changes are kept; older ones are not listed.",
    )
    def history(
        self,
        page: PageArguments,
    ) -> Connection[Annotated["BookingChange", strawberry.lazy("schema.changes.types")]]:
        return _history(page)


def _history(page: PageArguments) -> Connection[Any]:
    request = page.request(IN_COMMIT_ORDER)
    return listing(
        request,
        "history",
        shown_as("BookingChange"),
        lambda viewer, keys: history_of_each(viewer, keys, request),
        count_of_history_of_each,
        key="booking_id",
        check=check_of(request),
    )
