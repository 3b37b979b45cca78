"""Booking seats; domain.md, sections 1.4, 8.2 and 8.4."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.booking import book
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference, Unreadable
from resolvers.refusals import EventFull, Refused
from resolvers.storage import Storage
from resolvers.tests.commands import UpsertModule, upsert_modules
from resolvers.viewer import PERMISSIONS, Scope
from resolvers.vocabulary import (
    BookingStatus,
    ConflictPolicy,
    PaymentResponsibility,
    PaymentStatus,
    Role,
    RuleOverride,
)
from tests.conftest import SettableClock
from tests.resolvers.world import World, all_codes, codes

pytestmark = pytest.mark.both_databases


async def test_a_seat_is_booked(world: World, centre: UUID, room: UUID, candidate: UUID) -> None:
    """A booking has the event's time and place, a number, a payment and one CREATED change."""
    event = await world.event(centre=centre, room=room)

    booked = await world.booked(candidate, event)

    row, enrolment = await world.row(booked), await world.enrolment(booked)
    payment = await world.payment(booked)
    assert row.status is BookingStatus.CONFIRMED
    assert (row.centre_id, row.room_id, row.event_id) == (centre, room, event)
    assert row.start_at == world.tomorrow(10)
    assert row.end_at == world.tomorrow(11)
    assert row.reference.startswith("ENR-")
    assert (row.version, enrolment.attempt_number) == (1, 1)
    assert payment.status is PaymentStatus.NOT_REQUIRED
    [change] = [c for c in await world.changes() if c.booking_id == booked]
    assert change.booking_type == "CREATED"
    assert "candidate" in change.changed_fields
    assert change.before is None


