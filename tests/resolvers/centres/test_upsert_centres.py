"""Centres: fields, subjects, and when the time zone can change."""

from dataclasses import replace
from datetime import timedelta

import pytest

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.centres.reads import (
    CENTRES_BY_NAME,
    centres_by_id,
    centres_count,
    centres_page,
    subjects_of_centres,
)
from resolvers.contacts import Address
from resolvers.outcomes import Outcome
from resolvers.references import ByReference
from resolvers.storage.paging import page_request
from resolvers.storage.tables import Booking, Event
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.tests.reads import centres_of_subjects
from resolvers.vocabulary import BookingKind, BookingStatus, CancellationReason, EventKind


@pytest.fixture
def centre(viewer):
    return UpsertCentre(viewer=viewer, reference="C1", name="North", time_zone="Europe/London")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference": ""}, ("STRING_LENGTH", "reference")),
        ({"name": "x" * 201}, ("STRING_LENGTH", "name")),
        ({"time_zone": "London"}, ("INVALID_VALUE", "time_zone")),
        ({"time_zone": "localtime"}, ("INVALID_VALUE", "time_zone")),
        ({"city": "x" * 201}, ("STRING_LENGTH", "city")),
        ({"country": "XX"}, ("INVALID_COUNTRY_CODE", "country")),
        ({"minimum_age": -1}, ("OUT_OF_RANGE", "minimum_age")),
        ({"minimum_age": 151}, ("OUT_OF_RANGE", "minimum_age")),
        (
            {"address": Address(country_iso_code="")},
            ("INVALID_COUNTRY_CODE", "address.country_iso_code"),
        ),
    ],
)
async def test_refused(centre, refusals, values, expected):
    """Each field has limits, and the refusal names the field."""
    code, path = expected

    assert await refusals(upsert_centres, replace(centre, **values)) == [(code, path)]


async def test_defaults_are_written_and_the_rest_stays(storage, viewer, make, centre):
    """An omitted field does not change, unless it has a default."""
    full = replace(centre, city="Leeds", country="GB", minimum_age=16, is_school=True)
    key = await make(upsert_centres, full)

    await make(upsert_centres, centre)

    [row] = await storage.read(centres_by_id(viewer, [key]))
    assert (row.city, row.country, row.minimum_age) == ("Leeds", "GB", 16)
    assert not row.is_school


async def test_subjects_from_both_sides(storage, viewer, make, centre):
    """A centre's subjects and a subject's centres are one relation, changed from either side."""
    maths = UpsertSubject(viewer=viewer, reference="S1", name="Maths")
    subject = await make(upsert_subjects, maths)
    key = await make(upsert_centres, replace(centre, subject_ids=(ByReference("S1"),)))

    [of_centre] = await storage.read(subjects_of_centres(viewer, [key]))
    [of_subject] = await storage.read(centres_of_subjects(viewer, [subject]))
    assert (of_centre.id, of_centre.parent_id) == (subject, key)
    assert (of_subject.id, of_subject.parent_id) == (key, subject)

    await make(upsert_subjects, replace(maths, centre_ids=()))
    assert await storage.read(subjects_of_centres(viewer, [key])) == []


async def test_list_of_the_other_side_may_be_full(storage, viewer, make, refusals, centre):
    """A subject has at most 500 centres; one more is refused."""
    subject = UpsertSubject(viewer=viewer, reference="S1", name="Maths")
    await make(upsert_subjects, subject)
    linked = replace(centre, subject_ids=(ByReference("S1"),))
    many = [replace(linked, reference=f"C{n}") for n in range(500)]
    assert all(isinstance(o, Outcome) for o in await storage.write(upsert_centres, many))

    one_more = replace(linked, reference="one more")
    assert await refusals(upsert_centres, one_more) == [("OUT_OF_RANGE", "subject_ids.0")]

    again, first, second = await storage.write(
        upsert_centres, [linked, replace(centre, reference="C0", subject_ids=()), one_more]
    )
    assert (again.changed, first.changed, second.created) == (False, True, True)


