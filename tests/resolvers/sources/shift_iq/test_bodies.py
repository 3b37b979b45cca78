"""The bodies of [002], each with the event's or the registration's UUID beside it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from resolvers.references import ByKey
from resolvers.registrations.booking import book
from resolvers.registrations.commands import BookRegistration
from resolvers.sources.shift_iq.bodies import READERS
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Centre,
    Event,
    Registration,
    RegistrationTransfer,
    TestForm,
)
from resolvers.vocabulary import BookingStatus, CancellationReason
from tests.resolvers.sources.conftest import Snapshot, fates, reasons
from tests.resolvers.sources.shift_iq.conftest import (
    ADDED,
    DOCUMENTS,
    EVENT,
    IN_ORDER,
    OTHER,
    REGISTRATION,
    V1,
    VENUE,
    FindShift,
    ImportShift,
    body,
    document,
    event,
    learner,
    notes,
)
from tests.resolvers.world import World


def test_every_command_of_the_source_is_here() -> None:
    """A document for each of the nine commands, and the two of [003] and [002] that only ask."""
    commands = {"add-event", "cancel-event", *IN_ORDER}
    asking = {"event", "events", "matches", "count", "request", "search-registrations"}

    assert sum(map(len, READERS.values())) == len(commands) == 9
    assert {Path(file).stem for file in DOCUMENTS.iterdir()} == commands | asking


async def test_twice_is_the_same_as_once(
    imports: ImportShift, snapshot: Snapshot, known: UUID
) -> None:
    """All bodies, and all again: not one row of any table differs."""
    names = ["add-event", "cancel-event", *IN_ORDER]
    first = [fate for name in names for fate in fates(await imports(name))]
    once = await snapshot()

    again = [fate for name in names for fate in fates(await imports(name))]

    assert first == ["made", "changed", "made", *["changed"] * 6]
    assert again == ["unchanged"] * 9
    assert await snapshot() == once


async def test_an_array_of_bodies_is_one_after_another(
    imports: ImportShift, snapshot: Snapshot, known: UUID
) -> None:
    """A file with all of them, an event among them; once more it does nothing."""
    file = [event(), *(document(name) for name in IN_ORDER)]

    report = await imports(file)
    once = await snapshot()
    again = await imports(file)

    assert [row.path for row in report.rows] == [f"$[{n}]" for n in range(8)]
    assert fates(report) == ["made", "made", *["changed"] * 6]
    assert fates(again) == ["unchanged"] * 8
    assert await snapshot() == once


async def test_an_event_is_added(imports: ImportShift, find: FindShift) -> None:
    """Its values stand in their columns, and a centre that nobody knows is made."""
    report = await imports("add-event")

    row = await find(Event, "event", ADDED, V1)
    centre = await find(Centre, "venue", VENUE, V1)
    assert fates(report) == ["made"]
    assert (row.identifier, row.venue_id, centre.reference) == (UUID(ADDED), centre.id, VENUE)
    assert row.start_at == datetime(2027, 2, 15, 10, tzinfo=UTC)
    assert (row.exam_type, row.exam_format, row.billing_code) == ("Standard", "Online", "B-7")
    assert (row.capacity_maximum, row.title) == (30, f"Standard at {VENUE}")


async def test_an_event_needs_nothing(imports: ImportShift, find: FindShift) -> None:
    """All that the body has is optional [002]; an example's nil UUID counts as missing."""
    nil = str(UUID(int=0))

    report = await imports({"event": ADDED, "command": "add", "body": {"EventVenue": nil}})

    row = await find(Event, "event", ADDED, V1)
    assert fates(report) == ["made"]
    assert (row.venue_id, row.start_at, row.title) == (None, None, "EXAM")


async def test_an_event_is_added_once(imports: ImportShift, snapshot: Snapshot) -> None:
    """Another addition of an event that is known, by either version, is reported."""
    await imports([document("add-event"), event()])
    before = await snapshot()

    report = await imports([body("add-event", RegistrationLimit=7), adding(EVENT)])

    assert reasons(report) == [("$[0].event", "ALREADY_EXISTS"), ("$[1].event", "ALREADY_EXISTS")]
    assert await snapshot() == before


def adding(identifier: str, **values: Any) -> dict[str, Any]:
    return {"event": identifier, "command": "add", "body": values}


