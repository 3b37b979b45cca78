"""Moving an event moves its live bookings with it, in one transaction."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, Event, Organization, Subject
from resolvers.vocabulary import (
    AccommodationScope,
    BookingStatus,
    CancellationReason,
    ChangeType,
    ConflictPolicy,
    EventChangeType,
)

START = datetime(2027, 7, 1, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def refusals(result):
    """Return the codes and paths of the refusals."""
    assert isinstance(result, Refused), result
    return [(refusal.code.value, ".".join(refusal.path)) for refusal in result.refusals]


@pytest.fixture
async def centre(a_centre):
    return await a_centre("Northfield")


@pytest.fixture
async def hall(a_room, centre):
    return await a_room(centre, capacity=2, name="Hall")


@pytest.fixture
async def event(an_event, centre, hall):
    """An event of an hour in the hall."""
    return await an_event(venue_id=centre.id, room_id=hall.id, start_at=START, end_at=START + HOUR)


async def test_live_bookings_get_the_new_time(commands, row, event, a_booking, changes, clock):
    """Live bookings get the new times with extra time and breaks, a new version, and one UPDATED
    change each.
    """
    booking = await a_booking(
        event,
        extra_time_minutes=10,
        extra_break_minutes=5,
        busy_until_at=START + 75 * MINUTE,
    )
    gone = await a_booking(
        event,
        status=BookingStatus.CANCELLED,
        cancel_reason=CancellationReason.OTHER,
        cancelled_at=clock.now,
    )

    outcome = await commands.update(
        event.id, start_at=START + 2 * HOUR, given_end_at=START + 4 * HOUR
    )

    moved = await row(Booking, booking.id)
    assert outcome == Outcome(event.id, facts={"affectedBookings": 1})
    assert (moved.start_at, moved.end_at) == (START + 2 * HOUR, START + 4 * HOUR)
    assert moved.busy_until_at == START + 4 * HOUR + 15 * MINUTE
    assert moved.local_start == datetime.fromisoformat("2027-07-01T12:00")
    assert moved.local_end == datetime.fromisoformat("2027-07-01T14:00")
    assert (moved.version, moved.updated_at, moved.duration_minutes) == (2, clock.now, 120)
    assert await row(Booking, gone.id) == gone
    first, second = await changes()
    assert (first.event_type, second.booking_type) == (EventChangeType.UPDATED, ChangeType.UPDATED)
    assert (second.booking_id, second.version, second.changed_fields) == (booking.id, 2, ["times"])
    assert second.was_start_at == START
    assert second.start_at == START + 2 * HOUR


async def test_what_does_not_move_an_event_leaves_its_bookings(commands, row, event, a_booking):
    """A new title does not change the bookings."""
    booking = await a_booking(event)

    outcome = await commands.update(event.id, title="Law")

    assert outcome.facts == {"affectedBookings": 0}
    assert await row(Booking, booking.id) == booking


async def test_an_end_that_becomes_unknown_counts_a_minute(commands, row, event, a_booking):
    """Without an end and a duration, a booking occupies its place for a minute plus its extra
    time.
    """
    booking = await a_booking(event, extra_time_minutes=10)

    await commands.update(event.id, given_end_at=None)
    unknown = await row(Booking, booking.id)
    await commands.update(event.id, given_end_at=START)
    empty = await row(Booking, booking.id)

    assert (unknown.end_at, unknown.busy_until_at) == (None, START + 11 * MINUTE)
    assert (empty.end_at, empty.busy_until_at) == (START, START + 11 * MINUTE)


async def test_bookings_follow_to_the_new_room(
    commands, row, event, centre, hall, a_room, a_booking
):
    """Bookings in the event's old room move; those online or in another room of the centre stay."""
    annex, other = await a_room(centre, name="Annex"), await a_room(centre)
    there = await a_booking(event)
    elsewhere = await a_booking(event, room_id=other.id)
    online = await a_booking(event, room_id=None)

    outcome = await commands.update(event.id, room=ByKey(annex.id))

    assert outcome.facts == {"affectedBookings": 1}
    assert (await row(Booking, there.id)).room_id == annex.id
    assert await row(Booking, elsewhere.id) == elsewhere
    assert await row(Booking, online.id) == online


