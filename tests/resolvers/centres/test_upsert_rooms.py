"""Rooms: identified by centre and name, and never smaller than the seats taken."""

from dataclasses import replace
from datetime import timedelta

import pytest

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.centres.reads import rooms_by_id, rooms_of_centres
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference
from resolvers.refusals import CapacityBelowTaken
from resolvers.storage.tables import Booking
from resolvers.vocabulary import BookingKind, BookingStatus


@pytest.fixture
async def centres(viewer, make):
    centre = UpsertCentre(viewer=viewer, reference="C1", name="North", time_zone="Europe/London")
    return [
        await make(upsert_centres, centre),
        await make(upsert_centres, replace(centre, reference="C2")),
    ]


@pytest.fixture
def room(viewer, centres):
    return UpsertRoom(viewer=viewer, centre=ByKey(centres[0]), name="Hall", capacity=10)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": ""}, ("STRING_LENGTH", "name")),
        ({"name": "x" * 201}, ("STRING_LENGTH", "name")),
        ({"capacity": 0}, ("OUT_OF_RANGE", "capacity")),
        ({"capacity": 100_001}, ("OUT_OF_RANGE", "capacity")),
        ({"centre": ByReference("C9")}, ("NOT_FOUND", "centre")),
    ],
)
async def test_refused(room, refusals, values, expected):
    """Each field has limits, and the refusal names the field."""
    code, path = expected

    assert await refusals(upsert_rooms, replace(room, **values)) == [(code, path)]


async def test_known_by_centre_and_name(storage, viewer, room, centres):
    """The same name at another centre is another room, for any form of the centre's reference."""
    first, other, again = await storage.write(
        upsert_rooms,
        [
            room,
            replace(room, centre=ByReference("C2")),
            replace(room, centre=ByReference("C1"), capacity=20),
        ],
    )

    assert first.subject == again.subject != other.subject
    rows = await storage.read(rooms_of_centres(viewer, centres))
    assert {(row.centre_id, row.capacity) for row in rows} == {(centres[0], 20), (centres[1], 10)}
    assert {row.id for row in await storage.read(rooms_by_id(viewer, [other.subject]))} == {
        other.subject
    }


async def test_centre_may_be_full(storage, room, refusals):
    """A centre has at most 500 rooms; existing ones can still change."""
    many = [replace(room, name=str(n)) for n in range(500)]
    assert all(isinstance(o, Outcome) for o in await storage.write(upsert_rooms, many))

    assert await refusals(upsert_rooms, room) == [("OUT_OF_RANGE", "centre")]
    [changed] = await storage.write(upsert_rooms, [replace(many[0], capacity=11)])
    assert changed.changed


TAKEN = [
    # (status, start, end) in hours from now; three overlap at hour 5, two from hour 0 to 1
    (BookingStatus.CONFIRMED, -1, 1),
    (BookingStatus.IN_PROGRESS, -1, 1),
    (BookingStatus.CONFIRMED, 4, 6),
    (BookingStatus.PENDING, 5, 7),
    (BookingStatus.CONFIRMED, 5, 6),
    (BookingStatus.CONFIRMED, 6, 8),
    (BookingStatus.COMPLETED, 5, 6),
    (BookingStatus.EXPIRED, 5, 6),
    (BookingStatus.CONFIRMED, -9, -8),
    (BookingStatus.CONFIRMED, -9, -8),
    (BookingStatus.CONFIRMED, -9, -8),
    (BookingStatus.CONFIRMED, -9, -8),
]


@pytest.fixture
async def taken_room(viewer, make, insert, clock, room):
    """A room of ten seats, three of them taken at the same future time."""
    key = await make(upsert_rooms, room)
    candidate = UpsertCandidate(viewer=viewer, reference="P", first_names="A", last_name="B")
    candidate_id = await make(upsert_candidates, candidate)
    for n, (status, start, end) in enumerate(TAKEN):
        start_at = clock() + timedelta(hours=start)
        end_at = clock() + timedelta(hours=end)
        await insert(
            Booking,
            kind=BookingKind.ENROLMENT,
            reference=f"ENR-{n}",
            status=status,
            candidate_id=candidate_id,
            room_id=key,
            time_zone="Europe/London",
            local_start=start_at.replace(tzinfo=None),
            start_at=start_at,
            end_at=end_at,
            busy_until_at=end_at,
            created_at=clock(),
            updated_at=clock(),
            created_by_name="admin",
        )
    return key


async def test_capacity_below_taken(storage, taken_room, room):
    """The capacity cannot fall below the seats taken at one time from now on; it can grow."""
    lower, to_taken, higher = await storage.write(
        upsert_rooms, [replace(room, capacity=capacity) for capacity in (2, 3, 11)]
    )

    [refusal] = lower.refusals
    assert isinstance(refusal, CapacityBelowTaken)
    assert (refusal.path, refusal.capacity, refusal.taken) == (("capacity",), 2, 3)
    assert to_taken == Outcome(taken_room)
    assert higher == Outcome(taken_room)
