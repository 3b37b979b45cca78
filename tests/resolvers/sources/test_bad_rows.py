"""What is wrong in a document is reported with its place and its reason, and stops nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.rows import changed
from resolvers.storage.tables import Room
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

ROW = "$.bookedStudents[0]"
DETAILS = f"{ROW}.enrolmentDetails"
PAYMENT = f"{DETAILS}.paymentModel"


async def test_a_bad_row_does_not_stop_the_others(imports: Import) -> None:
    """Of three students the one in the middle is reported, and the other two are imported."""
    report = await imports(booked(another(1), another(2, forename=""), another(3)))

    assert fates(report) == ["made", "refused", "made"]
    [row] = report.refused
    assert (row.number, row.path) == (2, "$.bookedStudents[1]")
    [reason] = row.reasons
    assert (reason.path, reason.code) == ("$.bookedStudents[1].forename", "STRING_LENGTH")
    assert reason.message == "'forename' must be between 1 and 200 characters"


BAD_STUDENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"optimeIndex": None}, f"{ROW}.optimeIndex", "REQUIRED"),
    ({"optimeIndex": "1"}, f"{ROW}.optimeIndex", "INVALID_VALUE"),
    ({"optimeIndex": True}, f"{ROW}.optimeIndex", "INVALID_VALUE"),
    ({"optimeIndex": 1.5}, f"{ROW}.optimeIndex", "INVALID_VALUE"),
    ({"optimeIndex": 0}, f"{ROW}.optimeIndex", "OUT_OF_RANGE"),
    ({"optimeIndex": 2**31}, f"{ROW}.optimeIndex", "OUT_OF_RANGE"),
    ({"optimeIndex": 2}, f"{DETAILS}.studentId", "INVALID_VALUE"),
    ({"id": "x" * 51}, f"{ROW}.id", "STRING_LENGTH"),
    ({"id": 7}, f"{ROW}.id", "INVALID_VALUE"),
    ({"id": "\0"}, f"{ROW}.id", "INVALID_VALUE"),
    ({"surname": "\ud800"}, f"{ROW}.surname", "INVALID_VALUE"),
    ({"surname": None}, f"{ROW}.surname", "REQUIRED"),
    ({"image": "photo.jpg"}, f"{ROW}.image", "INVALID_VALUE"),
    ({"departmentIds": 1}, f"{ROW}.departmentIds", "INVALID_VALUE"),
    ({"departmentIds": [1, "x"]}, f"{ROW}.departmentIds[1]", "INVALID_VALUE"),
    ({"departmentIds": [None]}, f"{ROW}.departmentIds[0]", "INVALID_VALUE"),
    ({"departmentIds": list(range(1, 502))}, f"{ROW}.departmentIds", "OUT_OF_RANGE"),
    ({"eventId": None}, f"{ROW}.eventId", "REQUIRED"),
    ({"eventId": 2}, f"{DETAILS}.eventId", "INVALID_VALUE"),
    ({"roomId": []}, f"{ROW}.roomId", "INVALID_VALUE"),
    ({"bookedDate": "2024-08-28 08:15:00"}, f"{ROW}.bookedDate", "INVALID_VALUE"),
    ({"bookedDate": "2024-08-28T08:15:00Z"}, f"{ROW}.bookedDate", "INVALID_VALUE"),
    ({"bookedDate": "2024-02-30T08:15:00"}, f"{ROW}.bookedDate", "INVALID_VALUE"),
    ({"bookedDate": "0001-01-01T00:00:00"}, f"{ROW}.bookedDate", "OUT_OF_RANGE"),
    ({"bookedDate": "2024-03-31T01:30:00"}, f"{ROW}.bookedDate", "OUT_OF_RANGE"),
    ({"enrolmentDetails": None}, DETAILS, "REQUIRED"),
    ({"enrolmentDetails": "none"}, DETAILS, "INVALID_VALUE"),
    ({"nickname": "Sanj"}, f"{ROW}.nickname", "INVALID_VALUE"),
    ({"details": {"optimeIndex": None}}, f"{DETAILS}.optimeIndex", "REQUIRED"),
    ({"details": {"optimeIndex": 2**31}}, f"{DETAILS}.optimeIndex", "OUT_OF_RANGE"),
    ({"details": {"status": "booked"}}, f"{DETAILS}.status", "INVALID_VALUE"),
    ({"details": {"status": ["Booked"]}}, f"{DETAILS}.status", "INVALID_VALUE"),
    ({"details": {"attemptNum": 0}}, f"{DETAILS}.attemptNum", "OUT_OF_RANGE"),
    ({"details": {"enrolmentResultType": 3}}, f"{DETAILS}.enrolmentResultType", "INVALID_VALUE"),
    ({"details": {"enrolmentResultType": True}}, f"{DETAILS}.enrolmentResultType", "INVALID_VALUE"),
    ({"details": {"appealUpheld": "false"}}, f"{DETAILS}.appealUpheld", "INVALID_VALUE"),
    ({"details": {"appealDetails": "x" * 4001}}, f"{DETAILS}.appealDetails", "STRING_LENGTH"),
    ({"details": {"note": 1}}, f"{DETAILS}.note", "INVALID_VALUE"),
    ({"payment": {"paymentStatus": "paid"}}, f"{PAYMENT}.paymentStatus", "INVALID_VALUE"),
    ({"payment": {"paymentReference": "x"}}, f"{PAYMENT}.paymentReference", "INVALID_VALUE"),
    ({"payment": {"paymentReference": 5}}, f"{PAYMENT}.paymentReference", "INVALID_VALUE"),
    ({"payment": {"paymentUrl": "ftp://x"}}, f"{PAYMENT}.paymentUrl", "INVALID_VALUE"),
    ({"payment": {"cost": -1}}, f"{PAYMENT}.cost", "OUT_OF_RANGE"),
    ({"payment": {"cost": 10.005}}, f"{PAYMENT}.cost", "OUT_OF_RANGE"),
    ({"payment": {"cost": 0.00001}}, f"{PAYMENT}.cost", "OUT_OF_RANGE"),
    ({"payment": {"cost": "10"}}, f"{PAYMENT}.cost", "INVALID_VALUE"),
    ({"payment": {"isPaymentPending": 1}}, f"{PAYMENT}.isPaymentPending", "INVALID_VALUE"),
    ({"payment": {"cardNumber": "4111"}}, f"{PAYMENT}.cardNumber", "INVALID_VALUE"),
]


@pytest.mark.parametrize(("values", "path", "code"), BAD_STUDENTS)
async def test_every_wrong_value_is_reported(
    imports: Import, snapshot: Snapshot, values: dict[str, Any], path: str, code: str
) -> None:
    """A student with one wrong value is refused with its path and reason, and nothing stays."""
    before = await snapshot()

    report = await imports(booked(student(**values)))

    assert reasons(report) == [(path, code)]
    assert await snapshot() == before


async def test_everything_that_is_wrong_is_told_at_once(imports: Import) -> None:
    """A row's mistakes come together, in the order of the document's description."""
    report = await imports(booked(student(id="", bookedDate="soon", details={"status": "?"})))

    assert [path for path, _ in reasons(report)] == [
        f"{ROW}.id",
        f"{ROW}.bookedDate",
        f"{DETAILS}.status",
    ]


async def test_nothing_is_half_imported(imports: Import, snapshot: Snapshot) -> None:
    """A booking that a rule refuses leaves no candidate, room, event or number behind either."""
    await imports("students")
    before = await snapshot()
    # the same payment: found only after candidate, departments, event and room are made
    row = another(9, departmentIds=[5, 6], eventId=9, roomId=9, details={"eventId": 9})
    taken = "e6a5ec8a-13b9-4b8e-8fce-33c2e021a323"
    row["enrolmentDetails"]["paymentModel"]["paymentReference"] = taken

    report = await imports(booked(row))

    assert reasons(report) == [(f"{PAYMENT}.paymentReference", "ALREADY_EXISTS")]
    assert await snapshot() == before


async def test_rules_that_are_not_about_now_hold(imports: Import) -> None:
    """A second seat in another room at the same time is a conflict, also long ago."""
    await imports("students")
    row = another(
        8,
        optimeIndex=1,
        id="TestBooking1",
        eventId=3,
        roomId=2,
        details={"studentId": 1, "eventId": 3},
    )

    report = await imports(booked(row))

    assert [code for _, code in reasons(report)] == ["CANDIDATE_TIME_CONFLICT"]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"id": "Other"}, f"{ROW}.optimeIndex"),
        ({"details": {"optimeIndex": 2}}, f"{DETAILS}.optimeIndex"),
    ],
)
async def test_a_number_is_one_objects(imports: Import, values: dict[str, Any], path: str) -> None:
    """A known number under another reference, or another student's enrolment, is reported."""
    await imports("students")

    report = await imports(booked(student(**values)))

    assert [where for where, _ in reasons(report)] == [path]


