"""Answers values that are there already: payloads, errors, what a subscription yields.

Those that are thin over a row are answered by a place, all of one list together; of others each
field is asked. A place that needs more than the row has is read anew, by the rows' keys. Nothing
here is on the path of a list's rows.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from inspect import isawaitable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
)

from schema.connections import Connection
from schema.fields import OverRow, type_name
from schema.lists import ListField
from schema.loaders import RELATIONS, One
from schema.node import rows_of_type
from schema.plan.arguments import Arguments
from schema.plan.children import OneEach, answer_values
from schema.plan.leaves import GaveUp
from schema.plan.pages import Pages
from schema.plan.places import DEFINITION, Compiler
from schema.plan.selection import Fields, NotPlanned, sub_selections

OfRows = Callable[[Any, Sequence[Any]], Awaitable[list[Any]]]
"""Answers rows of one type, in their order."""


class Objects:
    """What is selected of the values of one operation; compiled as the types turn up."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._shown: dict[Any, OfRows] = {}
        self._pages: dict[Any, Pages] = {}
        self._arguments: dict[Any, Arguments] = {}
        self._fields: dict[Any, Fields] = {}

    async def answer(self, run: Any, shown: Any, nodes: Sequence[FieldNode], value: Any) -> Any:
        """The answer of a value that a field of this type shows. Raises: GaveUp, NotPlanned."""
        if isinstance(shown, GraphQLNonNull):
            answer = await self.answer(run, shown.of_type, nodes, value)
            if answer is None:
                raise GaveUp
            return answer
        if value is None:
            return None
        if isinstance(shown, GraphQLList):
            return await self._list(run, shown.of_type, nodes, value)
        if is_leaf_type(shown):
            leaf: Any = shown
            return leaf.serialize(value)
        if isinstance(value, Connection):
            return await self._connection(run, shown, nodes, value)
        return await self._object(run, nodes, value)

    async def _list(self, run: Any, shown: Any, nodes: Sequence[FieldNode], value: Any) -> Any:
        values = list(value)
        if not values:
            return values
        answers = await self._of_rows(run, nodes, values)
        of_type: dict[type, list[int]] = {}
        for n, element in enumerate(values):
            if n in answers:
                continue
            if _is_object(shown, element):
                of_type.setdefault(type(element), []).append(n)
            else:
                answers[n] = await self.answer(run, shown, nodes, element)
        for numbers in of_type.values():
            objects = await self._objects(run, nodes, [values[n] for n in numbers])
            answers.update(zip(numbers, objects, strict=True))
        return [answers[n] for n in range(len(values))]

    async def _of_rows(
        self, run: Any, nodes: Sequence[FieldNode], values: Sequence[Any]
    ) -> dict[int, Any]:
        """The answers of those that are thin over a row, by their places; a type's all together."""
        of_type: dict[type, list[int]] = {}
        for n, value in enumerate(values):
            if isinstance(value, OverRow):
                of_type.setdefault(type(value), []).append(n)
        answers: dict[int, Any] = {}
        for numbers in of_type.values():
            of_rows = self._of_type(values[numbers[0]], nodes)
            rows = [values[n].row for n in numbers]
            answers.update(zip(numbers, await of_rows(run, rows), strict=True))
        return answers

    async def _object(self, run: Any, nodes: Sequence[FieldNode], value: Any) -> Any:
        if isinstance(value, OverRow):
            [answer] = await self._of_type(value, nodes)(run, [value.row])
            return answer
        [answer] = await self._objects(run, nodes, [value])
        return answer

    async def _objects(self, run: Any, nodes: Sequence[FieldNode], values: Sequence[Any]) -> Any:
        """The answers of objects of one type; each field is answered for all of them together."""
        kind = self._kind(values[0])
        fields = self._fields_of(kind, nodes)
        columns = [await self._field(run, kind, found, values) for found in fields.values()]
        if len(values) == 1:
            return [{key: column[0] for key, column in zip(fields, columns, strict=True)}]
        return [
            {key: column[n] for key, column in zip(fields, columns, strict=True)}
            for n in range(len(values))
        ]

    async def _connection(self, run: Any, kind: Any, nodes: Sequence[FieldNode], value: Any) -> Any:
        key = _key(kind, nodes)
        if key not in self._pages:
            self._pages[key] = Pages(self._compiler, kind, nodes)
        pages = self._pages[key]
        if value.listing.key is None:
            return await pages.of_root(run, value.listing)
        return (await pages.of_parents(run, value.listing, [value.parent]))[value.parent]

    async def _field(
        self, run: Any, kind: GraphQLObjectType, nodes: list[FieldNode], values: Sequence[Any]
    ) -> Sequence[Any]:
        """The answers of a field of each value."""
        name = nodes[0].name.value
        if name == "__typename":
            return [kind.name] * len(values)
        graphql_field = kind.fields[name]
        declared = graphql_field.extensions[DEFINITION]
        if isinstance(declared, ListField) or declared.extensions:
            raise NotPlanned(f"{kind.name}.{name}")
        if declared.base_resolver is None:
            found = [getattr(value, declared.python_name) for value in values]
        else:
            arguments = self._arguments_of(kind, declared, nodes, graphql_field)
            found = []
            for value in values:
                each = arguments.call(run, value)
                found.append(await each if isawaitable(each) else each)
        shown: Any = graphql_field.type
        if len(found) == 1:
            return [await self.answer(run, shown, nodes, found[0])]
        answers: Sequence[Any] = await self._list(run, shown, nodes, found)
        return answers

    def _fields_of(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Fields:
        key = _key(kind, nodes)
        if key not in self._fields:
            selections = self._compiler.selections
            self._fields[key] = selections.fields(kind, sub_selections(nodes))
        return self._fields[key]

    def _arguments_of(
        self, kind: GraphQLObjectType, declared: Any, nodes: list[FieldNode], field: Any
    ) -> Arguments:
        key = _key(kind, nodes)
        if key not in self._arguments:
            inputs = self._compiler.inputs
            self._arguments[key] = Arguments(inputs, declared, nodes[0], field)
        return self._arguments[key]

    def _kind(self, value: Any) -> GraphQLObjectType:
        kind = self._compiler.schema.type_map.get(type_name(type(value)))
        if not isinstance(kind, GraphQLObjectType):
            raise NotPlanned(type(value).__name__)
        return kind

    def _of_type(self, value: Any, nodes: Sequence[FieldNode]) -> OfRows:
        """What answers rows of the value's type."""
        kind = self._kind(value)
        key = _key(kind, nodes)
        if key not in self._shown:
            try:
                self._shown[key] = self._of_rows_there(kind, nodes)
            except NotPlanned:
                self._shown[key] = self._of_rows_anew(kind, nodes)
        return self._shown[key]

    def _of_rows_there(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> OfRows:
        place = self._compiler.place(kind, sub_selections(nodes), joins=False)
        return lambda run, rows: answer_values(run, place, rows)

    def _of_rows_anew(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> OfRows:
        """One statement has the rows and what completes them."""
        of_type = rows_of_type(kind.name)
        if of_type is None:
            raise NotPlanned(kind.name)
        relation = RELATIONS[of_type[1]]
        assert isinstance(relation, One)
        place = self._compiler.place(kind, sub_selections(nodes), relation.key)
        each = OneEach(self._compiler, relation.key, relation, place)

        async def answer(run: Any, rows: Sequence[Any]) -> list[Any]:
            found = await each.load(run, [row.id for row in rows])
            if any(row.id not in found for row in rows):
                raise GaveUp  # gone meanwhile
            return [found[row.id] for row in rows]

        return answer


def _is_object(shown: Any, value: Any) -> bool:
    """Whether each field of the value is answered by itself."""
    composite = is_composite_type(get_nullable_type(shown))
    return composite and value is not None and not isinstance(value, Connection)


def _key(kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Hashable:
    """What is selected of a type: the field of a fragment is merged with others here and there."""
    return (kind.name, *map(id, nodes))
