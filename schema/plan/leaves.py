"""Expressions of scalars and enums, in the form that the encoder writes.

`name` gives a name to a value that the written function uses.
"""

from collections.abc import Callable
from datetime import UTC
from typing import Any, NoReturn

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    get_nullable_type,
)

from schema.grammar.scalars import NATIVE
from schema.plan.layout import is_cell

Name = Callable[[Any], str]

CHECKS = {
    "Int": f"{{v}}.__class__ is int and {-(2**31)} <= {{v}} <= {2**31 - 1}",
    "DateTime": "{v}.tzinfo is UTC",
}
"""The conditions under which the encoder writes values of these scalars unchanged."""


class PlanFailure(Exception):
    """A running plan met something unexpected.

    graphql-core executes the operation from the start.
    """


def oops() -> NoReturn:
    """Fail on a null in a non-null place or on a value of the wrong type. Raises: PlanFailure."""
    raise PlanFailure


KNOWN = {"oops": oops, "UTC": UTC}
"""The names that are available to every expression."""


def leaf(name: Name, value: str, shown: GraphQLOutputType, *, native: bool = True) -> str:
    """Return the expression of a scalar or an enum, or of a list of them.

    Without `native`, the value's type has not been checked yet.
    """
    required = isinstance(shown, GraphQLNonNull)
    kind = get_nullable_type(shown)
    if isinstance(kind, GraphQLEnumType):
        return f"{_members(name, kind, required=required)}[{value}]"
    if native and isinstance(kind, GraphQLScalarType) and kind.name in CHECKS:
        first, again = twice(value)
        check = CHECKS[kind.name].format(v=again)
        fine = f"is not None and {check}" if required else f"is None or {check}"
        return f"({again} if {first} {fine} else oops())"
    if isinstance(kind, GraphQLList):
        encoded = _list(name, value, kind)
    else:
        assert isinstance(kind, GraphQLScalarType)
        encoded = _encoded(name, value, kind, native=native)
    if not required:
        return encoded
    first, again = twice(encoded)
    return f"({again} if {first} is not None else oops())"


def twice(value: str) -> tuple[str, str]:
    """Return two expressions of a value: the first evaluates it, the second refers to it again."""
    return (value, value) if is_cell(value) else (f"(v := {value})", "v")


def _list(name: Name, value: str, kind: GraphQLList[Any]) -> str:
    """Return the expression of a list; a document's value may be of another type, also its
    elements.
    """
    element = leaf(name, "e", kind.of_type, native=False)
    listed = f"[{element} for e in w] if w.__class__ is list else oops()"
    return f"(None if (w := {value}) is None else {listed})"


def _members(name: Name, kind: GraphQLEnumType, *, required: bool) -> str:
    """Return the name of a table that contains exactly the enum's names."""
    names: dict[str | None, str | None] = {each: each for each in kind.values}
    return name(names if required else {**names, None: None})


def _encoded(name: Name, value: str, kind: GraphQLScalarType, *, native: bool) -> str:
    if native and kind.name in NATIVE:
        return value
    encode, (first, again) = name(kind.serialize), twice(value)
    return f"(None if {first} is None else {encode}({again}))"