async def test_a_room_is_not_overbooked_in_the_past(
    imports: Import, find: Find, storage: Storage
) -> None:
    """On-demand times have no event's time, and the room's seats count at them all the same."""
    await imports(booked(student()))
    room = await find(Room, "room", 1)

    def with_one_seat(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
        work.save(Room, [(room, changed(room, capacity=1))])
        return [Outcome(room.id)]

    await storage.write(with_one_seat, [None])

    same = await imports(booked(another(2)))
    later = await imports(booked(another(2, bookedDate="2024-08-28T18:15:00")))

    assert [code for _, code in reasons(same)] == ["ROOM_FULL"]
    assert reasons(later) == []


async def test_an_on_demand_booking_is_one_enrolments(imports: Import) -> None:
    """The number of an on-demand booking cannot be two enrolments'."""
    await imports("students")

    report = await imports(booked(another(3, details={"onDemandBookingId": 1})))

    assert reasons(report) == [(f"{DETAILS}.onDemandBookingId", "ALREADY_EXISTS")]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "$"),
        ("students", "$"),
        (7, "$"),
        ([None], "$[0]"),
        ([{"status": "Cancelled"}], "$[0]"),
        ({"bookedStudents": None}, "$.bookedStudents"),
        ({"bookedStudents": [], "students": []}, "$.students"),
        ({"bookedStudents": [7]}, "$.bookedStudents[0]"),
        ({"eventId": 1, "studentId": 1, "seat": 4}, "$.seat"),
        ([{"enrolmentId": 1, "enrolmentResultTypeId": 1, "by": "me"}], "$[0].by"),
        ([[{"enrolmentId": 1}]], "$[0][0].enrolmentResultTypeId"),
        ({"moveModel[CanMove]": "yes", "moveModel[Enrolment][optimeIndex]": "1"}, None),
        ({"enrolment[status]": "Cancelled", "enrolmentIds[]": "1"}, '$["enrolmentIds[]"]'),
    ],
)
async def test_what_is_no_document_is_reported(
    imports: Import, given: Any, path: str | None
) -> None:
    """A value that is none of the documents, or has members that none has, is a refused row."""
    value = given if given != "students" else "a text"

    report = await imports([value] if value == "a text" else value)

    where = [place for place, _ in reasons(report)]
    if value == "a text":
        assert where == ["$[0]"]
    elif path is None:
        assert where == ['$["moveModel[CanMove]"]']
    else:
        assert path in where


async def test_a_result_among_documents_is_no_document(imports: Import) -> None:
    """An array with a document in it is an array of documents: a bare result there is reported."""
    bare = {"enrolmentId": 1, "enrolmentResultTypeId": 2}

    report = await imports([document("students"), bare])

    assert fates(report) == ["made", "made", "refused"]
    assert reasons(report) == [("$[1]", "INVALID_VALUE")]


@pytest.mark.parametrize("value", ["1 0", "-1", "1.0", "99999999999999999999", "\u0661"])
async def test_digits_in_a_form_are_digits(imports: Import, value: str) -> None:
    """A number in form data is digits in a text, and nothing else."""
    form = {**document("move"), "moveModel[Enrolment][roomId]": value}

    report = await imports(form)

    assert [path for path, _ in reasons(report)] == ['$["moveModel[Enrolment][roomId]"]']
