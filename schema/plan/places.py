"""The places of an operation: a selection on rows, and the function that makes their answers."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from graphql import GraphQLNamedType, GraphQLOutputType, SelectionSetNode

from resolvers.selecting import RowSelection
from resolvers.viewer import Viewer
from schema.grammar.relations import One, Relation
from schema.plan.inputs import Inputs
from schema.plan.layout import Layout, Scope, position
from schema.plan.run import Row, Run
from schema.plan.selection import NotPlanned, Selections
from schema.plan.writer import Build, Writer

MOST_FIELDS = 5_000
"""The limit of compiled fields. Fragments that spread each other twice make thousands of fields
from a line each; graphql-core resolves them only where there is data.
"""


class Child:
    """Another place, whose answers are found by a column of this place's rows."""

    def __init__(self, key: str) -> None:
        self._key = key  # the column's expression before it is numbered
        self.position = -1

    def number(self, place: Callable[[str], int]) -> None:
        self.position = place(self._key)

    def held(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object] | None:
        """Return the result of `load_rows` if the context holds all of it; else None."""
        return None

    async def load_rows(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object]:
        """Load the answers at the other place that these rows refer to."""
        return await self.load(run, [row[self.position] for row in rows])

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        """Load the answers by the keys of the rows."""
        raise NotImplementedError


class Place:
    """All rows at one place of an operation: their selection, and how they are answered."""

    def __init__(
        self,
        wanted: RowSelection,
        write: Callable[[int], Build],
        children: Sequence[Child],
        positions: Mapping[str, int],
        most_bytes: int,
    ) -> None:
        self.wanted = wanted
        self.most_bytes = most_bytes
        self.width = _width(wanted)
        self._write = write
        self._written: dict[int, Build] = {}
        self._children = children
        self.positions = positions
        self._values_of = _reader([column.name for column in wanted.columns])

    def rows_of(self, values: Iterable[object]) -> list[Row]:
        """Return the rows of values that have the place's columns as attributes."""
        return [*map(self._values_of, values)]

    async def answer(self, run: Run, rows: Sequence[Row]) -> list[object]:
        """Return the answers of the rows, in their order."""
        if not rows:
            return []
        if run.context.held and (held := self.held(run, rows)) is not None:
            return held
        return self._built(run, rows, [await each.load_rows(run, rows) for each in self._children])

    def held(self, run: Run, rows: Sequence[Row]) -> list[object] | None:
        """Return the answers of rows, if the context holds what they need of other places; else
        None.
        """
        found = []
        for child in self._children:
            there = child.held(run, rows)
            if there is None:
                return None
            found.append(there)
        return self._built(run, rows, found)

    def _built(self, run: Run, rows: Sequence[Row], found: Sequence[object]) -> list[object]:
        """Return the answers of rows, given the answers at the other places."""
        width = len(rows[0])  # the read may have added columns
        build = self._written.get(width)
        if build is None:
            build = self._written[width] = self._write(width)
        answers = build(rows, run.context, *found)
        run.size.built(answers, self.most_bytes)
        return answers

    def keys_at_once(self, run: Run, rows_of_each: int) -> int:
        """Return how many keys one statement may have so that its rows fit in a response."""
        return max(1, int(run.size.limit // (max(1, rows_of_each) * self.most_bytes)))


def _reader(names: Sequence[str]) -> Callable[[object], Row]:
    """Return a function that reads the attributes with these names."""
    if len(names) > 1:
        return attrgetter(*names)  # faster than a comprehension; returns no tuple for one name
    return lambda value: [getattr(value, name) for name in names]


def _width(wanted: RowSelection) -> int:
    return len(wanted.columns) + sum(_width(join.wanted) for join in wanted.joins)


class Compiler:
    """Compiles the places of one operation, for viewers with the same rights."""

    def __init__(
        self,
        selections: Selections,
        viewer: Viewer,
        inputs: Inputs,
        *,
        make_child: "Callable[..., Child]",
    ) -> None:
        self.selections = selections
        self.viewer = viewer
        self.inputs = inputs
        self.schema = inputs.schema
        self._make_child = make_child
        self.objects: Any = None  # makes the answers of values; its constructor needs the compiler
        self._fields = 0

    def count(self, fields: int) -> None:
        """Count fields that are about to be compiled. Raises: NotPlanned."""
        self._fields += fields
        if self._fields > MOST_FIELDS:
            raise NotPlanned("too many fields")

    def place(
        self,
        kind: GraphQLNamedType,
        sets: Sequence[SelectionSetNode],
        *keys: str,
        joins: bool = True,
    ) -> Place:
        """Return the place of rows of a type; `keys` are columns that the caller also needs.

        Raises: NotPlanned.
        """
        [place] = self.places([(kind, sets)], *keys, joins=joins)
        return place

    def places(
        self,
        selected: Sequence[tuple[GraphQLNamedType, Sequence[SelectionSetNode]]],
        *keys: str,
        joins: bool = True,
    ) -> "list[Place]":
        """Return several places over the same rows, read by one statement. Raises: NotPlanned."""

        def answer(kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> _Answer:
            return lambda writer: writer.answer(kind, sets)

        return self._written([answer(*each) for each in selected], keys, joins=joins)

    def column(self, name: str, shown: GraphQLOutputType, *keys: str) -> Place:
        """Return the place of rows that show a single column, as a value of that type."""
        [place] = self._written([lambda writer: writer.column(name, shown)], keys, joins=False)
        return place

    def _written(
        self, selected: "Sequence[_Answer]", keys: Sequence[str], *, joins: bool
    ) -> "list[Place]":
        layout = Layout()
        scope = Scope(layout, layout.root)
        slots = {key: scope.column(key) for key in keys}
        writers = [Writer(self, scope, joins=joins) for _ in selected]
        answers = [write(writer) for writer, write in zip(writers, selected, strict=True)]
        wanted, positions = layout.wanted()
        of_keys = {key: position(slot, positions) for key, slot in slots.items()}
        return [
            Place(
                wanted,
                writer.number(answer, positions),
                writer.children,
                of_keys,
                writer.most_bytes(wanted),
            )
            for writer, answer in zip(writers, answers, strict=True)
        ]

    def joinable(self, relation: Relation) -> tuple[type, str] | None:
        """Return the table and the column of a relation that is not restricted for this viewer, or
        None.
        """
        if not isinstance(relation, One):
            return None
        joinable: tuple[type, str] | None = relation.read(self.viewer, []).joinable
        return joinable

    def width(self, places: Sequence[Place]) -> int:
        """Return the number of columns that the places' statement selects."""
        return places[0].width if places else 0

    def wanted(self, places: Sequence[Place]) -> RowSelection:
        """Return what the places' statement selects."""
        return places[0].wanted if places else RowSelection(())

    def child(self, kind: str, *given: Any) -> Child:
        child: Child = self._make_child(self, kind, *given)
        return child


_Answer = Callable[[Writer], str]
"""Writes the expression of a row's answer."""