async def test_an_outcome_holds_the_row_as_it_is_stored(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A payload built from the outcome has the same values as a later query."""
    event = await world.event(centre=centre, room=room, on_demand=True)
    payment = PaymentTerms(amount=Decimal("12.50"), currency="GBP")
    command = world.booking(
        candidate, event, payment=payment, on_demand_time=datetime(2027, 2, 1, 9, 30)
    )

    outcome = await world.one(book, command)

    assert isinstance(outcome, Outcome)
    assert outcome.row == await world.row(outcome.subject)
    reference = (await world.payment(outcome.subject)).reference
    assert outcome.facts == {"paymentReference": str(reference)}


async def test_a_batch_books_for_two_organizations(
    world: World, storage: Storage, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """One transaction locks and reads the rows of both organizations, and neither sees a key of the
    other.
    """
    made = MakeOrganization(name="Other", time_zone="UTC", currency="EUR")
    other = await world.made(make_organization, made)
    theirs = World(storage, replace(world.viewer, organization_id=other))
    their_centre = await theirs.centre()
    their_room = await theirs.room(their_centre)
    event = await world.event(centre=centre, room=room)
    their_event = await theirs.event(centre=their_centre, room=their_room)
    commands = [
        world.booking(candidate, event),
        theirs.booking(await theirs.candidate(), their_event),
        theirs.booking(await theirs.candidate("P2"), event),
        world.booking(candidate, their_event),
    ]

    results = await storage.write(book, commands)

    assert [codes(result) for result in results] == [
        [],
        [],
        ["EVENT_NOT_FOUND"],
        ["EVENT_NOT_FOUND"],
    ]


async def test_references_are_numbered_one_after_the_other(
    world: World, centre: UUID, room: UUID
) -> None:
    """Enrolment numbers increase within the organization."""
    event = await world.event(centre=centre, room=room)
    candidates = await world.candidates(3)

    keys = [await world.booked(candidate, event) for candidate in candidates]

    numbers = [int((await world.row(key)).reference.removeprefix("ENR-")) for key in keys]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


async def test_last_seat_is_sold_once(world: World, centre: UUID, room: UUID) -> None:
    """Of two requests for the last seat, one is booked and the other is refused because the event
    is full.
    """
    event = await world.event(centre=centre, room=room, capacity_maximum=1)
    first, second = await world.candidates(2)

    commands = [world.booking(first, event), world.booking(second, event)]

    results = await world.storage.write(book, commands)

    assert isinstance(results[0], Outcome)
    assert codes(results[1]) == ["EVENT_FULL"]
    assert isinstance(results[1], Refused)
    [refusal] = results[1].refusals
    assert isinstance(refusal, EventFull)
    assert (refusal.capacity, refusal.taken) == (1, 1)
    assert await world.booking_changes() == ["CREATED"]


async def test_a_room_is_shared_by_events_that_overlap(world: World, centre: UUID) -> None:
    """Bookings of two events count together in their room only while the events overlap."""
    small = await world.room(centre, "Small", capacity=1)
    early = await world.event(centre=centre, room=small)
    late = await world.event(
        centre=centre, room=small, start_at=world.tomorrow(10) + timedelta(minutes=30)
    )
    after = await world.event(centre=centre, room=small, start_at=world.tomorrow(11))
    one, two, three = await world.candidates(3)

    await world.booked(one, early)

    assert codes(await world.book(two, late)) == ["ROOM_FULL"]
    assert codes(await world.book(three, after)) == []


async def test_a_batch_counts_a_room_at_each_time_that_is_booked(
    world: World, centre: UUID
) -> None:
    """A batch counts a room at each booked time: the event's, on demand, and of another event."""
    small = await world.room(centre, "Small", capacity=2)
    hall = await world.room(centre, "Hall")
    fixed = await world.event(centre=centre, room=small)
    later = await world.event(centre=centre, room=small, start_at=world.tomorrow(14))
    elsewhere = await world.event(centre=centre, room=hall, start_at=world.tomorrow(17))
    on_demand = await world.event(centre=centre, room=small, on_demand=True)
    long_room = await world.event(
        centre=centre, room=small, start_at=world.tomorrow(9), exam_duration_in_minutes=90
    )
    people = iter(await world.candidates(12))
    time = datetime(2027, 2, 1, 9)
    places: list[dict[str, Any]] = [
        {"event": fixed},
        {"event": later},
        {"event": elsewhere, "room": small},
        {"event": on_demand, "on_demand_time": time},
    ]
    await world.booked(next(people), long_room)
    for place in places[1:]:
        await world.booked(next(people), **place)

    commands = [world.booking(next(people), **place) for place in places * 2]
    results = await world.storage.write(book, commands)

    assert [codes(result) for result in results] == [[]] * 4 + [["ROOM_FULL"]] * 4


async def test_online_bookings_take_no_room(world: World, centre: UUID) -> None:
    """An online booking counts at the event and not in the room; a room for it is refused."""
    small = await world.room(centre, "Small", capacity=1)
    event = await world.event(centre=centre, room=small, capacity_maximum=2)
    one, two, three = await world.candidates(3)

    online = await world.booked(one, event, online=True)
    await world.booked(two, event)

    assert (await world.row(online)).room_id is None
    assert codes(await world.book(three, event, online=True)) == ["EVENT_FULL"]
    assert codes(await world.book(three, event, online=True, room=small)) == ["INVALID_VALUE"]


async def test_mistakes_in_the_input_are_reported_together(world: World, centre: UUID) -> None:
    """Unknown and malformed references and a negative cost are reported together."""
    event = await world.event(centre=centre)
    command = replace(
        world.booking(uuid4(), event),
        module=Unreadable("x", "is not a global id"),
        payment=PaymentTerms(amount=Decimal("-1"), currency="GBP"),
    )

    result = await world.one(book, command)

    assert isinstance(result, Refused)
    assert [(r.code.value, ".".join(r.path)) for r in result.refusals] == [
        ("NOT_FOUND", "candidate"),
        ("INVALID_VALUE", "module"),
        ("OUT_OF_RANGE", "payment.amount"),
        ("REQUIRED", "room"),
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("10.005", "GBP", "OUT_OF_RANGE"),
        ("10.005", None, "OUT_OF_RANGE"),  # the organization's currency, GBP
        ("0.1", "JPY", "OUT_OF_RANGE"),
        ("1", "XXX", "INVALID_VALUE"),
        ("10.000", "JPY", None),
        ("10.005", "KWD", None),
    ],
)
async def test_a_cost_has_the_decimals_of_its_currency(
    world: World, centre: UUID, room: UUID, candidate: UUID, amount, currency, expected
) -> None:
    """An amount with too many decimals for its currency is refused and not rounded."""
    event = await world.event(centre=centre, room=room)
    terms = PaymentTerms(amount=Decimal(amount), currency=currency)

    result = await world.book(candidate, event, payment=terms)

    assert codes(result) == ([] if expected is None else [expected])
    if expected is None:
        payment = await world.payment(result.subject)
        assert payment.cost_amount == Decimal(amount)


async def test_an_unknown_event_has_its_own_code(world: World, candidate: UUID) -> None:
    """An unknown event is EVENT_NOT_FOUND."""
    assert codes(await world.book(candidate, uuid4())) == ["EVENT_NOT_FOUND"]


