"""Compiles inputs: from JSON to the objects that resolvers take, in one pass.

graphql-core validates the variables of a request and converts them to dicts; Strawberry converts
the dicts to objects. Both look up every type again for every request. Here, an input type is
compiled once for the schema, and the arguments of a field once for the document.

The compiled form accepts valid values only. It raises `InvalidInput` for any other value, and
graphql-core executes the operation, because it defines the rules of coercion, their messages and
their paths.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLNullableInputType,
    GraphQLSchema,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_input_type,
    is_required_argument,
    is_required_input_field,
    type_from_ast,
)
from graphql.language import visit
from graphql.language.visitor import BREAK, Visitor, VisitorAction
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from strawberry import Some
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.arguments import convert_argument
from strawberry.types.base import (
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    StrawberryType,
)

from schema.grammar.scalars import SCALARS
from schema.plan.selection import NotPlanned

DEFINITION: Final = "strawberry-definition"
NAMES: Final = StrawberryConfig(scalar_map=SCALARS)
REGISTRY: Final = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}

DEEPEST: Final = 100
"""The maximum depth of input objects and lists here. graphql-core has its own limit."""

SINGLE: Final = (str, int, float, dict)
"""The classes of single JSON values. GraphQL reads a single value as a list of one."""


class InvalidInput(Exception):
    """A value that graphql-core has to validate."""


class _Omitted:
    """The value of a variable without a value and without a default."""


OMITTED: Final = _Omitted()

Reader = Callable[[Any, int], object]
"""Converts a JSON value, at this depth, to the resolver's value. Raises: any exception."""

Values = Mapping[str, Any]
"""The values of an operation's variables by name, in the form that resolvers take."""

Template = Callable[[Values], object]
"""Makes the resolver's value of a value in a document. Raises: InvalidInput."""


