"""The plain fields that commands may set: where each stands in the input, what it may be."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from resolvers import checks
from resolvers.events.listed_texts import LISTED_TEXTS
from resolvers.refusals import Complaints, OutOfRange, Refusal, Required
from resolvers.storage.tables import Event, Organization
from resolvers.values import frozen

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The first and the last instant that an event may have."""

MOST_OF_INT32 = 2**31 - 1

Check = Callable[..., None]


@frozen
class EventField:
    """`path` is what follows `input`; `check` is asked about values that are not null."""

    path: tuple[str, ...]
    check: Check
    nullable: bool = True


def _text(most: int, least: int = 0) -> Check:
    def check(value: str, *path: str) -> None:
        checks.text(value, *path, most=most, least=least)

    return check


def _code(value: str, *path: str) -> None:
    checks.code(value, *path, least=0, most=checks.TEXT)


def _number(least: int, most: int) -> Check:
    def check(value: int, *path: str) -> None:
        checks.number(value, *path, least=least, most=most)

    return check


def _instant(value: datetime, *path: str) -> None:
    """Raises: OutOfRange."""
    if not EARLIEST <= value <= LATEST:
        raise OutOfRange(*path, rule=f"must be from {EARLIEST.year} to {LATEST.year}")


def _hours(value: float, *path: str) -> None:
    """Raises: OutOfRange."""
    if not (math.isfinite(value) and value >= 0):
        raise OutOfRange(*path, rule="must be a number that is not negative")


def _anything(value: object, *path: str) -> None:
    """What the type of the input leaves over is right."""


_TITLE, _LONG, _SHORT = _text(checks.NAME, 1), _text(checks.LONG_TEXT), _text(checks.TEXT)
_CAPACITY, _MINUTES = _number(1, checks.CAPACITY), _number(1, checks.MINUTES)
_INT32 = _number(-MOST_OF_INT32 - 1, MOST_OF_INT32)


def _never_null(*path: str) -> EventField:
    return EventField(path, _anything, nullable=False)


def _distribution() -> Iterator[tuple[str, EventField]]:
    texts = ("code", "process", "status", "errors")
    instants = ("ordered", "expected", "shipped", "tracked")
    path = ("details", "distribution")
    for name in texts:
        yield f"distribution_{name}", EventField((*path, name), _SHORT)
    for name in instants:
        yield f"distribution_{name}", EventField((*path, name), _instant)
    yield "return_shipment_code", EventField((*path, "returnShipmentCode"), _SHORT)
    yield "return_shipment_condition", EventField((*path, "returnShipmentCondition"), _SHORT)
    yield "return_shipment_received", EventField((*path, "returnShipmentReceived"), _instant)


_DETAILS: Mapping[str, Check] = {
    "number": _INT32,
    "eventType": _SHORT,
    "summary": _SHORT,
    "description": _LONG,
    "content": _LONG,
    "classCode": _code,
    "calendarColor": _SHORT,
    "appointmentType": _SHORT,
    "source": _SHORT,
    "creditHours": _hours,
    "venueRoom": _SHORT,
    "venueOfficeIdentifier": _anything,
    "venueCoordinatorIdentifier": _anything,
    "achievementIdentifier": _anything,
    "learnerRegistrationGroupIdentifier": _anything,
    "mandatorySurveyFormIdentifier": _anything,
    "durationQuantity": _number(1, checks.MINUTES),
    "durationUnit": _anything,
    "examStarted": _instant,
    "examScoreWarnings": _SHORT,
    "billingType": _SHORT,
    "registrationFields": _SHORT,
    "registrationLocked": _instant,
    "publicationStatus": _SHORT,
    "publicationErrors": _SHORT,
    "requisitionStatus": _SHORT,
    "schedulingStatus": _SHORT,
}
_DETAIL_FLAGS = (
    "billingCodeEnabled",
    "allowRegistrationWithLink",
    "integrationWithholdDistribution",
    "integrationWithholdGrades",
)


def _details() -> Iterator[tuple[str, EventField]]:
    for name, check in _DETAILS.items():
        yield _column(name), EventField(("details", name), check)
    for name in _DETAIL_FLAGS:
        yield _column(name), _never_null("details", name)


def _column(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


FIELDS: Mapping[str, EventField] = {
    "title": EventField(("title",), _TITLE, nullable=False),
    "kind": _never_null("kind"),
    "start_at": EventField(("start",), _instant),
    "given_end_at": EventField(("end",), _instant),
    "exam_type": EventField(("examType",), _code),
    "exam_format": EventField(("examFormat",), _code),
    "billing_code": EventField(("billingCode",), _code),
    "capacity_maximum": EventField(("capacityMaximum",), _CAPACITY),
    "capacity_minimum": EventField(("capacityMinimum",), _CAPACITY),
    "invigilator_minimum": EventField(("invigilatorMinimum",), _number(0, checks.CAPACITY)),
    "registration_start": EventField(("registrationStart",), _instant),
    "registration_deadline": EventField(("registrationDeadline",), _instant),
    "exam_duration_in_minutes": EventField(("examDurationInMinutes",), _MINUTES),
    "on_demand": _never_null("onDemand"),
    "waitlist_enabled": _never_null("waitlistEnabled"),
    "allow_multiple_registrations": _never_null("allowMultipleRegistrations"),
    "person_code_is_required": _never_null("personCodeIsRequired"),
    "eligibility_configured": _never_null("eligibilityConfigured"),
    **dict(_details()),
    "duration_unit_text": EventField(("details", "durationUnit"), _SHORT),
    **dict(_distribution()),
}
"""Every field by its column. Callers give the end as `given_end_at`; `end_at` follows from it."""


def complaints(
    values: Mapping[str, Any], *, paths: Mapping[str, str], nulls_clear: bool
) -> list[Refusal]:
    """What is wrong with the values of plain fields, in the order of the table.

    `paths` renames fields of the input. Where `nulls_clear`, a null for what may not be null is
    refused; otherwise it means the field's default.
    """
    found: list[Refusal] = []
    for column, field in FIELDS.items():
        if column not in values:
            continue
        path = ("input", paths[column]) if column in paths else ("input", *field.path)
        value = values[column]
        if value is not None:
            found += checks.complaints((field.check, value, *path))
        elif nulls_clear and not field.nullable:
            found.append(Required(*path))
    return found


def in_settings(
    values: Mapping[str, Any],
    settings: Organization,
    complaints: Complaints,
    present: Event | None = None,
) -> dict[str, Any]:
    """The values with exam type, format and billing code as the organization's settings list them.

    A value that the event has at `present` is not checked again. Complaints: those of listed texts.
    """
    read, refused = dict(values), {refusal.path for refusal in complaints.refusals}
    for listed in LISTED_TEXTS:
        text, path = values.get(listed.column), ("input", *FIELDS[listed.column].path)
        unchanged = text == getattr(present, listed.column, None)
        if text and not unchanged and path not in refused:
            read[listed.column] = complaints.of(listed.read, text, settings, *path)
    return read


def path_of_first(columns: Sequence[str], given: Mapping[str, Any]) -> tuple[str, ...]:
    """The path of the first of these fields that the caller sent; of the input if none was."""
    for column in columns:
        if column in given:
            field = FIELDS.get(column)
            return ("input", column) if field is None else ("input", *field.path)
    return ("input",)
