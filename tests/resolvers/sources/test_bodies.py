"""The bodies of [000]: book, assign results, move, cancel one and cancel many."""

from datetime import UTC, datetime
from typing import Any

import pytest

from resolvers.storage.tables import Booking, Event, EventModule, Module, Room
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    DeliveryMode,
    EnrolmentResult,
    PaymentStatus,
)
from tests.resolvers.sources.conftest import (
    Find,
    Import,
    Snapshot,
    another,
    booked,
    document,
    fates,
    reasons,
    student,
)
from tests.resolvers.world import World

MOVE = "moveModel[{}]"
MOVED = "moveModel[Enrolment][{}]"


def moving(**values: Any) -> dict[str, Any]:
    """The form of [000] that moves enrolment 2, with other values; None leaves one out."""
    form = {**document("move"), **{MOVE.format(name): value for name, value in values.items()}}
    return {name: value for name, value in form.items() if value is not None}


def cancelling(**values: Any) -> dict[str, Any]:
    return {**document("cancel-one"), **values}


async def test_a_resit_is_booked_after_the_result(imports: Import, world: World) -> None:
    """Book/InRoom is refused until the first attempt has its result, and then is attempt 2."""
    await imports("students")

    early = await imports("book")
    await imports("assign-results")
    report = await imports("book")

    assert reasons(early) == [("$", "RESIT_RESULT_REQUIRED")]
    assert fates(report) == ["made"]
    bookings = await world.rows(Booking, "reference", "ENR-3")
    enrolment = await world.enrolment(bookings[0].id)
    assert enrolment.attempt_number == 2
    assert bookings[0].local_start == datetime(2024, 12, 16, 8, 0)


async def test_a_module_is_made_and_given_to_the_event(
    imports: Import, find: Find, world: World
) -> None:
    """A module on first sight has its number for a name, and the event has it from then on."""
    await imports("students")
    await imports("assign-results")

    await imports("book")

    module, event = await find(Module, "module", 1), await find(Event, "event", 1)
    [tie] = await world.rows(EventModule, "event_id", event.id)
    assert (module.reference, module.name, tie.module_id) == ("1", "1", module.id)


async def test_only_a_known_student_is_booked(imports: Import, snapshot: Snapshot) -> None:
    """Of a body whose student nobody knows, nothing stays: no room, no event, no module."""
    before = await snapshot()

    report = await imports("book")

    assert reasons(report) == [("$.studentId", "NOT_FOUND")]
    assert await snapshot() == before


async def test_a_new_event_without_a_time_is_not_made(imports: Import) -> None:
    """An event that nobody knows needs the time of an on-demand booking."""
    await imports("students")

    report = await imports({"studentId": 1, "eventId": 77, "roomId": 1})

    assert reasons(report) == [("$.eventId", "EVENT_NOT_FOUND")]


async def test_an_online_booking_has_no_room(imports: Import, world: World) -> None:
    """isOnline books online; a room beside it is reported."""
    await imports("students")
    body = {
        "studentId": 2,
        "eventId": 77,
        "isOnline": True,
        "onDemandBookingTime": "2027-03-01T09:00:00",
    }

    refused = await imports({**body, "roomId": 1})
    await imports(body)

    [event] = await world.rows(Event, "title", "77")
    [booking] = await world.rows(Booking, "event_id", event.id)
    assert (await world.enrolment(booking.id)).delivery is DeliveryMode.ONLINE
    assert reasons(refused) == [("$.roomId", "INVALID_VALUE")]


async def test_the_students_query_recognises_what_was_booked_by_a_body(
    imports: Import, find: Find, world: World
) -> None:
    """A booking that came as a body gets its number when the query tells it.

    It is not made again.
    """
    await imports("students")
    body = {"studentId": 2, "eventId": 5, "roomId": 1, "onDemandBookingTime": "2027-03-01T09:00:00"}
    await imports(body)
    row = another(
        50,
        optimeIndex=2,
        id="TestBooking2",
        forename="Heather",
        surname="Foster",
        eventId=5,
        bookedDate="2027-03-01T09:00:00",
        details={"studentId": 2, "eventId": 5},
    )

    report = await imports(booked(row))

    assert fates(report) == ["changed"]
    [event] = await world.rows(Event, "title", "5")
    [booking] = await world.rows(Booking, "event_id", event.id)
    assert (await find(Booking, "enrolment", 50)).id == booking.id


