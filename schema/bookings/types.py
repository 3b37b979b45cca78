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


@object_type(description="An amount of money in a currency.")
class Money(OverRow):
    row: strawberry.Private[Any]

    amount: Decimal = column("cost_amount", description='Exact amount, e.g. "129.50".')
    currency: CurrencyCode = column("cost_currency", description="Currency of the amount.")


@object_type(
    description="A payment that was received after the booking had already been paid "
    "for. It must be refunded."
)
class DuplicatePayment:
    provider: str | None = attribute(description="Payment provider that reported the duplicate.")
    provider_reference: str = attribute(
        description="The provider's reference of the duplicate payment."
    )
    method: PaymentMethod | None = attribute(description="How the duplicate was paid.")
    recorded_at: datetime = attribute(description="Time when the gateway recorded the duplicate.")
    refund_reference: str | None = attribute(
        description="The provider's reference of the refund. Null until the duplicate is refunded."
    )
    refunded_at: datetime | None = attribute(
        description="Time when the refund was recorded. Null until the duplicate is refunded."
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


@object_type(description="Cost of an enrolment, and the status of its payment.")
class Payment(Node):
    reference: UUID = column(
        description="Our reference of the payment. Pass it to your payment provider, and to "
        "recordPayment."
    )
    method: PaymentMethod | None = column(
        description="How the booking is paid for. Null until it is known."
    )
    responsibility: PaymentResponsibility = column(description="Who pays for the booking.")
    status: PaymentStatus = column(description="Status of the payment.")
    cost: Money | None = embedded(
        present="cost_amount", description="Amount to pay. Null if there is nothing to pay."
    )
    due_by: datetime | None = column(
        description="Time by which the payment must arrive; otherwise the booking "
        "expires. Null if there is no deadline."
    )
    url: URL | None = column(
        description="Page of the payment provider where the payer can pay. Null if there is none."
    )
    return_url: str = computed(
        "reference",
        by=lambda row, _: return_url_of(row.reference),
        description="Path to which the payment provider sends the payer back: "
        "`Payment/Confirmation/{reference}`.",
    )
    is_pending: bool = computed(
        "status",
        by=lambda row, _: is_pending(row),
        description="True if an amount is outstanding.",
    )
    provider: str | None = column(
        description='Payment provider, e.g. "Stripe". Null until one reports the payment.'
    )
    provider_reference: str | None = column(description="The provider's reference of the payment.")
    refund_reference: str | None = column(description="The provider's reference of the refund.")
    purchase_order: str | None = column(description="Number of the payer's purchase order.")
    duplicates: list[DuplicatePayment] = computed(
        "duplicates",
        by=lambda row, _: [DuplicatePayment.of(one) for one in row.duplicates or ()],
        description="Payments received after the first one, in the order in which they "
        "were recorded. Each must be refunded.",
    )


def return_url_of(reference: Any) -> str:
    """Return the URL to which the payer's browser returns, by the payment's reference `[000]`."""
    return f"Payment/Confirmation/{reference}"


@object_type(
    description="An exam accommodation, also called a reasonable adjustment, such as extra "
    "time. Not a place to stay."
)
class Accommodation(Node):
    type: str = column(
        description='Type of the accommodation, unique within the booking, e.g. "EXTRA_TIME".'
    )
    name: str | None = column(description="Short description of the accommodation.")
    scope: AccommodationScope = column(description="What the accommodation extends.")
    time_extension_minutes: int | None = column(
        description="Extra time in minutes. Null if it was given in percent."
    )
    extra_time_percentage: int | None = column(
        description="Extra time in percent. Null if it was given in minutes."
    )
    effective_minutes: int = column(
        description="Extra time in minutes that results for this booking. Minutes take "
        "precedence over a percentage."
    )
    extra_breaks_per_section: int | None = column(
        description="Extra breaks in each section of the test."
    )
    reason: str | None = column(description="Why the accommodation was granted.")
    granted_by: Actor = actor("granted_by", description="The user who granted the accommodation.")
    granted_at: datetime = column(description="Time when the accommodation was granted.")


async def _allowed(row: Any, context: Context) -> list[BookingAction]:
    settings = await context.loaders.load("organization_by_id", row.organization_id)
    situation = ActionContext(row, settings, context.now)
    return list(actions.allowed(kind_of(row).transitions, situation, context.viewer))


@interface_type(
    description="Fields shared by all kinds of booking: Enrolment, TestSchedule, "
    "Registration and AgentBooking."
)
class Booking(Node, Sourced):
    told_by = ("kind", KINDS)

    @classmethod
    def of(cls, row: Any) -> Any:
        return show_booking(row)

    kind: BookingKind = column(description="Kind of the booking. Decides which type it has.")
    reference: str = column(
        description="Readable reference of the booking, unique within the organization and "
        "kind. Print it on confirmations."
    )
    status: BookingStatus = column(
        description="Status shared by all kinds of booking. Each kind also has a more "
        "detailed one, such as `enrolmentStatus`."
    )
    allowed_actions: list[BookingAction] = computed(
        "id",
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
        description="Actions you can take on this booking right now, given its status, "
        "the organization's rules and your permissions. Use it to enable "
        "buttons.",
    )
    candidate: Candidate = relation(
        "candidate_by_id", key="candidate_id", description="The candidate who holds the booking."
    )
    centre: Centre | None = relation(
        "centre_by_id",
        key="centre_id",
        description="Centre where the booking takes place. Null if it is online.",
    )
    room: Room | None = relation(
        "room_by_id",
        key="room_id",
        description="Room where the booking takes place. Null if it is online or has no room.",
    )
    event: Event | None = relation(
        "event_by_id",
        key="event_id",
        description="Event of the booking. Null for kinds of booking without an event.",
    )
    organization: Organization = relation(
        "organization_by_id",
        key="organization_id",
        description="Organization that owns the booking.",
    )
    times: BookingTimes = embedded(description="When the booking takes place.")
    room_conflicts: list[RoomConflict] | None = relation(
        "room_conflicts_of_booking",
        shown_to=sees_conflicts,
        description="Periods within this booking, its extra time and breaks, in which "
        "its room has more bookings than seats. Empty if there is no "
        "conflict, if the booking has no room, or if it holds no seat. Null "
        "for agents and candidates.",
    )
    accommodations: list[Accommodation] = relation(
        "accommodations_of_booking",
        description="Exam accommodations granted to the booking, sorted by type.",
    )
    payment: Payment | None = relation(
        "payment_of_booking", description="Payment of the booking. Only enrolments have one."
    )
    cancellation: Cancellation | None = cancellation(
        description="Details of the cancellation. Null unless the booking was cancelled "
        "or the candidate was absent."
    )
    version: int = column(
        description="Increases by one with every change. Send it back as `expectedVersion` "
        "to make sure nobody changed the booking in between."
    )
    created_at: datetime = column(description="Time when the booking was created.")
    updated_at: datetime = column(description="Time of the last change to the booking.")
    created_by: Actor = actor("created_by", description="The user who created the booking.")
    changes_cursor: str = changes_cursor()

    @listed(
        "id",
        description="Changes to the booking, oldest first. A deployment can limit how "
        "long changes are stored.",
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
