"""The criteria of a search for registrations `[002]`, as conditions on bookings and candidates."""

from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa

from resolvers import checks
from resolvers.reading import Source
from resolvers.refusals import PermissionRefusal
from resolvers.registrations.commands import RegistrationCriteria
from resolvers.searching import containing, containing_in_first
from resolvers.storage.joins import join_in_order
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.tables import Booking, Candidate, columns, table
from resolvers.texts import folded
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission

_NAME, _EMAIL, _CODE = "criteria_name", "criteria_email", "criteria_code"
_SINCE, _BEFORE = "criteria_since", "criteria_before"
_OF_CANDIDATES = frozenset({_NAME, _EMAIL, _CODE})

_CONDITIONS: dict[str, Callable[[Any, Any, Any], sa.ColumnElement[bool]]] = {
    _NAME: lambda _, candidate, value: candidate.search_text.like(value, escape="\\"),
    _EMAIL: lambda _, candidate, value: candidate.email_folded.like(value, escape="\\"),
    _CODE: lambda _, candidate, value: candidate.reference_folded == value,
    _SINCE: lambda booking, _, value: booking.updated_at >= value,
    _BEFORE: lambda booking, _, value: booking.updated_at < value,
}


def found_by(criteria: RegistrationCriteria, viewer: Viewer) -> tuple[Narrowing, Source | None]:
    """What the criteria find, all of them together; an empty text is no criterion.

    Raises: WrongLength, Invalid (a text), PermissionRefusal (a search by email without VIEW_PII
    would tell whose address it is).
    """
    _check(criteria, viewer)
    values = _values(criteria)
    asked = tuple(values)

    def narrow() -> sa.ColumnElement[bool]:
        booking, candidate = columns(Booking), _candidates().c
        types = {_SINCE: booking.updated_at.type, _BEFORE: booking.updated_at.type}
        bound = {name: sa.bindparam(name, type_=types.get(name, sa.String())) for name in asked}
        return sa.and_(
            sa.true(), *(_CONDITIONS[name](booking, candidate, bound[name]) for name in asked)
        )

    source = _from_candidates if _OF_CANDIDATES & values.keys() else None
    return Narrowing(("criteria", asked), narrow, values), source


def _check(criteria: RegistrationCriteria, viewer: Viewer) -> None:
    for name in ("name", "email", "code"):
        checks.text(getattr(criteria, name), "criteria", name, most=checks.TEXT)
    if criteria.email and not viewer.may(Permission.VIEW_PII):
        raise PermissionRefusal("criteria", "email", required=Permission.VIEW_PII)


def _values(criteria: RegistrationCriteria) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if criteria.name:
        values[_NAME] = containing_in_first(criteria.name)
    if criteria.email:
        values[_EMAIL] = containing(criteria.email)
    if criteria.code:
        values[_CODE] = folded(criteria.code)
    if criteria.last_change_time_since is not None:
        values[_SINCE] = criteria.last_change_time_since
    if criteria.last_change_time_before is not None:
        values[_BEFORE] = criteria.last_change_time_before
    return values


def _from_candidates() -> sa.FromClause:
    """First the candidates who are meant, then their bookings.

    SQLite would go through all bookings in the order of the page, which is slow for a rare name;
    PostgreSQL chooses by how rare it is.
    """
    b, candidates = columns(Booking), _candidates()
    c = candidates.c
    theirs = sa.and_(b.organization_id == c.organization_id, b.candidate_id == c.id)
    return join_in_order(candidates, table(Booking), theirs)


@cache
def _candidates() -> sa.FromClause:
    """The candidates under a name of their own: a filter beside the criteria has them, too."""
    return table(Candidate).alias("found_candidate")
