"""Who is asking: an organization, permissions, and which rows they may see."""

from collections.abc import Hashable
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
"""Roles that do not work for the organization: staff is hidden from them, as are its offices."""


@frozen
class Scope:
    """What confines a viewer inside the organization. None means: not by this.

    `marker` is a user who also sees what they mark or moderate, wherever it is.
    """

    centres: frozenset[UUID] | None = None
    subjects: frozenset[UUID] | None = None
    agent_offices: frozenset[UUID] | None = None
    candidate: UUID | None = None
    nothing: bool = False
    marker: UUID | None = None

    def missing(
        self,
        *,
        centre_id: UUID | None,
        subject_id: UUID | None,
        candidate_id: UUID | None,
        agent_office_id: UUID | None = None,
    ) -> AccessScope | None:
        """Which association keeps the viewer from a booking that has these; None when none does.

        Inside its centres a viewer sees what has no subject; one that has subjects only does not.
        What no agent office has booked is outside of every agent's.
        """
        if self.nothing:
            return AccessScope.OWN
        if self.candidate is not None and candidate_id != self.candidate:
            return AccessScope.OWN
        if self.centres is not None and centre_id not in self.centres:
            return AccessScope.CENTRE
        if self.agent_offices is not None and agent_office_id not in self.agent_offices:
            return AccessScope.AGENT_OFFICE
        if subject_id is None and self.centres is not None:
            return None
        if self.subjects is not None and subject_id not in self.subjects:
            return AccessScope.SUBJECT
        return None

    @property
    def everything(self) -> bool:
        return self is EVERYTHING or self == EVERYTHING


EVERYTHING = Scope()
NOTHING = Scope(nothing=True)


@frozen
class Viewer:
    """The caller, as a verified credential says. Nothing else is a source of rights.

    `key` tells viewers of one organization apart: idempotency keys belong to it.
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
        plan joins and which fields it leaves out: the role, the permissions, and whether there is a
        scope. All others (the organization, the user, what the scope consists of) may change only
        *values*: a restricted read stays restricted, and its condition is applied at each run.
        """
        return self.role, self.permissions, self.scope.everything

    @property
    def is_staff(self) -> bool:
        """Whether the viewer works for the organization, in whatever role."""
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
    """The scope of a user in a role; a user without what the role's scope is made of sees none."""
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