async def test_a_room_at_another_centre_is_refused(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A room must be at the event's centre."""
    elsewhere = await world.room(await world.centre("PAR", "Europe/Paris"))
    event = await world.event(centre=centre, room=room)

    result = await world.book(candidate, event, room=elsewhere)

    assert codes(result) == ["INVALID_VALUE"]


async def test_of_rooms_with_one_name_the_one_at_the_centre_is_meant(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A room's name identifies the room at the event's centre, since it is unique only there."""
    await world.room(await world.centre("PAR", "Europe/Paris"))
    event = await world.event(centre=centre)

    command = replace(world.booking(candidate, event), room=ByReference("Room 1"))
    result = await world.one(book, command)

    assert isinstance(result, Outcome)
    assert (await world.row(result.subject)).room_id == room


async def test_on_demand_bookings_choose_their_time(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """The centre's local time is required, cannot be past, and is refused at a fixed event."""
    on_demand = await world.event(centre=centre, room=room, on_demand=True)
    fixed = await world.event(centre=centre, room=room)
    summer, past = datetime(2027, 7, 1, 9), datetime(2020, 7, 1, 9)

    booked = await world.booked(candidate, on_demand, on_demand_time=summer)

    row = await world.row(booked)
    assert row.start_at is not None
    assert row.start_at.isoformat() == "2027-07-01T08:00:00+00:00"
    assert row.local_end == datetime(2027, 7, 1, 10)
    other = await world.candidate("C2")
    assert codes(await world.book(other, on_demand)) == ["ON_DEMAND_TIME_REQUIRED"]
    assert codes(await world.book(other, on_demand, on_demand_time=past)) == ["OUT_OF_RANGE"]
    assert codes(await world.book(other, fixed, on_demand_time=summer)) == [
        "ON_DEMAND_TIME_NOT_ALLOWED"
    ]


async def test_a_time_that_the_clock_skips_is_refused(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """For a time in a spring gap, the refusal names the nearest valid times; in an autumn fold, the
    first time is used.
    """
    event = await world.event(centre=centre, room=room, on_demand=True)

    refused = await world.book(candidate, event, on_demand_time=datetime(2027, 3, 28, 1, 30))
    folded = await world.book(candidate, event, on_demand_time=datetime(2027, 10, 31, 1, 30))

    assert isinstance(refused, Refused)
    assert codes(refused) == ["OUT_OF_RANGE"]
    assert "2027-03-28T00:59:00 and 2027-03-28T02:00:00" in refused.refusals[0].message
    assert isinstance(folded, Outcome)
    assert [warning.code for warning in folded.warnings] == ["AMBIGUOUS_TIME"]
    row = await world.row(folded.subject)
    assert row.start_at is not None
    assert row.start_at.isoformat() == "2027-10-31T00:30:00+00:00"


@pytest.mark.parametrize(
    ("values", "minutes", "expected"),
    [
        ({"registration_start": 60}, 59, ["REGISTRATION_CLOSED"]),
        ({"registration_start": 60}, 60, []),
        ({"registration_deadline": 60}, 60, []),
        ({"registration_deadline": 60}, 61, ["REGISTRATION_CLOSED"]),
        ({"registration_locked": 60}, 59, []),
        ({"registration_locked": 60}, 60, ["REGISTRATION_CLOSED"]),
        ({}, 22 * 60 - 1, []),
        ({}, 22 * 60, ["REGISTRATION_CLOSED"]),  # the start, tomorrow at ten
    ],
)
async def test_registration_window(
    world: World,
    clock: SettableClock,
    centre: UUID,
    room: UUID,
    candidate: UUID,
    values: dict[str, Any],
    minutes: int,
    expected: list[str],
) -> None:
    """The window includes its start and its deadline, and ends early if the event is locked or
    begins.
    """
    began = clock.now
    given = {name: began + timedelta(minutes=value) for name, value in values.items()}
    event = await world.event(centre=centre, room=room, **given)

    clock.now = began + timedelta(minutes=minutes)

    assert codes(await world.book(candidate, event)) == expected


async def test_a_draft_takes_no_bookings(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An event without a start is closed, and no override opens it."""
    event = await world.event(centre=centre, room=room, start_at=None)

    override = (RuleOverride.REGISTRATION_WINDOW,)

    assert codes(await world.book(candidate, event)) == ["REGISTRATION_CLOSED"]
    assert codes(await world.book(candidate, event, overrides=override)) == ["REGISTRATION_CLOSED"]


async def test_eligibility_goes_by_modules_and_groups(
    world: World, centre: UUID, room: UUID
) -> None:
    """A candidate must have the chosen module if configured, and be in the learner group if set."""
    first = await world.made(
        upsert_modules, UpsertModule(viewer=world.viewer, reference="M1", name="M1")
    )
    second = await world.made(
        upsert_modules, UpsertModule(viewer=world.viewer, reference="M2", name="M2")
    )
    group = uuid4()
    event = await world.event(
        centre=centre, room=room, eligibility_configured=True, modules=[first, second]
    )
    for_group = await world.event(
        centre=centre, room=room, learner_registration_group_identifier=group
    )
    eligible = await world.candidate("E", module_ids=(ByKey(first),), group_identifiers=(group,))
    other = await world.candidate("O")

    assert codes(await world.book(eligible, event)) == ["REQUIRED"]
    assert codes(await world.book(eligible, event, module=second)) == ["NOT_ELIGIBLE"]
    assert codes(await world.book(other, event, module=first)) == ["NOT_ELIGIBLE"]
    assert codes(await world.book(other, for_group)) == ["NOT_ELIGIBLE"]
    assert codes(await world.book(eligible, event, module=first)) == []
    assert codes(await world.book(eligible, event, module=uuid4())) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("policy", "expected", "warned"),
    [
        (ConflictPolicy.REJECT, ["CANDIDATE_TIME_CONFLICT"], []),
        (ConflictPolicy.WARN, [], ["CANDIDATE_TIME_CONFLICT"]),
        (ConflictPolicy.ALLOW, [], []),
    ],
)
async def test_conflict_policy(
    world: World,
    centre: UUID,
    room: UUID,
    candidate: UUID,
    policy: ConflictPolicy,
    expected: list[str],
    warned: list[str],
) -> None:
    """Overlapping bookings are refused, accepted with a warning or accepted, by the organization's
    setting.
    """
    await world.one(update_settings, UpdateSettings(viewer=world.viewer, conflict_policy=policy))
    one = await world.event(centre=centre, room=room)
    other = await world.event(
        centre=centre, room=room, start_at=world.tomorrow(10) + timedelta(minutes=59)
    )
    touching = await world.event(centre=centre, room=room, start_at=world.tomorrow(9))
    await world.booked(candidate, one)

    result = await world.book(candidate, other)

    assert codes(result) == expected
    assert [w.code for w in getattr(result, "warnings", ())] == warned
    assert codes(await world.book(candidate, touching)) == []


async def test_one_live_booking_for_an_event(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A second live booking for an event or its test is a duplicate, unless the event allows
    several.
    """
    test = await world.test()
    event = await world.event(centre=centre, room=room, test=test)
    same_test = await world.event(centre=centre, room=room, test=test, start_at=world.tomorrow(14))
    several = await world.event(
        centre=centre,
        room=room,
        start_at=world.tomorrow(16),
        allow_multiple_registrations=True,
    )
    booked = await world.booked(candidate, event)
    await world.booked(candidate, several)

    again = await world.book(candidate, event)

    assert isinstance(again, Refused)
    assert codes(again) == ["DUPLICATE_BOOKING"]
    assert again.refusals[0].conflicting == (booked,)  # type: ignore[attr-defined]
    assert codes(await world.book(candidate, same_test)) == ["DUPLICATE_BOOKING"]
    assert codes(await world.book(candidate, several)) == []


async def test_overrides_need_their_permission_and_are_recorded(
    world: World, centre: UUID, room: UUID
) -> None:
    """An override of an event's capacity must be requested, adds a warning and is recorded in the
    change.
    """
    event = await world.event(centre=centre, room=room, capacity_maximum=1)
    one, two = await world.candidates(2)
    await world.booked(one, event)
    scheduler = replace(world.viewer, role=Role.SCHEDULER, permissions=PERMISSIONS[Role.SCHEDULER])
    override = (RuleOverride.CAPACITY,)

    refused = await world.book(two, event, viewer=scheduler, overrides=override)
    done = await world.book(two, event, overrides=override)

    assert codes(refused) == ["FORBIDDEN"]
    assert isinstance(done, Outcome)
    assert [w.code for w in done.warnings] == ["EVENT_FULL"]
    assert (await world.changes())[-1].overrides == ["CAPACITY"]


async def test_a_room_is_never_overridden(world: World, centre: UUID) -> None:
    """CAPACITY overrides the event's limits only."""
    small = await world.room(centre, "Small", capacity=1)
    event = await world.event(centre=centre, room=small)
    one, two = await world.candidates(2)
    await world.booked(one, event)

    assert codes(await world.book(two, event, overrides=(RuleOverride.CAPACITY,))) == ["ROOM_FULL"]


async def test_nobody_books_outside_of_their_scope(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An event outside the scope is FORBIDDEN with the missing scope; a hidden candidate is not
    found.
    """
    event = await world.event(centre=centre, room=room)
    elsewhere = replace(world.viewer, key="a", scope=Scope(centres=frozenset({uuid4()})))
    here = replace(world.viewer, key="b", scope=Scope(centres=frozenset({centre})))

    outside = await world.book(candidate, event, viewer=elsewhere)

    assert isinstance(outside, Refused)
    assert sorted(codes(outside)) == ["FORBIDDEN", "NOT_FOUND"]
    assert codes(await world.book(candidate, event, viewer=here)) == ["NOT_FOUND"]
    known = await world.candidate("K", centre_ids=(ByKey(centre),))
    assert codes(await world.book(known, event, viewer=here)) == []


async def test_what_the_candidate_pays_holds_the_seat_until_it_is_due(
    world: World, clock: SettableClock, centre: UUID, room: UUID
) -> None:
    """An unpaid seat is PENDING and taken; once overdue, a booking that needs the seat expires
    it.
    """
    event = await world.event(
        centre=centre,
        room=room,
        capacity_maximum=1,
        start_at=world.tomorrow(10) + timedelta(days=7),
    )
    one, two = await world.candidates(2)
    terms = PaymentTerms(amount=Decimal("40.00"), currency="GBP")

    unpaid = await world.booked(one, event, payment=terms)

    assert (await world.row(unpaid)).status is BookingStatus.PENDING
    due_by = (await world.payment(unpaid)).due_by
    assert due_by == clock.now + timedelta(hours=24)
    clock.now += timedelta(hours=24)
    assert codes(await world.book(two, event)) == ["EVENT_FULL"]
    clock.now += timedelta(microseconds=1)
    assert codes(await world.book(two, event)) == []
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED
    assert await world.booking_changes() == ["CREATED", "EXPIRED", "CREATED"]


async def test_a_payment_is_due_at_the_start_at_the_latest(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """The default due date is never after the start."""
    event = await world.event(centre=centre, room=room)
    terms = PaymentTerms(amount=Decimal("40.00"), currency="GBP")

    booked = await world.booked(candidate, event, payment=terms)

    assert (await world.payment(booked)).due_by == world.tomorrow(10)


async def test_what_somebody_else_pays_is_booked(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A payment by a centre does not delay the booking."""
    event = await world.event(centre=centre, room=room)
    terms = PaymentTerms(
        amount=Decimal("40.10"), currency="EUR", responsibility=PaymentResponsibility.CENTRE
    )

    booked = await world.booked(candidate, event, payment=terms)

    payment = await world.payment(booked)
    assert (await world.row(booked)).status is BookingStatus.CONFIRMED
    assert (payment.cost_amount, payment.cost_currency) == (Decimal("40.10"), "EUR")
    assert payment.status is PaymentStatus.PENDING


async def test_a_refusal_leaves_no_trace_and_does_not_touch_the_others(
    world: World, centre: UUID, room: UUID
) -> None:
    """In a batch of a hundred with every second one refused, the others are booked and recorded."""
    event = await world.event(centre=centre, room=room, capacity_maximum=100)
    big = await world.room(centre, "Hall", capacity=100)
    candidates = await world.candidates(50)
    commands = [world.booking(candidate, event, room=big) for candidate in candidates]
    mixed = [
        command for good in commands for command in (good, replace(good, event=ByKey(uuid4())))
    ]

    results = await world.storage.write(book, mixed)

    assert [isinstance(result, Outcome) for result in results] == [True, False] * 50
    assert all_codes(results) == ["EVENT_NOT_FOUND"] * 50
    assert await world.booking_changes() == ["CREATED"] * 50


async def test_all_or_nothing_is_undone_whole(world: World, centre: UUID, room: UUID) -> None:
    """An all-or-nothing batch with one refusal changes and records nothing."""
    event = await world.event(centre=centre, room=room, capacity_maximum=1)
    one, two = await world.candidates(2)
    commands = [world.booking(one, event), world.booking(two, event)]

    results = await world.storage.write(book, commands, all_or_nothing=True)

    assert all_codes(results) == ["EVENT_FULL"]
    assert await world.booking_changes() == []
    assert codes(await world.book(two, event)) == []
