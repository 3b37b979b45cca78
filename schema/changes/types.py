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
    description="Audit information that the caller gave about itself. Never grants rights."
)
class Origin:
    when: datetime | None = attribute(description="Time of the action in the calling system.")
    organization: UUID | None = attribute(description="Organization in the calling system.")
    user: UUID | None = attribute(
        description="User in the calling system who requested the action."
    )
    proxy: UUID | None = attribute(
        description="User in the calling system on whose behalf the action was requested."
    )
    description: str | None = attribute(description="What was done, in the calling system's words.")
    reason: str | None = attribute(description="Why it was done, in the calling system's words.")
    source: str | None = attribute(description="Name of the calling system.")


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


@object_type(
    description="One change to a booking, as stored in the history and sent to subscribers."
)
class BookingChange(Node):
    cursor: str = computed(
        "position",
        by=lambda row, _: IN_COMMIT_ORDER.cursor(row),
        description="Position of the change, increasing in commit order. Pass it as "
        "`after` to continue after this change.",
    )
    type: ChangeType = column("booking_type", description="What happened to the booking.")
    kind: BookingKind = column(description="Kind of the booking that changed.")
    booking: Booking | None = relation(
        "booking_by_id",
        key="booking_id",
        description="The booking in its current version. Null if you may no longer see it.",
    )
    version: int = column(description="Version of the booking after the change.")
    at: datetime = column(description="Time of the change.")
    actor: Actor = actor("actor", description="The user who made the change.")
    message: str | None = column("reason", description="Reason for the change, if one was given.")
    origin: Origin | None = computed(
        "origin",
        by=lambda row, _: _origin(row),
        description="Audit information that the caller gave about itself.",
    )
    warnings: list[Warning] | None = computed(
        "warnings",
        by=_warnings,
        description="Warnings that the mutation returned. Null for agents and candidates.",
    )
    changed_fields: list[str] = column(
        description="Names of the changed fields in the schema, sorted. `before` and "
        "`after` contain exactly these."
    )
    before: JSON | None = computed(
        "kind",
        "before",
        by=lambda row, context: masked(row.kind, row.before, context.viewer),
        description="Previous values of the fields in `changedFields`, by field name. "
        "Null for a new booking.",
    )
    after: JSON | None = computed(
        "kind",
        "after",
        by=lambda row, context: masked(row.kind, row.after, context.viewer),
        description="New values of the fields in `changedFields`, by field name. Fields "
        "you may not see are null.",
    )


@object_type(description="One change to an event, as sent to subscribers.")
class EventChange(OverRow):
    row: strawberry.Private[Any]

    cursor: str = computed(
        "position",
        by=lambda row, _: IN_COMMIT_ORDER.cursor(row),
        description="Position of the change, increasing in commit order together with "
        "changes to bookings. Pass it as `after` to continue after this "
        "change.",
    )
    type: EventChangeType = column("event_type", description="What happened to the event.")
    event: Event = relation(
        "event_by_id", key="event_id", description="The event in its current version."
    )
    at: datetime = column(description="Time of the change to the event.")
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
        description='The user who made the change. For agents and candidates, the name is "Staff".',
    )
    warnings: list[Warning] | None = computed(
        "warnings",
        by=_warnings,
        description="Warnings that the mutation returned. Null for agents and candidates.",
    )
    changed_fields: list[str] = column(
        description="Names of the changed fields in the schema, sorted. For a new event, "
        "the fields that have a value. Leaves out values that follow from "
        "the time or from bookings, `externalIds`, and fields that change "
        "every time, such as `version`."
    )
