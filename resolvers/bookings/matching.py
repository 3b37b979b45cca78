"""Matches recorded changes with a viewer's filter in Python, without SQL.

This is the second form of `filters.narrowed_to` and `filters.visible_to`, for changes that have
just been committed. Both forms match the same changes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from resolvers.bookings.filters import INSTANTS, PLAIN, names_deleted, require_may_filter
from resolvers.storage.filter_tests import (
    MakeTest,
    Test,
    Values,
    matches_all,
    plain_test,
    second_test,
    test_of,
    text_test,
)
from resolvers.storage.filters import (
    NO_FILTER,
    AllOf,
    Condition,
    Filter,
    Operator,
    fields_of,
    lower,
)
from resolvers.values import frozen
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import BookingStatus, ChangeType

CHANGING: Final = (
    "status",
    "centre_id",
    "room_id",
    "event_id",
    "test_id",
    "subject_id",
    "agent_office_id",
    "start_at",
    "updated_at",
    "accommodation_count",
)
"""The columns that a change records twice: before (prefix `was_`) and after."""

UNCHANGING: Final = ("kind", "reference", "candidate_id", "created_at")

CANDIDATE: Final = "candidate"
"""The key of the candidate's row in the values of a state; the row may be None."""

MARKERS: Final = "markers"
"""The key of the users who mark or moderate the booking in the values of a state."""

TEXTS_OF_CANDIDATE: Final = {
    "candidate_name": "name_folded",
    "candidate_email": "email_folded",
    "candidate_reference": "reference_folded",
}

INDEXED: Final = ("event_id", "candidate_id", "room_id", "test_id", "centre_id")
"""The fields by which filters are looked up, the most selective first."""


class Change:
    """A change of a booking, with the booking's values before and after it."""

    __slots__ = ("after", "before", "row")

    def __init__(self, row: Any) -> None:
        self.row = row
        same = {name: getattr(row, name) for name in UNCHANGING}
        self.after: dict[str, Any] = {**same, **{name: getattr(row, name) for name in CHANGING}}
        self.before: dict[str, Any] = {**same, **{n: getattr(row, f"was_{n}") for n in CHANGING}}

    def add(self, candidate: Any, markers: Collection[UUID]) -> None:
        """Add what the log does not record, for the matchers that need it."""
        for values in (self.before, self.after):
            values[CANDIDATE], values[MARKERS] = candidate, markers


@frozen
class Matcher:
    """Decides whether a viewer receives a change.

    A matching change has one of the values of `key` in that field, before or after; without `key`,
    any change may match.
    """

    matches: Callable[[Change], bool]
    key: tuple[str, frozenset[Any]] | None
    needs_candidates: bool
    needs_markers: bool


def matcher_of(viewer: Viewer, filter: Filter, types: Sequence[ChangeType] | None) -> Matcher:
    """Return the matcher for the changes that `change_reads.changes_page` reads.

    Raises: PermissionRefusal.
    """
    require_may_filter(filter, viewer)
    visible, found = _visible_to(viewer.scope), _found_by(filter)
    wanted = None if types is None else frozenset(types)

    def matches(change: Change) -> bool:
        if wanted is not None and change.row.booking_type not in wanted:
            return False
        after, before = change.after, change.before
        return (found(after) or found(before)) and (visible(after) or visible(before))

    return Matcher(
        matches,
        _key(filter, viewer.scope),
        needs_candidates=not TEXTS_OF_CANDIDATE.keys().isdisjoint(fields_of(filter)),
        needs_markers=viewer.scope.marker is not None,
    )


def _found_by(filter: Filter) -> Test:
    if filter == NO_FILTER:
        return matches_all
    found = test_of(filter, FIELDS)
    if names_deleted(filter):
        return found
    return lambda values: values["status"] not in _GONE and found(values)


_GONE: Final = frozenset({None, BookingStatus.DELETED})
"""Return the statuses that do not match: a new booking has no state before the change."""


def _visible_to(scope: Scope) -> Test:
    if scope.everything:
        return matches_all
    associations, marker = scope.associations, scope.marker

    def visible(values: Values) -> bool:
        if all(each.holds(values[each.column]) for each in associations):
            return True
        return marker is not None and marker in values[MARKERS]

    return visible


def _key(filter: Filter, scope: Scope) -> tuple[str, frozenset[Any]] | None:
    """Return the most selective field whose values a filter or a scope names."""
    named = dict(_named(filter))
    for each in scope.associations if scope.marker is None else ():
        if not each.or_none:
            named.setdefault(each.column, each.keys)
    return next(((field, named[field]) for field in INDEXED if field in named), None)


def _named(filter: Filter) -> Iterable[tuple[str, frozenset[Any]]]:
    """Return, by field, the values of which every matching booking has one."""
    match filter:
        case AllOf(parts):
            for part in parts:
                yield from _named(part)
        case Condition(field, Operator.EQ, value) if field in INDEXED:
            yield field, frozenset({value})
        case Condition(field, Operator.IN, value) if field in INDEXED:
            yield field, frozenset(value)


def _has_accommodations(_: Operator, value: Any) -> Test:
    return lambda values: (
        (count := values["accommodation_count"]) is not None and (count > 0) == value
    )


def _of_candidate(column: str) -> MakeTest:
    make_inner = text_test(lambda candidate: getattr(candidate, column))

    def make(operator: Operator, value: Any) -> Test:
        inner = make_inner(operator, value)
        return lambda values: (one := values[CANDIDATE]) is not None and inner(one)

    return make


FIELDS: Final[Mapping[str, MakeTest]] = {
    **{field: plain_test(column) for field, column in PLAIN.items()},
    **{field: second_test(column) for field, column in INSTANTS.items()},
    "reference": text_test(lambda values: _lower(values["reference"]), lower),
    **{field: _of_candidate(column) for field, column in TEXTS_OF_CANDIDATE.items()},
    "has_accommodations": _has_accommodations,
}


def _lower(text: str | None) -> str | None:
    return None if text is None else lower(text)
