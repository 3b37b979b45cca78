"""The students' query of [000]: who is made, and what they have booked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from resolvers.storage.tables import (
    Booking,
    Candidate,
    CandidateDepartment,
    Centre,
    Department,
    Event,
    Room,
)
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    EnrolmentResult,
    PaymentStatus,
)
from tests.conftest import SettableClock
from tests.resolvers.sources.conftest import Find, Import, another, booked, fates, reasons, student
from tests.resolvers.world import World


async def test_sanjib_datta_is_student_1(imports: Import, find: Find, world: World) -> None:
    """A student of [000] is a candidate, by the source's number, with the department's number."""
    report = await imports("students")

    candidate = await find(Candidate, "student", 1)
    assert fates(report) == ["made", "made"]
    assert (candidate.first_names, candidate.last_name) == ("Sanjib", "Datta")
    assert candidate.reference == "TestBooking1"
    [link] = await world.rows(CandidateDepartment, "candidate_id", candidate.id)
    department = await find(Department, "department", 1)
    assert (link.department_id, department.name) == (department.id, "1")


async def test_the_enrolment_is_what_the_source_says(
    imports: Import, find: Find, world: World
) -> None:
    """A booking has the source's number, its own time on demand, its room and its payment."""
    await imports("students")

    booking = await find(Booking, "enrolment", 1)
    enrolment, payment = await world.enrolment(booking.id), await world.payment(booking.id)
    assert booking.reference == "ENR-1"
    assert booking.status is BookingStatus.CONFIRMED
    assert booking.local_start == datetime(2024, 8, 28, 8, 15)
    assert booking.start_at == datetime(2024, 8, 28, 7, 15, tzinfo=UTC)
    assert (enrolment.attempt_number, enrolment.result, enrolment.on_demand) == (1, None, True)
    assert payment.reference == UUID("e6a5ec8a-13b9-4b8e-8fce-33c2e021a323")
    assert payment.status is PaymentStatus.NOT_REQUIRED
    assert (await find(Booking, "onDemandBooking", 1)).id == booking.id


async def test_what_only_a_number_names_is_made_once(
    imports: Import, find: Find, world: World
) -> None:
    """Events have their number for a title, rooms too, and 100 seats under IMPORTED."""
    await imports("students")

    event, room = await find(Event, "event", 2), await find(Room, "room", 1)
    [centre] = await world.rows(Centre, "reference", "IMPORTED")
    assert (event.title, event.on_demand, event.start_at) == ("2", True, None)
    assert (room.name, room.capacity, room.centre_id) == ("1", 100, centre.id)
    assert centre.time_zone == "Europe/London"
    assert len(await world.rows(Room, "name", "1")) == 1


async def test_rooms_are_put_under_the_centre_given(
    imports: Import, find: Find, world: World
) -> None:
    """With a centre, rooms are its own and times are told by its clock."""
    centre = await world.centre("NYC", "America/New_York")

    await imports("students", centre="NYC")

    booking = await find(Booking, "enrolment", 1)
    assert booking.centre_id == centre
    assert booking.time_zone == "America/New_York"
    assert booking.start_at == datetime(2024, 8, 28, 12, 15, tzinfo=UTC)
    assert await world.rows(Centre, "reference", "IMPORTED") == []


async def test_a_room_of_that_name_is_the_one_that_is_meant(
    imports: Import, find: Find, world: World
) -> None:
    """A room that the centre has keeps its seats, and gets the source's number."""
    centre = await world.centre("NYC", "America/New_York")
    room = await world.room(centre, "1", capacity=7)

    await imports("students", centre="NYC")

    found = await find(Room, "room", 1)
    assert (found.id, found.capacity) == (room, 7)


async def test_without_an_on_demand_booking_the_date_is_the_events(
    imports: Import, find: Find
) -> None:
    """A bookedDate without onDemandBookingId is the event's start, which all bookings share."""
    fixed = {"onDemandBookingId": None}
    other = another(2, details=fixed, bookedDate="2024-08-28T08:16:00")

    report = await imports(booked(student(details=fixed), other))

    event = await find(Event, "event", 1)
    assert event.start_at == datetime(2024, 8, 28, 7, 15, tzinfo=UTC)
    assert not event.on_demand
    assert reasons(report) == [("$.bookedStudents[1].bookedDate", "INVALID_VALUE")]


