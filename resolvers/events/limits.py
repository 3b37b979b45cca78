"""Limits of an event that contradict each other. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from resolvers.refusals import OutOfRange, Refusal
from resolvers.storage.tables import Event


class _Pair(NamedTuple):
    """Two columns of which the lower must not be above the upper.

    `blamed` is the column that is refused if both are given.
    """

    lower: str
    lower_rule: str
    upper: str
    upper_rule: str
    blamed: str


PAIRS = (
    _Pair(
        "capacity_minimum",
        "must not be more than the maximum",
        "capacity_maximum",
        "must not be less than the minimum",
        blamed="capacity_minimum",
    ),
    _Pair(
        "registration_start",
        "must not be after the registration deadline",
        "registration_deadline",
        "must not be before the registration start",
        blamed="registration_deadline",
    ),
    _Pair(
        "registration_start",
        "must not be after the event's start",
        "start_at",
        "must not be before the registration start",
        blamed="registration_start",
    ),
)


def contradictions(event: Event, given: Mapping[str, Any]) -> Iterator[Refusal]:
    """Return the contradictions in an event, as refusals of the fields that were given.

    Existing contradictions between fields that are not given are ignored.
    """
    for pair in PAIRS:
        lower, upper = getattr(event, pair.lower), getattr(event, pair.upper)
        if lower is None or upper is None or lower <= upper:
            continue
        both = pair.lower in given and pair.upper in given
        if not both and pair.lower not in given and pair.upper not in given:
            continue
        column = pair.blamed if both else pair.lower if pair.lower in given else pair.upper
        rule = pair.lower_rule if column == pair.lower else pair.upper_rule
        yield OutOfRange(column, rule=rule)
