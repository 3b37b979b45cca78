"""Answers of values that are already loaded: payloads, errors, events of subscriptions.

Values that wrap a row are resolved by a place, all of one list together; other values field by
field. A place that needs more than the given row reads the rows again by their keys. Rows of lists
do not pass through this module.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_nullable_type,
    is_composite_type,
)

from schema.grammar.connections import Connection
from schema.grammar.fields import OverRow, type_name
from schema.grammar.lists import ListField
from schema.grammar.node import rows_of_type
from schema.grammar.relations import RELATIONS, One
from schema.grammar.sources.fields import DEFINITION, PlannedField
from schema.plan.arguments import Arguments
from schema.plan.children import OneEach, answer_values
from schema.plan.leaves import PlanFailure
from schema.plan.pages import Pages
from schema.plan.places import Compiler
from schema.plan.run import Run
from schema.plan.selection import NotPlanned, sub_selections

LEAVES: Final = (GraphQLScalarType, GraphQLEnumType)

OfRows = Callable[[Run, Sequence[Any]], Awaitable[list[Any]]]
"""Makes the answers of rows of one type, in their order."""


class Selected:
    """The selection on the values of a field, compiled for each type of value that occurs."""

    __slots__ = ("nodes", "of_objects", "of_rows", "pages")

    def __init__(self, nodes: list[FieldNode]) -> None:
        self.nodes = nodes
        self.of_objects: dict[type, list[_Field]] = {}
        self.of_rows: dict[type, OfRows] = {}
        self.pages: dict[str, Pages] = {}


class _Field:
    """A field of objects of one type; `always` is its answer if that is constant."""

    __slots__ = ("_arguments", "_name", "always", "key", "selected", "shown")

    def __init__(
        self, compiler: Compiler, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]
    ) -> None:
        name = nodes[0].name.value
        self.key, self.selected = key, Selected(nodes)
        self.shown: Any = None
        self.always = kind.name if name == "__typename" else None
        if self.always is not None:
            return
        graphql_field = kind.fields[name]
        declared = graphql_field.extensions[DEFINITION]
        if not isinstance(declared, PlannedField) or isinstance(declared, ListField):
            raise NotPlanned(f"{kind.name}.{name}")
        self.shown = graphql_field.type
        self._name: str = declared.python_name
        self._arguments = None
        if declared.base_resolver is not None:
            self._arguments = Arguments(compiler.inputs, declared, nodes[0], graphql_field)

    async def values(self, run: Run, objects: Sequence[Any]) -> list[Any]:
        """Return the field's value for each of the objects."""
        if self._arguments is None:
            return [getattr(each, self._name) for each in objects]
        found = []
        for each in objects:
            value = self._arguments.call(run, each)
            found.append(await value if isawaitable(value) else value)
        return found


