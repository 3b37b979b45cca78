"""Compiles what is selected on rows of a type into one statement and one function.

The function builds the answers of all rows of the place at once. It is written as Python, as
dataclasses and named tuples are: a display of dicts in a comprehension costs a tenth of walking a
tree of closures. `r` is a row and `c…` are its columns, since a name costs less than an index; `m…`
are the answers of other places by their keys.
"""

from binascii import b2a_base64
from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from resolvers.selecting import Wanted, most_bytes, never_null
from resolvers.viewer import Viewer
from schema.fields import (
    Column,
    Computed,
    Derived,
    Embedded,
    Fixed,
    Identity,
    Relation,
    RowField,
    type_name,
)
from schema.lists import ListField, PartField
from schema.plan.arguments import Arguments
from schema.plan.inputs import Inputs
from schema.plan.layout import Layout, Scope, Table, numbered, position
from schema.plan.leaves import KNOWN, leaf
from schema.plan.run import Row, Run
from schema.plan.selection import NotPlanned, Selections, sub_selections
from schema.relations import RELATIONS, Assembled, Many, One
from schema.relations import Relation as AnyRelation

DEFINITION = "strawberry-definition"

MADE_BYTES = 20_000
"""What a list that a rule makes of a row may come to, such as the windows of a test schedule."""

MOST_FIELDS = 5_000
"""Fragments that spread each other twice make thousands of fields of a line each; graphql-core
resolves them only where there is data."""


class Child:
    """Another place, whose answers are found by a column of this one's rows."""

    def __init__(self, key: str) -> None:
        self._key = key  # the column's expression, until it is numbered
        self.position = -1

    def number(self, place: Callable[[str], int]) -> None:
        self.position = place(self._key)

    def held(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object] | None:
        """What `load_rows` finds, if the context holds all of it; else None."""
        return None

    async def load_rows(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object]:
        """What the answers of these rows need of the other place."""
        return await self.load(run, [row[self.position] for row in rows])

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        """What is found by the keys of the rows."""
        raise NotImplementedError


Build = Callable[..., list[object]]
"""Makes the answers of rows, given the context and what the other places have."""


