"""Inputs that nobody would think of: right by their types, and otherwise anything."""

from functools import cache
from typing import Any, TypeVar

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_input_field,
)
from graphql.type import GraphQLInputType
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import SAMPLES, Examples, mutation, mutations
from tests.end_to_end.test_bad_input import MALFORMED, violations

pytestmark = pytest.mark.both_databases

T = TypeVar("T")

EXAMPLES = 200
BATCHES = {"cancelBookings", "assignResults"}
"""Their payloads may have both, objects and errors."""

CHARACTERS = st.characters(exclude_categories=["Cs"])  # JSON cannot hold half a character
SMALL = st.integers(-3, 120)
INT32 = st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat())


@cache
def scalars(name: str, known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Values of a scalar; of texts and ids often one that somebody has."""
    match name:
        case "Int":
            return SMALL | INT32
        case "Float":
            return SMALL | st.floats(allow_nan=False, allow_infinity=False)
        case "Boolean":
            return st.booleans()
        case "String" | "ID":
            return st.sampled_from(known) | st.text(CHARACTERS, max_size=60)
        case "DateTime":
            return MOMENTS.map(lambda moment: moment + "Z") | st.just(SAMPLES[name])
        case "LocalDateTime":
            return MOMENTS.map(lambda moment: moment[:19]) | st.just(SAMPLES[name])
        case "Date":
            return st.dates().map(str)
        case "Decimal":
            return st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)
    return st.sampled_from([SAMPLES[name], *(v for v in MALFORMED[name] if isinstance(v, str))])


@cache
def values(kind: GraphQLInputType, known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Values of a type."""
    match kind:
        case GraphQLNonNull():
            return values(kind.of_type, known)
        case GraphQLList():
            return st.lists(values(kind.of_type, known), max_size=3)
        case GraphQLEnumType():
            return st.sampled_from(sorted(kind.values))
        case GraphQLInputObjectType():
            return objects(kind, known)
    return scalars(get_named_type(kind).name, known)


def objects(kind: GraphQLInputObjectType, known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    fields = {name: values(field.type, known) for name, field in kind.fields.items()}
    if kind.is_one_of:
        return st.one_of([st.fixed_dictionaries({name: fields[name]}) for name in fields])
    must = {name for name, field in kind.fields.items() if is_required_input_field(field)}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in must},
        optional={name: st.none() | fields[name] for name in fields if name not in must},
    )


def objects_of(payload: GraphQLObjectType) -> list[str]:
    """The fields of a payload that are null with errors; the first is there without."""
    return [
        name
        for name, field in payload.fields.items()
        if isinstance(field.type, GraphQLObjectType | GraphQLInterfaceType) or name == "deletedId"
    ]


def selected(payload: GraphQLObjectType, name: str) -> str:
    return f"{name} {{ __typename }}" if is_composite_type(payload.fields[name].type) else name


def requests(schema: GraphQLSchema, examples: Examples) -> st.SearchStrategy[tuple[str, Any]]:
    """A mutation with an input that is anything, or the example with up to four fields changed."""
    known = (*examples.ids.values(), "C1", "P1", "S1", "T1", "M1", "U1", "Hall", "text")

    @st.composite
    def request(draw: st.DrawFn) -> tuple[str, Any]:
        name = draw(st.sampled_from(sorted(inputs)))
        drawn = draw(values(inputs[name], known))
        if not drawn or draw(st.booleans()):
            return name, drawn
        changed = draw(st.sets(st.sampled_from(sorted(drawn)), max_size=4))
        return name, {**examples.of[name], **{field: drawn[field] for field in changed}}

    inputs = mutations(schema)
    return request()


def generated(strategy: st.SearchStrategy[T]) -> list[T]:
    """What hypothesis makes of a strategy, the same in every run.

    Its own way, to call the test again and again, is not for a test with a server in its loop.
    """
    made: list[T] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(value: T) -> None:
        made.append(value)

    keep()
    return made


async def test_an_input_of_the_right_types_is_carried_out_or_refused(
    client: Client, examples: Examples, schema: strawberry.Schema
):
    """Never a fault of ours; and a payload has either its object or errors."""
    core = schema._schema
    assert core.mutation_type is not None
    accepted = 0
    for name, input in generated(requests(core, examples)):
        kind: Any = get_named_type(core.mutation_type.fields[name].type)
        shown = objects_of(kind)
        document = mutation(name, " ".join(selected(kind, field) for field in shown))

        response = await client.answer(document, input=input)

        told = violations(response)
        payload = (response.json().get("data") or {}).get(name)
        if payload is not None and name not in BATCHES:
            accepted += not told
            assert (payload[shown[0]] is None) is bool(told), (name, input, payload)
            assert not told or all(payload[field] is None for field in shown), (name, input)
    assert accepted > EXAMPLES / 20, "most was refused before it met the rules"