async def test_bookings_follow_to_another_centre(
    commands, row, event, a_centre, a_room, a_booking, centre
):
    """At another centre, all bookings get the event's room and the centre's time zone; online ones
    keep their time zone.
    """
    lisbon = await a_centre("Lisboa", time_zone="Europe/Madrid")
    room, other = await a_room(lisbon), await a_room(centre)
    there, elsewhere = await a_booking(event), await a_booking(event, room_id=other.id)
    online = await a_booking(event, room_id=None, time_zone="Europe/London")

    await commands.update(event.id, room=ByKey(room.id), centre=ByKey(lisbon.id))

    for booking in (there, elsewhere):
        moved = await row(Booking, booking.id)
        assert (moved.room_id, moved.centre_id) == (room.id, lisbon.id)
        assert (moved.time_zone, moved.start_at) == ("Europe/Madrid", START)
        assert moved.local_start == datetime.fromisoformat("2027-07-01T11:00")
    moved = await row(Booking, online.id)
    assert (moved.room_id, moved.centre_id) == (None, lisbon.id)
    assert (moved.time_zone, moved.local_start) == ("Europe/London", online.local_start)


async def test_a_centre_needs_a_room_for_those_who_have_one(
    commands, row, event, a_centre, a_booking
):
    """A move to another centre requires a room for bookings with one; an event can give up its
    room.
    """
    booking = await a_booking(event)
    lisbon = await a_centre("Lisboa")

    refused = await commands.update(event.id, centre=ByKey(lisbon.id))
    nowhere = await commands.update(event.id, centre=None)
    unroomed = await commands.update(event.id, room=None)

    assert refusals(refused) == refusals(nowhere) == [("INVALID_VALUE", "centre")]
    assert unroomed.facts == {"affectedBookings": 0}
    assert (await row(Booking, booking.id)) == booking
    assert (await row(Event, event.id)).venue_id == event.venue_id


async def test_a_full_room_is_refused(commands, row, event, hall, an_event, a_booking, changes):
    """If the room lacks seats at the new time, nothing moves."""
    other = await an_event(start_at=START + 2 * HOUR, end_at=START + 3 * HOUR, room_id=hall.id)
    await a_booking(other)
    mine = [await a_booking(event) for _ in range(2)]

    refused = await commands.update(
        event.id, start_at=START + 2 * HOUR, given_end_at=START + 4 * HOUR
    )
    fine = await commands.update(event.id, start_at=START + 3 * HOUR, given_end_at=START + 4 * HOUR)

    assert refusals(refused) == [("ROOM_FULL", "start_at")]
    assert (refused.refusals[0].capacity, refused.refusals[0].taken) == (2, 2)
    assert fine.facts == {"affectedBookings": 2}
    assert {(await row(Booking, booking.id)).version for booking in mine} == {2}
    assert len(await changes()) == 3


async def test_a_later_end_that_does_not_fit_is_named(commands, event, hall, an_event, a_booking):
    """A later end that does not fit is named, even if the unchanged start is sent too."""
    other = await an_event(start_at=START + 2 * HOUR, end_at=START + 3 * HOUR, room_id=hall.id)
    for booked in (other, event, event):
        await a_booking(booked)

    alone = await commands.update(event.id, given_end_at=START + 3 * HOUR)
    both = await commands.update(event.id, start_at=START, given_end_at=START + 3 * HOUR)

    assert refusals(alone) == refusals(both) == [("ROOM_FULL", "given_end_at")]


async def test_an_event_is_not_in_its_own_way(commands, event, a_booking):
    """An event in a full room can start a little later, since it does not conflict with itself."""
    for _ in range(2):
        await a_booking(event)

    outcome = await commands.update(event.id, start_at=START + 10 * MINUTE)

    assert outcome.facts == {"affectedBookings": 2}


