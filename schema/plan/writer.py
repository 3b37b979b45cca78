"""Writes the function that makes the answers of a place's rows.

It is Python source, as for dataclasses and named tuples: a dict display in a comprehension costs a
tenth of walking a tree of closures. `r` is a row and `c…` are its columns, since a name costs less
than an index; `m…` are the answers at other places by key, `k…` are values that the sources use,
and `o…` are objects inside the row.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
)

from resolvers.selecting import RowSelection, most_bytes
from schema.grammar.sources.fields import DEFINITION, PlannedField, type_name
from schema.plan.layout import Scope, is_cell, numbered, position
from schema.plan.leaves import KNOWN, leaf
from schema.plan.selected import SelectedField
from schema.plan.selection import NotPlanned

if TYPE_CHECKING:
    from schema.plan.places import Child, Compiler

MADE_BYTES = 20_000
"""The assumed size of a list that a rule makes of a row, such as the windows of a test schedule."""

Build = Callable[..., list[object]]
"""Makes the answers of rows, given the context and the answers at the other places."""


class Writer:
    """Writes the function of one place."""

    def __init__(self, compiler: "Compiler", scope: Scope, *, joins: bool) -> None:
        self.compiler = compiler
        self.joins = joins
        self.children: list[Child] = []
        self._scope = scope
        self._known: dict[str, Any] = {**KNOWN}
        self._variables = 0
        self._key_bytes = 0  # the bytes of an answer besides the columns
        self._times: Counter[tuple[str, str]] = Counter()

    def answer(self, kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> str:
        """Return the expression of a row's answer."""
        return self.object(kind, sets, self._scope)

    def column(self, name: str, shown: GraphQLOutputType) -> str:
        """Return the expression of a single column."""
        return leaf(self.name, self._scope.column(name), shown)

    def most_bytes(self, wanted: RowSelection) -> int:
        """Estimate the largest answer of a row, in bytes.

        Aliases repeat columns; each column counts as often as the most frequent one.
        """
        return self._key_bytes + most_bytes(wanted) * max(self._times.values(), default=1)

    def number(self, answer: str, positions: Mapping[int, int]) -> Callable[[int], Build]:
        """Return a function that compiles the answer for rows of a width, with the columns'
        positions.
        """
        for child in self.children:
            child.number(lambda slot: position(slot, positions))
        given = ", ".join(["rows", "context", *(f"m{n}" for n in range(len(self.children)))])
        answer = numbered(answer, positions)

        def write(width: int) -> Build:
            cells = ", ".join(f"c{n}" for n in range(width))
            each = f"for r in rows for [{cells}] in (r,)"
            text = f"def build({given}):\n    return [{answer} {each}]\n"
            exec(compile(text, "<plan>", "exec"), self._known)  # noqa: S102 - written here, of our own names
            build: Build = self._known["build"]
            return build

        return write

    # ------------------------------------------------------------ names

    def name(self, value: object) -> str:
        """Return a name for a value that the function uses."""
        name = f"k{len(self._known)}"
        self._known[name] = value
        return name

    def variable(self) -> str:
        """Return a name for an object inside the row."""
        self._variables += 1
        return f"o{self._variables}"

    def child(self, kind: str, key: str, *given: Any) -> str:
        """Return the name of the answers at another place. Raises: NotPlanned."""
        if not is_cell(key):
            raise NotPlanned(f"another place by {key}")
        self.children.append(self.compiler.child(kind, key, *given))
        return f"m{len(self.children) - 1}"

    # ------------------------------------------------------------ objects

    def object(self, kind: Any, sets: Sequence[SelectionSetNode], scope: Scope) -> str:
        """Return the expression of an object of that type."""
        if isinstance(kind, GraphQLInterfaceType):
            return self._abstract(kind, sets, scope)
        if not isinstance(kind, GraphQLObjectType):
            raise NotPlanned(kind.name)
        fields = self.compiler.selections.fields(kind, sets)
        self.compiler.count(len(fields))
        self._key_bytes += sum(len(key) + 4 for key in fields) + 2
        self._times.update((kind.name, nodes[0].name.value) for nodes in fields.values())
        parts = [f"{key!r}: {self._field(kind, nodes, scope)}" for key, nodes in fields.items()]
        return "{" + ", ".join(parts) + "}"

    def _abstract(
        self, kind: GraphQLInterfaceType, sets: Sequence[SelectionSetNode], scope: Scope
    ) -> str:
        """Return the expression of an object whose type depends on a column of its row."""
        origin = kind.extensions[DEFINITION].origin
        if origin.told_by is None or not scope.is_row:
            raise NotPlanned(kind.name)
        column, types = origin.told_by
        told = scope.column(column, plain=True)
        answer = "oops()"
        for value, concrete in types.items():
            of_type = self.compiler.schema.type_map[type_name(concrete)]
            shown = self.object(of_type, sets, scope)
            answer = f"({shown} if {told} == {str(value)!r} else {answer})"
        return answer

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode], scope: Scope) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return repr(kind.name)
        field = kind.fields[name]
        declared = field.extensions[DEFINITION]
        if not isinstance(declared, PlannedField):
            raise NotPlanned(f"{kind.name}.{name}")
        return declared.compile(SelectedField(self, kind, declared, field, nodes, scope))

    def made(self, value: str, sets: Sequence[SelectionSetNode], shown: Any, scope: Scope) -> str:
        """Return the expression of an object that a function has made of the row, or of a list of
        them.
        """
        required = isinstance(shown, GraphQLNonNull)
        kind = shown.of_type if required else shown
        nothing = "oops()" if required else "None"
        variable = self.variable()
        if isinstance(kind, GraphQLList):
            self._key_bytes += MADE_BYTES
            element = self.made(f"e{variable}", sets, kind.of_type, scope)
            listed = f"[{element} for e{variable} in {variable}]"
            return f"({nothing} if ({variable} := {value}) is None else {listed})"
        made = self.object(kind, sets, scope.of_object(variable))
        return f"({nothing} if ({variable} := {value}) is None else {made})"
