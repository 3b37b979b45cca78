"""The comparison after a fault finds what is lost, what there is twice, and broken invariants."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from resolvers.identity import global_id
from resolvers.vocabulary import BookingStatus, ChangeType
from tests.faults.checking import compare_bookings, compare_log, compare_seats
from tests.faults.load import Booked, Known
from tests.faults.seeding import SEATS

EVENT, OTHER_EVENT, ADA, BOB = (UUID(int=n) for n in range(1, 5))


def booking(number: int, candidate: UUID = ADA, **values: Any) -> SimpleNamespace:
    """A row of a live booking, unless values say otherwise."""
    given = {"status": BookingStatus.CONFIRMED, "event_id": EVENT, "version": 1, **values}
    return SimpleNamespace(id=UUID(int=100 + number), candidate_id=candidate, **given)


def change(position: int, type: ChangeType, booking_id: UUID) -> SimpleNamespace:
    return SimpleNamespace(position=position, booking_type=type, booking_id=booking_id)


def acknowledged(*rows: Any, **values: Any) -> Known:
    """What clients know if they were told of these rows."""
    booked = {
        global_id("Enrolment", row.id): Booked(
            candidate=global_id("Candidate", row.candidate_id),
            event=global_id("Event", row.event_id),
            live=row.status is BookingStatus.CONFIRMED,
        )
        for row in rows
    }
    return Known(bookings=booked, **values)


def test_equal_states_have_no_findings():
    rows = [booking(1), booking(2, status=BookingStatus.CANCELLED, version=2)]
    [one, other] = [row.id for row in rows]
    log = [
        change(1, ChangeType.CREATED, one),
        change(2, ChangeType.CREATED, other),
        change(3, ChangeType.CANCELLED, other),
    ]

    assert compare_bookings(acknowledged(*rows), rows).good
    assert compare_log(rows, log, 3).good
    assert compare_seats(rows, {global_id("Event", EVENT): 1}).good


def test_an_acknowledged_booking_without_a_row_is_lost():
    assert len(compare_bookings(acknowledged(booking(1)), []).lost) == 1


@pytest.mark.parametrize(
    "stored", [booking(1, event_id=OTHER_EVENT), booking(1, status=BookingStatus.CANCELLED)]
)
def test_an_acknowledged_write_that_is_not_stored_is_lost(stored: Any):
    assert len(compare_bookings(acknowledged(booking(1)), [stored]).lost) == 1


def test_a_row_that_was_never_acknowledged_is_a_duplicate():
    rows = [booking(1), booking(2, status=BookingStatus.CANCELLED)]

    assert len(compare_bookings(acknowledged(rows[0]), rows).duplicated) == 1


def test_two_live_bookings_of_a_candidate_are_duplicates():
    rows = [booking(1), booking(2, event_id=OTHER_EVENT)]

    assert len(compare_bookings(acknowledged(*rows), rows).duplicated) == 1


def test_a_candidate_without_an_answer_may_be_in_either_state():
    open_candidate = {global_id("Candidate", BOB)}
    rows = [booking(1, BOB, event_id=OTHER_EVENT), booking(2)]

    known = acknowledged(booking(1, BOB), booking(2), open=open_candidate)

    assert compare_bookings(known, rows).good


def test_a_wrong_answer_breaks_an_invariant():
    assert compare_bookings(Known(wrong_answers=["read too little"]), []).broken


@pytest.mark.parametrize(
    ("positions", "position"), [([1, 3], 3), ([1, 1], 2), ([1, 2], 3), ([2, 3], 3)]
)
def test_a_log_with_gaps_is_broken(positions: list[int], position: int):
    rows = [booking(1), booking(2, BOB)]
    log = [change(at, ChangeType.CREATED, row.id) for at, row in zip(positions, rows, strict=True)]

    assert len(compare_log(rows, log, position).broken) == 1


def test_a_booking_without_its_changes_is_broken():
    rows = [booking(1, version=2)]

    assert len(compare_log(rows, [change(1, ChangeType.CREATED, rows[0].id)], 1).broken) == 1
    assert len(compare_log(rows, [change(1, ChangeType.MOVED, rows[0].id)], 1).broken) == 2


def test_seats_that_differ_from_bookings_are_broken():
    assert compare_seats([booking(1)], {global_id("Event", EVENT): 2}).broken
    assert compare_seats([], {global_id("Event", EVENT): 1}).broken


def test_more_bookings_than_seats_are_broken():
    rows = [booking(number, UUID(int=number)) for number in range(SEATS + 1)]

    findings = compare_seats(rows, {global_id("Event", EVENT): len(rows)})

    assert findings.broken == [
        f"{global_id('Event', EVENT)} has {SEATS + 1} bookings for {SEATS} seats"
    ]
