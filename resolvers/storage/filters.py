"""Filters: trees of conditions that become SQL.

A filter has a shape (which fields and operators) and values. Equal shapes make equal statements, so
a filter that is asked again with other values is not compiled again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from resolvers.storage.columns import LAST_OF_ROWS, one_of
from resolvers.storage.nulls import nulls_last, stand_in
from resolvers.texts import folded
from resolvers.values import frozen


class Operator(StrEnum):
    EQ = "eq"
    IN = "in"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"


@frozen
class Condition:
    """A field of the domain, an operator and its value."""

    field: str
    operator: Operator
    value: Any


@frozen
class AllOf:
    parts: "tuple[Filter, ...]" = ()


@frozen
class AnyOf:
    """At least one of the parts matches; without parts, nothing does."""

    parts: "tuple[Filter, ...]"


@frozen
class Not:
    part: "Filter"


Filter = Condition | AllOf | AnyOf | Not

NO_FILTER = AllOf()


def conditions_of(filter: Filter) -> list[Condition]:
    """Every condition of a filter."""
    match filter:
        case AllOf(parts) | AnyOf(parts):
            return [inner for part in parts for inner in conditions_of(part)]
        case Not(part):
            return conditions_of(part)
        case Condition():
            return [filter]


def fields_of(filter: Filter) -> set[str]:
    """The fields that a filter compares."""
    return {condition.field for condition in conditions_of(filter)}


Shape = tuple[Any, ...]
Criterion = Callable[[Operator, str], sa.ColumnElement[bool]]
"""Makes SQL for an operator and the name under which its value is bound."""


def shape_and_values(condition: Filter, prefix: str = "f") -> tuple[Shape, dict[str, Any]]:
    """What the filter is like, and what it compares with."""
    values: dict[str, Any] = {}

    def shape(part: Filter) -> Shape:
        match part:
            case AllOf(parts):
                return ("and", *(shape(p) for p in parts))
            case AnyOf(parts):
                return ("or", *(shape(p) for p in parts))
            case Not(inner):
                return ("not", shape(inner))
            case Condition(field, Operator.IS_NULL, value):
                return ("is", field, bool(value))
            case Condition(field, operator, value):
                name = f"{prefix}{len(values)}"
                values[name] = value
                return ("term", field, operator, name)

    return shape(condition), values


def sql(shape: Shape, criteria: Mapping[str, Criterion]) -> sa.ColumnElement[bool]:
    """The condition of a shape.

    A row of which it is unknown does not match, nor does `not` lose it.
    """
    match shape:
        case ("and", *parts):
            return sa.and_(sa.true(), *(sql(part, criteria) for part in parts))
        case ("or", *parts):
            return sa.or_(sa.false(), *(sql(part, criteria) for part in parts))
        case ("not", part):
            return sa.not_(sa.func.coalesce(sql(part, criteria), sa.false()))
        case ("is", field, value):
            return criteria[field](Operator.IS_NULL, "null" if value else "")
        case ("term", field, operator, name):
            return criteria[field](operator, name)
    raise ValueError(shape)


def plain(column: sa.ColumnElement[Any]) -> Criterion:
    """A column compared as it is: numbers, keys, choices, flags."""

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        value: sa.BindParameter[Any] = sa.bindparam(name, type_=column.type)
        match operator:
            case Operator.EQ:
                return column == value
            case Operator.IN:
                return one_of(column, name)
            case Operator.GTE:
                return column >= value
            case Operator.GT:
                return column > value
            case Operator.LTE:
                return column <= value
            case Operator.LT:
                return column < value
            case Operator.IS_NULL:
                return column.is_(None) if name else column.is_not(None)
        raise ValueError(operator)

    return criterion


def any_case(column: sa.ColumnElement[Any]) -> Criterion:
    """An ASCII text compared in any case; the values must be lower-cased by `prepared`."""
    return in_folded_form(sa.func.lower(column))


def in_folded_form(column: sa.ColumnElement[Any]) -> Criterion:
    """A text in its folded form; the values must be folded by `prepared`."""

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        value: sa.BindParameter[Any] = sa.bindparam(name, type_=sa.String())
        match operator:
            case Operator.EQ:
                return column == value
            case Operator.IN:
                return one_of(sa.type_coerce(column, sa.String()), name)
            case Operator.CONTAINS | Operator.STARTS_WITH:
                return column.like(value, escape="\\")
            case Operator.IS_NULL:
                return column.is_(None) if name else column.is_not(None)
        raise ValueError(operator)

    return criterion


def to_the_second(column: sa.ColumnElement[Any]) -> Criterion:
    """An instant; equal means within the same second.

    The ends of the second are bound by `with_following_seconds`.
    """
    compare = plain(column)

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        if operator is not Operator.EQ:
            return compare(operator, name)
        first = sa.bindparam(f"{name}_first", type_=column.type)
        last = sa.bindparam(f"{name}_last", type_=column.type)
        return sa.and_(column >= first, column <= last)

    return criterion


def with_nulls_last(
    of: Callable[[sa.ColumnElement[Any]], Criterion], column: sa.ColumnElement[Any]
) -> Criterion:
    """A criterion of a column whose index has its nulls last (`resolvers.storage.nulls`).

    What it is compared with must be less than what stands for a null.
    """
    in_index, null = nulls_last(column), stand_in(column)
    compare = of(in_index)

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        match operator:
            case Operator.IS_NULL:
                return in_index == null if name else in_index < null
            case Operator.GTE | Operator.GT:
                # not `< null`: SQLite's index would end there and not at a given end
                return sa.and_(compare(operator, name), column.is_not(None))
        return compare(operator, name)

    return criterion


def prepared(
    condition: Filter, fields: frozenset[str], form: Callable[[str], str] = folded
) -> Filter:
    """The filter with the texts of these fields in a form, or made LIKE patterns."""

    def of(part: Filter) -> Filter:
        match part:
            case AllOf(parts):
                return AllOf(tuple(of(p) for p in parts))
            case AnyOf(parts):
                return AnyOf(tuple(of(p) for p in parts))
            case Not(inner):
                return Not(of(inner))
            case Condition(field, operator, value) if field in fields:
                return Condition(field, operator, _prepared(operator, value, form))
            case _:
                return part

    return of(condition)


def _prepared(operator: Operator, value: Any, form: Callable[[str], str]) -> Any:
    match operator:
        case Operator.IN:
            return [form(v) for v in value]
        case Operator.CONTAINS:
            return f"%{escaped(form(value))}%"
        case Operator.STARTS_WITH:
            return f"{escaped(form(value))}%"
        case Operator.EQ:
            return form(value)
    return value


def lower(text: str) -> str:
    """A text in lower case as PostgreSQL makes it, each character for itself.

    Python's own looks at the neighbours of a Greek sigma, and makes two characters of a dotted I.
    """
    if "\u03a3" not in text and "\u0130" not in text:
        return text.lower()
    return "".join(character.lower()[0] for character in text)


def escaped(value: str) -> str:
    """A text as itself inside a LIKE pattern."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def with_following_seconds(values: dict[str, Any]) -> dict[str, Any]:
    """Bind, beside each instant, the first and the last of its second; see `to_the_second`."""
    bound = dict(values)
    for name, value in values.items():
        if isinstance(value, datetime):
            bound[f"{name}_first"] = value.replace(microsecond=0)
            bound[f"{name}_last"] = min(value.replace(microsecond=999_999), LAST_OF_ROWS)
    return bound
