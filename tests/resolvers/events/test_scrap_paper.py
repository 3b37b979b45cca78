"""Sheets of scrap paper: their bookings, order and visibility."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from resolvers.events import scrap_paper
from resolvers.events.scrap_paper import sheets_of_event
from resolvers.storage.tables import Booking, Subject
from resolvers.storage.tables.bookings import SEATED
from resolvers.viewer import NOTHING, Scope
from resolvers.vocabulary import BookingKind, BookingStatus, CancellationReason
from tests.resolvers.bookings.conftest import START, booking_row

OVER = {
    BookingStatus.CANCELLED: {"cancel_reason": CancellationReason.OTHER, "cancelled_at": START},
}


@pytest.fixture
def booked(insert: Any, organization_id: UUID) -> Any:
    """Insert a booking of any kind."""

    async def made(event: Any, candidate: Any, reference: str, **values: Any) -> Any:
        row = booking_row(
            organization_id=organization_id,
            event_id=event.id,
            candidate_id=candidate.id,
            reference=reference,
            **values,
        )
        return await insert(Booking, **row._asdict())

    return made


@pytest.fixture
def sheets(storage: Any, viewer: Any) -> Any:
    async def found(event: Any, **values: Any) -> list[tuple[int, str]]:
        read = sheets_of_event(replace(viewer, **values), event.id)
        return [(row.seat, row.reference) for row in await storage.read(read)]

    return found


async def test_every_kind_has_sheets(sheets, an_event, a_candidate, booked):
    """Bookings of all kinds share one sequence of seats, sorted by last name, then first names."""
    event, other = await an_event(), await an_event()
    people = [
        await a_candidate("Ångström", first_names="Ada"),
        await a_candidate("Byron", first_names="Zoe"),
        await a_candidate("Byron", first_names="Ada"),
        await a_candidate("Byron", first_names="Ada"),
    ]
    for kind, person, reference in zip(BookingKind, people, "DCBA", strict=True):
        await booked(event, person, reference, kind=kind)
    await booked(other, people[0], "E")

    assert await sheets(event) == [(1, "A"), (2, "B"), (3, "C"), (4, "D")]


@pytest.mark.parametrize("status", BookingStatus)
async def test_live_bookings_have_sheets(sheets, an_event, a_candidate, booked, status):
    """Each booking that takes a seat has a sheet."""
    event = await an_event()
    await booked(event, await a_candidate(), "A", status=status, **OVER.get(status, {}))

    assert await sheets(event) == ([(1, "A")] if status in SEATED else [])


async def test_seats_do_not_depend_on_who_asks(
    sheets, an_event, a_candidate, a_centre, booked, insert
):
    """A viewer sees the sheets of the bookings in its scope, with the same seats as every
    viewer.
    """
    event = await an_event()
    here, there = await a_centre(), await a_centre()
    law = await insert(Subject, reference="LAW", name="Law", search_text="")
    people = [await a_candidate(f"Name {n}") for n in range(4)]
    await booked(event, people[0], "A", centre_id=here.id)
    await booked(event, people[1], "B", centre_id=there.id, subject_id=law.id)
    await booked(event, people[2], "C", centre_id=here.id, subject_id=law.id)
    await booked(event, people[3], "D")

    async def seen(**scope: Any) -> list[tuple[int, str]]:
        return await sheets(event, scope=Scope(**scope))

    assert await seen(centres=frozenset({here.id})) == [(1, "A"), (3, "C")]
    assert await seen(subjects=frozenset({law.id})) == [(2, "B"), (3, "C")]
    assert await seen(centres=frozenset({there.id}), subjects=frozenset()) == []
    assert await seen(candidate=people[3].id) == [(4, "D")]
    assert await sheets(event, scope=NOTHING) == []
    assert await sheets(event, organization_id=UUID(int=7)) == []
    assert len(await sheets(event)) == 4


async def test_one_more_tells_of_too_many(sheets, an_event, a_candidate, booked, monkeypatch):
    """One row more than the limit is read, to detect that there are too many."""
    event = await an_event()
    for n in range(4):
        await booked(event, await a_candidate(), f"B{n}")
    monkeypatch.setattr(scrap_paper, "MOST_SHEETS", 2)

    assert len(await sheets(event)) == 3
