"""Whatever is sent, the answer names the field and the rule; nobody sees a fault of ours."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from typing import Any

import httpx
import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type

from schema.grammar.scalars import MAY_BE_EMPTY
from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import (
    Examples,
    Place,
    arguments,
    lists,
    mutation,
    mutations,
    places,
    sample,
)

FAULTS = ("INTERNAL", "Internal error", "Traceback", 'File "', ".py", "sqlalchemy", "asyncpg")
LONGEST_ANSWER = 50_000
"""An answer does not repeat a long text that was sent. No text may have as many characters."""

TEXTS = ("String", "ID", "UUID", "DateTime", "Date", "Time", "LocalDateTime", "Decimal", "URL")
TEXTS += ("EmailAddress", "TimeZone", "CountryCode", "CurrencyCode", "LanguageTag")
"""The scalars that are strings in JSON."""

MALFORMED: dict[str, list[Any]] = {
    "Boolean": ["true", 1],
    "Int": [2**31, -(2**31) - 1, 2**70, 1.5, "1", True],
    "Float": ["1.5", True],
    "ID": ["", "abc", "a" * 100, "ÄÖÜ", "====", 1.5],
    "UUID": ["", "abc", "0" * 36, "00000000-0000-4000-8000-00000000000g", 1],
    "Date": ["", "2026-02-30", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", "0000-01-01", 1],
    "Time": ["", "25:00", "10", "10:00Z", "10:61", 10],
    "DateTime": [
        *("", "2026-11-20", "2026-11-20T09:00:00", "2026-11-20T09:00", "2026-02-30T09:00:00Z"),
        *("2026-11-20T25:00:00Z", "2026-11-20T09:00:00+25:00", "0001-01-01T00:00:00Z"),
        *("9999-12-31T23:59:59-23:59", "+12026-01-01T00:00:00Z", "now", 1_800_000_000),
    ],
    "LocalDateTime": ["", "2026-11-20T09:00:00Z", "2026-11-20", "0001-01-01T00:00:00", 1],
    "Decimal": ["", "1e5", "NaN", "Infinity", "1,5", "1" * 13, "0.1234567", 1.5],
    "CurrencyCode": ["", "gbp", "XXXX", "QQQ", "XXX", "XTS", "XAU", "XDR", 826],
    "CountryCode": ["", "gb", "GBR", "QQ", 44],
    "LanguageTag": ["", "english please", "e", "en_GB", 1],
    "TimeZone": [
        *("", "London", "Europe/Nowhere", "../../etc/passwd", 0),
        *("localtime", "Factory", "posixrules", "posix/Europe/London", "right/UTC", "Etc/Unknown"),
    ],
    "URL": ["", "example.org", "ftp://example.org", "https://", "https://[", "javascript:alert(1)"],
    "EmailAddress": ["", "ada", "ada@", "@example.org", "a@b@c", 1],
}
"""Values that are wrong for their type, whatever they are for."""


def violations(response: httpx.Response) -> list[dict[str, Any]]:
    """The errors of an answer, top-level or in a payload, which is no fault of ours."""
    assert response.status_code < 500, response.text[:1000]
    assert not [word for word in FAULTS if word in response.text], response.text[:1000]
    assert len(response.text) < LONGEST_ANSWER, response.text[:1000]
    answered = response.json()
    told = list(answered.get("errors", ()))
    for payload in (answered.get("data") or {}).values():
        told += payload.get("errors", ()) if isinstance(payload, dict) else ()
    return told


def names(told: Iterable[dict[str, Any]], *fields: str) -> bool:
    """Whether one of the errors names one of the fields, in its path or its message."""
    return any(
        field in (error.get("extensions") or error).get("path", ())
        or re.search(rf"\b{field}\b", error["message"])
        for error in told
        for field in fields
    )


async def unnamed(
    client: Client,
    examples: Examples,
    schema: strawberry.Schema,
    values: Callable[[Place], Iterable[Any]],
) -> list[str]:
    """Put values into every place of every mutation; the places that were not complained about."""
    quiet = []
    for name, kind in mutations(schema._schema).items():
        for place in places(kind):
            for value in values(place):
                given = place.put(examples.of[name], kind, value)
                try:
                    told = violations(await client.answer(mutation(name), input=given))
                except AssertionError as e:
                    told = [{"message": "BAD " + str(e)[:200]}]
                if not names(told, *place.names):
                    quiet.append(f"{name} {'.'.join(place.path)} = {str(value)[:50]!r}: {told}")
    return quiet


async def test_the_examples_are_of_every_mutation(
    shared_examples: Examples, schema: strawberry.Schema
):
    """Every mutation is put to the tests below: whoever adds one adds an example of it."""
    assert sorted(shared_examples.of) == sorted(mutations(schema._schema))


LAST = ("assign", "cancel", "delete", "remove")
"""Mutations that end what the others are about."""


@pytest.mark.both_databases
async def test_every_mutation_is_carried_out(client: Client, examples: Examples):
    """Every mutation runs on both databases, one after the other in one world."""
    inputs = dict(examples.of)
    del inputs["bookEnrolment"]  # the candidate is moved to the same event; two were booked before
    first, second = inputs["cancelBookings"]["bookingIds"]
    inputs["cancelBooking"] = {"bookingId": second, "reason": "ILLNESS"}
    inputs["cancelBookings"] = {"bookingIds": [examples.ids["agentBooking"]], "reason": "ILLNESS"}
    assert inputs["assignResults"]["results"][0]["enrolmentId"] == first

    refused = {}
    for name in sorted(inputs, key=lambda name: (name.startswith(LAST), name)):
        payload = await client.ask(mutation(name), input=inputs[name])
        if payload["errors"]:
            refused[name] = [error["code"] for error in payload["errors"]]

    # nothing has to be paid; the session of the schedule has begun
    state = ["ILLEGAL_STATE"]
    assert refused == {"recordPayment": state, "deleteTestSchedule": state}


def malformed_for(place: Place) -> list[Any]:
    """What is wrong in this place; an empty text is null in an optional field."""
    may_be_empty = place.optional and place.type.name in {"ID", *MAY_BE_EMPTY}
    return [v for v in MALFORMED.get(place.type.name, ()) if v != "" or not may_be_empty]


async def test_a_text_that_is_too_long_is_refused_by_the_name_of_its_field(
    shared_client: Client, shared_examples: Examples, schema: strawberry.Schema
):
    """Each text of each mutation has a longest length, and the answer does not repeat the text."""

    def too_long(place: Place) -> list[Any]:
        return ["x" * 2 * LONGEST_ANSWER] if place.type.name in {"String", "ID"} else []

    quiet = await unnamed(shared_client, shared_examples, schema, too_long)
    assert not quiet, "\n".join(quiet)


async def test_a_nul_is_refused_by_the_name_of_its_field(
    shared_client: Client, shared_examples: Examples, schema: strawberry.Schema
):
    """PostgreSQL cannot keep one, so both databases refuse it in every text."""

    def with_nul(place: Place) -> list[Any]:
        return ["a\0b"] if place.type.name in TEXTS else []

    quiet = await unnamed(shared_client, shared_examples, schema, with_nul)
    assert not quiet, "\n".join(quiet)


def dealt(values: Callable[[Place], list[Any]], each: int) -> Callable[[Place], list[Any]]:
    """All values for the first place of a type; for each later place, the next few of them.

    A type checks its values alike in every place, so a pair of place and value adds nothing.
    """
    left: dict[tuple[str, int], Iterator[Any]] = {}

    def deal(place: Place) -> list[Any]:
        chosen = values(place)
        known = (place.type.name, len(chosen))
        if known not in left:
            left[known] = cycle(chosen)
            return chosen
        return list(islice(left[known], min(each, len(chosen))))

    return deal


async def test_a_malformed_value_is_refused_by_the_name_of_its_field(
    shared_client: Client, shared_examples: Examples, schema: strawberry.Schema
):
    """A value that is wrong for its type is refused, wherever it stands."""

    def malformed(place: Place) -> list[Any]:
        if isinstance(place.type, GraphQLEnumType):
            return ["", "NO_SUCH_VALUE", next(iter(place.type.values)).lower(), 1]
        return [*malformed_for(place), {"a": 1}, [[1]]]

    quiet = await unnamed(shared_client, shared_examples, schema, dealt(malformed, 2))
    assert not quiet, "\n".join(quiet)


async def test_a_list_that_is_too_long_is_refused_by_the_name_of_its_field(
    shared_client: Client, shared_examples: Examples, schema: strawberry.Schema
):
    """No list takes a thousand and one; what repeats itself counts once, so enums are no matter."""
    quiet = []
    for name, kind in mutations(schema._schema).items():
        for place, element in lists(kind):
            if isinstance(place.type, GraphQLEnumType):
                continue
            values = [sample(element, n) for n in range(1_001)]
            given = place.put(shared_examples.of[name], kind, values)
            told = violations(await shared_client.answer(mutation(name), input=given))
            if not names(told, *place.names):
                quiet.append(f"{name} {'.'.join(place.path)}: {told}")
    assert not quiet, "\n".join(quiet)


async def test_an_argument_of_a_query_is_answered_or_refused_by_its_name(
    shared_client: Client, shared_examples: Examples, schema: strawberry.Schema
):
    """What is malformed is named, once for each kind of filter; what is only odd is looked for."""
    quiet = []
    seen: set[tuple[Any, ...]] = set()
    malformed = dealt(lambda place: [*malformed_for(place), {"a": 1}], 2)
    for name, document, kind in arguments(schema._schema):
        is_input = isinstance(get_named_type(kind), GraphQLInputObjectType)
        for place in places(kind, names=frozenset({name})):
            once = (str(kind), place.path) if is_input else (document,)
            if once in seen:
                continue  # another query has the same filter
            odd: list[Any] = ["a\0b", "%_\\"] if place.type.name in TEXTS else [-1, 2**31 - 1]
            wrong: list[Any] = []
            kind_of_filter = (place.type.name, place.path[-1:])
            if not is_input or kind_of_filter not in seen:
                wrong = malformed(place)
                odd += ["x" * 1_000_000]
            seen |= {once, kind_of_filter}
            for value in (*wrong, *odd):
                given = {name: place.put({}, kind, value)}
                told = violations(await shared_client.answer(document, **given))
                if value in wrong and not names(told, *place.names):
                    quiet.append(f"{document} {'.'.join(place.path)} = {str(value)[:50]!r}: {told}")
    assert not quiet, "\n".join(quiet)
