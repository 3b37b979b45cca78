"""Booking rows inserted directly, and functions to read them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.storage import Storage
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Booking
from resolvers.vocabulary import BookingKind, BookingStatus
from tests.resolvers.world import World

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""A morning some weeks after the tests' clock; London is at UTC then."""

Maker = Callable[..., Awaitable[Any]]


def booking_row(**values: Any) -> Any:
    """Return a confirmed booking of an hour at START, with these values replaced."""
    start = values.setdefault("start_at", START)
    end = values.setdefault("end_at", start and start + timedelta(hours=1))
    key = values.setdefault("id", new_key())
    at = datetime(2027, 1, 1, tzinfo=UTC)
    given = {
        "organization_id": UUID(int=1),
        "kind": BookingKind.ENROLMENT,
        "reference": f"ENR-{key.hex}",
        "status": BookingStatus.CONFIRMED,
        "candidate_id": UUID(int=2),
        "time_zone": "Europe/London",
        "local_start": start and start.replace(tzinfo=None),
        "local_end": end and end.replace(tzinfo=None),
        "busy_until_at": end,
        "created_at": at,
        "updated_at": at,
        "created_by_name": "admin",
    }
    return new_row(Booking, **{**given, **values})


@pytest.fixture
def world(storage: Storage, viewer: Any) -> World:
    return World(storage, viewer)


@pytest.fixture
def a_booking(insert: Any, organization_id: UUID) -> Maker:
    """Insert a booking row."""

    async def made(**values: Any) -> Any:
        row = booking_row(organization_id=organization_id, **values)
        return await insert(Booking, **row._asdict())

    return made
