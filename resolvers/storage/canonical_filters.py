"""Filters in a canonical form, so that filters that differ little share one compiled statement.

`a or b` and `b or a` are one shape. Alternatives that compare one field for equality become one
list, which is a single parameter. Other alternatives of the same kind are repeated until their
number is a power of two, which does not change what `or` means.
"""

from typing import Any
from uuid import UUID

from resolvers.storage.filters import AllOf, AnyOf, Condition, Filter, Not, Operator

Kind = tuple[Any, ...]
"""What a filter is like, without its values."""


def canonical(condition: Filter) -> Filter:
    """An equivalent filter; equal filters but for values and their number have few forms."""
    match condition:
        case AllOf(parts):
            return _alone_or(AllOf, sorted(map(canonical, parts), key=_order))
        case AnyOf(parts) if parts:
            return _alone_or(AnyOf, _padded(_merged([canonical(part) for part in parts])))
        case Not(part):
            return Not(canonical(part))
    return condition


def _alone_or(kind: type[AllOf] | type[AnyOf], parts: list[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _merged(parts: list[Filter]) -> list[Filter]:
    """The alternatives with one list for each field that several compare for equality."""
    equal: dict[str, list[Condition]] = {}
    others: list[Filter] = []
    for part in parts:
        if isinstance(part, Condition) and _is_listed(part):
            equal.setdefault(part.field, []).append(part)
        else:
            others.append(part)
    for field, conditions in equal.items():
        if len(conditions) == 1:
            others += conditions
            continue
        values = dict.fromkeys(value for each in conditions for value in _values(each))
        others.append(Condition(field, Operator.IN, tuple(values)))
    return others


def _is_listed(condition: Condition) -> bool:
    """Whether the condition is equality with values of a kind that a list can hold.

    Instants and dates are equal within a second or a day, and flags have two values only.
    """
    if condition.operator not in {Operator.EQ, Operator.IN}:
        return False
    return all(
        isinstance(value, str | int | UUID) and not isinstance(value, bool)
        for value in _values(condition)
    )


def _values(condition: Condition) -> tuple[Any, ...]:
    return tuple(condition.value) if condition.operator is Operator.IN else (condition.value,)


def _padded(parts: list[Filter]) -> list[Filter]:
    """The alternatives in the order of their kinds, of each kind a power of two."""
    of_kind: dict[str, list[Filter]] = {}
    for part in parts:
        of_kind.setdefault(_order(part), []).append(part)
    padded: list[Filter] = []
    for _, alike in sorted(of_kind.items()):
        size = 1 << (len(alike) - 1).bit_length()
        padded += alike + [alike[-1]] * (size - len(alike))
    return padded


def _order(condition: Filter) -> str:
    """The place of a filter among others: by its kind."""
    return repr(_kind(condition))


def _kind(condition: Filter) -> Kind:
    match condition:
        case AllOf(parts):
            return ("and", *map(_kind, parts))
        case AnyOf(parts):
            return ("or", *map(_kind, parts))
        case Not(part):
            return ("not", _kind(part))
        case Condition(field, Operator.IS_NULL, value):
            return ("is", field, bool(value))
        case Condition(field, operator, _):
            return ("term", field, operator.value)
