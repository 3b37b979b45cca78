"""A selected field, with the methods that its source compiles with."""

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
    """A field of a type, selected on the row of a scope."""

    writer: "Writer"
    kind: GraphQLObjectType
    declared: StrawberryField
    field: GraphQLField
    nodes: list[FieldNode]
    scope: Scope

    def on(self, scope: Scope) -> "SelectedField":
        """Return the same field on another row."""
        return SelectedField(self.writer, self.kind, self.declared, self.field, self.nodes, scope)

    def refuse(self, reason: str) -> NoReturn:
        """Raises: NotPlanned."""
        raise NotPlanned(f"{self.kind.name}.{self.nodes[0].name.value}: {reason}")

    # ------------------------------------------------------------ the field

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
        """The expression of an absent value."""
        return "oops()" if self.is_required else "None"

    def arguments(self) -> Arguments:
        """Return the field's arguments."""
        return Arguments(self.writer.compiler.inputs, self.declared, self.nodes[0], self.field)

    # ------------------------------------------------------------ expressions

    def column(self, name: str, *, plain: bool = False) -> str:
        """Return a column of the row; with `plain`, an enum stays the text in the database."""
        return self.scope.column(name, plain=plain)

    def name(self, value: Any) -> str:
        """Return a name for a value that the expression uses."""
        return self.writer.name(value)

    def variable(self) -> str:
        """Return a name for an object inside the row."""
        return self.writer.variable()

    def leaf(self, value: str) -> str:
        """Return the expression of a scalar or an enum, or of a list of them."""
        return leaf(self.name, value, self.field.type, native=self.scope.is_row)

    def made(self, value: str) -> str:
        """Return the expression of an object that a function has made, or of a list of them."""
        sets = sub_selections(self.nodes)
        return self.writer.made(value, sets, self.field.type, self.scope)

    def object(self, scope: Scope) -> str:
        """Return the expression of an object of the field's type over that row."""
        kind = get_named_type(self.field.type)
        return self.writer.object(kind, sub_selections(self.nodes), scope)

    # ------------------------------------------------------------ other rows

    def joined(self, loader: str, key: str) -> Scope | None:
        """Return the row of a relation, joined in this statement; None if it cannot be joined."""
        relation = RELATIONS[loader]
        to = self.writer.compiler.joinable(relation) if self.writer.joins else None
        if to is None or not self.scope.is_row:
            return None
        return self.scope.to(loader, key, *to)

    def place(self, *keys: str, joins: bool = True) -> "Place":
        """Return a place of other rows of the field's type; `keys` are further columns."""
        kind = get_named_type(self.field.type)
        return self.writer.compiler.place(kind, sub_selections(self.nodes), *keys, joins=joins)

    def place_of_column(self, name: str, key: str) -> "Place":
        """Return a place of other rows that show a single column."""
        kind: Any = self.field.type
        listed = kind.of_type if self.is_required else kind
        return self.writer.compiler.column(name, listed.of_type, key)

    def child(self, kind: str, key: str, *given: Any) -> str:
        """Return the name of the answers at another place, by the column `key`."""
        return self.writer.child(kind, key, *given)
