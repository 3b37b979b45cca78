"""A refusal stored under an idempotency key returns the same fields when repeated."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers import refusals
from resolvers.kept_refusals import refused_from_json, refused_to_json
from resolvers.refusals import Refusal, Refused
from resolvers.registrations.refusals import RegistrationNotFound
from resolvers.test_schedules.refusals import PurchaseOrderRequired
from resolvers.vocabulary import (
    AccessScope,
    BookingAction,
    BookingStatus,
    EventStatus,
    Permission,
)
from schema.grammar.errors import ERROR_TYPES, error_of

PATH = ("input", "bookingIds", "3")
REFUSALS = [
    refusals.Required(*PATH),
    refusals.WrongLength(*PATH, min_length=1, max_length=50),
    refusals.Invalid(*PATH, rule="is not one of ours", allowed=["a", "b"]),
    refusals.OutOfRange(*PATH, rule="must be from 1 to 2"),
    refusals.IdempotencyKeyReused(*PATH),
    PurchaseOrderRequired(*PATH),
    refusals.NotFoundRefusal(*PATH, object_type="Booking", identifier="ENR-7"),
    refusals.EventNotFound(*PATH, object_type="Event"),
    RegistrationNotFound(*PATH, object_type="Registration", identifier="x"),
    refusals.EventFull(*PATH, capacity=3, taken=4),
    refusals.DuplicateBooking(*PATH, conflicting=[uuid4(), uuid4()]),
    refusals.IllegalState(
        *PATH,
        version=7,
        status=BookingStatus.CANCELLED,
        booking=UUID(int=5),
        allowed=[BookingAction.CANCEL, BookingAction.MOVE],
    ),
    refusals.StaleBooking(*PATH, version=7, event_status=EventStatus.CANCELLED),
    refusals.OutsideRegistrationWindow(*PATH),
    refusals.CancellationClosed(*PATH, deadline=datetime(2027, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
    refusals.ResitTooEarly(*PATH),
    refusals.PermissionRefusal(*PATH, required=Permission.CANCEL),
    refusals.PermissionRefusal(*PATH, required=Permission.CANCEL, missing_scope=AccessScope.CENTRE),
]


def shown(refusal: Refusal) -> dict[str, Any]:
    """All attributes from which an error resolves its fields."""
    error: Any = error_of(refusal)
    fields = type(error).__strawberry_definition__.fields
    values = {
        field.python_name: field.base_resolver.wrapped_func(error)
        for field in fields
        if field.python_name
        not in {"conflicting", "overridable_with", "booking"}  # These require a viewer.
    }
    facts = {name: getattr(refusal, name, None) for name in ("conflicting", "override", "booking")}
    return {**values, **facts, "type": type(error)}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_kept_refusal_shows_the_same(refusal: Refusal):
    text = json.dumps(refused_to_json(Refused([refusal])))

    [kept] = refused_from_json(json.loads(text)).refusals

    assert shown(kept) == shown(refusal)
    assert str(kept) == str(refusal)


def test_every_type_of_error_is_kept():
    assert {type(error_of(refusal)) for refusal in REFUSALS} == set(ERROR_TYPES)