class Objects:
    """Makes the answers of the values of one operation."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler

    def selected(self, nodes: list[FieldNode]) -> Selected:
        """Return the selection on the values of a field."""
        return Selected(nodes)

    async def answer(self, run: Run, shown: Any, selected: Selected, value: Any) -> Any:
        """Return a value's answer for a field of this type. Raises: PlanFailure, NotPlanned."""
        required = isinstance(shown, GraphQLNonNull)
        kind = shown.of_type if required else shown
        answer = None if value is None else await self._answer(run, kind, selected, value)
        if answer is None and required:
            raise PlanFailure
        return answer

    async def _answer(self, run: Run, kind: Any, selected: Selected, value: Any) -> Any:
        if isinstance(kind, GraphQLList):
            return await self._list(run, kind.of_type, selected, value)
        if isinstance(kind, LEAVES):
            return kind.serialize(value)
        if isinstance(value, Connection):
            return await self._connection(run, kind, selected, value)
        if isinstance(value, OverRow):
            [answer] = await self._of_type(value, selected)(run, [value.row])
            return answer
        [answer] = await self._objects(run, selected, [value])
        return answer

    async def _list(self, run: Run, shown: Any, selected: Selected, value: Any) -> Any:
        values = list(value)
        if not values:
            return values
        answers = await self._of_rows(run, selected, values)
        of_type: dict[type, list[int]] = {}
        for n, element in enumerate(values):
            if n in answers:
                continue
            if _is_object(shown, element):
                of_type.setdefault(type(element), []).append(n)
            else:
                answers[n] = await self.answer(run, shown, selected, element)
        for numbers in of_type.values():
            objects = await self._objects(run, selected, [values[n] for n in numbers])
            answers.update(zip(numbers, objects, strict=True))
        return [answers[n] for n in range(len(values))]

    async def _of_rows(self, run: Run, selected: Selected, values: Sequence[Any]) -> dict[int, Any]:
        """Return the answers of the values that wrap a row, by index; one place for each type."""
        of_type: dict[type, list[int]] = {}
        for n, value in enumerate(values):
            if isinstance(value, OverRow):
                of_type.setdefault(type(value), []).append(n)
        answers: dict[int, Any] = {}
        for numbers in of_type.values():
            of_rows = self._of_type(values[numbers[0]], selected)
            rows = [values[n].row for n in numbers]
            answers.update(zip(numbers, await of_rows(run, rows), strict=True))
        return answers

    async def _objects(self, run: Run, selected: Selected, objects: Sequence[Any]) -> Any:
        """Return the answers of objects of one type; each field is resolved for all of them
        together.
        """
        answers: list[dict[str, Any]] = [{} for _ in objects]
        for field in self._fields_of(objects[0], selected):
            column = await self._column(run, field, objects)
            for answer, value in zip(answers, column, strict=True):
                answer[field.key] = value
        return answers

    async def _column(self, run: Run, field: _Field, objects: Sequence[Any]) -> Sequence[Any]:
        """Return the answer of a field for each object."""
        if field.always is not None:
            return [field.always] * len(objects)
        found = await field.values(run, objects)
        if len(found) == 1:
            return [await self.answer(run, field.shown, field.selected, found[0])]
        answers: Sequence[Any] = await self._list(run, field.shown, field.selected, found)
        return answers

    async def _connection(self, run: Run, kind: Any, selected: Selected, value: Any) -> Any:
        pages = selected.pages.get(kind.name)
        if pages is None:
            pages = selected.pages[kind.name] = Pages(self._compiler, kind, selected.nodes)
        if value.listing.key is None:
            return await pages.of_root(run, value.listing)
        return (await pages.of_parents(run, value.listing, [value.parent]))[value.parent]

    def _fields_of(self, value: Any, selected: Selected) -> list[_Field]:
        """Return the selected fields of an object of the value's type."""
        fields = selected.of_objects.get(type(value))
        if fields is None:
            kind = self._kind(value)
            found = self._compiler.selections.fields(kind, sub_selections(selected.nodes))
            fields = [_Field(self._compiler, kind, key, nodes) for key, nodes in found.items()]
            selected.of_objects[type(value)] = fields
        return fields

    def _kind(self, value: Any) -> GraphQLObjectType:
        kind = self._compiler.schema.type_map.get(type_name(type(value)))
        if not isinstance(kind, GraphQLObjectType):
            raise NotPlanned(type(value).__name__)
        return kind

    def _of_type(self, value: Any, selected: Selected) -> OfRows:
        """Return the function that makes the answers of rows of the value's type."""
        of_rows = selected.of_rows.get(type(value))
        if of_rows is None:
            kind = self._kind(value)
            try:
                of_rows = self._of_rows_there(kind, selected.nodes)
            except NotPlanned:
                of_rows = self._of_rows_anew(kind, selected.nodes)
            selected.of_rows[type(value)] = of_rows
        return of_rows

    def _of_rows_there(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> OfRows:
        place = self._compiler.place(kind, sub_selections(nodes), joins=False)
        return lambda run, rows: answer_values(run, place, rows)

    def _of_rows_anew(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> OfRows:
        """Read the rows again, with the rows that complete them, in one statement."""
        of_type = rows_of_type(kind.name)
        if of_type is None:
            raise NotPlanned(kind.name)
        relation = RELATIONS[of_type[1]]
        assert isinstance(relation, One)
        place = self._compiler.place(kind, sub_selections(nodes), relation.key)
        each = OneEach(self._compiler, relation.key, relation, place)

        async def answer(run: Run, rows: Sequence[Any]) -> list[Any]:
            found = await each.load(run, [row.id for row in rows])
            if any(row.id not in found for row in rows):
                raise PlanFailure  # deleted in the meantime
            return [found[row.id] for row in rows]

        return answer


def _is_object(shown: Any, value: Any) -> bool:
    """Whether the value is an object whose fields are resolved here."""
    composite = is_composite_type(get_nullable_type(shown))
    return composite and value is not None and not isinstance(value, Connection)
