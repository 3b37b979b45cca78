"""Finds the groups that a change can match."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from resolvers.bookings.matching import CHANGING, INDEXED, Change, Matcher


class Matchable(Protocol):
    """Something that receives the changes that its matcher matches."""

    matcher: Matcher


T = TypeVar("T", bound=Matchable)


class MatchIndex:
    """Groups by a value that their changes have in an indexed field; the others one by one."""

    def __init__(self) -> None:
        self._by_value: dict[str, dict[Any, dict[Any, None]]] = {
            field: defaultdict(dict) for field in INDEXED
        }
        self._without_key: dict[Any, None] = {}
        self._needing_candidates = 0
        self._needing_markers = 0

    @property
    def needs_candidates(self) -> bool:
        """Whether a matcher needs the texts of candidates."""
        return self._needing_candidates > 0

    @property
    def needs_markers(self) -> bool:
        """Whether a matcher needs the markers of bookings."""
        return self._needing_markers > 0

    def add(self, group: Matchable) -> None:
        self._needing_candidates += group.matcher.needs_candidates
        self._needing_markers += group.matcher.needs_markers
        for found in self._places(group.matcher):
            found[group] = None

    def remove(self, group: Matchable) -> None:
        self._needing_candidates -= group.matcher.needs_candidates
        self._needing_markers -= group.matcher.needs_markers
        for found in self._places(group.matcher):
            found.pop(group, None)
        if group.matcher.key is not None:
            field, values = group.matcher.key
            by_value = self._by_value[field]
            for value in values:
                if not by_value.get(value):
                    by_value.pop(value, None)

    def _places(self, matcher: Matcher) -> Iterable[dict[Any, None]]:
        if matcher.key is None:
            return [self._without_key]
        field, values = matcher.key
        return [self._by_value[field][value] for value in values]

    def matching(self, change: Change) -> list[Any]:
        """The groups that receive a change."""
        found = [group for group in self._without_key if group.matcher.matches(change)]
        for field, by_value in self._by_value.items():
            if not by_value:
                continue
            after = by_value.get(change.after[field], {})
            before = {}
            if field in CHANGING and change.before[field] != change.after[field]:
                before = by_value.get(change.before[field], {})
            for group in {**after, **before}:
                if group.matcher.matches(change):
                    found.append(group)
        return found