async def test_a_new_room_must_be_large_enough(commands, row, event, centre, a_room, a_booking):
    """The refusal names the room."""
    small = await a_room(centre, capacity=1)
    for _ in range(2):
        await a_booking(event)

    refused = await commands.update(event.id, room=ByKey(small.id))

    assert refusals(refused) == [("ROOM_FULL", "room")]
    assert (await row(Event, event.id)).room_id == event.room_id


async def test_every_room_of_the_bookings_is_asked(
    commands, event, centre, a_room, an_event, a_booking
):
    """A booking in its own room requires a seat there at the new time."""
    own = await a_room(centre, capacity=1)
    other = await an_event(start_at=START + 2 * HOUR, end_at=START + 3 * HOUR, room_id=own.id)
    await a_booking(other)
    await a_booking(event, room_id=own.id)

    refused = await commands.update(
        event.id, start_at=START + 2 * HOUR, given_end_at=START + 3 * HOUR
    )

    assert refusals(refused) == [("ROOM_FULL", "start_at")]


async def test_a_refused_move_leaves_the_seats_to_the_next(
    storage, viewer, commands, event, hall, an_event, a_booking
):
    """If the first command of a batch is refused, its seats remain available to its own event in
    the second.
    """
    other = await an_event(start_at=START + 2 * HOUR, end_at=START + 3 * HOUR, room_id=hall.id)
    await a_booking(other)
    for _ in range(2):
        await a_booking(event)
    later = {"start_at": START + 2 * HOUR, "given_end_at": START + 3 * HOUR}
    sooner = {"start_at": START, "given_end_at": START + HOUR}

    first, second = await storage.write(
        update_events,
        [
            UpdateEvent(viewer, ByKey(event.id), later),
            UpdateEvent(viewer, ByKey(other.id), sooner),
        ],
    )

    assert refusals(first) == refusals(second) == [("ROOM_FULL", "start_at")]


async def test_conflicts_of_candidates_are_warnings(
    commands, event, hall, an_event, a_booking, a_candidate, a_room, centre
):
    """Each new overlap adds a warning: ten at most, and one for the rest."""
    large = await a_room(centre, capacity=50)
    roomy = await an_event(
        venue_id=centre.id, room_id=large.id, start_at=START, end_at=START + HOUR
    )
    elsewhere = await an_event(start_at=START + 3 * HOUR, end_at=START + 4 * HOUR)
    for n in range(14):
        candidate = await a_candidate()
        await a_booking(roomy, candidate)
        if n < 12:
            await a_booking(elsewhere, candidate)

    outcome = await commands.update(
        roomy.id, start_at=START + 3 * HOUR, given_end_at=START + 4 * HOUR
    )
    back = await commands.update(roomy.id, start_at=START, given_end_at=START + HOUR)

    assert outcome.facts == {"affectedBookings": 14}
    assert {warning.code for warning in outcome.warnings} == {"CANDIDATE_TIME_CONFLICT"}
    assert len(outcome.warnings) == 11
    assert "2 more" in outcome.warnings[-1].message
    assert back.warnings == ()


async def test_what_is_on_demand_is_settled_once_there_are_bookings(
    commands, an_event, a_booking, event
):
    """With live bookings, an event cannot switch between fixed and on demand or become a draft."""
    await a_booking(event)
    free = await an_event(start_at=None, on_demand=True)
    await a_booking(free, start_at=START, end_at=START + HOUR)

    turned = await commands.update(event.id, on_demand=True, start_at=None, given_end_at=None)
    fixed = await commands.update(free.id, on_demand=False, start_at=START)
    draft = await commands.update(event.id, start_at=None, given_end_at=None)

    assert refusals(turned) == refusals(fixed) == [("ILLEGAL_STATE", "on_demand")]
    assert refusals(draft) == [("ILLEGAL_STATE", "start_at")]