def in_hours(clock, start, end):
    return {
        "start_at": None if start is None else clock() + timedelta(hours=start),
        "end_at": None if end is None else clock() + timedelta(hours=end),
    }


EVENTS = [
    ({"start": 1, "end": 2}, {}, True),
    ({"start": -1, "end": 1}, {}, True),
    ({"start": None, "end": None}, {"on_demand": True}, True),
    ({"start": -2, "end": -1}, {}, False),
    ({"start": -1, "end": None}, {}, False),
    ({"start": 1, "end": 2}, {"cancelled": True}, False),
]


@pytest.mark.parametrize(("hours", "state", "in_use"), EVENTS)
async def test_clock_of_events(make, refusals, insert, clock, centre, hours, state, in_use):
    """The time zone cannot change while the centre has events that are neither over nor
    cancelled.
    """
    cancelled = {"cancel_reason": CancellationReason.OTHER, "cancelled_at": clock()}
    await insert(
        Event,
        identifier=await make(upsert_centres, centre),
        venue_id=await make(upsert_centres, centre),
        kind=EventKind.EXAM,
        title="Exam",
        time_zone="Europe/London",
        last_change_time=clock(),
        on_demand=state.get("on_demand", False),
        **(cancelled if state.get("cancelled") else {}),
        **in_hours(clock, **hours),
    )

    await demand_zone(make, refusals, centre, in_use=in_use)


BOOKINGS = [
    (BookingStatus.CONFIRMED, 1, True),
    (BookingStatus.PENDING, 1, True),
    (BookingStatus.IN_PROGRESS, -1, True),
    (BookingStatus.CONFIRMED, -3, False),
    (BookingStatus.CANCELLED, 1, False),
]


@pytest.mark.parametrize(("status", "start", "in_use"), BOOKINGS)
async def test_clock_of_bookings(
    make, refusals, insert, viewer, clock, centre, status, start, in_use
):
    """The time zone cannot change while the centre has bookings that hold a seat and are not
    over.
    """
    candidate = UpsertCandidate(viewer=viewer, reference="P", first_names="A", last_name="B")
    times = in_hours(clock, start, start + 2)
    await insert(
        Booking,
        kind=BookingKind.ENROLMENT,
        reference="ENR-1",
        status=status,
        candidate_id=await make(upsert_candidates, candidate),
        centre_id=await make(upsert_centres, centre),
        time_zone="Europe/London",
        local_start=times["start_at"].replace(tzinfo=None),
        busy_until_at=times["end_at"],
        cancel_reason=CancellationReason.OTHER if status is BookingStatus.CANCELLED else None,
        cancelled_at=clock() if status is BookingStatus.CANCELLED else None,
        created_at=clock(),
        updated_at=clock(),
        created_by_name="admin",
        **times,
    )

    await demand_zone(make, refusals, centre, in_use=in_use)


async def demand_zone(make, refusals, centre, *, in_use):
    """Require that the current zone is accepted, and another one only if nothing prevents it."""
    await make(upsert_centres, centre)
    moved = replace(centre, time_zone="Europe/Paris")
    if in_use:
        assert await refusals(upsert_centres, moved) == [("INVALID_VALUE", "time_zone")]
    else:
        await make(upsert_centres, moved)


async def test_pages(storage, viewer, make, centre):
    """Centres are sorted by name and found by name or reference in any case."""
    for reference, name in [("C1", "Zürich"), ("C2", "Aachen"), ("C3", "Straße")]:
        await make(upsert_centres, replace(centre, reference=reference, name=name))
    page = page_request(CENTRES_BY_NAME, first=10, after=None, last=None, before=None)

    for search, expected in [
        (None, ["Aachen", "Straße", "Zürich"]),
        ("ZÜR", ["Zürich"]),
        ("STRASSE", ["Straße"]),
        ("c2", ["Aachen"]),
    ]:
        rows = await storage.read(centres_page(viewer, page, search))
        [count] = await storage.read(centres_count(viewer, search))
        assert [row.name for row in rows] == expected
        assert count.total == len(expected)