class Inputs:
    """The readers of a schema's input types, each compiled at its first use."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._objects: dict[str, InputObject] = {}

    def reader(self, kind: GraphQLInputType) -> Reader:
        """Return the reader of a type's values."""
        if isinstance(kind, GraphQLNonNull):
            return _never_null(self._present(kind.of_type))
        return _or_null(self._present(kind))

    def _present(self, kind: GraphQLNullableInputType) -> Reader:
        """Return the reader of a type's non-null values."""
        if isinstance(kind, GraphQLList):
            return _list_of(self.reader(kind.of_type))
        if isinstance(kind, GraphQLInputObjectType):
            return self.object(kind).read
        return _leaf(kind.coerce_input_value)

    def object(self, kind: GraphQLInputObjectType) -> "InputObject":
        """Return an input type, compiled. Raises: NotPlanned."""
        known = self._objects.get(kind.name)
        if known is None:
            known = InputObject(kind)
            self._objects[kind.name] = known  # before its fields, because a filter contains filters
            try:
                known.compile(self)
            except BaseException:
                del self._objects[kind.name]
                raise
        return known

    def template(self, node: ValueNode, kind: GraphQLInputType) -> Template:
        """Return the template of a value in a document. Raises: NotPlanned."""
        made = self._template(node, kind)
        if has_variables(node):
            return made
        constant = made({})
        return lambda _: constant

    def _template(self, node: ValueNode, kind: GraphQLInputType) -> Template:
        if isinstance(node, VariableNode):
            return _variable(node.name.value, never_null=isinstance(kind, GraphQLNonNull))
        if isinstance(node, NullValueNode):
            return lambda _: None
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList):
            return self._list(node, bare)
        if isinstance(bare, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            return self._object(node, bare)
        return _constant(node, bare)

    def _list(self, node: ValueNode, kind: GraphQLList[Any]) -> Template:
        nodes: Sequence[ValueNode] = node.values if isinstance(node, ListValueNode) else [node]
        elements = [self._template(each, kind.of_type) for each in nodes]
        null_allowed = not isinstance(kind.of_type, GraphQLNonNull)

        def made(values: Values) -> object:
            read = [element(values) for element in elements]
            if OMITTED in read:
                if not null_allowed:
                    raise InvalidInput
                return [None if value is OMITTED else value for value in read]
            return read

        return made

    def _object(self, node: ObjectValueNode, kind: GraphQLInputObjectType) -> Template:
        known = self.object(kind)
        templates = {
            each.name.value: self._template(each.value, known.fields[each.name.value].kind)
            for each in node.fields
        }

        def made(values: Values) -> object:
            read = {name: template(values) for name, template in templates.items()}
            return known.make({n: value for n, value in read.items() if value is not OMITTED})

        return made


class Input:
    """An argument, or a field of an input type."""

    __slots__ = ("default", "kind", "name", "null_allowed", "required", "wraps")

    def __init__(
        self, name: str, made: GraphQLArgument | GraphQLInputField, declared: StrawberryType | type
    ) -> None:
        self.name = name
        self.kind = made.type
        self.wraps, self.null_allowed = False, True
        if isinstance(declared, StrawberryMaybe):
            declared = declared.of_type
            self.wraps, self.null_allowed = True, isinstance(declared, StrawberryOptional)
        self.required = (
            is_required_argument(made)
            if isinstance(made, GraphQLArgument)
            else is_required_input_field(made)
        )
        default = coerce_default_value(made)
        self.default = OMITTED if default is Undefined else _converted(default, declared)

    def given(self, value: object) -> object:
        """Return a value in the form that the resolver takes. Raises: InvalidInput."""
        if value is None and not self.null_allowed:
            raise InvalidInput(self.name)
        return Some(value) if self.wraps else value


class InputObject:
    """An input type, compiled."""

    def __init__(self, kind: GraphQLInputObjectType) -> None:
        definition = kind.extensions.get(DEFINITION)
        if not isinstance(definition, StrawberryObjectDefinition) or definition.from_input:
            raise NotPlanned(kind.name)
        self._kind = kind
        self._definition = definition
        self._make: Callable[..., Any] = definition.origin
        self.fields: dict[str, Input] = {}
        self._readers: dict[str, Reader] = {}

    def compile(self, inputs: Inputs) -> None:
        """Compile the fields. Raises: NotPlanned."""
        definition = self._definition
        declared = {NAMES.name_converter.from_field(each): each for each in definition.fields}
        for name, made in self._kind.fields.items():
            of_strawberry = declared[name].resolve_type(type_definition=definition)
            self.fields[name] = Input(declared[name].python_name, made, of_strawberry)
            self._readers[name] = inputs.reader(made.type)
        self._required = [name for name, field in self.fields.items() if field.required]
        self._is_one_of = self._kind.is_one_of
        self._names = {name: field.name for name, field in self.fields.items()}
        converts = self._kind.out_type is not GraphQLInputObjectType.out_type
        self._converts = converts and not self._is_one_of  # Strawberry counts its fields
        self._judges = any(field.wraps or not field.null_allowed for field in self.fields.values())
        # Strawberry passes null for fields without a default in the class
        missing = dataclasses.MISSING
        self._omitted: dict[str, object] = {
            each.python_name: None
            for each in definition.fields
            if each.default is missing and each.default_factory is missing
        }
        if not self._is_one_of:
            defaults = {n: f.default for n, f in self.fields.items() if f.default is not OMITTED}
            self._omitted |= self._keywords(defaults)

    def read(self, value: object, depth: int) -> object:
        """Return the input object of a JSON object. Raises: InvalidInput."""
        if value.__class__ is not dict or depth > DEEPEST:
            raise InvalidInput(self._kind.name)
        readers, depth = self._readers, depth + 1
        try:
            return self.make({name: readers[name](value[name], depth) for name in value})
        except KeyError:
            raise InvalidInput(self._kind.name) from None

    def make(self, given: dict[str, object]) -> object:
        """Return the input object with these field values. Raises: InvalidInput."""
        for name in self._required:
            if name not in given:
                raise InvalidInput(name)
        if self._is_one_of and (len(given) != 1 or next(iter(given.values())) is None):
            raise InvalidInput(self._kind.name)
        return self._make(**{**self._omitted, **self._keywords(given)})

    def _keywords(self, given: dict[str, object]) -> dict[str, object]:
        """Return the field values in the form that the class takes. Raises: InvalidInput."""
        if self._converts:  # converts each field separately (`schema.grammar.texts`)
            given = self._kind.out_type(given)
        names = self._names
        if self._judges:
            fields = self.fields
            return {names[name]: fields[name].given(value) for name, value in given.items()}
        return {names[name]: value for name, value in given.items()}


class Variables:
    """The variables of one operation, compiled."""

    def __init__(self, inputs: Inputs, operation: OperationDefinitionNode) -> None:
        self._declared = []
        for node in operation.variable_definitions or ():
            name = node.variable.name.value
            kind = type_from_ast(inputs.schema, node.type)
            assert is_input_type(kind)
            default: Any = OMITTED
            if node.default_value is not None:
                default = inputs.template(node.default_value, kind)({})
            required = default is OMITTED and isinstance(kind, GraphQLNonNull)
            self._declared.append((name, inputs.reader(kind), default, required))

    def values(self, raw: Mapping[str, Any]) -> Values:
        """Return the values of the variables. Raises: any exception, for an invalid value."""
        values = {}
        for name, read, default, required in self._declared:
            if name in raw:
                values[name] = read(raw[name], 0)
            elif default is not OMITTED:
                values[name] = default
            elif required:
                raise InvalidInput(name)
        return values


def _never_null(read: Reader) -> Reader:
    def present(value: object, depth: int) -> object:
        if value is None:
            raise InvalidInput
        return read(value, depth)

    return present


def _or_null(read: Reader) -> Reader:
    return lambda value, depth: None if value is None else read(value, depth)


def _leaf(coerce: Callable[[Any], object]) -> Reader:
    return lambda value, _: coerce(value)


def _list_of(read: Reader) -> Reader:
    def elements(value: object, depth: int) -> object:
        depth += 1
        if value.__class__ is list:
            return [read(each, depth) for each in value]
        if isinstance(value, SINGLE):
            return [read(value, depth)]
        raise InvalidInput

    return elements


def _variable(name: str, *, never_null: bool) -> Template:
    if not never_null:
        return lambda values: values.get(name, OMITTED)

    def present(values: Values) -> object:
        value = values.get(name, OMITTED)
        if value is None:
            raise InvalidInput(name)
        return value

    return present


def _constant(node: ValueNode, kind: GraphQLInputType) -> Template:
    if has_variables(node):
        raise NotPlanned("a variable inside a scalar")
    value = coerce_input_literal(node, kind)
    if value is Undefined:
        raise NotPlanned("a constant that is not valid")
    return lambda _: value


def _converted(value: object, declared: StrawberryType | type) -> object:
    """Return the object that Strawberry makes of graphql-core's value."""
    return convert_argument(value, declared, REGISTRY, NAMES)


class _VariableFinder(Visitor):
    found = False

    def enter_variable(self, *_: object) -> VisitorAction:
        self.found = True
        return BREAK


def has_variables(node: ValueNode) -> bool:
    """Whether a value in a document contains variables."""
    finder = _VariableFinder()
    visit(node, finder)
    return finder.found
