"""Compiled inputs make the same objects as graphql-core and Strawberry together, or none.

Documents call every field that has arguments with values of their types, most of them valid, as
literals, as variables, and as literals with variables in them.
"""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
    get_variable_values,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.plan.arguments import Arguments
from schema.plan.inputs import DEFINITION, NAMES, REGISTRY, Inputs, InvalidInput, Variables
from schema.plan.selection import NotPlanned
from tests.conftest import SEED

CALLS = 5
"""How many documents call each field."""

SCALARS = {
    "Boolean": (True, False),
    "Int": (0, 1, 50, -1, 2**31 - 1),
    "Float": (0.5, 3, -1.25),
    "Decimal": ("10.50", 3, 0.25),
    "String": ("a", "", " a ", "É", "\u00a0", "x" * 300),
    "ID": ("RXZlbnQ6MA==", "nothing", 7),
    "UUID": ("00000000-0000-0000-0000-000000000007", "{00000000000000000000000000000007}"),
    "Date": ("2027-01-13",),
    "Time": ("09:30", "09:30:00"),
    "DateTime": ("2027-01-05T09:00:00Z", "2027-01-11T12:00:00.5+01:00"),
    "NaiveDateTime": ("2027-01-05T09:00:00",),
}
"""Valid values of each scalar, and some that only certain fields accept."""

OTHERS = (
    None,
    5,
    1.5,
    "2027-13-45",
    "x",
    True,
    [],
    {},
    [None],
    [[1]],
    {"id": "x", "reference": "y"},
)
"""Values that most types reject."""


@dataclass
class Call:
    """A document that calls one field, and the values of its variables."""

    random: Random
    invalid: float
    declared: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    def value(self, kind: Any, depth: int = 0) -> Any:
        """A value of a type as JSON has it; now and then one of another type."""
        if self.random.random() < self.invalid:
            return self.random.choice(OTHERS)
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, depth)
        return None if self.random.random() < 0.1 else self._present(kind, depth)

    def _present(self, kind: Any, depth: int) -> Any:
        match kind:
            case GraphQLList():
                if self.random.random() < 0.1:
                    return self.value(kind.of_type, depth + 1)
                return [
                    self.value(kind.of_type, depth + 1) for _ in range(self.random.randint(0, 3))
                ]
            case GraphQLEnumType():
                return self.random.choice(sorted(kind.values))
            case GraphQLInputObjectType():
                return self._object(kind, depth)
        return self.random.choice(SCALARS.get(kind.name, ("x",)))

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> Any:
        names = list(kind.fields)
        if kind.is_one_of and self.random.random() > self.invalid:
            chosen = [self.random.choice(names)]
        else:
            share = 0.3 if depth < 3 else 0.05
            chosen = [
                name
                for name in names
                if self.random.random() < share
                or (
                    is_required_input_field(kind.fields[name])
                    and self.random.random() > self.invalid
                )
            ]
        made = {name: self.value(kind.fields[name].type, depth + 1) for name in chosen}
        if self.random.random() < self.invalid:
            made["unknown"] = 1
        return made

    def written(self, kind: Any, value: Any) -> str:
        """The value in a document: a literal, a variable, or a literal with variables in it."""
        if self.random.random() < 0.4:
            return self._variable(kind, value)
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList) and isinstance(value, list):
            return f"[{', '.join(self.written(bare.of_type, each) for each in value)}]"
        if isinstance(bare, GraphQLInputObjectType) and isinstance(value, dict):
            parts = [
                f"{name}: {self.written(bare.fields[name].type, each)}"
                for name, each in value.items()
                if name in bare.fields
            ]
            return f"{{{', '.join(parts)}}}"
        return literal(bare, value)

    def _variable(self, kind: Any, value: Any) -> str:
        name = f"v{len(self.declared)}"
        self.declared[name] = str(kind)
        if not isinstance(kind, GraphQLNonNull) and self.random.random() < 0.3:
            default = self.value(kind)
            self.declared[name] = f"{kind} = {literal(kind, default)}"
        if self.random.random() > 0.15:
            self.raw[name] = value
        return f"${name}"

    def document(self, operation: str, name: str, made: GraphQLField) -> str:
        """The text of a document that calls the field."""
        parts = [
            f"{argument}: {self.written(each.type, self.value(each.type))}"
            for argument, each in made.args.items()
            if is_required_argument(each) or self.random.random() < 0.5
        ]
        declared = ", ".join(f"${variable}: {kind}" for variable, kind in self.declared.items())
        selected = " { __typename }" if is_composite_type(get_named_type(made.type)) else ""
        given = f"({', '.join(parts)})" if parts else ""
        return f"{operation} Q{f'({declared})' if declared else ''} {{ {name}{given}{selected} }}"


