"""The caller: an organization, permissions, and the rows that it may see."""

from collections.abc import Hashable
from typing import Literal, NotRequired, TypedDict, Unpack
from uuid import UUID

from resolvers.refusals import PermissionRefusal
from resolvers.values import frozen
from resolvers.vocabulary import AccessScope, Permission, Role

_P = Permission

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.SCHEDULER: frozenset(
        {
            _P.READ,
            _P.BOOK,
            _P.MOVE,
            _P.CANCEL,
            _P.DELETE,
            _P.TRANSFER,
            _P.GRANT_ACCOMMODATION,
            _P.SCHEDULE_TEST,
            _P.ASSIGN_RESULT,
            _P.MANAGE_EVENTS,
            _P.MANAGE_CANDIDATES,
            _P.RECORD_PAYMENT,
            _P.VIEW_PII,
            _P.VIEW_SECRETS,
        }
    ),
    Role.CENTRE_STAFF: frozenset(
        {
            _P.READ,
            _P.BOOK,
            _P.MOVE,
            _P.CANCEL,
            _P.GRANT_ACCOMMODATION,
            _P.RECORD_SESSION,
            _P.VIEW_PII,
            _P.VIEW_SECRETS,
        }
    ),
    Role.INVIGILATOR: frozenset({_P.READ, _P.RECORD_SESSION, _P.VIEW_SECRETS}),
    Role.MARKER: frozenset({_P.READ, _P.ASSIGN_RESULT}),
    Role.AGENT: frozenset({_P.READ, _P.BOOK, _P.CANCEL, _P.MANAGE_NOTIFICATIONS, _P.VIEW_PII}),
    Role.CANDIDATE: frozenset({_P.READ, _P.CANCEL, _P.VIEW_PII}),
}

OUTSIDERS = frozenset({Role.AGENT, Role.CANDIDATE})
"""Roles outside the organization: its staff and its offices are hidden from them."""


@frozen
class Association:
    """A condition on bookings in a scope: one of the keys in the column.

    With `or_none`, a booking without a value is in scope, too.
    """

    column: Literal["centre_id", "subject_id", "candidate_id", "agent_office_id"]
    keys: frozenset[UUID]
    kind: AccessScope
    or_none: bool = False

    def holds(self, key: UUID | None) -> bool:
        """Whether a booking with this key in the column has the association."""
        return key in self.keys or (self.or_none and key is None)


class Keys(TypedDict):
    """The associations of a booking."""

    centre_id: UUID | None
    subject_id: UUID | None
    candidate_id: UUID | None
    agent_office_id: NotRequired[UUID | None]


@frozen
class Scope:
    """The restrictions of a viewer inside the organization. None means no restriction.

    `marker` is a user who also sees the bookings that they mark or moderate, in any scope.
    """

    centres: frozenset[UUID] | None = None
    subjects: frozenset[UUID] | None = None
    agent_offices: frozenset[UUID] | None = None
    candidate: UUID | None = None
    nothing: bool = False
    marker: UUID | None = None

    @property
    def associations(self) -> tuple[Association, ...]:
        """All conditions on bookings in the scope, in the order in which refusals name them.

        This defines which bookings a scope shows. `missing` applies it to one booking, and
        `bookings.filters.visible_to` converts it to SQL.

        A scope with centres shows their bookings without a subject; a scope with subjects alone
        does not. No scope with agent offices shows a booking without an office.
        """
        if self.nothing:
            return (Association("candidate_id", frozenset(), AccessScope.OWN),)
        found = []
        if self.candidate is not None:
            own = frozenset({self.candidate})
            found.append(Association("candidate_id", own, AccessScope.OWN))
        if self.centres is not None:
            found.append(Association("centre_id", self.centres, AccessScope.CENTRE))
        if self.agent_offices is not None:
            offices = self.agent_offices
            found.append(Association("agent_office_id", offices, AccessScope.AGENT_OFFICE))
        if self.subjects is not None:
            or_none = self.centres is not None
            found.append(Association("subject_id", self.subjects, AccessScope.SUBJECT, or_none))
        return tuple(found)

    def all_missing(self, **keys: Unpack[Keys]) -> list[AccessScope]:
        """Return the associations that a booking with these keys lacks."""
        return [a.kind for a in self.associations if not a.holds(keys.get(a.column))]

    def missing(self, **keys: Unpack[Keys]) -> AccessScope | None:
        """Return the association that hides a booking with these keys from the viewer; None if
        visible.
        """
        if self is EVERYTHING:
            return None
        return next(iter(self.all_missing(**keys)), None)

    @property
    def everything(self) -> bool:
        return self is EVERYTHING or self == EVERYTHING


EVERYTHING = Scope()
NOTHING = Scope(nothing=True)


@frozen
class Viewer:
    """The caller, from a verified credential, which is the only source of rights.

    `key` distinguishes the viewers of one organization: idempotency keys belong to it.
    """

    organization_id: UUID
    role: Role
    name: str
    key: str
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    scope: Scope = EVERYTHING

    @property
    def plan_key(self) -> Hashable:
        """Viewers with equal keys share the plan of a document.

        The attributes in the key may change *whether* a read is restricted, and so which tables a
        plan joins and which fields it omits: the role, the permissions, and whether there is a
        scope. All others (the organization, the user, the contents of the scope) may change only
        *values*: a restricted read stays restricted, and its condition is applied at each run.
        """
        return self.role, self.permissions, self.scope.everything

    @property
    def is_staff(self) -> bool:
        """Whether the viewer works for the organization, in any role."""
        return self.role not in OUTSIDERS

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission, *path: str) -> None:
        """Raises: PermissionRefusal."""
        if permission not in self.permissions:
            raise PermissionRefusal(*path, required=permission)


def scope_of(
    role: Role,
    *,
    centres: frozenset[UUID] = frozenset(),
    subjects: frozenset[UUID] = frozenset(),
    agent_offices: frozenset[UUID] = frozenset(),
    candidate: UUID | None = None,
    user: UUID | None = None,
) -> Scope:
    """Return the scope of a user in a role; it is empty if the user lacks what the role's scope
    needs.
    """
    match role:
        case Role.ADMIN:
            return EVERYTHING
        case Role.SCHEDULER:
            return Scope(centres=centres, subjects=subjects)
        case Role.CENTRE_STAFF | Role.INVIGILATOR:
            return Scope(centres=centres)
        case Role.MARKER:
            return Scope(subjects=subjects, marker=user)
        case Role.CANDIDATE:
            return NOTHING if candidate is None else Scope(candidate=candidate)
        case Role.AGENT:
            return Scope(agent_offices=agent_offices) if agent_offices else NOTHING
