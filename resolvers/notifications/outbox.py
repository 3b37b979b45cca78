"""The outbox: who is to be told of a change, written in the transaction of the change.

Of an organization without endpoints nothing is looked for; its position in the log says so. What is
to be told is derived from the recorded changes when they get their positions, so that what was
undone before is told to nobody.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers.identity import global_id
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.observing import Recorded
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    NotificationDelivery,
    NotificationEndpoint,
    User,
    UserAgentOffice,
    columns,
    table,
)
from resolvers.storage.tables.notifications import TRIED_FOR
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import EVERYTHING, PERMISSIONS, Scope, scope_of
from resolvers.vocabulary import (
    ChangeType,
    EventChangeType,
    NotificationTopic,
    Permission,
    Role,
)

TOPICS: Final[Mapping[ChangeType, NotificationTopic]] = {
    # only agent bookings are confirmed, or found invalid, by a worker
    ChangeType.INVALIDATED: NotificationTopic.AGENT_BOOKING_INVALID,
    ChangeType.CONFIRMED: NotificationTopic.AGENT_BOOKING_SUCCESS,
    ChangeType.CREATED: NotificationTopic.BOOKING_CREATED,
    ChangeType.MOVED: NotificationTopic.BOOKING_MOVED,
    ChangeType.TRANSFERRED: NotificationTopic.BOOKING_TRANSFERRED,
    ChangeType.CANCELLED: NotificationTopic.BOOKING_CANCELLED,
    ChangeType.DELETED: NotificationTopic.BOOKING_DELETED,
    ChangeType.ACCOMMODATION_GRANTED: NotificationTopic.BOOKING_ACCOMMODATION_CHANGED,
    ChangeType.ACCOMMODATION_REVOKED: NotificationTopic.BOOKING_ACCOMMODATION_CHANGED,
    ChangeType.ASSESSMENT_CHANGED: NotificationTopic.BOOKING_ASSESSMENT_CHANGED,
    ChangeType.RESULT_ASSIGNED: NotificationTopic.BOOKING_RESULT_ASSIGNED,
    ChangeType.PAYMENT_CHANGED: NotificationTopic.BOOKING_PAYMENT_CHANGED,
}
"""The topic of each change of a booking; nobody is told of the others (section 8.7)."""

EVENT_TOPICS: Final[Mapping[EventChangeType, NotificationTopic]] = {
    EventChangeType.CREATED: NotificationTopic.EVENT_CREATED,
    EventChangeType.UPDATED: NotificationTopic.EVENT_CHANGED,
    EventChangeType.CANCELLED: NotificationTopic.EVENT_CANCELLED,
}

EVENT: Final = "EVENT"
"""What stands where a booking has its kind."""

SCOPED: Final = ("centre_id", "subject_id", "agent_office_id")
"""The columns of a change that scopes are about; with `was_` as they were before it."""


def fill(work: UnitOfWork, organization_id: UUID, changes: Sequence[Recorded]) -> None:
    """Insert a delivery for each change and each endpoint that wants to be, and may be, told.

    At most two reads, whatever the number of changes; none where nobody can be told of any.
    """
    told = [(change, topic) for change in changes if (topic := _topic(change.row)) is not None]
    if not told:
        return
    endpoints = work.rows(_active(organization_id))
    listeners = list(zip(endpoints, _scopes(work, organization_id, endpoints), strict=True))
    work.insert(
        NotificationDelivery,
        [
            _delivery(work, endpoint, change, topic)
            for change, topic in told
            for endpoint, scope in listeners
            if topic in endpoint.topics and sees(scope, change.row)
        ],
    )


def _topic(row: Mapping[str, Any]) -> NotificationTopic | None:
    event_type = row.get("event_type")
    return TOPICS.get(row["booking_type"]) if event_type is None else EVENT_TOPICS[event_type]


# ---------------------------------------------------------------- who


def _active(organization_id: UUID) -> Read[Any]:
    """The endpoints that something is sent to, each with its user's `role` and `working`."""

    def build(_: str) -> sa.Select[Any]:
        e, u = columns(NotificationEndpoint), columns(User)
        user = sa.and_(u.organization_id == e.organization_id, u.id == e.user_id)
        return (
            sa.select(e.id, e.topics, e.channel, e.user_id, u.role, u.active.label("working"))
            .select_from(sa.outerjoin(table(NotificationEndpoint), table(User), user))
            .where(
                e.organization_id == sa.bindparam("of", type_=e.organization_id.type),
                e.removed_at.is_(None),
                e.active,
            )
            .order_by(e.id)
        )

    return Read("endpoints to be told", build, {"of": organization_id})


