"""Cancelling events with their bookings; domain.md, sections 3.2, 8.2 and S-08."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage.tables import Event, Subject
from resolvers.viewer import Scope
from resolvers.vocabulary import BookingStatus, CancellationReason, EventStatus, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, cancelling, in_role, places, resulting
from tests.resolvers.world import World, codes

UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")


def cancelling_event(world: World, event: UUID, **values: Any) -> CancelEvent:
    given = {"viewer": world.viewer, "event": ByKey(event), "reason": "Flood", **values}
    return CancelEvent(**given)


async def cancelled(world: World, event: UUID, **values: Any) -> Outcome | Refused:
    return await world.one(cancel_events, cancelling_event(world, event, **values))


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(centre=centre, room=room)


async def the_event(world: World, event: UUID) -> Event:
    [row] = await world.rows(Event, "id", event)
    assert row.id == event
    found: Event = row
    return found


async def test_its_live_bookings_are_cancelled_with_it(world: World, event: UUID) -> None:
    """Booked and unpaid bookings get the reason EVENT_CANCELLED and one change each; the others
    stay.
    """
    one, two, three, four = await world.candidates(4)
    booked, unpaid = await world.booked(one, event), await world.booked(two, event, payment=UNPAID)
    completed, gone = await world.booked(three, event), await world.booked(four, event)
    await world.made(assign_results, resulting(world, completed))
    await world.made(cancel, cancelling(world, gone))

    result = await cancelled(world, event, origin=Origin(source="desk"))

    rows = [await world.row(key) for key in (booked, unpaid, completed, gone)]
    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 2
    assert [row.cancel_reason for row in rows] == [
        CancellationReason.EVENT_CANCELLED,
        CancellationReason.EVENT_CANCELLED,
        None,
        CancellationReason.ILLNESS,
    ]
    assert [row.version for row in rows] == [2, 2, 2, 2]
    assert rows[0].cancel_message == "Flood"
    assert rows[1].lapses_at is None
    changes = (await world.changes())[-3:]
    assert [(c.event_type, c.booking_type) for c in changes] == [
        ("CANCELLED", None),
        (None, "CANCELLED"),
        (None, "CANCELLED"),
    ]
    assert {(c.reason, c.origin["source"]) for c in changes} == {("Flood", "desk")}


async def test_the_event_is_cancelled_and_takes_no_more_bookings(
    world: World, event: UUID, candidate: UUID
) -> None:
    """The event's version increases, its change has the new state, and bookings are refused."""
    await world.made(cancel_events, cancelling_event(world, event))

    row, change = await the_event(world, event), (await world.changes())[-1]

    assert (row.cancel_message, row.version) == ("Flood", 2)
    assert (row.last_change_type, row.last_change_user) == ("Cancelled", "admin")
    assert (change.changed_fields, change.version) == (["cancellation"], 2)
    assert change.before == {"cancellation": None}
    assert change.after["cancellation"]["message"] == "Flood"
    assert codes(await world.book(candidate, event)) == ["REGISTRATION_CLOSED"]


async def test_bookings_may_be_left_as_they_are(world: World, event: UUID, candidate: UUID) -> None:
    """On request only the event changes, and its bookings can be cancelled or moved
    individually.
    """
    booked = await world.booked(candidate, event)

    result = await cancelled(world, event, cancel_bookings=False)

    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 0
    assert (await world.row(booked)).version == 1
    assert codes(await world.one(cancel, cancelling(world, booked))) == []


async def test_cancelling_again_changes_nothing(world: World, event: UUID, candidate: UUID) -> None:
    """A repeat changes nothing, in the same batch too."""
    await world.booked(candidate, event)
    command = cancelling_event(world, event)

    first, second = await world.storage.write(cancel_events, [command, command])

    assert isinstance(first, Outcome)
    assert isinstance(second, Outcome)
    assert (first.facts["affectedBookings"], second.facts["affectedBookings"]) == (1, 0)
    assert (first.changed, second.changed) == (True, False)
    assert (await the_event(world, event)).version == 2


