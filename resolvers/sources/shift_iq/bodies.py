"""The bodies of the source's commands, as printed in [002], beside what its addresses have.

`{"registration": UUID, "command": "register-lax", "body": {...}}`, for events with `"event"` in
place of `"registration"`: both are names in the source's addresses, whose last word the command is;
for the address of an event alone it is `add`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from resolvers import checks
from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.refusals import ValidationErrors
from resolvers.registrations.commands import LaxEvent
from resolvers.sources.members import NIL, Members
from resolvers.sources.shift_iq.events import EventDocument, check_values
from resolvers.sources.shift_iq.words import V1
from resolvers.sources.steps import Names
from resolvers.values import frozen

EVENT, REGISTRATION, COMMAND, BODY = "event", "registration", "command", "body"
DELETE: Final = "delete"
"""The one command without a body."""

OF_EVENT_BODY: Final[Names] = {
    "event": (EVENT,),
    "identifier": (EVENT,),
    "external_ids": (EVENT,),
    "reason": (BODY, "Reason"),
    "centre": (BODY, "EventVenue"),
    "start_at": (BODY, "EventStart"),
    "exam_type": (BODY, "EventExamType"),
    "exam_format": (BODY, "EventExamFormat"),
    "billing_code": (BODY, "EventBillingCode"),
    "capacity_maximum": (BODY, "RegistrationLimit"),
}
OF_REGISTRATION_BODY: Final[Names] = {
    "registration": (REGISTRATION,),
    "booking": (REGISTRATION,),
    "external_ids": (REGISTRATION,),
    "target": (BODY,),
    "centre": (BODY, "EventVenue"),
    "start": (BODY, "EventStart"),
    "exam_type": (BODY, "EventExamType"),
    "exam_format": (BODY, "EventExamFormat"),
    "billing_code": (BODY, "EventBillingCode"),
    "candidate": (BODY, "Learner"),
    "registrant_type": (BODY, "LearnerRegistrantType"),
    "test_form": (BODY, "Assessment"),
    "accommodations": (BODY, "Accommodations"),
    "type": (BODY, "Type"),
    "name": (BODY, "Name"),
    "time_extension_minutes": (BODY, "TimeExtension"),
    "reason": (BODY, "Reason"),
    "message": (BODY, "Reason"),
}
"""Where each body has what the commands call so."""


@frozen
class AddEvent:
    """Add an event."""

    document: EventDocument


@frozen
class CancelEvent:
    """Cancel an event."""

    event: UUID
    reason: str | None


@frozen(kw_only=True)
class RegisterLax:
    """Register a learner at a place and time."""

    registration: UUID
    event: LaxEvent
    learner: UUID | None
    registrant_type: str | None
    assessment: str | None
    accommodations: tuple[InitialAccommodation, ...]


@frozen(kw_only=True)
class TransferLax:
    """Transfer a registration to a place and time."""

    registration: UUID
    event: LaxEvent
    learner: UUID | None
    reason: str


@frozen
class CancelRegistration:
    """Cancel a registration."""

    registration: UUID
    reason: str


@frozen
class AssignAssessment:
    """Assign another test form, by its code."""

    registration: UUID
    assessment: str


@frozen
class Grant:
    """Grant an accommodation."""

    registration: UUID
    terms: InitialAccommodation


@frozen
class Revoke:
    """Revoke the accommodation of a type."""

    registration: UUID
    type: str


@frozen
class Delete:
    """Delete a registration."""

    registration: UUID


Body = (
    AddEvent
    | CancelEvent
    | RegisterLax
    | TransferLax
    | CancelRegistration
    | AssignAssessment
    | Grant
    | Revoke
    | Delete
)
Make = Callable[[UUID], Body]


def read_command(value: Any) -> Body:
    """Raises: Refused, with everything that is wrong."""
    validation = ValidationErrors()
    members = Members(value, validation)
    about = EVENT if members.has(EVENT) else REGISTRATION
    subject = members.uuid(about, required=True, nil_is_missing=True)
    if about == EVENT and members.has(REGISTRATION):
        members.refuse(EVENT, "must be left out beside a registration")
        members.ignore(REGISTRATION)
    read = members.word(COMMAND, READERS[about], required=True)
    has_none = read is _delete
    body = members.members(BODY, required=read is not None and not has_none)
    if body is None and has_none:
        body = Members({}, validation)
    made = None
    if read is not None and body is not None:
        made = read(body)(subject or NIL)
        body.close()
    members.close()
    if isinstance(made, AddEvent):
        check_values(made.document.values, OF_EVENT_BODY, validation)
    validation.settle()
    assert made is not None
    return made


def _add(body: Members) -> Make:
    """Each of its members is optional, and a null is as good as none."""
    values = {
        "centre": body.uuid("EventVenue", nil_is_missing=True),
        "start_at": body.instant("EventStart"),
        "exam_type": body.text("EventExamType", most=checks.LONG_TEXT),
        "exam_format": body.text("EventExamFormat", most=checks.LONG_TEXT),
        "billing_code": body.text("EventBillingCode", most=checks.LONG_TEXT),
        "capacity_maximum": body.integer("RegistrationLimit"),
    }
    return lambda event: AddEvent(
        EventDocument(identifier=event, values=values, system=V1, names=OF_EVENT_BODY)
    )


def _cancel_event(body: Members) -> Make:
    reason = body.text("Reason", least=1, most=checks.REASON)
    return lambda event: CancelEvent(event, reason)


def _register(body: Members) -> Make:
    event = _lax_event(body, format_and_code=True)
    values: dict[str, Any] = {
        "learner": body.uuid("Learner", nil_is_missing=True),
        "registrant_type": body.text("LearnerRegistrantType", most=checks.LONG_TEXT),
        "assessment": body.text("Assessment", most=checks.LONG_TEXT),
        "accommodations": _accommodations(body),
    }
    return lambda registration: RegisterLax(registration=registration, event=event, **values)


def _transfer(body: Members) -> Make:
    event = _lax_event(body)
    learner = body.uuid("Learner", nil_is_missing=True)
    reason = body.text("Reason", least=1, most=checks.REASON, required=True)
    return lambda registration: TransferLax(
        registration=registration, event=event, learner=learner, reason=reason or ""
    )


def _cancel(body: Members) -> Make:
    reason = body.text("Reason", least=1, most=checks.REASON, required=True)
    return lambda registration: CancelRegistration(registration, reason or "")


def _change_assessment(body: Members) -> Make:
    code = body.text("Assessment", most=checks.LONG_TEXT, required=True)
    return lambda registration: AssignAssessment(registration, code or "")


def _grant(body: Members) -> Make:
    terms = _terms(body)
    return lambda registration: Grant(registration, terms)


def _revoke(body: Members) -> Make:
    type_name = body.text("Type", most=checks.LONG_TEXT)
    return lambda registration: Revoke(registration, type_name or "")


def _delete(body: Members) -> Make:
    return Delete


def _lax_event(body: Members, *, format_and_code: bool = False) -> LaxEvent:
    """The start is a text, which the command reads: it has its own message for a wrong one."""
    values: dict[str, Any] = {}
    if format_and_code:
        values["exam_format"] = body.text("EventExamFormat", most=checks.LONG_TEXT)
        values["billing_code"] = body.text("EventBillingCode", most=checks.LONG_TEXT)
    return LaxEvent(
        centre=body.uuid("EventVenue", nil_is_missing=True),
        start=body.text("EventStart", most=checks.LONG_TEXT),
        exam_type=body.text("EventExamType", most=checks.LONG_TEXT),
        **values,
    )


def _accommodations(body: Members) -> tuple[InitialAccommodation, ...]:
    elements = body.several("Accommodations", most=checks.PLAIN_LIST) or []
    granted = tuple(_terms(element) for element in elements)
    for element in elements:
        element.close()
    return granted


def _terms(members: Members) -> InitialAccommodation:
    return InitialAccommodation(
        type=members.text("Type", most=checks.LONG_TEXT),
        name=members.text("Name", most=checks.LONG_TEXT),
        time_extension_minutes=members.integer("TimeExtension"),
    )


READERS: Final[Mapping[str, Mapping[str, Callable[[Members], Make]]]] = {
    EVENT: {"add": _add, "cancel": _cancel_event},
    REGISTRATION: {
        "register-lax": _register,
        "transfer-lax": _transfer,
        "cancel": _cancel,
        "change-assessment": _change_assessment,
        "grant-accommodation": _grant,
        "revoke-accommodation": _revoke,
        DELETE: _delete,
    },
}
"""By what the command is about, and its name: how its body is read."""