def _scopes(
    work: UnitOfWork, organization_id: UUID, endpoints: Sequence[Any]
) -> list[Scope | None]:
    """What each endpoint's user may see; None for one who may not be told any more."""
    agents = [row.user_id for row in endpoints if row.role is Role.AGENT]
    offices: dict[UUID, set[UUID]] = defaultdict(set)
    for row in work.rows(_offices(organization_id, agents)) if agents else ():
        offices[row.user_id].add(row.agent_office_id)
    return [_scope(row, offices) for row in endpoints]


def _scope(endpoint: Any, offices: Mapping[UUID, set[UUID]]) -> Scope | None:
    """Of the roles that are confined, only agents are told anything: by their offices."""
    if endpoint.user_id is None:
        return EVERYTHING
    if not endpoint.working or not may_be_told(endpoint.role):
        return None
    return scope_of(endpoint.role, agent_offices=frozenset(offices.get(endpoint.user_id, ())))


def may_be_told(role: Role) -> bool:
    """Whether a user in the role may have endpoints."""
    return Permission.MANAGE_NOTIFICATIONS in PERMISSIONS[role]


def _offices(organization_id: UUID, users: Sequence[UUID]) -> Read[Any]:
    def build(_: str) -> sa.Select[Any]:
        c = columns(UserAgentOffice)
        return sa.select(c.user_id, c.agent_office_id).where(
            c.organization_id == sa.bindparam("of", type_=c.organization_id.type),
            one_of(c.user_id, "users"),
        )

    return Read("offices of those to be told", build, {"of": organization_id, "users": users})


def sees(scope: Scope | None, row: Mapping[str, Any]) -> bool:
    """Whether a change is told: its booking is in scope after or before it, as for subscribers.

    Events are open to everybody.
    """
    if scope is None:
        return False
    return row.get("event_type") is not None or _covers(scope, row) or _covers(scope, row, "was_")


def _covers(scope: Scope, row: Mapping[str, Any], prefix: str = "") -> bool:
    state = {name: row.get(f"{prefix}{name}") for name in SCOPED}
    return scope.missing(candidate_id=row.get("candidate_id"), **state) is None


# ---------------------------------------------------------------- what


def _delivery(
    work: UnitOfWork, endpoint: Any, change: Recorded, topic: NotificationTopic
) -> NotificationDelivery:
    row = change.row
    return new_row(
        NotificationDelivery,
        organization_id=row["organization_id"],
        id=new_key(),
        endpoint_id=endpoint.id,
        subject_id=row["event_id"] if row.get("booking_id") is None else row["booking_id"],
        position=row["position"],
        channel=endpoint.channel,
        topic=topic,
        content=_CONTENTS.get(topic, _content)(change),
        next_attempt_at=work.now,
        give_up_at=work.now + TRIED_FOR,
        created_at=work.now,
    )


def _content(change: Recorded) -> dict[str, Any]:
    """What a message says of a change; no personal data."""
    row = change.row
    of_booking = row.get("event_type") is None
    kind = row["kind"] if of_booking else EVENT
    return {
        "kind": kind,
        "reference": row["reference"] if of_booking else change.facts["identifier"],
        "id": global_id(_type_name(kind), row["booking_id"] if of_booking else row["event_id"]),
        "version": row["version"],
        "at": row["at"].isoformat().replace("+00:00", "Z"),
    }


def _agent_content(change: Recorded) -> dict[str, Any]:
    """What [004] tells an agency, and of which revision."""
    facts = change.facts
    return {
        "agentBookingId": change.row["reference"],
        "validationMessages": [told["message"] for told in facts.get("validationMessages") or ()],
        "bookingId": facts.get("backendBookingId"),
        "studentId": facts.get("backendStudentId"),
        "revision": facts.get("revision"),
    }


def _type_name(kind: str) -> str:
    """AGENT_BOOKING is the type AgentBooking."""
    return "".join(word.capitalize() for word in kind.split("_"))


_CONTENTS: Final[Mapping[NotificationTopic, Callable[[Recorded], dict[str, Any]]]] = {
    NotificationTopic.AGENT_BOOKING_INVALID: _agent_content,
    NotificationTopic.AGENT_BOOKING_SUCCESS: _agent_content,
}