@pytest.mark.parametrize(
    ("first", "second", "code"), [(1, None, "REQUIRED"), (None, 2, "INVALID_VALUE")]
)
async def test_an_event_is_on_demand_or_it_is_not(
    imports: Import, first: int | None, second: int | None, code: str
) -> None:
    """Two rows that differ about an event contradict each other: the later one is reported."""
    rows = [
        student(details={"onDemandBookingId": first}),
        another(2, details={"onDemandBookingId": second}),
    ]

    report = await imports(booked(*rows))

    path = "$.bookedStudents[1].enrolmentDetails.onDemandBookingId"
    assert reasons(report) == [(path, code)]


@pytest.mark.parametrize(
    ("status", "given", "expected", "result"),
    [
        ("Booked", None, BookingStatus.CONFIRMED, None),
        ("Booked", 2, BookingStatus.COMPLETED, EnrolmentResult.FAIL),
        ("Completed", 1, BookingStatus.COMPLETED, EnrolmentResult.PASS),
        ("Completed", None, BookingStatus.COMPLETED, None),
        ("Cancelled", None, BookingStatus.CANCELLED, None),
    ],
)
async def test_a_booking_is_made_in_the_state_that_it_has(
    imports: Import,
    find: Find,
    world: World,
    status: str,
    given: int | None,
    expected: BookingStatus,
    result: EnrolmentResult | None,
) -> None:
    """Booked, Completed and Cancelled are recorded as they are, in one CREATED change."""
    await imports(booked(student(details={"status": status, "enrolmentResultType": given})))

    booking = await find(Booking, "enrolment", 1)
    assert booking.status is expected
    assert (await world.enrolment(booking.id)).result is result
    assert await world.booking_changes() == ["CREATED"]
    if expected is BookingStatus.CANCELLED:
        assert booking.cancel_reason is CancellationReason.OTHER
        assert booking.cancel_message == "Cancelled in Surpass Scheduler"


async def test_everything_else_about_an_enrolment_is_kept(
    imports: Import, find: Find, world: World
) -> None:
    """Attempt, appeal, complaint and adjustments are the enrolment's own values.

    So is the image.
    """
    details = {
        "attemptNum": 3,
        "appealUpheld": True,
        "appealDetails": "Noise",
        "complaintDetails": "Heat",
        "reasonableAdjRequests": "Large print",
        "reasonableAdjDecision": "Granted",
    }

    await imports(booked(student(details=details, image="https://example.com/1.jpg")))

    enrolment = await world.enrolment((await find(Booking, "enrolment", 1)).id)
    assert enrolment.attempt_number == 3
    assert enrolment.appeal_upheld
    assert (enrolment.appeal_details, enrolment.complaint_details) == ("Noise", "Heat")
    assert enrolment.reasonable_adjustment_requests == "Large print"
    assert enrolment.reasonable_adjustment_decision == "Granted"
    assert (await find(Candidate, "student", 1)).image_url == "https://example.com/1.jpg"


PAID = {"cost": 45.5, "isPaymentPending": False, "stripeReference": "ch_1", "stripeToken": "tok"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (PAID, PaymentStatus.PAID),
        ({**PAID, "stripeRefundId": "re_1"}, PaymentStatus.REFUNDED),
        ({**PAID, "stripeRefundId": "re_1", "stripeRefundStatus": "failed"}, PaymentStatus.PAID),
        ({**PAID, "paymentStatus": "Waived"}, PaymentStatus.WAIVED),
        ({**PAID, "isPaymentPending": True}, PaymentStatus.PENDING),
    ],
)
async def test_a_payment_is_as_the_model_has_it(
    imports: Import, find: Find, world: World, given: dict[str, Any], expected: PaymentStatus
) -> None:
    """The cost is exact, the provider's reference is kept and its token is not; section 6.2."""
    await imports(booked(student(payment=given)))

    payment = await world.payment((await find(Booking, "enrolment", 1)).id)
    assert payment.status is expected
    assert (payment.cost_amount, payment.cost_currency) == (Decimal("45.5"), "GBP")
    assert (payment.provider, payment.provider_reference) == ("stripe", "ch_1")
    assert payment.refund_reference == given.get("stripeRefundId")
    assert "tok" not in str(payment)