def literal(kind: Any, value: Any) -> str:
    """A value as a document has it."""
    named = get_named_type(kind)
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            known = isinstance(named, GraphQLEnumType) and value in named.values
            return value if known else quoted(value)
        case list():
            return f"[{', '.join(literal(kind, each) for each in value)}]"
        case dict():
            fields = getattr(named, "fields", {})
            parts = [f"{n}: {literal(fields[n].type, v)}" for n, v in value.items() if n in fields]
            return f"{{{', '.join(parts)}}}"
    return str(value)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def expected(schema: Any, operation: OperationDefinitionNode, made: GraphQLField, raw: Any) -> Any:
    """The arguments that graphql-core and Strawberry make. Raises: any exception."""
    variables = get_variable_values(schema, operation.variable_definitions or (), raw)
    if isinstance(variables, list):
        raise InvalidInput
    node: Any = operation.selection_set.selections[0]
    declared: StrawberryField = made.extensions[DEFINITION]
    values = get_argument_values(made, node, variables)
    return convert_arguments(values, declared.arguments, REGISTRY, NAMES)


def compiled(
    inputs: Inputs, operation: OperationDefinitionNode, made: GraphQLField, raw: Any
) -> Any:
    """The arguments that the compiled inputs make. Raises: any exception."""
    node: Any = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    arguments = Arguments(inputs, made.extensions[DEFINITION], node, made)
    return arguments.given(Variables(inputs, operation).values(raw))


def called_fields(schema: Any) -> list[tuple[str, GraphQLObjectType, str]]:
    """The root fields that have arguments, and the fields of other types by a root of their own."""
    return [
        (operation, kind, name)
        for operation, kind in (
            ("query", schema.query_type),
            ("mutation", schema.mutation_type),
            ("subscription", schema.subscription_type),
        )
        for name, made in kind.fields.items()
        if made.args
    ]


def attempted(make: Any, *given: Any) -> Any:
    """What a way makes of a document: its arguments, or None where it makes none."""
    try:
        return repr(sorted(make(*given).items()))
    except Exception:
        return None


@pytest.mark.parametrize("invalid", [0.0, 0.03])
def test_both_ways_make_the_same_arguments(schema, invalid: float):
    inputs = Inputs(schema._schema)
    counts: Counter[str] = Counter()
    for operation, kind, name in called_fields(schema._schema):
        for n in range(CALLS):
            call = Call(Random(f"{SEED} {name} {n} {invalid}"), invalid)
            text = call.document(operation, name, kind.fields[name])
            document = parse(text)
            if validate(schema._schema, document):
                counts["not a valid document"] += 1
                continue
            [definition] = document.definitions
            made = kind.fields[name]
            both = (
                attempted(compiled, inputs, definition, made, call.raw),
                attempted(expected, schema._schema, definition, made, call.raw),
            )
            assert both[0] == both[1], (both, text, call.raw)
            counts["rejected" if both[0] is None else "equal"] += 1

    assert counts["equal"] > counts["not a valid document"], counts
    assert invalid == 0 or counts["rejected"] > 5, counts


def test_a_failed_compilation_leaves_no_half_of_a_type(schema):
    inputs = Inputs(schema._schema)
    kind = schema._schema.type_map["BookEnrolmentInput"]
    definition = kind.extensions.pop(DEFINITION)
    try:
        with pytest.raises(NotPlanned):
            inputs.object(kind)
    finally:
        kind.extensions[DEFINITION] = definition

    assert inputs.object(kind).fields