async def test_both_versions_name_one_event(imports: ImportShift, find: FindShift) -> None:
    """An event that was added as a body is brought up to date by version 2's document."""
    await imports("add-event")

    report = await imports(event(EventIdentifier=ADDED))

    row = await find(Event, "event", ADDED)
    assert fates(report) == ["changed"]
    assert row.id == (await find(Event, "event", ADDED, V1)).id
    assert (row.title, row.exam_type) == ("Carpenter, Level 1", "Standard")


async def test_an_event_is_cancelled_with_its_bookings(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """The registration goes with it; the event was over, but this is no rule about then."""
    await imports(
        [
            adding(ADDED, EventVenue=VENUE, EventStart="2026-12-01T10:00:00Z"),
            body("register-lax", EventStart="2026-12-01T10:00:00Z"),
            document("cancel-event"),
        ]
    )

    row = await find(Event, "event", ADDED, V1)
    booking = await find(Booking, "registration", REGISTRATION, V1)
    assert row.cancel_message == "The workshop is closed"
    assert booking.event_id == row.id
    assert booking.cancel_reason is CancellationReason.EVENT_CANCELLED


async def test_an_event_is_cancelled_without_a_reason(
    imports: ImportShift, find: FindShift
) -> None:
    """The reason is optional for events [002]; ours says where it was cancelled."""
    await imports([document("add-event"), body("cancel-event", Reason=None)])

    assert (await find(Event, "event", ADDED, V1)).cancel_message == "Cancelled in Shift iQ"


async def test_a_learner_is_registered(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """The event is made, and the registration has its UUID, its form and its accommodations."""
    report = await imports("register-lax")

    booking = await find(Booking, "registration", REGISTRATION, V1)
    [registration] = await world.rows(Registration, "id", booking.id)
    [form] = await world.rows(TestForm, "id", registration.test_form_id)
    [made] = await world.rows(Event, "id", booking.event_id)
    granted = await world.rows(Accommodation, "booking_id", booking.id)
    assert fates(report) == ["made"]
    assert (booking.candidate_id, booking.status) == (known, BookingStatus.CONFIRMED)
    assert (registration.identifier, registration.registrant_type) == (
        UUID(REGISTRATION),
        "Apprentice",
    )
    assert form.code == "CARP-1-A"
    assert (made.title, made.created_automatically) == ("Standard at Vancouver", True)
    assert {(a.type, a.name, a.time_extension_minutes) for a in granted} == {
        ("extra-time", "Half as long again", 45),
        ("reader", None, None),
    }


async def test_what_is_long_over_is_registered(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """Rules about now do not apply: not the event's time, and not its deadline."""
    start = "2020-02-01T13:00:00Z"
    past = event(EventScheduledStart=start, RegistrationDeadline="2020-01-01T00:00:00Z")

    report = await imports([past, body("register-lax", EventStart=start)])

    booking = await find(Booking, "registration", REGISTRATION, V1)
    assert fates(report) == ["made", "made"]
    assert booking.event_id == (await find(Event, "event", EVENT)).id


async def test_rules_that_are_not_about_now_hold(
    imports: ImportShift, world: World, known: UUID
) -> None:
    """A full event takes nobody, and nobody twice; also where it is long over."""
    start = "2020-02-01T13:00:00Z"
    await learner(world, OTHER, "C2")
    await imports([event(EventScheduledStart=start, CapacityMaximum=1)])
    first = body("register-lax", EventStart=start)

    report = await imports(
        [
            first,
            {**body("register-lax", EventStart=start), "registration": OTHER},
            {**body("register-lax", EventStart=start, Learner=OTHER), "registration": OTHER},
        ]
    )

    assert fates(report)[0] == "made"
    assert [code for _, code in reasons(report)] == ["DUPLICATE_BOOKING", "EVENT_FULL"]


async def test_a_difference_is_worth_knowing(imports: ImportShift, known: UUID) -> None:
    """An event that is found with another format is no refusal, but a warning at the member."""
    await imports(event(ExamType="Standard", EventFormat="Online"))

    report = await imports(body("register-lax", EventBillingCode=None, Accommodations=None))

    assert fates(report) == ["made"]
    assert notes(report) == [("$.body.EventExamFormat", "EVENT_DIFFERS")]


async def test_an_event_that_a_registration_made_is_told_apart_later(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """The document of the same place and time tells its UUID: it is not made again."""
    await imports("register-lax")

    report = await imports([event(), event(EventIdentifier=OTHER)])

    row, other = await find(Event, "event", EVENT), await find(Event, "event", OTHER)
    booking = await find(Booking, "registration", REGISTRATION, V1)
    assert fates(report) == ["changed", "made"]
    assert (row.id, row.title) == (booking.event_id, "Carpenter, Level 1")
    assert other.id != row.id


async def test_a_registration_is_transferred(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """It has its seat at the other event, which is made like the first."""
    await imports("register-lax")
    before = await find(Booking, "registration", REGISTRATION, V1)

    await imports("transfer-lax")

    booking = await find(Booking, "registration", REGISTRATION, V1)
    [transfer] = await world.rows(RegistrationTransfer, "booking_id", booking.id)
    [made] = await world.rows(Event, "id", booking.event_id)
    assert booking.start_at == datetime(2027, 2, 8, 13, tzinfo=UTC)
    assert (made.exam_format, made.billing_code) == ("Paper", "B-7")
    assert (transfer.from_event_id, transfer.reason) == (
        before.event_id,
        "A funeral in the family",
    )


async def test_a_registration_is_changed_and_cancelled(
    imports: ImportShift, find: FindShift, world: World, known: UUID
) -> None:
    """Form, accommodations and status are as the bodies say, one after the other."""
    for name in IN_ORDER[:-1]:
        assert reasons(await imports(name)) == []

    booking = await find(Booking, "registration", REGISTRATION, V1)
    [registration] = await world.rows(Registration, "id", booking.id)
    [form] = await world.rows(TestForm, "id", registration.test_form_id)
    granted = await world.rows(Accommodation, "booking_id", booking.id)
    assert form.code == "CARP-1-B"
    assert {a.type for a in granted} == {"extra-time", "scribe"}
    assert booking.status is BookingStatus.CANCELLED
    assert (booking.cancel_reason, booking.cancel_message) == (
        CancellationReason.OTHER,
        "Has left the trade",
    )


async def test_a_registration_is_deleted(
    imports: ImportShift, find: FindShift, known: UUID
) -> None:
    """Its record remains, and its UUID stays used."""
    await imports([document("register-lax"), document("delete-registration")])

    report = await imports(body("register-lax", Accommodations=None))

    booking = await find(Booking, "registration", REGISTRATION, V1)
    assert booking.status is BookingStatus.DELETED
    assert reasons(report) == [("$.registration", "REGISTRATION_ALREADY_EXISTS")]


async def test_our_own_registrations_are_known_too(
    imports: ImportShift, world: World, known: UUID
) -> None:
    """Of one that was made here the UUID and the key both name it; another booking's does not."""
    key = await world.event()
    command = BookRegistration(
        viewer=world.viewer,
        target=ByKey(key),
        candidate=ByKey(known),
        registration=UUID(OTHER),
        test_form="CARP-1-A",
    )
    booking = await world.made(book, command)
    enrolment = await world.booked(await world.candidate("C9"), key, online=True)
    ids = (OTHER, str(booking), str(enrolment))

    report = await imports(
        [
            {**body("grant-accommodation", TimeExtension=n), "registration": i}
            for n, i in enumerate(ids)
        ]
    )

    assert fates(report) == ["changed", "changed", "refused"]
    assert reasons(report) == [("$[2].registration", "REGISTRATION_NOT_FOUND")]


async def test_a_candidate_that_was_made_here_is_a_learner(
    imports: ImportShift, world: World, known: UUID
) -> None:
    """Our own key names a learner whom the source does not know by another."""
    ours = await world.candidate("C9")

    report = await imports(body("register-lax", Learner=str(ours)))

    assert fates(report) == ["made"]


async def test_a_deletion_may_have_an_empty_body(imports: ImportShift, known: UUID) -> None:
    """It has none in the source: nothing, a null and an empty object are the same."""
    await imports("register-lax")

    report = await imports(
        [
            {**document("delete-registration"), "body": {}},
            {**document("delete-registration"), "body": None},
        ]
    )

    assert fates(report) == ["changed", "unchanged"]


async def test_one_body_twice_in_a_file_is_one_body(imports: ImportShift, known: UUID) -> None:
    """The second is the same again; how it is written does not matter."""
    given = document("register-lax")

    report = await imports([given, dict(reversed(given.items()))])

    assert fates(report) == ["made", "unchanged"]


async def test_a_body_that_was_refused_is_imported_once_it_can_be(
    imports: ImportShift, world: World, known: UUID
) -> None:
    """A refusal leaves no receipt: the same file again imports what is in order now."""
    given = body("register-lax", Learner=OTHER)
    early = await imports(given)
    await learner(world, OTHER, "C2")

    assert fates(early) == ["refused"]
    assert fates(await imports(given)) == ["made"]
