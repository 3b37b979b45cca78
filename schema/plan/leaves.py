"""Expressions of scalars and enums, as the encoder writes them.

`name` gives a value that the written function uses a name there.
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
"""What must hold of a value of these scalars, so that the encoder writes it as it is."""


class PlanFailure(Exception):
    """Something looked odd while the plan ran.

    Graphql-core executes the operation from the start.
    """


def oops() -> NoReturn:
    """A null where none may be, or a value that is not of its type."""
    raise PlanFailure


KNOWN = {"oops": oops, "UTC": UTC}
"""What the expressions use without asking for a name."""


def leaf(name: Name, value: str, shown: GraphQLOutputType, *, native: bool = True) -> str:
    """A scalar or enum, or a list of them.

    Without `native` nobody has looked at the value's type yet.
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
    """How an expression is written first, and how again without evaluating it a second time."""
    return (value, value) if is_cell(value) else (f"(v := {value})", "v")


def _list(name: Name, value: str, kind: GraphQLList[Any]) -> str:
    """A list; what a document holds need be neither a list nor of texts."""
    element = leaf(name, "e", kind.of_type, native=False)
    listed = f"[{element} for e in w] if w.__class__ is list else oops()"
    return f"(None if (w := {value}) is None else {listed})"


def _members(name: Name, kind: GraphQLEnumType, *, required: bool) -> str:
    """The name of a table that has the enum's names, and nothing else."""
    names: dict[str | None, str | None] = {each: each for each in kind.values}
    return name(names if required else {**names, None: None})


def _encoded(name: Name, value: str, kind: GraphQLScalarType, *, native: bool) -> str:
    if native and kind.name in NATIVE:
        return value
    encode, (first, again) = name(kind.serialize), twice(value)
    return f"(None if {first} is None else {encode}({again}))"
