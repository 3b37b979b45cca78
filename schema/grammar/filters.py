"""The filter inputs, and their conversion to conditions of the domain."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from resolvers import checks
from resolvers.references import ByKey
from resolvers.refusals import Invalid, OutOfRange
from resolvers.storage.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.references import ref_of

DEEPEST = 5
MOST_CONDITIONS = 100
MOST_PARTS = 100
MOST_VALUES = 1000


def _operator(description: str) -> Any:
    return described(description)


@input_type(
    description="Conditions on a text. Case is ignored. If you give several, all must match."
)
class StringFilter:
    eq: str | None = _operator("The text equals this value.")
    in_: list[str] | None = attribute(
        name="in",
        default=UNSET,
        description="The text equals one of these values. An empty list matches nothing.",
    )
    contains: str | None = _operator("The text contains this value.")
    starts_with: str | None = _operator("The text starts with this value.")
    is_null: bool | None = _operator("True matches objects without a text, false those with one.")


@input_type(description="Conditions on a whole number. If you give several, all must match.")
class IntFilter:
    eq: int | None = _operator("The number equals this value.")
    in_: list[int] | None = attribute(
        name="in",
        default=UNSET,
        description="The number equals one of these values. An empty list matches nothing.",
    )
    gte: int | None = _operator("The number is greater than or equal to this value.")
    lte: int | None = _operator("The number is less than or equal to this value.")
    is_null: bool | None = _operator("True matches objects without a number, false those with one.")


@input_type(description="Conditions on a decimal number. If you give several, all must match.")
class FloatFilter:
    eq: float | None = _operator("The decimal number equals this value.")
    gte: float | None = _operator("The decimal number is greater than or equal to this value.")
    lte: float | None = _operator("The decimal number is less than or equal to this value.")
    is_null: bool | None = _operator(
        "True matches objects without a decimal number, false those with one."
    )


@input_type(description="Conditions on a date and time. If you give several, all must match.")
class DateTimeFilter:
    eq: datetime | None = _operator("The time is within the same second as this value.")
    gte: datetime | None = _operator("The time equals this value or is later.")
    gt: datetime | None = _operator("The time is later than this value.")
    lte: datetime | None = _operator("The time equals this value or is earlier.")
    lt: datetime | None = _operator("The time is earlier than this value.")
    is_null: bool | None = _operator("True matches objects without a time, false those with one.")


@input_type(description="Conditions on the id of an object. If you give several, all must match.")
class IdFilter:
    eq: strawberry.ID | None = _operator("The object has this id.")
    in_: list[strawberry.ID] | None = attribute(
        name="in",
        default=UNSET,
        description="The object has one of these ids. An empty list matches nothing.",
    )
    is_null: bool | None = _operator("True matches if no object is set, false if one is.")


@input_type(description="Conditions on a UUID. If you give several, all must match.")
class UuidFilter:
    eq: UUID | None = _operator("The UUID equals this value.")
    in_: list[UUID] | None = attribute(
        name="in",
        default=UNSET,
        description="The UUID equals one of these values. An empty list matches nothing.",
    )
    is_null: bool | None = _operator("True matches objects without a UUID, false those with one.")


_OPERATORS = {"in_": Operator.IN}
_OF_VALUES = (StringFilter, IntFilter, FloatFilter, DateTimeFilter, UuidFilter)


def filter_of(given: Any, ids: dict[str, tuple[str, ...]], *path: str) -> Filter:
    """Return the conditions of a filter input; `ids` has the types of ids that each IdFilter
    accepts.

    Nulls and empty `and` and `or` lists are ignored. Raises: OutOfRange (nested too deep, too many
    conditions, parts or values), WrongLength, Invalid (an invalid id).
    """
    return _filter_of(given, ids, path, _Size(), depth=1)


@dataclass(slots=True)
class _Size:
    """The size of a filter so far.

    The limits keep the statement far below SQLite's limit of 1,000 on the depth of expressions, and
    its compilation short.
    """

    conditions: int = 0
    parts: int = 0

    def add_conditions(self, count: int, path: tuple[str, ...]) -> None:
        """Raises: OutOfRange."""
        self.conditions += count
        if self.conditions > MOST_CONDITIONS:
            rule = f"exceeds the limit of {MOST_CONDITIONS} conditions in one filter"
            raise OutOfRange(*path, rule=rule)

    def add_parts(self, count: int, path: tuple[str, ...]) -> None:
        """Raises: OutOfRange."""
        self.parts += count
        if self.parts > MOST_PARTS:
            rule = f"exceeds the limit of {MOST_PARTS} `and`, `or` and `not` terms in one filter"
            raise OutOfRange(*path, rule=rule)


def _filter_of(
    given: Any, ids: dict[str, tuple[str, ...]], path: tuple[str, ...], size: _Size, *, depth: int
) -> Filter:
    if given is None or given is UNSET:
        return AllOf()
    if depth > DEEPEST:
        raise OutOfRange(*path, rule=f"is nested more than {DEEPEST} deep")
    parts: list[Filter] = []
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if value is None or value is UNSET:
            continue
        here = (*path, to_camel_case(field.name.rstrip("_")))
        match field.name:
            case "and_" | "or_":
                size.add_parts(len(value), here)
                inner = tuple(
                    _filter_of(part, ids, (*here, str(n)), size, depth=depth + 1)
                    for n, part in enumerate(value)
                )
                parts.append(AllOf(inner) if field.name == "and_" else AnyOf(inner))
            case "not_":
                size.add_parts(1, here)
                parts.append(Not(_filter_of(value, ids, here, size, depth=depth + 1)))
            case name:
                conditions = _conditions(name, value, ids.get(name, ()), here)
                size.add_conditions(len(conditions), here)
                parts += conditions
    return AllOf(tuple(parts))


def _conditions(
    name: str, value: Any, types: tuple[str, ...], path: tuple[str, ...]
) -> list[Filter]:
    if isinstance(value, list):
        return [Condition(name, Operator.IN, tuple(_bounded(value, path)))]
    if not isinstance(value, (*_OF_VALUES, IdFilter)):
        return [Condition(name, Operator.EQ, value)]
    conditions: list[Filter] = []
    for field in dataclasses.fields(value):
        operand = getattr(value, field.name)
        if operand is None or operand is UNSET:
            continue
        operator = _OPERATORS.get(field.name) or Operator(field.name)
        here = (*path, to_camel_case(field.name.rstrip("_")))
        if operator is Operator.IN:
            operand = tuple(_bounded(operand, here))
        for text in operand if isinstance(operand, tuple) else (operand,):
            if isinstance(text, str):
                checks.text(text, *here, most=checks.TEXT)
        if isinstance(value, IdFilter) and operator is not Operator.IS_NULL:
            operand = _keys(operand, types, here)
        conditions.append(Condition(name, operator, operand))
    return conditions


def _bounded(values: list[Any], path: tuple[str, ...]) -> list[Any]:
    """Return the distinct values, in their order. Raises: OutOfRange."""
    different = list(dict.fromkeys(values))
    if len(different) > MOST_VALUES:
        raise OutOfRange(*path, rule=f"must have at most {MOST_VALUES} different elements")
    return different


def _keys(operand: Any, types: tuple[str, ...], path: tuple[str, ...]) -> Any:
    if isinstance(operand, tuple):
        return tuple(_key(value, types, path) for value in operand)
    return _key(operand, types, path)


def _key(value: str, types: tuple[str, ...], path: tuple[str, ...]) -> UUID:
    ref = ref_of(value, *types)
    if isinstance(ref, ByKey):
        return ref.key
    raise Invalid(*path, rule=getattr(ref, "rule", "is not a global id"))
