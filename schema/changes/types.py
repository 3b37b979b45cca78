"""The log of changes: the history of a booking, all changes after a cursor, and subscriptions."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from resolvers.bookings.kinds import masked
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.outcomes import Warning as DomainWarning
from resolvers.vocabulary import BookingKind, ChangeType, EventChangeType
from schema.bookings.types import Booking
from schema.events.types import Event
from schema.grammar.context import Context
from schema.grammar.declaring import object_type
from schema.grammar.fields import Computed, OverRow, attribute, column, computed, embedded, relation
from schema.grammar.node import Node
from schema.grammar.paths import kept_path
from schema.grammar.warnings import Warning
from schema.organizations.types import Actor, actor

STAFF = "Staff"
"""The actor's name for viewers who may not see staff names."""


@object_type(
    description="What the caller said about itself; recorded, and never a source of rights."
)
class Origin:
    when: datetime | None = attribute(description="When it was asked for.")
    organization: UUID | None = attribute(description="The organization, as the source knows it.")
    user: UUID | None = attribute(description="The user, as the source knows them.")
    proxy: UUID | None = attribute(description="On whose behalf.")
    description: str | None = attribute(description="What it was about.")
    reason: str | None = attribute(description="Why it was asked for.")
    source: str | None = attribute(description="From which system.")


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


def _origin(row: Any) -> Origin | None:
    kept = row.origin
    if kept is None:
        return None
    return Origin(
        when=None if kept["when"] is None else datetime.fromisoformat(kept["when"]),
        organization=_uuid(kept["organization"]),
        user=_uuid(kept["user"]),
        proxy=_uuid(kept["proxy"]),
        description=kept["description"],
        reason=kept["reason"],
        source=kept["source"],
    )


def _warnings(row: Any, context: Context) -> list[Warning] | None:
    if not context.viewer.is_staff:
        return None
    return Warning.all_of(
        DomainWarning.from_json(warning).renamed(kept_path) for warning in row.warnings or ()
    )


@object_type(description="One recorded fact; also what subscribers receive.")
class BookingChange(Node):
    cursor: str = computed(
        "position",
        by=lambda row, _: IN_COMMIT_ORDER.cursor(row),
        description="Opaque, strictly increasing in commit order: the resume token of "
        "subscriptions and of bookingChanges.",
    )
    type: ChangeType = column("booking_type", description="What happened.")
    kind: BookingKind = column(description="The kind of booking it happened to.")
    booking: Booking | None = relation(
        "booking_by_id",
        key="booking_id",
        description="The booking as it is now; null when it is no longer yours to see.",
    )
    version: int = column(description="The booking's version after the change.")
    at: datetime = column(description="When it happened.")
    actor: Actor = actor("actor", description="Who did it.")
    message: str | None = column("reason", description="Why; null where nobody said.")
    origin: Origin | None = computed(
        "origin",
        by=lambda row, _: _origin(row),
        description="What the caller said about itself; null where it said nothing.",
    )
    warnings: list[Warning] | None = computed(
        "warnings",
        by=_warnings,
        description="The warnings that the mutation returned; empty without any. Null for agents "
        "and candidates.",
    )
    changed_fields: list[str] = column(
        description="GraphQL names of the booking's fields, sorted; before and after hold these "
        "and nothing else, masked as the fields are."
    )
    before: JSON | None = computed(
        "kind",
        "before",
        by=lambda row, context: masked(row.kind, row.before, context.viewer),
        description="Their values before; null for a new booking.",
    )
    after: JSON | None = computed(
        "kind",
        "after",
        by=lambda row, context: masked(row.kind, row.after, context.viewer),
        description="Their values after.",
    )


@object_type(description="One recorded fact about an event, as subscribers receive it.")
class EventChange(OverRow):
    row: strawberry.Private[Any]

    cursor: str = computed(
        "position",
        by=lambda row, _: IN_COMMIT_ORDER.cursor(row),
        description="Opaque, strictly increasing in commit order: the resume token of "
        "subscriptions; changes of bookings have theirs in the same order.",
    )
    type: EventChangeType = column("event_type", description="What happened.")
    event: Event = relation("event_by_id", key="event_id", description="The event as it is now.")
    at: datetime = column(description="When it happened.")
    actor: Actor = embedded(
        user_id="actor_user_id",
        name=Computed(
            ("actor_name",),
            by=lambda row, context: row.actor_name if context.viewer.is_staff else STAFF,
        ),
        proxy=Computed(
            ("actor_proxy",),
            by=lambda row, context: row.actor_proxy if context.viewer.is_staff else None,
        ),
        description="Who did it; for agents and candidates the name is 'Staff'.",
    )
    warnings: list[Warning] | None = computed(
        "warnings",
        by=_warnings,
        description="The warnings that the mutation returned; empty without any. Null for agents "
        "and candidates.",
    )
    changed_fields: list[str] = column(
        description="GraphQL names of the event's fields that have another value now, sorted; of a "
        "new event those that have one. What follows from the clock or from its bookings is not "
        "among them, nor are its externalIds and what every change changes: version, lastChange…"
    )