async def test_the_cut_off_of_cancelling_does_not_hold(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """The cut-off protects the organizer, who cancels here."""
    minutes = 60 * 24 * 7
    await world.made(
        update_settings, UpdateSettings(viewer=world.viewer, cancel_cut_off_minutes=minutes)
    )
    booked = await world.booked(candidate, event)

    await world.made(cancel_events, cancelling_event(world, event))

    assert (await world.row(booked)).status is BookingStatus.CANCELLED


async def test_what_is_overdue_is_expired_and_not_cancelled(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An overdue booking is expired and not counted as affected, since its seat was released
    before.
    """
    start = world.tomorrow(10) + timedelta(days=7)
    event = await world.event(centre=centre, room=room, start_at=start)
    unpaid = await world.booked(candidate, event, payment=UNPAID)
    clock.now += timedelta(hours=24, microseconds=1)

    result = await cancelled(world, event)

    assert isinstance(result, Outcome)
    assert result.facts["affectedBookings"] == 0
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-1, []),
        (0, [EventStatus.IN_PROGRESS]),
        (59, [EventStatus.IN_PROGRESS]),
        (60, [EventStatus.COMPLETED]),
    ],
)
async def test_an_event_is_cancelled_until_it_begins(
    world: World,
    clock: SettableClock,
    event: UUID,
    minutes: int,
    expected: list[EventStatus],
) -> None:
    """From its start on, cancelling an event is ILLEGAL_STATE with its status and version."""
    clock.now = world.tomorrow(10) + timedelta(minutes=minutes)

    result = await cancelled(world, event)

    refusals: list[Any] = [] if isinstance(result, Outcome) else list(result.refusals)
    assert [refusal.event_status for refusal in refusals] == expected
    assert places(result) == [("ILLEGAL_STATE", "event")] * len(expected)
    assert [refusal.version for refusal in refusals] == [1] * len(expected)


@pytest.mark.parametrize("values", [{"start_at": None}, {"registration_locked": True}])
async def test_drafts_and_locked_events_can_be_cancelled(
    world: World, clock: SettableClock, centre: UUID, room: UUID, values: dict[str, Any]
) -> None:
    """DRAFT, SCHEDULED and LOCKED events can be cancelled."""
    given = {"registration_locked": clock.now} if "registration_locked" in values else values
    event = await world.event(centre=centre, room=room, **given)

    assert codes(await cancelled(world, event)) == []


async def test_the_order_of_checks(world: World, clock: SettableClock, event: UUID) -> None:
    """The permission is checked alone, then the input together, then the version, then the
    state.
    """
    clock.now = world.tomorrow(10)
    staff = in_role(world, Role.CENTRE_STAFF)

    forbidden = await cancelled(world, event, viewer=staff, reason=" ", expected_version=7)
    wrong = await cancelled(world, uuid4(), reason=" ", expected_version=7)
    long = await cancelled(world, event, reason="r" * 501)
    stale = await cancelled(world, event, expected_version=7)
    late = await cancelled(world, event, expected_version=1)

    assert places(forbidden) == [("FORBIDDEN", "")]
    assert places(wrong) == [("NOT_FOUND", "event"), ("REASON_REQUIRED", "reason")]
    assert places(long) == [("STRING_LENGTH", "reason")]
    assert places(stale) == [("STALE_BOOKING", "expected_version")]
    assert places(late) == [("ILLEGAL_STATE", "event")]
    unknown = await cancelled(world, uuid4())
    assert [path for _, path in places(unknown)] == ["event"]


async def test_nobody_cancels_outside_of_their_scope(
    world: World, centre: UUID, room: UUID, insert: Any
) -> None:
    """Centre and subject must be in the viewer's scope; FORBIDDEN names the missing scope."""
    subject = await insert(Subject, reference="S1", name="S1", search_text="")
    test = await world.test("T", subject=ByKey(subject.id))
    event = await world.event(centre=centre, room=room, test=test)
    here, there = frozenset({centre}), frozenset({uuid4()})
    scopes = {
        "CENTRE": Scope(centres=there, subjects=frozenset({subject.id})),
        "SUBJECT": Scope(centres=here, subjects=there),
    }

    for missing, scope in scopes.items():
        viewer = in_role(world, Role.SCHEDULER, scope)
        result = await cancelled(world, event, viewer=viewer)
        assert places(result) == [("FORBIDDEN", "event")]
        assert isinstance(result, Refused)
        assert result.refusals[0].missing_scope == missing  # type: ignore[attr-defined]
    both = Scope(centres=here, subjects=frozenset({subject.id}))
    assert codes(await cancelled(world, event, viewer=in_role(world, Role.SCHEDULER, both))) == []


async def test_another_organization_does_not_find_it(world: World, event: UUID) -> None:
    """An event of another organization is not found, and nothing is written."""
    stranger = replace(world.viewer, organization_id=uuid4(), key="stranger")

    result = await cancelled(world, event, viewer=stranger)

    assert [path for _, path in places(result)] == ["event"]
    assert (await the_event(world, event)).version == 1


async def test_the_number_of_statements_does_not_grow(world: World, centre: UUID) -> None:
    """An event with fifty bookings takes as many statements as one with two."""
    hall = await world.room(centre, "Hall", capacity=100)
    few = await world.event(centre=centre, room=hall)
    many = await world.event(centre=centre, room=hall, start_at=world.tomorrow(14))
    candidates = await world.candidates(52)
    for n, candidate in enumerate(candidates):
        await world.booked(candidate, few if n < 2 else many)
    statements = Statements()

    two = await statements.needed(world, cancel_events, [cancelling_event(world, few)])
    fifty = await statements.needed(world, cancel_events, [cancelling_event(world, many)])

    assert two == fifty
