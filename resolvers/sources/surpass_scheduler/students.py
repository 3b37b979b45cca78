"""The answer of the students' query: booked and eligible students, as printed in [000]."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from resolvers import checks
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.sources.surpass_scheduler.payment_models import PaymentModel, read_payment
from resolvers.sources.surpass_scheduler.words import RESULTS, STATUSES
from resolvers.values import frozen
from resolvers.vocabulary import BookingStatus, EnrolmentResult


@frozen(kw_only=True)
class EnrolmentDetails:
    """A booking of a student's. Without a room it is online; `booked_date` is a wall time."""

    number: int
    event: int
    room: int | None
    booked_date: datetime
    on_demand_booking: int | None
    status: BookingStatus
    result: EnrolmentResult | None
    attempt: int | None
    payment: PaymentModel
    texts: Mapping[str, Any] = field(default_factory=dict)  # columns of `enrolment`


@frozen(kw_only=True)
class Student:
    """A candidate, and the booking if it is a booked one."""

    number: int
    reference: str
    forename: str
    surname: str
    image: str | None
    departments: tuple[int, ...] | None
    enrolment: EnrolmentDetails | None


def read_booked(value: Any) -> Student:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    student = _student(members)
    event, room = members.whole("eventId", required=True), members.whole("roomId")
    booked_date = members.wall_time("bookedDate", required=True)
    details = members.members("enrolmentDetails", required=True)
    if details is not None:
        _require_same(details, "eventId", event, "is not the student's eventId")
        number = student["number"]
        _require_same(details, "studentId", number, "is not the student's optimeIndex")
    values = None if details is None else _details(details)
    members.close()
    validation.settle()
    assert values is not None
    place: dict[str, Any] = {"event": event, "room": room, "booked_date": booked_date}
    return Student(**student, enrolment=EnrolmentDetails(**values, **place))


def read_eligible(value: Any) -> Student:
    """A student without a booking; the source does not print one, so it is read as a booked one.

    Raises: Refused, with everything that is wrong.
    """
    validation = ValidationErrors()
    members = Members(value, validation)
    student = _student(members)
    members.whole("eventId")
    for name in ("roomId", "bookedDate", "enrolmentDetails"):
        members.none(name)
    members.close()
    validation.settle()
    return Student(**student, enrolment=None)


def _student(members: Members) -> dict[str, Any]:
    return {
        "number": members.whole("optimeIndex", required=True),
        "reference": members.code("id", required=True),
        "forename": members.text("forename", least=1, most=checks.NAME, required=True),
        "surname": members.text("surname", least=1, most=checks.NAME, required=True),
        "image": members.url("image"),
        "departments": members.wholes("departmentIds", most=checks.PLAIN_LIST),
    }


def _require_same(details: Members, name: str, other: int | None, rule: str) -> None:
    """What is said twice is said alike."""
    number = details.whole(name)
    if None not in {number, other} and number != other:
        details.refuse(name, rule)


def _details(members: Members) -> dict[str, Any]:
    """What the details say beside the event and the student."""
    values = {
        "number": members.whole("optimeIndex", required=True),
        "status": members.word("status", STATUSES, required=True),
        "attempt": members.whole("attemptNum"),
        "result": members.word("enrolmentResultType", RESULTS),
        "payment": read_payment(members.members("paymentModel")),
        "on_demand_booking": members.whole("onDemandBookingId"),
        "texts": {
            "appeal_upheld": members.flag("appealUpheld") or False,
            "appeal_details": members.text("appealDetails", most=checks.TEXT),
            "complaint_details": members.text("complaintDetails", most=checks.TEXT),
            "reasonable_adjustment_requests": members.text(
                "reasonableAdjRequests", most=checks.TEXT
            ),
            "reasonable_adjustment_decision": members.text(
                "reasonableAdjDecision", most=checks.TEXT
            ),
        },
    }
    members.close()
    return values
