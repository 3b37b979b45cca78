"""The selected fields of an operation, with fragments and directives resolved."""

from collections.abc import Iterable, Mapping

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    is_abstract_type,
)
from graphql.language import BooleanValueNode, visit
from graphql.language.visitor import Visitor

Fields = dict[str, list[FieldNode]]
"""The fields under each response key, to be merged."""

Flags = Mapping[str, bool]
"""The values of the variables that @skip and @include depend on."""


class NotPlanned(Exception):
    """The compiler does not support this; graphql-core executes the operation."""


class Selections:
    """The selections of one document, for the given flags."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, flags: Flags) -> None:
        self._schema = schema
        self._flags = flags
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def fields(self, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Fields:
        """Return the selected fields of an object of a type, merged by response key."""
        fields: Fields = {}
        visited: set[str] = set()
        for selection_set in sets:
            self._collect(kind, selection_set, fields, visited)
        return fields

    def _collect(
        self, kind: GraphQLObjectType, sets: SelectionSetNode, fields: Fields, visited: set[str]
    ) -> None:
        for node in sets.selections or ():
            if not self._included(node):
                continue
            match node:
                case FieldNode():
                    key = node.alias.value if node.alias else node.name.value
                    fields.setdefault(key, []).append(node)
                case InlineFragmentNode():
                    if self._applies(node.type_condition, kind):
                        self._collect(kind, node.selection_set, fields, visited)
                case FragmentSpreadNode():
                    name = node.name.value
                    fragment = self._fragments[name]
                    if name not in visited and self._applies(fragment.type_condition, kind):
                        visited.add(name)
                        self._collect(kind, fragment.selection_set, fields, visited)

    def _applies(self, condition: NamedTypeNode | None, kind: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == kind.name:
            return True
        named = self._schema.type_map[condition.name.value]
        return is_abstract_type(named) and self._schema.is_sub_type(named, kind)

    def _included(self, node: SelectionNode) -> bool:
        included = True
        for directive in node.directives or ():
            name = directive.name.value
            if name not in {"skip", "include"}:
                raise NotPlanned(f"@{name}")
            included &= self._condition(_given(directive)) is (name == "include")
        return included

    def _condition(self, given: ValueNode) -> bool:
        if isinstance(given, BooleanValueNode):
            return given.value
        assert isinstance(given, VariableNode)
        if given.name.value not in self._flags:
            raise NotPlanned("a condition without a value")
        return self._flags[given.name.value]


def _given(directive: DirectiveNode) -> ValueNode:
    """Return the value of the argument `if` of @skip or @include."""
    [argument] = directive.arguments or ()
    return argument.value


def flags_of(document: DocumentNode) -> frozenset[str]:
    """Return the variables on which a @skip or @include in the document depends."""
    found: set[str] = set()

    class Finder(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            if node.name.value in {"skip", "include"}:
                value = _given(node)
                if isinstance(value, VariableNode):
                    found.add(value.name.value)

    visit(document, Finder())
    return frozenset(found)


def sub_selections(nodes: Iterable[FieldNode]) -> list[SelectionSetNode]:
    """Return the selection sets of fields that are merged."""
    return [node.selection_set for node in nodes if node.selection_set is not None]


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation with that name; without a name, the only one."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((o for o in operations if o.name is not None and o.name.value == name), None)