async def test_a_seat_that_the_source_holds_does_not_lapse(
    imports: Import, find: Find, clock: SettableClock
) -> None:
    """Unpaid after its time, a booking is still booked; one that may be paid yet is pending."""
    unpaid = {"cost": 10, "isPaymentPending": True}
    due = (clock.now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    ahead = another(
        2, bookedDate="2027-06-01T10:00:00", payment={**unpaid, "paymentDueBy": due}, eventId=1
    )

    await imports(booked(student(payment=unpaid), ahead))

    assert (await find(Booking, "enrolment", 1)).status is BookingStatus.CONFIRMED
    pending = await find(Booking, "enrolment", 2)
    assert (pending.status, pending.lapses_at) == (
        BookingStatus.PENDING,
        clock.now + timedelta(days=1),
    )


async def test_an_eligible_student_is_a_candidate_without_a_booking(
    imports: Import, find: Find, world: World
) -> None:
    """Of an eligible student the person is imported."""
    person = {"optimeIndex": 9, "id": "E9", "forename": "Ada", "surname": "King", "image": None}

    report = await imports({"bookedStudents": [], "eligibleStudents": [person]})

    assert fates(report) == ["made"]
    assert (await find(Candidate, "student", 9)).last_name == "King"
    assert await world.booking_changes() == []


async def test_a_new_name_is_taken_over(imports: Import, find: Find) -> None:
    """A known student is brought up to date, and the booking stays as it is."""
    await imports("students")

    report = await imports(booked(student(surname="Datta-Roy")))

    assert fates(report) == ["changed"]
    assert (await find(Candidate, "student", 1)).last_name == "Datta-Roy"
    assert (await find(Booking, "enrolment", 1)).version == 1


async def test_a_known_booking_only_goes_forward(imports: Import, find: Find) -> None:
    """Booked here and Completed there becomes Completed; Booked there again changes nothing."""
    await imports("students")

    done = {"status": "Completed", "enrolmentResultType": 1}
    assert fates(await imports(booked(student(details=done)))) == ["changed"]
    assert fates(await imports(booked(student()))) == ["unchanged"]

    assert (await find(Booking, "enrolment", 1)).status is BookingStatus.COMPLETED


async def test_other_external_ids_of_a_candidate_are_kept(
    imports: Import, find: Find, world: World
) -> None:
    """A candidate of that reference is the one that is meant, and keeps what else names it."""
    candidate = await world.candidate("TestBooking1")

    await imports("students")
    await imports(booked(another(7, id="TestBooking7")))

    assert (await find(Candidate, "student", 1)).id == candidate
    assert (await find(Candidate, "student", 7)).reference == "TestBooking7"


@pytest.mark.parametrize("imported", [40, 2_147_483_600, 2_147_483_647])
async def test_numbers_count_on_above_the_imported_ones(
    imports: Import, world: World, imported: int
) -> None:
    """After enrolment 40 the next of our own is ENR-41; the source's largest number stops none."""
    assert fates(await imports(booked(another(imported))))[0] == "made"
    room = await world.room(await world.centre())
    event = await world.event(room=room)

    booking = await world.row(await world.booked(await world.candidate(), event))

    assert booking.reference == f"ENR-{imported + 1}"


async def test_a_number_that_is_taken_is_not_taken_twice(
    imports: Import, find: Find, world: World
) -> None:
    """Where ENR-1 is a booking of ours, the source's enrolment 1 has the next number."""
    room = await world.room(await world.centre())
    own = await world.row(await world.booked(await world.candidate(), await world.event(room=room)))

    await imports("students")

    imported = await find(Booking, "enrolment", 1)
    assert own.reference == "ENR-1"
    assert imported.reference not in {"ENR-1", ""}


async def test_the_importer_is_named_in_the_log(imports: Import, world: World) -> None:
    """Who looks at the history sees that an import did it."""
    await imports("students")

    assert {change.actor_name for change in await world.changes()} == {"import surpass-scheduler"}
