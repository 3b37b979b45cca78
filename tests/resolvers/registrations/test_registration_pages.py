"""Searches for registrations: criteria, visibility and UUIDs."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.reads import BY_START, bookings_order
from resolvers.outcomes import Outcome
from resolvers.refusals import PermissionRefusal, Refusal
from resolvers.registrations.commands import RegistrationCriteria
from resolvers.registrations.reads import (
    registration_keys,
    registrations_count,
    registrations_page,
)
from resolvers.selecting import RowSelection, SelectedColumn, selecting
from resolvers.storage import Storage
from resolvers.storage.filters import NO_FILTER, Condition, Filter, Operator
from resolvers.storage.paging import PageRequest, page_request
from resolvers.storage.read import DIALECTS, Compiled
from resolvers.storage.rows import new_row
from resolvers.storage.sqlite import connect
from resolvers.storage.tables import Booking, ExternalId, Registration
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import BookingKind, BookingStatus, Permission, Role, SourceSystem
from tests.resolvers.asking import in_role
from tests.resolvers.bookings.conftest import booking_row
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

NOON = datetime(2027, 1, 11, 12, 0, tzinfo=UTC)
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
ALL = PageRequest(bookings_order(None), 100)
PEOPLE = {
    "ada": {"reference": "P1", "first_names": "Ada Zoë", "last_name": "Lovelace"},
    "jörg": {"reference": "P2", "first_names": "Jörg\nUwe", "last_name": "GROẞ_100%"},
    "nobody": {"reference": "ada", "first_names": "No", "last_name": "Body"},
}
EMAILS = {"ada": "Ada@Example.org", "jörg": "jd@example.ORG"}

Registered = Callable[..., Awaitable[Any]]


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
def a_registration(insert: Any) -> Registered:
    """Insert a registration; return its booking."""

    async def made(**values: Any) -> Any:
        identifier = values.pop("identifier", None) or uuid4()
        given = {"kind": BookingKind.REGISTRATION, "reference": f"REG-{identifier.hex}", **values}
        row = booking_row(**given)._asdict()
        del row["organization_id"]
        booking = await insert(Booking, **row)
        await insert(Registration, id=booking.id, identifier=identifier)
        return booking

    return made


@pytest.fixture
async def people(world: World, a_registration: Registered) -> dict[UUID, str]:
    """Registrations of these people in order of their last change; return the names by key."""
    names = {}
    for n, (name, values) in enumerate(PEOPLE.items()):
        key = await world.candidate(**{"email": EMAILS.get(name), **values})
        booking = await a_registration(candidate_id=key, updated_at=NOON + n * HOUR)
        names[booking.id] = name
    return names


async def found(
    world: World,
    criteria: RegistrationCriteria,
    filter: Filter = NO_FILTER,
    viewer: Viewer | None = None,
) -> list[UUID]:
    """Return the keys found; the count must agree."""
    asking = viewer or world.viewer
    rows = await world.storage.read(registrations_page(asking, ALL, criteria, filter))
    [counted] = await world.storage.read(registrations_count(asking, criteria, filter))
    assert counted.total == len(rows)
    return [row.id for row in rows]


EVERYBODY = " ".join(PEOPLE)
CRITERIA: list[tuple[dict[str, Any], str]] = [
    ({}, EVERYBODY),
    ({"name": ""}, EVERYBODY),
    ({"name": "lovelace"}, "ada"),
    ({"name": "a zoË l"}, "ada"),
    ({"name": "ADA"}, "ada"),  # and nobody whose reference it is
    ({"name": "lovelace p1"}, ""),
    ({"name": "lovelace\n"}, ""),
    ({"name": "jörg\nuwe"}, "jörg"),
    ({"name": "gross_100%"}, "jörg"),
    ({"name": "_"}, "jörg"),
    ({"name": "%"}, "jörg"),
    ({"name": "\\"}, ""),
    ({"name": "o"}, EVERYBODY),
    ({"email": "@EXAMPLE.org"}, "ada jörg"),
    ({"email": "ada@"}, "ada"),
    ({"email": "%"}, ""),
    ({"code": "P1"}, "ada"),
    ({"code": "p1"}, "ada"),
    ({"code": "p2"}, "jörg"),
    ({"code": "P"}, ""),
    ({"last_change_time_since": NOON + HOUR}, "jörg nobody"),
    ({"last_change_time_since": NOON + HOUR + MICROSECOND}, "nobody"),
    ({"last_change_time_before": NOON + HOUR}, "ada"),
    ({"last_change_time_before": NOON + HOUR + MICROSECOND}, "ada jörg"),
    ({"last_change_time_since": NOON, "last_change_time_before": NOON}, ""),
    ({"name": "o", "email": "org", "last_change_time_since": NOON + HOUR}, "jörg"),
    ({"name": "o", "code": "ada"}, "nobody"),
]


@pytest.mark.parametrize(("criteria", "expected"), CRITERIA, ids=str)
async def test_criteria(
    world: World, people: dict[UUID, str], criteria: dict[str, Any], expected: str
) -> None:
    """Each criterion finds exactly the matching registrations, and several must all match."""
    keys = await found(world, RegistrationCriteria(**criteria))

    assert sorted(people[key] for key in keys) == sorted(expected.split())


async def test_only_registrations_are_found(
    world: World, people: dict[UUID, str], insert: Any
) -> None:
    """Bookings of other kinds are not found, for any candidate."""
    ada = (await world.rows(Booking, "id", next(iter(people))))[0].candidate_id
    row = booking_row(candidate_id=ada)._asdict()
    del row["organization_id"]
    await insert(Booking, **row)

    assert len(await found(world, RegistrationCriteria(name="ada"))) == 1
    assert len(await found(world, RegistrationCriteria())) == len(people)


async def test_deleted_ones_are_found_where_the_filter_names_them(
    world: World, a_registration: Registered
) -> None:
    """Criteria alone do not find deleted registrations; a filter that requests them does."""
    ada = await world.candidate(**PEOPLE["ada"])
    gone = await a_registration(candidate_id=ada, status=BookingStatus.DELETED)
    criteria = RegistrationCriteria(name="ada")
    deleted = Condition("status", Operator.IN, (BookingStatus.DELETED,))

    assert await found(world, criteria) == []
    assert await found(world, criteria, deleted) == [gone.id]


async def test_criteria_and_a_filter_by_the_candidate(
    world: World, people: dict[UUID, str]
) -> None:
    """Each of them restricts the candidates separately."""
    named = Condition("candidate_name", Operator.CONTAINS, "o")
    coded = Condition("candidate_reference", Operator.STARTS_WITH, "p")

    assert len(await found(world, RegistrationCriteria(name="o"), named)) == len(PEOPLE)
    both = await found(world, RegistrationCriteria(email="org"), coded)
    assert {people[key] for key in both} == {"ada", "jörg"}


async def test_pages_of_what_criteria_find(world: World, a_registration: Registered) -> None:
    """Pages in both directions, with some of the columns, repeat nothing."""
    people = await world.candidates(7)
    made = [
        await a_registration(candidate_id=person, start_at=NOON + (n % 3) * HOUR)
        for n, person in enumerate(people)
    ]
    order = bookings_order(BY_START)
    expected = [row.id for row in sorted(made, key=lambda row: (row.start_at, row.id))]
    wanted = RowSelection((SelectedColumn("id"), SelectedColumn("start_at")))
    criteria = RegistrationCriteria(name="candidate")

    for forward in (True, False):
        seen: list[UUID] = []
        cursor = None
        while True:
            given: dict[str, Any] = {"first": 2} if forward else {"last": 2}
            given["after" if forward else "before"] = cursor
            page = page_request(
                order, **{"first": None, "last": None, "after": None, "before": None, **given}
            )
            read = selecting(registrations_page(world.viewer, page, criteria), wanted)
            rows = page.rows(list(await world.storage.tuples(read)))
            keys = [UUID(str(row[0])) for row in rows.rows]
            seen = seen + keys if forward else keys + seen
            if not (rows.has_next if forward else rows.has_previous):
                break
            key, start = rows.rows[-1 if forward else 0]
            cursor = order.cursor_of((start, key))
        assert seen == expected


async def test_a_search_shows_what_may_be_seen(
    world: World, people: dict[UUID, str], a_registration: Registered
) -> None:
    """For a viewer restricted to a centre or candidate, no criterion finds more."""
    centre = await world.centre()
    person = await world.candidate("P9", first_names="Ada", last_name="Two")
    here = await a_registration(candidate_id=person, centre_id=centre)
    criteria = RegistrationCriteria(name="ada")
    staff = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset([centre])))
    herself = in_role(world, Role.CANDIDATE, Scope(candidate=person))
    elsewhere = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset([uuid4()])))
    others = replace(world.viewer, organization_id=uuid4())

    assert len(await found(world, criteria)) == 2
    assert await found(world, criteria, viewer=staff) == [here.id]
    assert await found(world, criteria, viewer=herself) == [here.id]
    assert await found(world, criteria, viewer=elsewhere) == []
    assert await found(world, criteria, viewer=others) == []


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ({"name": "x" * 4_001}, ("STRING_LENGTH", "criteria.name")),
        ({"email": "a\0"}, ("INVALID_VALUE", "criteria.email")),
        ({"code": "\ud800"}, ("INVALID_VALUE", "criteria.code")),
    ],
)
def test_texts_that_nobody_can_have(criteria: dict[str, str], told: tuple[str, str]) -> None:
    """A text that no database accepts is refused with its path."""
    viewer = Viewer(UUID(int=1), Role.ADMIN, "admin", "admin", frozenset(Permission))

    with pytest.raises(Refusal) as refused:
        registrations_page(viewer, ALL, RegistrationCriteria(**criteria))

    assert (refused.value.code, ".".join(refused.value.path)) == told


def test_an_email_is_personal() -> None:
    """A search by email requires VIEW_PII, since it would reveal the address."""
    viewer = Viewer(UUID(int=1), Role.MARKER, "marker", "marker", frozenset({Permission.READ}))

    with pytest.raises(PermissionRefusal):
        registrations_count(viewer, RegistrationCriteria(email="a"))


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_name_is_searched_for_by_the_indexes(database_url: str, viewer: Viewer) -> None:
    """The names are read from the index alone, then their bookings, then the page's rows.

    PostgreSQL plans by how rare a name is, and reads small tables completely.
    """
    read = registrations_page(viewer, ALL, RegistrationCriteria(name="ada"))
    made = Compiled(read.build("sqlite"), DIALECTS["sqlite"])
    connection = connect(Path(database_url.removeprefix("sqlite:///")))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {made.sql}", made.values(read.values))
    steps = [row[3] for row in rows if row[3].startswith(("SEARCH", "SCAN"))]
    connection.close()

    used = ["ix_candidate_search", "ix_booking_candidate", "SCAN", "autoindex_booking"]
    assert [name in step for name, step in zip(used, steps, strict=True)] == [True] * 4
    assert "COVERING INDEX" in steps[0]


async def test_the_uuids_of_a_registration(
    world: World, a_registration: Registered, insert: Any
) -> None:
    """Its own identifier is first, then Shift iQ's, in either case."""
    person = await world.candidate()
    one = await a_registration(candidate_id=person, identifier=UUID(int=0xAB))
    other = await a_registration(candidate_id=person, identifier=UUID(int=0xCD))
    v1, v2 = SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2
    known = [
        (v1, "registration", str(UUID(int=0xEF)).upper()),
        (v2, "registration", str(UUID(int=0xCD))),
        (v1, "learner", str(UUID(int=0x12))),
        (SourceSystem.EC_ENGLISH, "registration", str(UUID(int=0x34))),
    ]
    for system, kind, value in known:
        await world.storage.write(_knowing, [(one, system, kind, value)])

    async def keys(identifier: int) -> list[UUID]:
        read = registration_keys(world.viewer, UUID(int=identifier))
        return [row.id for row in await world.storage.read(read)]

    assert await keys(0xAB) == [one.id]
    assert await keys(0xCD) == [other.id, one.id]
    assert await keys(0xEF) == [one.id]
    assert await keys(0x12) == await keys(0x34) == await keys(0x56) == []


def _knowing(work: Any, given: Any) -> list[Any]:
    rows = [
        new_row(
            ExternalId,
            organization_id=booking.organization_id,
            system=system,
            kind=kind,
            value=value,
            object_type="Registration",
            object_id=booking.id,
        )
        for booking, system, kind, value in given
    ]
    work.insert(ExternalId, rows)
    return [Outcome(row.object_id) for row in rows]
