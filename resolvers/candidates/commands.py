"""Commands on candidates and departments: create or update by reference."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.candidates.visible import missing_scope
from resolvers.contacts import TELEPHONE, Address, EmergencyContact, email
from resolvers.links import (
    CANDIDATE_CENTRES,
    CANDIDATE_DEPARTMENTS,
    CANDIDATE_GROUPS,
    CANDIDATE_MODULES,
    CANDIDATE_SUBJECTS,
)
from resolvers.listed import listed
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Ref
from resolvers.refusals import PermissionRefusal, Refusal, Refused
from resolvers.searching import search_text
from resolvers.storage.tables import Candidate, Centre, Department, Module, Subject
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Change, PartContext, Rule, Upsert, UpsertDefinition, given, upsert
from resolvers.values import frozen
from resolvers.viewer import Scope
from resolvers.vocabulary import Gender, Permission


@frozen(kw_only=True)
class UpsertCandidate(Upsert):
    """A person who takes tests or courses, identified by a reference."""

    reference: str
    first_names: str
    last_name: str
    email: str | None = None
    telephone: str | None = None
    mobile: str | None = None
    date_of_birth: date | None = None
    gender: Gender | None = None
    passport_number: str | None = None
    passport_issuing_country: str | None = None
    country_of_birth: str | None = None
    nationality: str | None = None
    address: Address | None = None
    emergency_contact: EmergencyContact | None = None
    image_url: str | None = None
    centre_ids: tuple[Ref, ...] | None = None
    subject_ids: tuple[Ref, ...] | None = None
    department_ids: tuple[Ref, ...] | None = None
    module_ids: tuple[Ref, ...] | None = None
    group_identifiers: tuple[UUID, ...] | None = None


@frozen(kw_only=True)
class UpsertDepartment(Upsert):
    """A department, identified by its name."""

    name: str


@requires(Permission.MANAGE_CANDIDATES)
def upsert_candidates(
    work: UnitOfWork, commands: Sequence[UpsertCandidate]
) -> list[Outcome | Refused]:
    """Create or update a candidate for each command; the reference identifies the candidate.

    For a viewer with a scope, a new candidate gets the scope's centres unless the command names
    some of them, and other links to centres do not change. Refusals: PermissionRefusal (a new
    candidate would be outside the scope), WrongLength, Invalid, InvalidEmail, InvalidCountryCode,
    Required, OutOfRange, NotFoundRefusal (also a centre outside the scope), AlreadyExists (an
    external id, or the reference of a candidate that the viewer cannot see).
    """
    return upsert(work, commands, CANDIDATE)


@requires(Permission.MANAGE_CANDIDATES)
def upsert_departments(
    work: UnitOfWork, commands: Sequence[UpsertDepartment]
) -> list[Outcome | Refused]:
    """Create a department for each command, unless one with that name exists.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange, AlreadyExists.
    """
    return upsert(work, commands, DEPARTMENT)


def _check_candidate(command: UpsertCandidate) -> list[Refusal]:
    name = {"least": 1, "most": checks.NAME}
    found = checks.violations(
        (checks.code, command.reference, "reference"),
        (checks.text, command.first_names, "first_names", name),
        (checks.text, command.last_name, "last_name", name),
        (email, command.email, "email"),
        (checks.text, command.telephone, "telephone", {"most": TELEPHONE}),
        (checks.text, command.mobile, "mobile", {"most": TELEPHONE}),
        (checks.code, command.passport_number, "passport_number", {"least": 0}),
        (checks.country, command.passport_issuing_country, "passport_issuing_country"),
        (checks.country, command.country_of_birth, "country_of_birth"),
        (checks.country, command.nationality, "nationality"),
        (checks.url, command.image_url, "image_url"),
    )
    if command.address is not None:
        found += command.address.refusals("address")
    if command.emergency_contact is not None:
        found += command.emergency_contact.refusals("emergency_contact")
    return found


def _check_birth(command: UpsertCandidate, today: date) -> list[Refusal]:
    born = command.date_of_birth
    return checks.violations((checks.birth, born, "date_of_birth", {"today": today}))


def _candidate_values(command: UpsertCandidate, _: Candidate | None) -> dict[str, Any]:
    address, emergency_contact = command.address, command.emergency_contact
    return given(
        reference=command.reference,
        first_names=command.first_names,
        last_name=command.last_name,
        search_text=search_text(f"{command.first_names} {command.last_name}", command.reference),
        email=command.email,
        telephone=command.telephone,
        mobile=command.mobile,
        date_of_birth=command.date_of_birth,
        gender=command.gender,
        passport_number=command.passport_number,
        passport_issuing_country=command.passport_issuing_country,
        country_of_birth=command.country_of_birth,
        nationality=command.nationality,
        address=address and address.as_kept(),
        emergency_contact=emergency_contact and emergency_contact.as_kept(),
        image_url=command.image_url,
    )


def _own_centres(scope: Scope) -> frozenset[UUID] | None:
    return scope.centres


class _InScope(Rule):
    """A viewer with a scope can create only candidates that are visible in it."""

    def __init__(self, loading: PartContext) -> None:
        pass

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        viewer = change.command.viewer
        if change.before is not None or viewer.scope.everything:
            return []
        by = {"centre_ids": viewer.scope.centres, "subject_ids": viewer.scope.subjects}
        for name, own in by.items():
            if own and any(key in own for _, key in change.keys.get(name, ())):
                return []
        missing = missing_scope(viewer.scope)
        return [PermissionRefusal(required=Permission.MANAGE_CANDIDATES, missing_scope=missing)]


CANDIDATE: UpsertDefinition[UpsertCandidate, Candidate] = UpsertDefinition(
    model=Candidate,
    identity=("reference",),
    check=_check_candidate,
    check_dates=_check_birth,
    values=_candidate_values,
    many={
        "centre_ids": Centre,
        "subject_ids": Subject,
        "department_ids": Department,
        "module_ids": Module,
        "group_identifiers": None,
    },
    scoped={"centre_ids": _own_centres},
    parts=(
        _InScope,
        listed("centre_ids", CANDIDATE_CENTRES, within=_own_centres),
        listed("subject_ids", CANDIDATE_SUBJECTS),
        listed("department_ids", CANDIDATE_DEPARTMENTS),
        listed("module_ids", CANDIDATE_MODULES),
        listed("group_identifiers", CANDIDATE_GROUPS),
    ),
)


def _check_department(command: UpsertDepartment) -> list[Refusal]:
    limits = {"most": checks.NAME}
    return checks.violations((checks.code, command.name, "name", limits))


DEPARTMENT: UpsertDefinition[UpsertDepartment, Department] = UpsertDefinition(
    model=Department,
    identity=("name",),
    check=_check_department,
    values=lambda command, _: {"name": command.name},
)
