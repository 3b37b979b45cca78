"""Enrolments and registrations of one event: counted, moved and cancelled together."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.candidates.reads import CANDIDATES_BY_NAME
from resolvers.centres.commands import UpsertRoom, upsert_rooms
from resolvers.events.commands import UpdateEvent
from resolvers.events.eligibility import eligible_candidates
from resolvers.events.reads import assembled_seats, events_page, ordering_of, seats_of_events
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import BookRegistration, DeleteRegistration
from resolvers.registrations.deleting import delete
from resolvers.storage.filters import Condition, Operator
from resolvers.storage.paging import PageRequest
from resolvers.storage.tables import Booking, Event
from resolvers.vocabulary import BookingAction, BookingKind, BookingStatus, CancellationReason
from tests.resolvers.asking import Statements, cancelling, granting, places, warned
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases

UNTIL_THE_LAST = 7 * 24 * 60


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(centre=centre, room=room)


def registering(world: World, learner: UUID, event: UUID, **values: Any) -> BookRegistration:
    return BookRegistration(
        viewer=world.viewer,
        target=ByKey(event),
        candidate=ByKey(learner),
        registration=uuid4(),
        **values,
    )


async def registered(world: World, learner: UUID, event: UUID) -> UUID:
    return await world.made(register, registering(world, learner, event))


async def called_off(world: World, event: UUID, **values: Any) -> Outcome | Refused:
    command = CancelEvent(viewer=world.viewer, event=ByKey(event), reason="Flood", **values)
    return await world.one(cancel_events, command)


async def updated(world: World, event: UUID, **changes: Any) -> Outcome | Refused:
    command = UpdateEvent(viewer=world.viewer, event=ByKey(event), changes=changes)
    return await world.one(update_events, command)


async def both_at(world: World, event: UUID) -> tuple[UUID, UUID]:
    """Create an enrolment and a registration of two candidates."""
    one, two = await world.candidates(2)
    return await world.booked(one, event), await registered(world, two, event)


async def test_an_event_is_called_off_with_bookings_of_every_kind(
    world: World, event: UUID
) -> None:
    """Cancelling an event records one change per live booking, in one transaction, in the terms of
    its kind.
    """
    enrolment, registration = await both_at(world, event)
    gone, deleted = [
        await registered(world, await world.candidate(name), event) for name in ("A", "B")
    ]
    await world.made(cancel, cancelling(world, gone))
    command = DeleteRegistration(viewer=world.viewer, registration=ByKey(deleted))
    await world.made(delete, command)
    before = len(await world.changes())

    result = await called_off(world, event)

    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 2
    changes = (await world.changes())[before:]
    assert changes[0].event_type == "CANCELLED"
    assert {c.booking_id for c in changes[1:]} == {enrolment, registration}
    assert {(c.kind.value, c.booking_type.value, c.reason) for c in changes[1:]} == {
        ("ENROLMENT", "CANCELLED", "Flood"),
        ("REGISTRATION", "CANCELLED", "Flood"),
    }
    words = {c.kind.value: set(c.changed_fields) for c in changes[1:]}
    assert words["ENROLMENT"] == {"cancellation", "enrolmentStatus", "status"}
    assert words["REGISTRATION"] == {"cancellation", "registrationStatus", "status"}
    for key in (enrolment, registration):
        row = await world.row(key)
        assert (row.status, row.version) == (BookingStatus.CANCELLED, 2)
        assert row.cancel_reason is CancellationReason.EVENT_CANCELLED
    assert (await world.row(gone)).cancel_reason is CancellationReason.ILLNESS
    assert (await world.row(deleted)).status is BookingStatus.DELETED


async def test_no_kinds_cut_off_stops_it(world: World, event: UUID) -> None:
    """The cut-off does not apply to the organizer, who cancels the event."""
    bookings = await both_at(world, event)
    settings = UpdateSettings(viewer=world.viewer, cancel_cut_off_minutes=UNTIL_THE_LAST)
    await world.made(update_settings, settings)
    for booking in bookings:
        refused = await world.one(cancel, cancelling(world, booking))
        assert codes(refused) == ["CANCELLATION_CLOSED"]

    assert codes(await called_off(world, event)) == []

    for booking in bookings:
        assert (await world.row(booking)).status is BookingStatus.CANCELLED


async def test_what_its_kind_does_not_cancel_stays(world: World, event: UUID, insert: Any) -> None:
    """A booking in a running session is not cancelled, since neither kind permits it."""
    enrolment, _ = await both_at(world, event)
    like = (await world.row(enrolment))._asdict()  # type: ignore[attr-defined]
    running = []
    for kind in (BookingKind.ENROLMENT, BookingKind.REGISTRATION):
        values = {"id": uuid4(), "kind": kind, "reference": f"RUNS-{kind}"}
        running.append(
            await insert(Booking, **{**like, **values, "status": BookingStatus.IN_PROGRESS})
        )

    result = await called_off(world, event)

    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 2
    for booking in running:
        assert await world.row(booking.id) == booking


async def test_bookings_of_every_kind_may_be_left_as_they_are(world: World, event: UUID) -> None:
    bookings = await both_at(world, event)

    result = await called_off(world, event, cancel_bookings=False)

    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 0
    assert {(await world.row(b)).version for b in bookings} == {1}


async def test_the_statements_do_not_grow_with_the_bookings(world: World, centre: UUID) -> None:
    """Twenty bookings of each kind take as many statements as one of each."""
    hall = await world.room(centre, "Hall", capacity=100)
    few = await world.event(centre=centre, room=hall)
    many = await world.event(centre=centre, room=hall, start_at=world.tomorrow(14))
    await both_at(world, few)
    people = await world.candidates(40)
    for n, person in enumerate(people):
        await (registered(world, person, many) if n % 2 else world.booked(person, many))
    statements = Statements()

    def cancelled(event: UUID) -> list[CancelEvent]:
        return [CancelEvent(viewer=world.viewer, event=ByKey(event), reason="Flood")]

    two = await statements.needed(world, cancel_events, cancelled(few))
    assert await statements.needed(world, cancel_events, cancelled(many)) == two


async def test_only_enrolments_are_absent(world: World, event: UUID, clock: Any) -> None:
    """A registration refuses ABSENT with ILLEGAL_STATE and its allowed actions."""
    enrolment, registration = await both_at(world, event)
    clock.now = world.tomorrow(10) + timedelta(minutes=5)

    def absent(booking: UUID) -> Any:
        return cancelling(world, booking, reason=CancellationReason.ABSENT)

    refused = await world.one(cancel, absent(registration))

    assert places(refused) == [("ILLEGAL_STATE", "booking")]
    assert isinstance(refused, Refused)
    assert BookingAction.CANCEL in refused.refusals[0].allowed  # type: ignore[attr-defined]
    assert codes(await world.one(cancel, absent(enrolment))) == []


async def seats(world: World, event: UUID) -> Any:
    rows = await world.storage.read(seats_of_events(world.viewer, [event]))
    return assembled_seats(rows, now=world.storage.clock())[event]


async def with_free_seats(world: World) -> set[UUID]:
    page = PageRequest(ordering_of(None), 100)
    free = Condition("has_free_seats", Operator.EQ, True)
    now = world.storage.clock()
    return {
        row.id for row in await world.storage.read(events_page(world.viewer, page, free, now=now))
    }


async def test_an_events_seats_count_every_kind(world: World, centre: UUID, room: UUID) -> None:
    """The seats shown, the filter and the minimum capacity count every kind."""
    event = await world.event(centre=centre, room=room, capacity_maximum=3)
    _, registration = await both_at(world, event)

    shown = await seats(world, event)
    assert (shown.taken, shown.free) == (2, 1)
    assert codes(await updated(world, event, capacity_maximum=1)) == ["OUT_OF_RANGE"]
    assert codes(await updated(world, event, capacity_maximum=2)) == []
    assert await with_free_seats(world) == set()

    await world.made(cancel, cancelling(world, registration))
    shown = await seats(world, event)
    assert (shown.taken, shown.free) == (1, 1)
    assert await with_free_seats(world) == {event}


async def test_a_room_counts_every_kind(world: World, centre: UUID, room: UUID) -> None:
    """A room's seats and its minimum capacity count every kind, at other events too."""
    event = await world.event(centre=centre, room=room)
    beside = await world.event(centre=centre, room=room, start_at=world.tomorrow(10))
    await both_at(world, event)

    assert (await seats(world, beside)).free == 18
    for capacity, expected in ((1, ["OUT_OF_RANGE"]), (2, [])):
        smaller = UpsertRoom(
            viewer=world.viewer, centre=ByKey(centre), name="Room 1", capacity=capacity
        )
        assert codes(await world.one(upsert_rooms, smaller)) == expected
    assert await with_free_seats(world) == set()


