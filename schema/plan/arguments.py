"""The arguments of a field, as its resolver takes them.

Those that no variable is in are worked out once.
"""

from collections.abc import Callable
from typing import Any

from graphql import ArgumentNode, FieldNode, GraphQLField, VariableNode, get_argument_values
from graphql.language import visit
from graphql.language.visitor import Visitor
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.scalars import SCALARS

REGISTRY = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}
NAMES = StrawberryConfig(scalar_map=SCALARS)


class _HasVariables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def _has_variables(argument: ArgumentNode) -> bool:
    if isinstance(argument.value, VariableNode):
        return True
    finder = _HasVariables()
    visit(argument.value, finder)
    return finder.found


def _converter(
    declared: StrawberryField, node: FieldNode, field: GraphQLField, names: set[str]
) -> Callable[[Any], dict[str, Any]]:
    """Some of a field's arguments by the values of the variables, as Strawberry would give them."""
    given = [each for each in node.arguments or () if each.name.value in names]
    asked = FieldNode(name=node.name, arguments=tuple(given), loc=node.loc)
    taken = GraphQLField(
        field.type, {name: field.args[name] for name in field.args if name in names}
    )
    arguments = [
        each for each in declared.arguments if NAMES.name_converter.get_graphql_name(each) in names
    ]

    def converted(variables: Any) -> dict[str, Any]:
        values = get_argument_values(taken, asked, variables)
        return convert_arguments(values, arguments, REGISTRY, NAMES)

    return converted


class Info:
    """What resolvers ask of Strawberry's info: the context, and nothing else."""

    __slots__ = ("context",)

    def __init__(self, context: Any) -> None:
        self.context = context


class _NoRow:
    """An object of which only the arguments of its fields matter."""

    row = None


NO_ROW = _NoRow()


class Arguments:
    """The arguments of one field of a document."""

    def __init__(self, declared: StrawberryField, node: FieldNode, field: GraphQLField) -> None:
        varying = {each.name.value for each in node.arguments or () if _has_variables(each)}
        self._constant = _converter(declared, node, field, {*field.args} - varying)(None)
        self._varying = _converter(declared, node, field, varying) if varying else None
        resolver = declared.base_resolver
        assert resolver is not None
        self._resolve = resolver
        self._takes_info = resolver.info_parameter is not None
        self._takes_self = resolver.self_parameter is not None
        root = resolver.root_parameter
        self._root = None if root is None else root.name
        self.awaits = resolver.is_async
        self._answer: Any = None

    def call(self, run: Any, source: Any) -> Any:
        """What the field's resolver answers for an object."""
        arguments = self._constant
        if self._varying is not None:
            arguments = {**arguments, **self._varying(run.variables)}
        if self._takes_info:
            arguments = {**arguments, "info": run.info}
        if self._root is not None:
            arguments = {**arguments, self._root: source}
        if self._takes_self:
            return self._resolve(source, **arguments)
        return self._resolve(**arguments)

    def listing(self, run: Any, part: "Arguments | None" = None) -> Any:
        """The list that is asked for, of a part of its object if that has arguments, too.

        Made once where it depends on nobody and on no time.
        """
        if self._answer is not None:
            return self._answer
        listing = self.call(run, None if part is None else part.call(run, NO_ROW))
        if part is None and self._varying is None and not self._takes_info:
            self._answer = listing
        return listing
