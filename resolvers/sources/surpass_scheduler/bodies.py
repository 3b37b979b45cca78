"""The bodies of the source's commands, as printed in [000]: book, assign results, move, cancel."""

from datetime import datetime
from typing import Any

from resolvers import checks
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.sources.surpass_scheduler.payment_models import (
    PaymentModel,
    read_payment,
    read_refund,
)
from resolvers.sources.surpass_scheduler.words import CANCELLED, REASONS, RESOURCES, RESULTS
from resolvers.values import frozen
from resolvers.vocabulary import CancellationReason, EnrolmentResult

MOVE, ENROLMENT = "moveModel[{}]", "moveModel[Enrolment][{}]"
CANCEL = "enrolment[{}]"

NOT_MODELLED = (
    *("enrolmentType", "enrolmentDate", "week", "timeslotId", "duration", "resourceDesc"),
    *("cancelledAddons", "stripePaymentRef", "cost", "departmentId", "resourceIndex"),
)
"""Members of the answer to cancelling several that have no place here, or say nothing new."""


@frozen(kw_only=True)
class BookBody:
    """The body of Book/InRoom."""

    student: int
    event: int
    module: int | None
    room: int | None
    online: bool
    on_demand_time: datetime | None
    payment: PaymentModel


@frozen(kw_only=True)
class ResultBody:
    """One element of the array that assigns results."""

    enrolment: int
    result: EnrolmentResult


@frozen(kw_only=True)
class MoveBody:
    """The form that moves an enrolment. A dry run asks whether it could be moved (C-07)."""

    enrolment: int
    student: int | None
    event: int | None
    room: int | None
    on_demand_time: datetime | None
    from_event: int | None
    from_room: int | None
    from_on_demand_time: datetime | None
    dry_run: bool


@frozen(kw_only=True)
class CancelBody:
    """Cancels one enrolment, or several. `cancelled_at` is a wall time."""

    enrolments: tuple[int, ...]
    students: tuple[int, ...] | None
    event: int | None
    reason: CancellationReason
    message: str | None
    cancelled_at: datetime | None
    several: bool = False
    printed: bool = False  # told by the answer to a cancellation
    on_behalf: bool | None = None
    refund: str | None = None  # the provider's reference of a refund that was made


Body = BookBody | ResultBody | MoveBody | CancelBody


def read_book(value: Any) -> BookBody:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    values: dict[str, Any] = {
        "student": members.whole("studentId", required=True),
        "event": members.whole("eventId", required=True),
        "module": members.whole("moduleId"),
        "room": members.whole("roomId"),
        "online": members.flag("isOnline") or False,
        "on_demand_time": members.wall_time("onDemandBookingTime"),
        "payment": read_payment(members.members("paymentModel")),
    }
    members.close()
    validation.settle()
    return BookBody(**values)


def read_result(value: Any) -> ResultBody:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    values: dict[str, Any] = {
        "enrolment": members.whole("enrolmentId", required=True),
        "result": members.word("enrolmentResultTypeId", RESULTS, required=True),
    }
    members.close()
    validation.settle()
    return ResultBody(**values)


def read_move(value: Any) -> MoveBody:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation, form=True)
    members.flag(MOVE.format("IsMoveEventAction"))
    can_move = members.flag(MOVE.format("CanMove"))
    values: dict[str, Any] = {
        "enrolment": members.whole(ENROLMENT.format("optimeIndex"), required=True),
        "student": members.whole(ENROLMENT.format("studentId")),
        "event": members.whole(ENROLMENT.format("eventId")),
        "room": members.whole(ENROLMENT.format("roomId")),
        "on_demand_time": members.wall_time(MOVE.format("MoveToOnDemandDate")),
        "from_event": members.whole(MOVE.format("MoveFromEventId")),
        "from_room": members.whole(MOVE.format("MoveFromRoomId")),
        "from_on_demand_time": members.wall_time(MOVE.format("MoveFromOnDemandDate")),
        "dry_run": can_move is False,
    }
    members.close()
    validation.settle()
    return MoveBody(**values)


def read_cancel_one(value: Any) -> CancelBody:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    enrolment = members.whole("optimeIndex", required=True)
    student = members.whole("studentId")
    reason = _reason(members, "{}")
    members.close()
    validation.settle()
    assert enrolment is not None
    students = None if student is None else (student,)
    return CancelBody(enrolments=(enrolment,), students=students, event=None, **reason)


def read_cancelled(value: Any) -> CancelBody:
    """An element of the answer to cancelling several; what it says beside the cancellation is read.

    Raises: Refused, with everything that is wrong.
    """
    validation = ValidationErrors()
    members = Members(value, validation)
    student = members.whole("studentId", required=True)
    enrolment = members.whole("enrolmentId", required=True)
    on_behalf = members.flag("cancelledOnBehalf")
    why = _why(members, "{}")
    members.word("enrolmentResource", RESOURCES)
    members.whole("onDemandBookingId")
    members.whole("roomId")
    members.uuid("enrolmentPaymentRef")
    refund, refunded = read_refund(members)
    members.ignore(*NOT_MODELLED)
    members.close()
    validation.settle()
    assert enrolment is not None
    assert student is not None
    return CancelBody(
        enrolments=(enrolment,),
        students=(student,),
        event=None,
        cancelled_at=None,
        printed=True,
        on_behalf=on_behalf,
        refund=refund if refunded else None,
        **why,
    )


def read_cancel_many(value: Any) -> CancelBody:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation, form=True)
    event = members.whole(CANCEL.format("eventId"))
    enrolments = members.wholes("enrolmentIds[]", least=1, most=checks.BATCH)
    students = members.wholes("studentIds[]", most=checks.BATCH)
    reason = _reason(members, CANCEL)
    members.close()
    validation.settle()
    return CancelBody(
        enrolments=tuple(dict.fromkeys(enrolments or ())),
        students=None if students is None else tuple(dict.fromkeys(students)),
        event=event,
        several=True,
        **reason,
    )


def _reason(members: Members, key: str) -> dict[str, Any]:
    """Why and when."""
    members.word(key.format("bookingResource"), RESOURCES)
    members.word(key.format("status"), CANCELLED, required=True)
    cancelled_at = members.wall_time(key.format("cancellationDate"), separator=" ")
    return {**_why(members, key), "cancelled_at": cancelled_at}


def _why(members: Members, key: str) -> dict[str, Any]:
    """The reason; one of the site's own is OTHER with its text (S-03)."""
    text = members.text(
        key.format("cancellationReason"), least=1, most=checks.REASON, required=True
    )
    message = members.text(key.format("cancellationMessage"), most=checks.REASON)
    if text is not None and text not in REASONS:
        message = f"{text}: {message}" if (message or "").strip() else text
    return {"reason": REASONS.get(text or "", CancellationReason.OTHER), "message": message}