async def test_times_conflict_between_kinds(world: World, centre: UUID, candidate: UUID) -> None:
    """The second booking conflicts with the first, in either order of kinds."""
    hall = await world.room(centre, "Hall", capacity=10)
    at_ten, at_half_past = [
        await world.event(
            centre=centre, room=hall, start_at=world.tomorrow(10) + timedelta(minutes=m)
        )
        for m in (0, 30)
    ]
    other = await world.candidate("C2")
    await registered(world, candidate, at_ten)
    await world.booked(other, at_ten)

    late = await world.book(candidate, at_half_past)
    later = await world.one(register, registering(world, other, at_half_past))

    assert codes(late) == codes(later) == ["CANDIDATE_TIME_CONFLICT"]


async def test_who_has_a_booking_of_any_kind_is_not_eligible_again(
    world: World, event: UUID
) -> None:
    """An event's eligible candidates exclude the enrolled and the registered."""
    group = uuid4()
    await updated(world, event, learner_registration_group_identifier=group)
    people = [
        await world.candidate(name, group_identifiers=(group,))
        for name in ("Enrolled", "Registered", "Neither")
    ]
    await world.booked(people[0], event)
    await registered(world, people[1], event)

    page = PageRequest(CANDIDATES_BY_NAME, 100)
    found = await world.storage.read(eligible_candidates(world.viewer, [event], page, None))

    assert [one.id for one in found] == [people[2]]