async def test_bookings_on_demand_keep_their_own_start(
    commands, row, an_event, a_centre, a_room, a_booking
):
    """Another length changes their end; at another centre they keep their local time."""
    london, madrid = await a_centre(), await a_centre(time_zone="Europe/Madrid")
    room, there = await a_room(london), await a_room(madrid)
    event = await an_event(
        start_at=None,
        on_demand=True,
        venue_id=london.id,
        room_id=room.id,
        exam_duration_in_minutes=60,
        duration_minutes=60,
    )
    booking = await a_booking(
        event, start_at=START, end_at=START + HOUR, extra_time_minutes=10, extra_break_minutes=5
    )

    await commands.update(event.id, exam_duration_in_minutes=90)
    longer = await row(Booking, booking.id)
    await commands.update(event.id, centre=ByKey(madrid.id), room=ByKey(there.id))
    abroad = await row(Booking, booking.id)

    assert (longer.start_at, longer.end_at) == (START, START + 100 * MINUTE)
    assert longer.busy_until_at == START + 105 * MINUTE
    assert (abroad.local_start, abroad.time_zone) == (booking.local_start, "Europe/Madrid")
    assert (abroad.start_at, abroad.end_at) == (START - HOUR, START + 40 * MINUTE)


async def test_another_test_is_the_bookings_test_too(
    commands, row, event, a_test, a_booking, insert
):
    """A booking with the event's test gets the new test; a booking with another test keeps it."""
    subject = await insert(Subject, reference="S1", name="Law", search_text="law")
    law, old = await a_test(60, subject_id=subject.id), await a_test()
    following, other = await a_booking(event), await a_booking(event, test_id=old.id)

    await commands.update(event.id, test=ByKey(law.id))

    moved = await row(Booking, following.id)
    assert (moved.test_id, moved.subject_id) == (law.id, subject.id)
    assert (await row(Booking, other.id)).test_id == old.id


async def test_extra_time_that_is_a_share_follows_the_length(
    commands, row, rows, event, a_booking, link
):
    """A quarter of an hour's work is 15 minutes, of two hours' 30."""
    booking = await a_booking(event, extra_time_minutes=15, accommodation_count=1)
    await link(
        Accommodation,
        id=new_key(),
        booking_id=booking.id,
        type="extra",
        scope=AccommodationScope.TEST_TIME,
        extra_time_percentage=25,
        effective_minutes=15,
        granted_by_name="admin",
        granted_at=START,
    )

    await commands.update(event.id, given_end_at=START + 2 * HOUR)

    moved = await row(Booking, booking.id)
    [granted] = await rows(Accommodation)
    assert (granted.effective_minutes, moved.extra_time_minutes) == (30, 30)
    assert moved.busy_until_at == START + 150 * MINUTE


async def test_no_warning_where_conflicts_are_allowed(
    commands, storage, row, event, an_event, a_booking, a_candidate, organization_id
):
    """An organization that allows conflicts gets no warnings."""
    settings = await row(Organization, organization_id)

    def allow(work, _):
        after = changed(settings, conflict_policy=ConflictPolicy.ALLOW)
        work.save(Organization, [(settings, after)])
        return [Outcome(organization_id)]

    await storage.write(allow, [None])
    candidate = await a_candidate()
    other = await an_event(start_at=START + 3 * HOUR, end_at=START + 4 * HOUR)
    await a_booking(event, candidate)
    await a_booking(other, candidate)

    outcome = await commands.update(
        event.id, start_at=START + 3 * HOUR, given_end_at=START + 4 * HOUR
    )

    assert (outcome.facts, outcome.warnings) == ({"affectedBookings": 1}, ())


async def test_lapsed_bookings_are_released_first(storage, viewer, event, a_booking, commands):
    """Lapsed bookings expire after the rows are locked."""
    lapsed = await a_booking(event, status=BookingStatus.PENDING)
    asked = []

    def expire(work, **where):
        asked.append(where)
        after = changed(lapsed, status=BookingStatus.EXPIRED)
        work.save(Booking, [(lapsed, after)])

    command = UpdateEvent(viewer, ByKey(event.id), {"start_at": START + 10 * MINUTE})
    [outcome] = await storage.write(partial(update_events, expire=expire), [command])

    assert outcome.facts == {"affectedBookings": 0}
    assert [where["events"] for where in asked] == [[event.id]]
    assert asked[0]["rooms"] == [event.room_id]
    assert asked[0]["candidates"] == [lapsed.candidate_id]