async def test_results_are_rows_of_their_own(imports: Import, find: Find, world: World) -> None:
    """Each element of the array is assigned by itself.

    One that is wrong is reported by its index.
    """
    await imports("students")

    report = await imports(
        [
            {"enrolmentId": 1, "enrolmentResultTypeId": 2},
            {"enrolmentId": 99, "enrolmentResultTypeId": 1},
            {"enrolmentId": 2, "enrolmentResultTypeId": 3},
            {"enrolmentId": 2, "enrolmentResultTypeId": 1},
        ]
    )

    assert fates(report) == ["changed", "refused", "refused", "changed"]
    assert reasons(report) == [
        ("$[1].enrolmentId", "NOT_FOUND"),
        ("$[2].enrolmentResultTypeId", "INVALID_VALUE"),
    ]
    booking = await find(Booking, "enrolment", 1)
    assert booking.status is BookingStatus.COMPLETED
    assert (await world.enrolment(booking.id)).result is EnrolmentResult.FAIL


async def test_the_same_result_in_another_body_counts(
    imports: Import, find: Find, world: World
) -> None:
    """Fail, corrected to Pass, corrected back by another body: the last one holds."""
    await imports("students")
    fail = {"enrolmentId": 1, "enrolmentResultTypeId": 2}

    await imports([fail])
    await imports([{**fail, "enrolmentResultTypeId": 1}])
    await imports([fail, {"enrolmentId": 2, "enrolmentResultTypeId": 2}])

    booking = await find(Booking, "enrolment", 1)
    assert (await world.enrolment(booking.id)).result is EnrolmentResult.FAIL


async def test_a_move_records_time_and_room(imports: Import, find: Find, world: World) -> None:
    """A form of texts moves the enrolment; the room is made on first sight."""
    await imports("students")

    report = await imports("move")

    booking = await find(Booking, "enrolment", 2)
    assert fates(report) == ["changed"]
    assert booking.local_start == datetime(2024, 9, 2, 11, 0)
    assert booking.room_id == (await find(Room, "room", 2)).id
    assert (await world.booking_changes())[-1] == "MOVED"


@pytest.mark.both_databases
@pytest.mark.parametrize("can_move", ["false", False])
async def test_a_dry_run_changes_nothing(
    imports: Import, snapshot: Snapshot, can_move: object
) -> None:
    """CanMove=false only asks: what could be moved stays, and what could not is reported."""
    await imports("students")
    before = await snapshot()

    possible = await imports(moving(CanMove=can_move))
    stale = await imports(moving(CanMove=can_move, MoveFromRoomId="1", MoveFromEventId="1"))

    assert fates(possible) == ["unchanged"]
    assert reasons(stale) == [('$["moveModel[MoveFromEventId]"]', "STALE_BOOKING")]
    assert await snapshot() == before


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"MoveFromRoomId": "77"}, MOVE.format("MoveFromRoomId"), "NOT_FOUND"),
        ({"MoveFromEventId": 1}, MOVE.format("MoveFromEventId"), "STALE_BOOKING"),
        (
            {"MoveFromOnDemandDate": "2024-08-29T12:00:00"},
            MOVE.format("MoveFromOnDemandDate"),
            "STALE_BOOKING",
        ),
        ({"Enrolment][studentId": "1"}, MOVED.format("studentId"), "INVALID_VALUE"),
        ({"Enrolment][optimeIndex": "9"}, MOVED.format("optimeIndex"), "NOT_FOUND"),
    ],
)
async def test_a_move_is_from_where_the_source_says(
    imports: Import, values: dict[str, Any], path: str, code: str
) -> None:
    """The MoveFrom values and the student must be the enrolment's own."""
    await imports("students")

    report = await imports(moving(**values))

    assert reasons(report) == [(f'$["{path}"]', code)]