async def test_an_event_takes_bookings_of_every_kind_along(world: World, event: UUID) -> None:
    """Each booking records one UPDATED change; overlaps of every kind add warnings."""
    enrolment, registration = await both_at(world, event)
    later = world.tomorrow(15)
    [row] = await world.rows(Event, "id", event)
    elsewhere = await world.event(centre=row.venue_id, room=row.room_id, start_at=later)
    for key, at in ((enrolment, registered), (registration, None)):
        person = (await world.row(key)).candidate_id
        await (at(world, person, elsewhere) if at else world.booked(person, elsewhere))
    before = len(await world.changes())

    result = await updated(world, event, start_at=later)

    assert warned(result) == ["CANDIDATE_TIME_CONFLICT"] * 2
    changes = (await world.changes())[before:]
    assert [c.event_type and c.event_type.value for c in changes] == ["UPDATED", None, None]
    assert {c.booking_id for c in changes[1:]} == {enrolment, registration}
    assert {c.booking_type.value for c in changes[1:]} == {"UPDATED"}
    for key in (enrolment, registration):
        assert (await world.row(key)).start_at == later


async def test_each_kind_is_lengthened_in_its_own_way(world: World, event: UUID) -> None:
    """In one batch too, an enrolment ends with its event, and a registration after its extra
    time.
    """
    enrolment, registration = await both_at(world, event)
    ends = (await world.row(enrolment)).end_at
    assert ends is not None
    half_an_hour = timedelta(minutes=30)
    grants = [
        granting(world, booking, time_extension_minutes=30) for booking in (enrolment, registration)
    ]

    results = await world.storage.write(grant, grants)

    assert [warned(result) for result in results] == [[], ["ENDS_AFTER_EVENT"]]
    of_one, of_other = await world.row(enrolment), await world.row(registration)
    assert (of_one.end_at, of_other.end_at) == (ends, ends + half_an_hour)
    assert of_one.busy_until_at == of_other.busy_until_at == ends + half_an_hour
