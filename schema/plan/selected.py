"""A field where it is selected: what its source writes the answer with."""

from typing import TYPE_CHECKING, Any, NoReturn

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from strawberry.types.field import StrawberryField

from resolvers.values import frozen
from resolvers.viewer import Viewer
from schema.grammar.relations import RELATIONS
from schema.plan.arguments import Arguments
from schema.plan.layout import Scope
from schema.plan.leaves import leaf
from schema.plan.selection import NotPlanned, sub_selections

if TYPE_CHECKING:
    from schema.plan.places import Place
    from schema.plan.writer import Writer


@frozen
class SelectedField:
    """A field of a type, selected of the row of a scope."""

    writer: "Writer"
    kind: GraphQLObjectType
    declared: StrawberryField
    field: GraphQLField
    nodes: list[FieldNode]
    scope: Scope

    def on(self, scope: Scope) -> "SelectedField":
        """The same field of another row."""
        return SelectedField(self.writer, self.kind, self.declared, self.field, self.nodes, scope)

    def refuse(self, reason: str) -> NoReturn:
        """Raises: NotPlanned."""
        raise NotPlanned(f"{self.kind.name}.{self.nodes[0].name.value}: {reason}")

    # ------------------------------------------------------------ what is asked for

    @property
    def viewer(self) -> Viewer:
        return self.writer.compiler.viewer

    @property
    def field_name(self) -> str:
        return self.declared.python_name

    @property
    def is_leaf(self) -> bool:
        return is_leaf_type(get_named_type(self.field.type))

    @property
    def is_enum(self) -> bool:
        return isinstance(get_named_type(self.field.type), GraphQLEnumType)

    @property
    def is_required(self) -> bool:
        return isinstance(self.field.type, GraphQLNonNull)

    @property
    def nothing(self) -> str:
        """The expression for a value that is not there."""
        return "oops()" if self.is_required else "None"

    def arguments(self) -> Arguments:
        """The field's arguments."""
        return Arguments(self.writer.compiler.inputs, self.declared, self.nodes[0], self.field)

    # ------------------------------------------------------------ expressions

    def column(self, name: str, *, plain: bool = False) -> str:
        """A column of the row; `plain` leaves an enum the text that the database keeps."""
        return self.scope.column(name, plain=plain)

    def name(self, value: Any) -> str:
        """A name for a value that the expression uses."""
        return self.writer.name(value)

    def variable(self) -> str:
        """A name for an object inside the row."""
        return self.writer.variable()

    def leaf(self, value: str) -> str:
        """The answer of a scalar or an enum, or of a list of them."""
        return leaf(self.name, value, self.field.type, native=self.scope.is_row)

    def made(self, value: str) -> str:
        """The answer of an object that a function has made, or of a list of them."""
        sets = sub_selections(self.nodes)
        return self.writer.made(value, sets, self.field.type, self.scope)

    def object(self, scope: Scope) -> str:
        """The answer of an object of the field's type that is thin over that row."""
        kind = get_named_type(self.field.type)
        return self.writer.object(kind, sub_selections(self.nodes), scope)

    # ------------------------------------------------------------ other rows

    def joined(self, loader: str, key: str) -> Scope | None:
        """The row that a relation leads to, in the same statement; None if it is not joined."""
        relation = RELATIONS[loader]
        to = self.writer.compiler.joinable(relation) if self.writer.joins else None
        if to is None or not self.scope.is_row:
            return None
        return self.scope.to(loader, key, *to)

    def place(self, *keys: str, joins: bool = True) -> "Place":
        """The place of other rows of the field's type; `keys` are columns that it needs, too."""
        kind = get_named_type(self.field.type)
        return self.writer.compiler.place(kind, sub_selections(self.nodes), *keys, joins=joins)

    def place_of_column(self, name: str, key: str) -> "Place":
        """The place of other rows of which only a column is shown."""
        kind: Any = self.field.type
        listed = kind.of_type if self.is_required else kind
        return self.writer.compiler.column(name, listed.of_type, key)

    def child(self, kind: str, key: str, *given: Any) -> str:
        """The name of what another place has for the rows, by the column `key`."""
        return self.writer.child(kind, key, *given)