async def test_what_is_over_is_not_moved(imports: Import) -> None:
    """A completed enrolment stays where it was sat (S-19)."""
    await imports("students")
    await imports([{"enrolmentId": 2, "enrolmentResultTypeId": 1}])

    report = await imports("move")

    assert reasons(report) == [(f'$["{MOVED.format("optimeIndex")}"]', "ILLEGAL_STATE")]


async def test_one_enrolment_is_cancelled_when_the_source_says(
    imports: Import, find: Find, world: World
) -> None:
    """The date is told by the centre's clock; reason and message are kept."""
    await world.centre("NYC", "America/New_York")
    await imports("students", centre="NYC")

    report = await imports("cancel-one")

    booking = await find(Booking, "enrolment", 1)
    assert fates(report) == ["changed"]
    assert booking.status is BookingStatus.CANCELLED
    assert booking.cancelled_at == datetime(2024, 8, 7, 0, 52, 27, tzinfo=UTC)
    assert booking.cancel_reason is CancellationReason.OTHER
    assert booking.cancel_message == "Payment not received"


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("Illness", None, (CancellationReason.ILLNESS, None)),
        ("Booked In Error", "Twice", (CancellationReason.BOOKED_IN_ERROR, "Twice")),
        ("Partially Completed", None, (CancellationReason.PARTIALLY_COMPLETED, None)),
        ("Strike", None, (CancellationReason.OTHER, "Strike")),
        ("Strike", "Trains", (CancellationReason.OTHER, "Strike: Trains")),
    ],
)
async def test_reasons_are_the_defaults_or_the_sites_own(
    imports: Import, find: Find, reason: str, message: str | None, expected: tuple[Any, Any]
) -> None:
    """A default reason is ours of that name; another one is OTHER, with its text (S-03)."""
    await imports("students")

    await imports(cancelling(cancellationReason=reason, cancellationMessage=message))

    booking = await find(Booking, "enrolment", 1)
    assert (booking.cancel_reason, booking.cancel_message) == expected


async def test_who_was_absent_is_no_cancellation(imports: Import, find: Find) -> None:
    """Absent after the start is ABSENT: an attempt that was not taken."""
    await imports("students")

    await imports(cancelling(cancellationReason="Absent", cancellationMessage=None))

    assert (await find(Booking, "enrolment", 1)).status is BookingStatus.NO_SHOW


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"studentId": 2}, "$.optimeIndex", "INVALID_VALUE"),
        ({"studentId": 9}, "$.studentId", "NOT_FOUND"),
        ({"status": "Booked"}, "$.status", "INVALID_VALUE"),
        ({"bookingResource": "Room"}, "$.bookingResource", "INVALID_VALUE"),
        ({"cancellationDate": "2024-08-06T20:52:27"}, "$.cancellationDate", "INVALID_VALUE"),
        ({"cancellationDate": "2030-01-01 00:00:00"}, "$.cancellationDate", "OUT_OF_RANGE"),
        ({"cancellationMessage": None}, "$.cancellationMessage", "REASON_REQUIRED"),
    ],
)
async def test_a_cancellation_that_cannot_be_is_reported(
    imports: Import, values: dict[str, Any], path: str, code: str
) -> None:
    """The student must own it; status, resource and date are as the source prints them."""
    await imports("students")

    report = await imports(cancelling(**values))

    assert (path, code) in reasons(report)


async def test_several_are_cancelled_together(imports: Import, find: Find) -> None:
    """A form with numbers in texts cancels each enrolment; ids that stand twice count once."""
    await imports(booked(another(1), another(2, eventId=1)))
    form = {
        **document("cancel-many"),
        "enrolment[eventId]": "1",
        "enrolmentIds[]": ["1", "2", 2],
        "studentIds[]": [1, "2"],
    }

    report = await imports(form)

    assert fates(report) == ["changed"]
    for number in (1, 2):
        assert (await find(Booking, "enrolment", number)).status is BookingStatus.CANCELLED


