"""The plain fields that commands may set, with their checks."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from resolvers import checks
from resolvers.events.listed_texts import LISTED_TEXTS
from resolvers.refusals import OutOfRange, Refusal, Required, ValidationErrors
from resolvers.storage.tables import Event, Organization
from resolvers.values import frozen

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The first and the last instant that an event may have."""

MOST_OF_INT32 = 2**31 - 1

Check = Callable[..., None]


@frozen
class EventField:
    """A plain field; `check` is called for values that are not null."""

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
    """Accept every value that the input's type accepts."""


_TITLE, _LONG, _SHORT = _text(checks.NAME, 1), _text(checks.LONG_TEXT), _text(checks.TEXT)
_CAPACITY, _MINUTES = _number(1, checks.CAPACITY), _number(1, checks.MINUTES)
_INT32 = _number(-MOST_OF_INT32 - 1, MOST_OF_INT32)


_NEVER_NULL = EventField(_anything, nullable=False)


def _distribution() -> Iterator[tuple[str, EventField]]:
    texts = ("code", "process", "status", "errors")
    instants = ("ordered", "expected", "shipped", "tracked")
    for name in texts:
        yield f"distribution_{name}", EventField(_SHORT)
    for name in instants:
        yield f"distribution_{name}", EventField(_instant)
    yield "return_shipment_code", EventField(_SHORT)
    yield "return_shipment_condition", EventField(_SHORT)
    yield "return_shipment_received", EventField(_instant)


_DETAILS: Mapping[str, Check] = {
    "number": _INT32,
    "event_type": _SHORT,
    "summary": _SHORT,
    "description": _LONG,
    "content": _LONG,
    "class_code": _code,
    "calendar_color": _SHORT,
    "appointment_type": _SHORT,
    "source": _SHORT,
    "credit_hours": _hours,
    "venue_room": _SHORT,
    "venue_office_identifier": _anything,
    "venue_coordinator_identifier": _anything,
    "achievement_identifier": _anything,
    "learner_registration_group_identifier": _anything,
    "mandatory_survey_form_identifier": _anything,
    "duration_quantity": _number(1, checks.MINUTES),
    "duration_unit": _anything,
    "exam_started": _instant,
    "exam_score_warnings": _SHORT,
    "billing_type": _SHORT,
    "registration_fields": _SHORT,
    "registration_locked": _instant,
    "publication_status": _SHORT,
    "publication_errors": _SHORT,
    "requisition_status": _SHORT,
    "scheduling_status": _SHORT,
}
_DETAIL_FLAGS = (
    "billing_code_enabled",
    "allow_registration_with_link",
    "integration_withhold_distribution",
    "integration_withhold_grades",
)


def _details() -> Iterator[tuple[str, EventField]]:
    for column, check in _DETAILS.items():
        yield column, EventField(check)
    for column in _DETAIL_FLAGS:
        yield column, _NEVER_NULL


FIELDS: Mapping[str, EventField] = {
    "title": EventField(_TITLE, nullable=False),
    "kind": _NEVER_NULL,
    "start_at": EventField(_instant),
    "given_end_at": EventField(_instant),
    "exam_type": EventField(_code),
    "exam_format": EventField(_code),
    "billing_code": EventField(_code),
    "capacity_maximum": EventField(_CAPACITY),
    "capacity_minimum": EventField(_CAPACITY),
    "invigilator_minimum": EventField(_number(0, checks.CAPACITY)),
    "registration_start": EventField(_instant),
    "registration_deadline": EventField(_instant),
    "exam_duration_in_minutes": EventField(_MINUTES),
    "on_demand": _NEVER_NULL,
    "waitlist_enabled": _NEVER_NULL,
    "allow_multiple_registrations": _NEVER_NULL,
    "person_code_is_required": _NEVER_NULL,
    "eligibility_configured": _NEVER_NULL,
    **dict(_details()),
    "duration_unit_text": EventField(_SHORT),
    **dict(_distribution()),
}
"""Every field by its column. Callers give the end as `given_end_at`; `end_at` follows from it."""


def violations(values: Mapping[str, Any], *, nulls_clear: bool) -> list[Refusal]:
    """Check the values of plain fields, in the order of the table.

    With `nulls_clear`, a null for a field that is not nullable is refused; otherwise it means the
    field's default.
    """
    found: list[Refusal] = []
    for column, field in FIELDS.items():
        if column not in values:
            continue
        value = values[column]
        if value is not None:
            found += checks.violations((field.check, value, column))
        elif nulls_clear and not field.nullable:
            found.append(Required(column))
    return found


def in_settings(
    values: Mapping[str, Any],
    settings: Organization,
    validation: ValidationErrors,
    present: Event | None = None,
) -> dict[str, Any]:
    """Return the values with exam type, format and billing code in the spelling of the settings.

    A value that equals the one of the `present` event is not checked again. Refusals: those of
    listed texts.
    """
    read, refused = dict(values), {refusal.path for refusal in validation.refusals}
    for listed in LISTED_TEXTS:
        text, path = values.get(listed.column), (listed.column,)
        unchanged = text == getattr(present, listed.column, None)
        if text and not unchanged and path not in refused:
            read[listed.column] = validation.of(listed.read, text, settings, *path)
    return read


def first_of(columns: Sequence[str], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the path of the first of these fields that was sent; empty if none was."""
    return next(((column,) for column in columns if column in given), ())
