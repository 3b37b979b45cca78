"""Error paths point at the caller's input, for every mutation and every command field."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
)

from resolvers.agent_bookings.submission import RequestedProduct, Submission
from resolvers.changes import Origin
from resolvers.events.fields import FIELDS
from resolvers.outcomes import Warning
from resolvers.vocabulary import WarningCode
from schema import build_schema
from schema.enrolments.inputs import BookEnrolmentInput
from schema.events.inputs import UpdateEventInput
from schema.grammar.paths import INPUTS, has_field, kept_path, sent_path
from schema.products.inputs import OfferProductInput
from tests.schema.conftest import Client

SCHEMA: Any = build_schema()._schema

NOT_SENT = {
    *[("viewer",), ("local",), ("ports",), ("position",), ("together_with",)],
    *[("payment", "reference"), ("payment", "url")],
    ("reasonable_adjustments", "extra_breaks_per_section"),
}
"""Command fields that have no name in the API."""

MAY_PASS = {"updateSettings", "registerNotification"}
"""Mutations that accept all or some of the values below."""

EVENT_VALUES = [(name,) for name in (*FIELDS, "centre", "room", "test", "modules")]

VALUES: dict[str, Any] = {
    "Boolean": True,
    "CountryCode": "GB",
    "CurrencyCode": "GBP",
    "Date": "2999-01-01",
    "DateTime": "9998-01-01T00:00:00Z",
    "Decimal": "-1",
    "EmailAddress": "nobody@example.org",
    "Float": -1.0,
    "ID": "nonsense",
    "Int": -1,
    "LanguageTag": "en",
    "LocalDateTime": "1999-01-01T00:00:00",
    "String": "\0",
    "Time": "10:00:00",
    "TimeZone": "Europe/London",
    "URL": "https://example.org/",
    "UUID": "123e4567-e89b-12d3-a456-426614174000",
}
"""A parsable value of each scalar that most rules refuse."""


def maker(declared: Any) -> Any:
    return getattr(declared, "to_commands", None) or declared.to_command


def command_of(declared: Any) -> Any:
    """Return the command that an input becomes."""
    made = get_type_hints(maker(declared))["return"]
    return next(iter(get_args(made)), made)


def filled(declared: Any) -> set[str]:
    """Return the command fields that an input fills."""
    command = command_of(declared)
    source = ast.parse(textwrap.dedent(inspect.getsource(maker(declared))))
    calls = [
        node
        for node in ast.walk(source)
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == command.__name__
    ]
    given = {keyword.arg for call in calls for keyword in call.keywords}
    every = {field.name for field in dataclasses.fields(command)}
    return every if None in given else every & given


def paths_of(kind: Any, *at: str) -> Iterator[tuple[str, ...]]:
    """Return the paths of a command's fields, nested ones included."""
    for name, hint in get_type_hints(kind).items():
        yield from paths_in(hint, *at, name)


def paths_in(hint: Any, *path: str) -> Iterator[tuple[str, ...]]:
    if path in NOT_SENT:
        return
    if hint is Submission:
        yield from paths_of(Submission)
        return
    yield path
    for part in (hint, *get_args(hint)):
        if part is RequestedProduct:
            yield (*path, "code")
        elif dataclasses.is_dataclass(part) and part.__module__ != "resolvers.references":
            yield from () if part is Origin else paths_of(part, *path)


def paths_of_command(declared: Any) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(command_of(declared))
    for name in sorted(filled(declared)):
        if name in {"values", "changes"}:
            yield from EVENT_VALUES
        else:
            yield from paths_in(hints[name], name)


CASES = [
    pytest.param(declared, path, id=f"{declared.__name__}-{'.'.join(path)}")
    for declared in INPUTS
    for path in paths_of_command(declared)
    if path not in NOT_SENT and (declared, path) != (OfferProductInput, ("external_ids",))
]


def test_every_mutation_takes_an_input() -> None:
    mutation: GraphQLObjectType = SCHEMA.mutation_type

    assert all(list(field.args) == ["input"] for field in mutation.fields.values())
    assert len(INPUTS) == len(mutation.fields)