async def test_the_answer_to_cancelling_several_is_imported(
    imports: Import, find: Find, snapshot: Snapshot
) -> None:
    """As [000] prints it, each element a row: the reason, its message and who cancelled."""
    await imports("students")

    report = await imports("cancelled")
    once = await snapshot()
    again = await imports("cancelled")

    assert [(row.path, row.fate.value) for row in report.rows] == [
        ("$[0]", "changed"),
        ("$[1]", "changed"),
    ]
    for number in (1, 2):
        booking = await find(Booking, "enrolment", number)
        assert booking.status is BookingStatus.CANCELLED
        assert booking.cancel_reason is CancellationReason.OTHER
        assert booking.cancel_message == "Test has been cancelled due to unforeseen circumstances."
        assert booking.cancelled_on_behalf
    assert fates(again) == ["unchanged", "unchanged"]
    assert await snapshot() == once


async def test_an_answer_can_stand_in_an_array_of_documents(imports: Import) -> None:
    """Its rows have their own places; a candidate who cancelled did it not on behalf of another."""
    [first, _] = document("cancelled")

    report = await imports([document("students"), [{**first, "cancelledOnBehalf": False}]])

    assert [row.path for row in report.rows][2:] == ["$[1][0]"]
    assert fates(report)[2:] == ["changed"]


async def test_a_refund_in_an_answer_is_recorded(imports: Import, find: Find, world: World) -> None:
    """A payment that was made is refunded; the reference is the provider's."""
    paid = {"cost": 10, "paymentStatus": "Paid", "stripeReference": "pi_1"}
    await imports(booked(student(payment=paid)))
    [first, _] = document("cancelled")

    await imports([{**first, "stripeRefundId": "re_1", "stripeRefundStatus": "succeeded"}])

    payment = await world.payment((await find(Booking, "enrolment", 1)).id)
    assert (payment.status, payment.refund_reference) == (PaymentStatus.REFUNDED, "re_1")
    assert payment.provider_reference == "pi_1"


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"studentId": 2}, "$[0].enrolmentId", "INVALID_VALUE"),
        ({"enrolmentId": 9}, "$[0].enrolmentId", "NOT_FOUND"),
        ({"cancelledOnBehalf": "yes"}, "$[0].cancelledOnBehalf", "INVALID_VALUE"),
        ({"cancellationReason": None}, "$[0].cancellationReason", "REQUIRED"),
        ({"colour": "red"}, "$[0].colour", "INVALID_VALUE"),
    ],
)
async def test_an_answer_that_cannot_be_is_reported(
    imports: Import, values: dict[str, Any], path: str, code: str
) -> None:
    await imports("students")
    [first, _] = document("cancelled")

    report = await imports([{**first, **values}])

    assert reasons(report) == [(path, code)]


@pytest.mark.parametrize("message", ["", "  ", None])
async def test_a_reason_of_the_site_needs_no_message(
    imports: Import, find: Find, message: str | None
) -> None:
    """The form's reason is the message of OTHER, without a colon after it."""
    await imports("students")
    form = {
        **document("cancel-many"),
        "enrolment[cancellationReason]": "Bored",
        "enrolment[cancellationMessage]": message,
    }

    await imports(form)

    booking = await find(Booking, "enrolment", 2)
    assert (booking.cancel_reason, booking.cancel_message) == (CancellationReason.OTHER, "Bored")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"enrolmentIds[]": ["1", "99"]}, ('$["enrolmentIds[]"][1]', "NOT_FOUND")),
        ({"studentIds[]": ["1"]}, ('$["enrolmentIds[]"][1]', "INVALID_VALUE")),
        ({"enrolment[eventId]": "9"}, ('$["enrolment[eventId]"]', "NOT_FOUND")),
        ({"enrolmentIds[]": []}, ('$["enrolmentIds[]"]', "OUT_OF_RANGE")),
        ({"enrolmentIds[]": ["1", "x"]}, ('$["enrolmentIds[]"][1]', "INVALID_VALUE")),
    ],
)
async def test_several_are_cancelled_or_none(
    imports: Import, snapshot: Snapshot, values: dict[str, Any], expected: tuple[str, str]
) -> None:
    """One that cannot be cancelled keeps all others of its form (S-04)."""
    await imports(booked(another(1), another(2, eventId=1)))
    form = {
        **document("cancel-many"),
        "enrolment[eventId]": "1",
        "enrolmentIds[]": ["1", "2"],
        "studentIds[]": ["1", "2"],
        **values,
    }
    before = await snapshot()

    report = await imports(form)

    assert expected in reasons(report)
    assert await snapshot() == before