class Place:
    """All rows at one place of an operation.

    What is selected of them, and how they are answered.
    """

    def __init__(
        self,
        wanted: Wanted,
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
        """The rows of values that have the place's columns by their names."""
        return [*map(self._values_of, values)]

    async def answer(self, run: Run, rows: Sequence[Row]) -> list[object]:
        """The answers of the rows, in their order."""
        if not rows:
            return []
        if run.context.held and (held := self.held(run, rows)) is not None:
            return held
        return self._built(run, rows, [await each.load_rows(run, rows) for each in self._children])

    def held(self, run: Run, rows: Sequence[Row]) -> list[object] | None:
        """The answers of rows, if the context holds what they need of other places; else None."""
        found = []
        for child in self._children:
            there = child.held(run, rows)
            if there is None:
                return None
            found.append(there)
        return self._built(run, rows, found)

    def _built(self, run: Run, rows: Sequence[Row], found: Sequence[object]) -> list[object]:
        """The answers of rows, given what is found at the other places."""
        width = len(rows[0])  # whoever reads the rows may have added columns
        build = self._written.get(width)
        if build is None:
            build = self._written[width] = self._write(width)
        answers = build(rows, run.context, *found)
        run.size.built(answers, self.most_bytes)
        return answers

    def keys_at_once(self, run: Run, rows_of_each: int) -> int:
        """For how many keys one statement may return rows: for no more than a whole response."""
        return max(1, int(run.size.limit // (max(1, rows_of_each) * self.most_bytes)))


def _reader(names: Sequence[str]) -> Callable[[object], Row]:
    """What reads the attributes of these names."""
    if len(names) > 1:
        return attrgetter(*names)  # faster than a comprehension; of one name it makes no tuple
    return lambda value: [getattr(value, name) for name in names]


def _width(wanted: Wanted) -> int:
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
        self._fields = 0

    def count(self, fields: int) -> None:
        """So many more fields are to be compiled. Raises: NotPlanned."""
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
        """The place of rows of a type; `keys` are columns that whoever runs it needs, too.

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
        """Several places of the same rows, served by one statement. Raises: NotPlanned."""

        def answer(kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> _Answer:
            return lambda writer: writer.answer(kind, sets)

        return self._written([answer(*each) for each in selected], keys, joins=joins)

    def column(self, name: str, shown: GraphQLOutputType, *keys: str) -> Place:
        """The place of rows of which only a column is shown, as a value of that type."""
        [place] = self._written([lambda writer: writer.column(name, shown)], keys, joins=False)
        return place

    def _written(
        self, selected: "Sequence[_Answer]", keys: Sequence[str], *, joins: bool
    ) -> "list[Place]":
        layout = Layout()
        scope = Scope(layout, layout.root)
        slots = {key: scope.column(key) for key in keys}
        writers = [_PlaceWriter(self, scope, joins=joins) for _ in selected]
        answers = [write(writer) for writer, write in zip(writers, selected, strict=True)]
        wanted, positions = layout.wanted()
        of_keys = {key: position(slot, positions) for key, slot in slots.items()}
        return [
            writer.place(answer, wanted, positions, of_keys)
            for writer, answer in zip(writers, answers, strict=True)
        ]

    def joinable(self, relation: AnyRelation) -> tuple[type, str] | None:
        """The table and the column of a relation that is not confined further for this viewer."""
        if not isinstance(relation, One):
            return None
        joinable: tuple[type, str] | None = relation.read(self.viewer, []).joinable
        return joinable

    def width(self, places: Sequence[Place]) -> int:
        """How many columns the places' statement selects."""
        return places[0].width if places else 0

    def wanted(self, places: Sequence[Place]) -> Wanted:
        """What the places' statement selects."""
        return places[0].wanted if places else Wanted(())

    def child(self, kind: str, *given: Any) -> Child:
        child: Child = self._make_child(self, kind, *given)
        return child


_Answer = Callable[["_PlaceWriter"], str]
"""Writes the expression of a row's answer."""


class _PlaceWriter:
    """Writes the function of one place."""

    def __init__(self, compiler: Compiler, scope: Scope, *, joins: bool) -> None:
        self._compiler = compiler
        self._scope = scope
        self._joins = joins
        self._known: dict[str, Any] = {**KNOWN}
        self._children: list[Child] = []
        self._key_bytes = 0  # of what is written beside the columns

    def answer(self, kind: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> str:
        """The expression of a row's answer."""
        return self._object(kind, sets, self._scope)

    def column(self, name: str, shown: GraphQLOutputType) -> str:
        """The expression of a column alone."""
        return leaf(self._name, self._scope.column(name), shown)

    def place(
        self,
        answer: str,
        wanted: Wanted,
        positions: Mapping[int, int],
        keys: Mapping[str, int],
    ) -> Place:
        """The place, once it is known where the columns stand."""
        for child in self._children:
            child.number(lambda slot: position(slot, positions))
        given = ", ".join(["rows", "context", *(f"m{n}" for n in range(len(self._children)))])
        answer = numbered(answer, positions)

        def write(width: int) -> Build:
            cells = ", ".join(f"c{n}" for n in range(width))
            each = f"for r in rows for [{cells}] in (r,)"
            text = f"def build({given}):\n    return [{answer} {each}]\n"
            exec(compile(text, "<plan>", "exec"), self._known)  # noqa: S102 - written here, of our own names
            build: Build = self._known["build"]
            return build

        return Place(wanted, write, self._children, keys, self._key_bytes + most_bytes(wanted))

    def _name(self, value: object) -> str:
        """A name for a value that the function uses."""
        name = f"k{len(self._known)}"
        self._known[name] = value
        return name

    # ------------------------------------------------------------ objects

    def _object(
        self, kind: GraphQLNamedType, sets: Sequence[SelectionSetNode], scope: Scope
    ) -> str:
        if isinstance(kind, GraphQLInterfaceType):
            return self._abstract(kind, sets, scope)
        if not isinstance(kind, GraphQLObjectType):
            raise NotPlanned(kind.name)
        fields = self._compiler.selections.fields(kind, sets)
        self._compiler.count(len(fields))
        self._key_bytes += sum(len(key) + 4 for key in fields) + 2
        parts = [f"{key!r}: {self._field(kind, nodes, scope)}" for key, nodes in fields.items()]
        return "{" + ", ".join(parts) + "}"

    def _abstract(
        self, kind: GraphQLInterfaceType, sets: Sequence[SelectionSetNode], scope: Scope
    ) -> str:
        """An object of whichever type its row says."""
        origin = kind.extensions[DEFINITION].origin
        if origin.told_by is None:
            raise NotPlanned(kind.name)
        column, types = origin.told_by
        told = scope.column(column, plain=True)
        answer = "oops()"
        for value, concrete in types.items():
            of_type = self._compiler.schema.type_map[type_name(concrete)]
            shown = self._object(of_type, sets, scope)
            answer = f"({shown} if {told} == {str(value)!r} else {answer})"
        return answer

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode], scope: Scope) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return repr(kind.name)
        graphql_field = kind.fields[name]
        declared = graphql_field.extensions[DEFINITION]
        if isinstance(declared, ListField):
            return self._list(declared, nodes, graphql_field, scope)
        if isinstance(declared, PartField):
            return self._part(
                Arguments(self._compiler.inputs, declared, nodes[0], graphql_field),
                graphql_field.type,
                nodes,
                scope,
            )
        if not isinstance(declared, RowField):
            raise NotPlanned(f"{kind.name}.{name}")
        return self._declared(kind, declared, nodes, graphql_field.type, scope)

    def _declared(
        self,
        kind: GraphQLObjectType,
        declared: RowField,
        nodes: list[FieldNode],
        shown: GraphQLOutputType,
        scope: Scope,
    ) -> str:
        source = declared.source
        if source.through is not None:
            scope = self._joined(source.through, "id", scope)
        match source:
            case Column():
                return self._column(declared, source, nodes, shown, scope)
            case Identity():
                return self._identity(kind.name, scope)
            case Derived():
                return self._derived(source, shown, scope)
            case Embedded():
                return self._embedded(source, nodes, shown, scope)
            case Computed():
                return self._computed(source, nodes, shown, scope)
            case Relation():
                return self._relation(source, nodes, shown, scope)
        raise NotPlanned(str(source))

    # ------------------------------------------------------------ values

    def _column(
        self,
        declared: RowField,
        source: Column,
        nodes: list[FieldNode],
        shown: GraphQLOutputType,
        scope: Scope,
    ) -> str:
        if source.mask is not None and not self._compiler.viewer.may(source.mask):
            return "None"
        given = scope.names.get(source.name or declared.python_name)
        if isinstance(given, Computed):
            return leaf(self._name, self._call(given, Scope(scope.layout, scope.table)), shown)
        if isinstance(given, Fixed):
            return repr(given.value)
        plain = source.convert is None and isinstance(get_named_type(shown), GraphQLEnumType)
        value = scope.column(source.name or declared.python_name, plain=plain)
        if source.convert is not None:
            convert = self._name(source.convert)
            value = f"(None if {value} is None else {convert}({value}))"
        if is_leaf_type(get_named_type(shown)):
            return leaf(self._name, value, shown)
        return self._made(value, nodes, shown)

    def _identity(self, name: str, scope: Scope) -> str:
        """The global id, as `resolvers.identity` makes it, without its calls."""
        encode, prefix = self._name(b2a_base64), f"{name}:".encode()
        return f"{encode}({prefix!r} + {scope.column('id')}.hex.encode(), newline=False).decode()"

    def _derived(self, source: Derived, shown: GraphQLOutputType, scope: Scope) -> str:
        rule = self._name(source.by)
        needs = ", ".join(scope.column(name) for name in source.needs)
        return leaf(self._name, f"{rule}({needs})", shown)

    def _call(self, source: Computed, scope: Scope) -> str:
        """The call of a rule with what it needs of the row."""
        given = self._name(given_to(source))
        rule = self._name(source.by)
        needs = ", ".join(scope.column(name) for name in source.needs)
        return f"{rule}({given}(({needs}{',' if source.needs else ''})), context)"

    def _computed(
        self, source: Computed, nodes: list[FieldNode], shown: GraphQLOutputType, scope: Scope
    ) -> str:
        if iscoroutinefunction(source.by):
            if not is_leaf_type(get_named_type(shown)):
                raise NotPlanned("an awaited object")
            slots = [scope.column(name) for name in source.needs]
            child = self._add(self._compiler.child("awaited", slots[0], source, slots))
            return leaf(self._name, f"{child}[id(r)]", shown)
        if is_leaf_type(get_named_type(shown)):
            return leaf(self._name, self._call(source, scope), shown)
        return self._made(self._call(source, scope), nodes, shown)

    def _made(self, value: str, nodes: list[FieldNode], shown: GraphQLOutputType) -> str:
        """An object that a function has made of the row, or a list of them."""
        required = isinstance(shown, GraphQLNonNull)
        kind = get_nullable_type(shown)
        nothing = "oops()" if required else "None"
        if isinstance(kind, GraphQLList):
            self._key_bytes += MADE_BYTES
            element = self._made("e", nodes, kind.of_type)
            return f"({nothing} if (w := {value}) is None else [{element} for e in w])"
        if not isinstance(kind, GraphQLObjectType):
            raise NotPlanned(str(kind))
        fields = self._compiler.selections.fields(kind, sub_selections(nodes))
        parts = [f"{key!r}: {self._attribute(kind, of_key)}" for key, of_key in fields.items()]
        made = "{" + ", ".join(parts) + "}"
        return f"({nothing} if (o := {value}) is None else {made})"

    def _attribute(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> str:
        """A scalar or an enum that such an object holds."""
        name = nodes[0].name.value
        if name == "__typename":
            return repr(kind.name)
        field = kind.fields[name]
        declared = field.extensions[DEFINITION]
        plain = not isinstance(declared, RowField) and declared.base_resolver is None
        if not plain or not is_leaf_type(get_named_type(field.type)):
            raise NotPlanned(f"{kind.name}.{name}")
        return leaf(self._name, f"o.{declared.python_name}", field.type, native=False)

    def _embedded(
        self, source: Embedded, nodes: list[FieldNode], shown: GraphQLOutputType, scope: Scope
    ) -> str:
        """An object that is thin over the same row."""
        names = {
            name: scope.names.get(meant, meant) if isinstance(meant, str) else meant
            for name, meant in source.names
        }
        seen = Scope(scope.layout, scope.table, names)
        inner = self._object(get_named_type(shown), sub_selections(nodes), seen)
        if source.present is None:
            return inner
        there = scope.column(source.present)
        return f"(None if {there} is None else {inner})"

    # ------------------------------------------------------------ other rows

    def _joined(self, loader: str, key: str, scope: Scope) -> Scope:
        """The scope of the row that a relation leads to, in the same statement."""
        relation = RELATIONS[loader]
        to = self._compiler.joinable(relation) if self._joins else None
        if to is None:
            raise NotPlanned(f"{loader} is not joined")
        key = scope.names.get(key, key)
        model, column = to
        _, _, other = scope.table.joins.setdefault((loader, key), (model, column, Table()))
        return Scope(scope.layout, other)

    def _relation(
        self, source: Relation, nodes: list[FieldNode], shown: GraphQLOutputType, scope: Scope
    ) -> str:
        if source.shown_to is not None and not source.shown_to(self._compiler.viewer):
            return "None"
        answer = self._related(source, nodes, shown, scope)
        if source.hidden_when is None:
            return answer
        column, value = source.hidden_when
        return f"(None if {scope.column(column, plain=True)} == {value!r} else {answer})"

    def _related(
        self, source: Relation, nodes: list[FieldNode], shown: GraphQLOutputType, scope: Scope
    ) -> str:
        relation = RELATIONS[source.loader]
        kind, sets = get_named_type(shown), sub_selections(nodes)
        required = isinstance(shown, GraphQLNonNull)
        nothing = "oops()" if required else "None"
        if self._joins and (to := self._compiler.joinable(relation)) is not None:
            joined = self._joined(source.loader, source.key, scope)
            answer = self._object(kind, sets, joined)
            return f"({answer} if {self._there(joined, *to)} is not None else {nothing})"
        key = scope.column(source.key)
        match relation:
            case Many():
                place = (
                    self._compiler.place(kind, sets, relation.key)
                    if source.pick is None
                    else self._compiler.column(source.pick, element_of(shown), relation.key)
                )
                child = self._add(self._compiler.child("many", key, relation, place))
                return f"({child}.get({key}) or [])"
            case One():
                place = self._compiler.place(kind, sets, relation.key)
                child = self._add(self._compiler.child("one", key, relation, place))
            case Assembled():
                place = self._compiler.place(kind, sets, joins=False)
                child = self._add(self._compiler.child("assembled", key, relation, place))
                if relation.many:
                    return f"({child}.get({key}) or [])"
        found = f"{child}.get({key})"
        return f"(v if (v := {found}) is not None else {nothing})" if required else found

    def _there(self, joined: Scope, model: type, key: str) -> str:
        """A column that says whether the joined row is there: one that is selected, if one can."""
        always = never_null(model)
        for name, plain in joined.table.columns:
            if name in always:
                return joined.column(name, plain=plain)
        return joined.column(key)

    def _part(
        self, part: Arguments, shown: GraphQLOutputType, nodes: list[FieldNode], scope: Scope
    ) -> str:
        """An object that has nothing but lists of the row."""
        kind: Any = get_named_type(shown)
        answers = []
        for key, found in self._compiler.selections.fields(kind, sub_selections(nodes)).items():
            name = found[0].name.value
            if name == "__typename":
                answers.append(f"{key!r}: {kind.name!r}")
                continue
            declared = kind.fields[name].extensions[DEFINITION]
            if not isinstance(declared, ListField):
                raise NotPlanned(f"{kind.name}.{name}")
            answer = self._list(declared, found, kind.fields[name], scope, part)
            answers.append(f"{key!r}: {answer}")
        return "{" + ", ".join(answers) + "}"

    def _list(
        self,
        declared: ListField,
        nodes: list[FieldNode],
        graphql_field: GraphQLField,
        scope: Scope,
        part: Arguments | None = None,
    ) -> str:
        if declared.parent is None:
            raise NotPlanned("a root's list on an object")
        key = scope.column(declared.parent)
        child = self._compiler.child("list", key, declared, nodes, graphql_field, part)
        return f"{self._add(child)}[{key}]"

    def _add(self, child: Child) -> str:
        self._children.append(child)
        return f"m{len(self._children) - 1}"


def element_of(shown: GraphQLOutputType) -> GraphQLOutputType:
    """The type of a list's elements."""
    kind = get_nullable_type(shown)
    assert isinstance(kind, GraphQLList)
    element: GraphQLOutputType = kind.of_type
    return element


def given_to(source: Computed) -> Callable[[Any], Any]:
    """Makes what a rule is given: the columns that it needs, by name."""
    make_type: Any = namedtuple  # its fields are known only here
    make: Callable[[Any], Any] = make_type("Given", source.needs)._make
    return make
