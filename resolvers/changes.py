"""The log of changes: appended in a transaction, read after a cursor.

The log is history, the source of subscriptions and the queue of notifications. Its order is commit
order.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from resolvers.outcomes import Warning
from resolvers.storage.columns import new_key
from resolvers.storage.rows import as_dict, new_row
from resolvers.storage.tables import Booking, Event, EventVersion
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType, EventChangeType, RuleOverride

Facts = Mapping[str, Any]
"""JSON values by the GraphQL names of their fields."""

GATEWAY = "Booking gateway"
"""The actor of changes that the clock causes."""


@frozen
class Origin:
    """The caller's own description of a request `[003]`; recorded, and never a source of rights."""

    when: datetime | None = None
    organization: UUID | None = None
    user: UUID | None = None
    proxy: UUID | None = None
    description: str | None = None
    reason: str | None = None
    source: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "when": None if self.when is None else self.when.isoformat(),
            "organization": None if self.organization is None else str(self.organization),
            "user": None if self.user is None else str(self.user),
            "proxy": None if self.proxy is None else str(self.proxy),
            "description": self.description,
            "reason": self.reason,
            "source": self.source,
        }


@frozen
class Cause:
    """The actor of a change, its reason, the overridden rules, and its warnings."""

    viewer: Viewer | None
    origin: Origin | None = None
    reason: str | None = None
    overrides: tuple[RuleOverride, ...] = ()
    warnings: tuple[Warning, ...] = ()

    @property
    def user_id(self) -> UUID | None:
        return None if self.viewer is None else self.viewer.user_id

    @property
    def name(self) -> str:
        return GATEWAY if self.viewer is None else self.viewer.name

    @property
    def proxy(self) -> str | None:
        return None if self.origin is None or self.origin.proxy is None else str(self.origin.proxy)

    def as_columns(self, prefix: str) -> dict[str, Any]:
        """Return the actor as columns `<prefix>_user_id`, `<prefix>_name` and `<prefix>_proxy`."""
        return {
            f"{prefix}_user_id": self.user_id,
            f"{prefix}_name": self.name,
            f"{prefix}_proxy": self.proxy,
        }


THE_CLOCK = Cause(viewer=None)


def record_booking(
    work: UnitOfWork,
    kind: ChangeType,
    cause: Cause,
    *,
    before: Booking | None,
    after: Booking,
    facts_before: Facts | None,
    facts_after: Facts,
) -> None:
    """Append a change of a booking. Of the facts, only those that differ are stored."""
    work.record(
        after.organization_id,
        facts=facts_after,
        **_common(work, cause, after.version, facts_before, facts_after),
        booking_type=kind,
        booking_id=after.id,
        kind=after.kind,
        reference=after.reference,
        candidate_id=after.candidate_id,
        created_at=after.created_at,
        event_id=after.event_id,
        room_id=after.room_id,
        **dict(zip(_STATE, _state_of(after), strict=True)),
        **({} if before is None else {f"was_{name}": getattr(before, name) for name in _WAS}),
    )


_STATE = (
    "status",
    "centre_id",
    "test_id",
    "subject_id",
    "agent_office_id",
    "start_at",
    "updated_at",
    "accommodation_count",
)
_WAS = (*_STATE, "room_id", "event_id")
_state_of = attrgetter(*_STATE)


def record_event(
    work: UnitOfWork,
    kind: EventChangeType,
    cause: Cause,
    *,
    event: Event,
    facts_before: Facts | None,
    facts_after: Facts,
) -> None:
    """Append a change of an event, and store the event as it is after the change.

    Of the facts, only those that differ are stored.
    """
    work.insert(EventVersion, [new_row(EventVersion, **as_dict(event))])
    work.record(
        event.organization_id,
        facts=facts_after,
        **_common(work, cause, event.version, facts_before, facts_after),
        event_type=kind,
        event_id=event.id,
        room_id=event.room_id,
    )


def _common(
    work: UnitOfWork,
    cause: Cause,
    version: int,
    before: Facts | None,
    after: Facts,
) -> dict[str, Any]:
    old = before or {}
    differing = sorted([name for name, value in after.items() if old.get(name) != value])
    return {
        "id": new_key(),
        "at": work.now,
        **cause.as_columns("actor"),
        "reason": cause.reason,
        "origin": None if cause.origin is None else cause.origin.to_json(),
        "overrides": sorted(cause.overrides) or None,
        "warnings": [warning.to_json() for warning in cause.warnings] or None,
        "version": version,
        "changed_fields": differing,
        "before": None if before is None else {name: before.get(name) for name in differing},
        "after": {name: after[name] for name in differing},
    }
