"""The results and refusals of `exportEvents`."""

import dataclasses
from typing import Any

import pytest
from strawberry.utils.str_converters import to_camel_case

from resolvers.exports.fields import FIELDS
from resolvers.storage.columns import new_key
from resolvers.viewer import PERMISSIONS
from resolvers.vocabulary import Permission, Role
from schema.events.filters import EventFilter
from tests.schema.conftest import Client

EXPORT = """
    query ($filter: EventFilter, $format: ExportFormat! = CSV, $includes: [String!],
           $excludes: [String!], $sort: [EventSort!]) {
        exportEvents(filter: $filter, format: $format, includes: $includes, excludes: $excludes,
                     sort: $sort) { url fileName contentType expiresAt }
    }
"""
MANY = [str(new_key()) for _ in range(1000)]
"""More than fits in a URL."""


async def test_a_file_is_named_with_its_type_and_its_end(client: Client) -> None:
    assert (await client.of("{ exportEvents { fileName contentType expiresAt } }")) == {
        "fileName": "events-2027-01-11.csv",
        "contentType": "text/csv; charset=utf-8",
        "expiresAt": "2027-01-11T12:05:00Z",
    }


@pytest.mark.parametrize(
    ("format", "content_type"),
    [
        ("JSON", "application/json"),
        ("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("ICS", "text/calendar; charset=utf-8"),
    ],
)
async def test_each_format_has_its_type(client: Client, format: str, content_type: str) -> None:
    file = await client.of(EXPORT, format=format)

    assert file["contentType"] == content_type
    assert file["fileName"].endswith(f".{format.lower()}")
    assert file["url"].startswith("/exports/")


async def test_of_a_field_given_twice_the_first_counts(client: Client) -> None:
    """Repeated fields do not lengthen the URL."""
    title = [{"field": "TITLE"}, {"field": "TITLE", "direction": "DESC"}]

    once, often = [await client.of(EXPORT, sort=sort) for sort in (title[:1], title * 1000)]

    assert once["url"] == often["url"]


def test_every_criterion_s_name_is_a_field_s() -> None:
    """Fields can be selected by the names of their criteria."""
    beyond = {"and", "or", "not", "status", "kind", "localDate", "centreId", "hasFreeSeats"}
    criteria = {
        to_camel_case(field.name.rstrip("_")) for field in dataclasses.fields(EventFilter)
    } - beyond

    assert {field.contract_name for field in FIELDS} == criteria | {"billingCodeEnabled"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"includes": ["title", "nonsense"]}, ("INVALID_VALUE", "includes.1")),
        ({"excludes": ["EventTitel"]}, ("INVALID_VALUE", "excludes.0")),
        ({"includes": ["Title"], "excludes": ["EventTitle"]}, ("INVALID_VALUE", "excludes")),
        ({"includes": ["title"] * 101}, ("OUT_OF_RANGE", "includes")),
        ({"filter": {"centreId": {"eq": "nonsense"}}}, ("INVALID_VALUE", "filter.centreId.eq")),
        ({"filter": {"identifier": {"in": MANY}}}, ("OUT_OF_RANGE", "filter")),
    ],
)
async def test_what_is_asked_wrongly_is_told_where(
    client: Client, asked: dict[str, Any], told: tuple[str, str]
) -> None:
    result = await client.run(EXPORT, **asked)

    assert result.data == {"exportEvents": None}
    [error] = result.errors or ()
    cause: Any = error.original_error
    [refusal] = getattr(cause, "refusals", [cause])
    assert (refusal.code.value, ".".join(refusal.path)) == told


async def test_reading_is_what_it_needs(client: Client) -> None:
    blind = client.seeing(permissions=PERMISSIONS[Role.ADMIN] - {Permission.READ})

    assert await blind.errors(EXPORT) == [("FORBIDDEN", "")]