@pytest.mark.parametrize(("declared", "path"), CASES)
def test_a_field_of_a_command_has_a_place_in_its_input(
    declared: Any, path: tuple[str, ...]
) -> None:
    """Every command field has a path in its input, by the default rule or by declaration."""
    assert has_field(declared, path)


def test_the_inputs_agree_on_what_is_kept_without_them() -> None:
    """The history shows a warning at the same path as its mutation."""
    kept = [
        *[("overrides",), ("payment", "due_by"), ("on_demand_time",), ("to_on_demand_time",)],
        *[("start_time",), ("end_time",), ("end_date",), ("to_centre",), ("provider_reference",)],
        *[("target", "exam_type"), ("target", "billing_code"), ("to_event",), ("to_room",)],
    ]
    for path in kept:
        having = [declared for declared in INPUTS if has_field(declared, path)]
        assert len({sent_path(object.__new__(declared), path) for declared in having}) == 1
        assert kept_path(path) == sent_path(object.__new__(having[0]), path)
    assert kept_path(("input", "overrides")) == ("input", "overrides")
    assert kept_path(()) == ("input",)


def test_a_path_that_was_kept_with_its_answer_stays() -> None:
    """Rows stored by an earlier version already have input paths."""
    sent = object.__new__(BookEnrolmentInput)

    assert sent_path(sent, ("on_demand_time",)) == ("input", "onDemandBookingTime")
    assert sent_path(sent, ("input", "candidate")) == ("input", "candidate")


def test_a_warning_names_the_field_as_its_caller_does() -> None:
    warning = Warning(WarningCode.EVENT_DIFFERS, "Another value for '{field}'.", ("start_at",))
    sent = object.__new__(UpdateEventInput)

    renamed = warning.renamed(lambda path: sent_path(sent, path))

    assert renamed == Warning(
        WarningCode.EVENT_DIFFERS, "Another value for 'start'.", ("input", "start")
    )


def value_of(kind: Any, *, last: bool) -> Any:
    """Return an input value with every field filled; a one-of input has its first or last field."""
    if isinstance(kind, GraphQLNonNull):
        return value_of(kind.of_type, last=last)
    if isinstance(kind, GraphQLList):
        return [value_of(kind.of_type, last=last)]
    if isinstance(kind, GraphQLEnumType):
        return list(kind.values)[-1 if last else 0]
    if not isinstance(kind, GraphQLInputObjectType):
        return VALUES[kind.name]
    fields = list(kind.fields.items())
    if kind.is_one_of:
        fields = fields[-1:] if last else fields[:1]
    return {name: value_of(field.type, last=last) for name, field in fields}


def holds(sent: Any, path: list[str]) -> bool:
    """Return whether the input has a value at a path."""
    for step in path:
        if isinstance(sent, list):
            if int(step) >= len(sent):
                return False
            sent = sent[int(step)]
        elif isinstance(sent, dict) and step in sent:
            sent = sent[step]
        else:
            return False
    return True


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("verb", list(SCHEMA.mutation_type.fields))
async def test_every_error_of_a_mutation_points_at_what_was_sent(
    client: Client, schema: strawberry.Schema, verb: str, last: bool
) -> None:
    """Every error path of a request with all fields filled, most of them invalid, exists in the
    request.
    """
    kind = SCHEMA.mutation_type.fields[verb].args["input"].type
    sent = {"input": value_of(kind, last=last)}
    sent["input"].pop("idempotencyKey", None)
    for part in (sent["input"].get("origin") or {},):
        part.update({name: "x" for name in ("description", "reason", "source") if name in part})
    document = f"""mutation ($input: {kind}) {{ {verb}(input: $input) {{
      errors {{ path ... on InputError {{ fieldName }} }} }} }}"""

    payload = await client.of(document, **sent)

    for error in payload["errors"]:
        assert holds(sent, error["path"]), error
    assert payload["errors"] or verb in MAY_PASS
