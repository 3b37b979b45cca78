"""Users, with their roles and scopes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.contacts import email
from resolvers.links import USER_AGENT_OFFICES, USER_CENTRES, USER_SUBJECTS, children_of
from resolvers.listed import listed
from resolvers.organizations.visible import users_visible_to
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.products.reads import offices_visible_to
from resolvers.reading import count_of, page_of, rows_by
from resolvers.references import Ref
from resolvers.refusals import Invalid, Refusal, Refused
from resolvers.searching import searching
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import AgentOffice, Candidate, Centre, Subject, User, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Upsert, UpsertDefinition, check_named, given, upsert
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission, Role

USERS_BY_NAME = Ordering("users", (Term("sort_key", str), Term("id", UUID)))


@frozen(kw_only=True)
class UpsertUser(Upsert):
    """Create or update a user by its reference. An inactive user has no permissions.

    `active` None keeps the current value; a new user is active.
    """

    reference: str
    name: str
    email: str | None = None
    role: Role
    active: bool | None = None
    may_mark: bool = False
    may_moderate: bool = False
    centre_ids: tuple[Ref, ...] | None = None
    subject_ids: tuple[Ref, ...] | None = None
    agent_office_ids: tuple[Ref, ...] | None = None
    candidate: Ref | None = None


@requires(Permission.MANAGE_USERS)
def upsert_users(work: UnitOfWork, commands: Sequence[UpsertUser]) -> list[Outcome | Refused]:
    """Create or update a user for each command, identified by the reference.

    A user with another role than CANDIDATE has no candidate; a change of role removes it.
    Refusals: PermissionRefusal, WrongLength, Invalid, InvalidEmail, OutOfRange, NotFoundRefusal,
    AmbiguousReference, AlreadyExists.
    """
    return upsert(work, commands, USER)


def users_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[User]:
    return rows_by(User, "id", viewer, keys, users_visible_to(viewer))


def users_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[User]:
    """A page of users whose name or reference contains the text.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(User, viewer, page, users_visible_to(viewer) & _users(search))


def users_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(User, viewer, users_visible_to(viewer) & _users(search))


def centres_of_users(viewer: Viewer, keys: Sequence[UUID]) -> Read[Centre]:
    return children_of(Centre, USER_CENTRES, viewer, keys, UNRESTRICTED)


def subjects_of_users(viewer: Viewer, keys: Sequence[UUID]) -> Read[Subject]:
    return children_of(Subject, USER_SUBJECTS, viewer, keys, UNRESTRICTED)


def agent_offices_of_users(viewer: Viewer, keys: Sequence[UUID]) -> Read[AgentOffice]:
    shown = offices_visible_to(viewer)
    return children_of(AgentOffice, USER_AGENT_OFFICES, viewer, keys, shown)


def _users(search: str | None) -> Narrowing:
    c = columns(User)
    return searching(search, within=(c.name_folded, c.reference_folded))


def _check_user(command: UpsertUser) -> list[Refusal]:
    found = check_named(command) + checks.violations(
        (email, command.email, "email"),
    )
    if command.candidate is not None and command.role is not Role.CANDIDATE:
        found.append(Invalid("candidate", rule="is only for the role CANDIDATE"))
    return found


def _user_values(command: UpsertUser, _: User | None) -> dict[str, Any]:
    values = given(
        reference=command.reference,
        name=command.name,
        email=command.email,
        role=command.role,
        active=command.active,
        may_mark=command.may_mark,
        may_moderate=command.may_moderate,
    )
    return values if command.role is Role.CANDIDATE else {**values, "candidate_id": None}


USER: UpsertDefinition[UpsertUser, User] = UpsertDefinition(
    model=User,
    identity=("reference",),
    check=_check_user,
    values=_user_values,
    one={"candidate": ("candidate_id", Candidate)},
    many={"centre_ids": Centre, "subject_ids": Subject, "agent_office_ids": AgentOffice},
    parts=(
        listed("centre_ids", USER_CENTRES),
        listed("subject_ids", USER_SUBJECTS),
        listed("agent_office_ids", USER_AGENT_OFFICES),
    ),
)
