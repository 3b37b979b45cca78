"""Exam accommodations of bookings; domain.md, sections 2.2, 3.8, 3.9, 8.2 and S-12, S-23."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.changes import Origin
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Accommodation
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Scope
from resolvers.vocabulary import AccommodationScope, BookingAction, ConflictPolicy, Role
from tests.resolvers.asking import (
    Statements,
    granting,
    in_role,
    places,
    resulting,
    revoking,
    warned,
)
from tests.resolvers.world import World, codes

S = AccommodationScope


@pytest.fixture
async def booked(world: World, centre: UUID, room: UUID, candidate: UUID) -> UUID:
    """A seat at ten tomorrow, for 100 minutes, of a test with 20 minutes of breaks."""
    test = await world.test("LONG", duration_minutes=100, break_minutes=20)
    event = await world.event(centre=centre, room=room, test=test, exam_duration_in_minutes=100)
    return await world.booked(candidate, event)


async def granted(world: World, booking: UUID, **values: Any) -> Outcome | Refused:
    return await world.one(grant, granting(world, booking, **values))


async def accommodations(world: World, booking: UUID) -> list[Accommodation]:
    rows = await world.rows(Accommodation, "booking_id", booking)
    return sorted(rows, key=lambda row: row.type)


@pytest.mark.parametrize(
    ("values", "minutes", "time", "breaks"),
    [
        ({"time_extension_minutes": 30}, 30, 30, 0),
        ({"time_extension_minutes": 30, "extra_time_percentage": 25}, 30, 30, 0),  # example 2
        ({"time_extension_minutes": 0, "extra_time_percentage": 25}, 0, 0, 0),
        ({"extra_time_percentage": 25}, 25, 25, 0),
        ({"extra_time_percentage": 999}, 999, 999, 0),
        ({"extra_time_percentage": 0}, 0, 0, 0),
        ({}, 0, 0, 0),
        ({"extra_time_percentage": 12, "scope": S.BREAK_TIME}, 3, 0, 3),  # 2.4, rounded up
        ({"extra_time_percentage": 50, "scope": S.UNSCHEDULED_BREAK}, 10, 0, 10),
        ({"time_extension_minutes": 5, "scope": S.BREAK_TIME}, 5, 0, 5),
        ({"time_extension_minutes": 5, "scope": S.OTHER}, 0, 0, 0),
    ],
)
async def test_minutes_win_over_percentages(
    world: World, booked: UUID, values: dict[str, Any], minutes: int, time: int, breaks: int
) -> None:
    """A percentage applies to the test's time or to its breaks, rounded up; the booking keeps its
    seat.
    """
    result = await granted(world, booked, **values)

    assert codes(result) == []
    [row] = await accommodations(world, booked)
    booking = await world.row(booked)
    assert row.effective_minutes == minutes
    assert (booking.extra_time_minutes, booking.extra_break_minutes) == (time, breaks)
    until = world.tomorrow(11) + timedelta(minutes=40 + time + breaks)
    assert booking.busy_until_at == until
    assert booking.end_at == world.tomorrow(11) + timedelta(minutes=40)
    assert (booking.accommodation_count, booking.version) == (1, 2)


async def test_what_is_granted_keeps_who_and_when(world: World, booked: UUID) -> None:
    """The outcome identifies the accommodation, and the change has the complete list."""
    origin = Origin(proxy=uuid4())

    result = await granted(
        world,
        booked,
        name="Reader",
        time_extension_minutes=10,
        extra_breaks_per_section=2,
        reason="dyslexia",
        origin=origin,
    )

    [row] = await accommodations(world, booked)
    assert isinstance(result, Outcome)
    assert (result.subject, result.facts["accommodation"]) == (booked, row.id.hex)
    assert (row.type, row.name, row.extra_breaks_per_section) == ("extra-time", "Reader", 2)
    assert (row.granted_by_name, row.granted_by_proxy) == ("admin", str(origin.proxy))
    assert row.granted_at == world.storage.clock()
    change = (await world.changes())[-1]
    assert (change.booking_type, change.reason) == ("ACCOMMODATION_GRANTED", "dyslexia")
    assert change.changed_fields == ["accommodations", "times"]
    assert change.before["accommodations"] == []
    assert change.after["accommodations"][0]["effectiveMinutes"] == 10
    assert (change.was_accommodation_count, change.accommodation_count) == (0, 1)


async def test_of_each_type_there_is_one(world: World, booked: UUID) -> None:
    """A grant replaces an accommodation of the same type; other types are separate."""
    first = await granted(world, booked, time_extension_minutes=30, name="Old", reason="old")
    await granted(world, booked, type="reader", scope=S.OTHER)

    second = await granted(world, booked, type=" extra-time ", extra_time_percentage=10)

    rows = await accommodations(world, booked)
    assert isinstance(first, Outcome)
    assert isinstance(second, Outcome)
    assert [row.type for row in rows] == ["extra-time", "reader"]
    assert first.facts == second.facts
    assert (rows[0].time_extension_minutes, rows[0].name, rows[0].reason) == (None, None, None)
    row = await world.row(booked)
    assert (row.extra_time_minutes, row.accommodation_count, row.version) == (10, 2, 4)
    assert row.busy_until_at == world.tomorrow(11) + timedelta(minutes=50)


async def test_the_same_again_changes_nothing(world: World, booked: UUID) -> None:
    """An identical grant adds no version and no change; the outcome still identifies the
    accommodation.
    """
    first = await granted(world, booked, time_extension_minutes=30)

    again = await granted(world, booked, time_extension_minutes=30)

    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (again.changed, again.facts) == (False, first.facts)
    assert (await world.row(booked)).version == 2
    assert await world.booking_changes() == ["CREATED", "ACCOMMODATION_GRANTED"]


async def test_revoking_shortens_the_booking_again(world: World, booked: UUID) -> None:
    """Revoking one of two accommodations leaves the other; revoking the last leaves none."""
    await granted(world, booked, time_extension_minutes=30)
    await granted(world, booked, type="breaks", time_extension_minutes=5, scope=S.BREAK_TIME)

    await world.made(revoke, revoking(world, booked))

    row = await world.row(booked)
    assert (row.extra_time_minutes, row.extra_break_minutes, row.accommodation_count) == (0, 5, 1)
    assert row.busy_until_at == world.tomorrow(11) + timedelta(minutes=45)
    await world.made(revoke, revoking(world, booked, "breaks"))
    row = await world.row(booked)
    assert (row.extra_break_minutes, row.accommodation_count, row.version) == (0, 0, 5)
    assert await accommodations(world, booked) == []
    change = (await world.changes())[-1]
    assert change.booking_type == "ACCOMMODATION_REVOKED"
    assert [a["type"] for a in change.before["accommodations"]] == ["breaks"]
    assert change.after["accommodations"] == []


@pytest.mark.parametrize("others", [0, 1])
async def test_revoking_what_was_not_granted(world: World, booked: UUID, others: int) -> None:
    """S-12: the refusal is ACCOMMODATION_NOT_GRANTED with the type, with or without other
    accommodations.
    """
    for _ in range(others):
        await granted(world, booked, type="reader")

    result = await world.one(revoke, revoking(world, booked))

    assert places(result) == [("ACCOMMODATION_NOT_GRANTED", "type")]
    assert isinstance(result, Refused)
    refusal: Any = result.refusals[0]
    assert (refusal.identifier, refusal.http_status) == ("extra-time", 404)


async def test_on_demand_the_end_moves_with_the_extra_time(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Extra time, but not breaks, extends an on-demand booking's end; revoking restores it."""
    event = await world.event(centre=centre, room=room, on_demand=True)
    nine = datetime(2027, 7, 1, 9)
    booked = await world.booked(candidate, event, on_demand_time=nine)

    await granted(world, booked, time_extension_minutes=30)
    await granted(world, booked, type="breaks", time_extension_minutes=5, scope=S.BREAK_TIME)
    longer = await world.row(booked)
    await world.made(revoke, revoking(world, booked))
    shorter = await world.row(booked)

    assert longer.start_at is not None
    assert longer.local_end == nine + timedelta(minutes=90)
    assert longer.end_at == longer.start_at + timedelta(minutes=90)
    assert longer.busy_until_at == longer.start_at + timedelta(minutes=95)
    assert shorter.local_end == nine + timedelta(minutes=60)
    assert shorter.busy_until_at == longer.start_at + timedelta(minutes=65)


@pytest.mark.parametrize(
    ("policy", "warnings"),
    [
        (ConflictPolicy.REJECT, ["CANDIDATE_TIME_CONFLICT"]),
        (ConflictPolicy.WARN, ["CANDIDATE_TIME_CONFLICT"]),
        (ConflictPolicy.ALLOW, []),
    ],
)
async def test_a_conflict_is_a_warning(
    world: World,
    centre: UUID,
    room: UUID,
    candidate: UUID,
    booked: UUID,
    policy: ConflictPolicy,
    warnings: list[str],
) -> None:
    """A conflict is never a refusal; up to the next booking's start there is none, and one minute
    more conflicts.
    """
    await world.made(update_settings, UpdateSettings(viewer=world.viewer, conflict_policy=policy))
    await world.booked(
        candidate, await world.event(centre=centre, room=room, start_at=world.tomorrow(12))
    )

    touching = await granted(world, booked, time_extension_minutes=20)
    overlapping = await granted(world, booked, time_extension_minutes=21)

    assert warned(touching) == []
    assert warned(overlapping) == warnings
    assert (await world.row(booked)).extra_time_minutes == 21


async def test_breaks_lengthen_the_interval_too(
    world: World, centre: UUID, room: UUID, candidate: UUID, booked: UUID
) -> None:
    """Extra time and breaks together can overlap the next booking."""
    await world.booked(
        candidate, await world.event(centre=centre, room=room, start_at=world.tomorrow(12))
    )

    await granted(world, booked, time_extension_minutes=20)
    result = await granted(
        world, booked, type="b", time_extension_minutes=1, scope=S.UNSCHEDULED_BREAK
    )

    assert warned(result) == ["CANDIDATE_TIME_CONFLICT"]


async def test_only_a_conflict_that_is_new_is_warned_of(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An earlier overlap adds no warning, and neither does less time."""
    warns = UpdateSettings(viewer=world.viewer, conflict_policy=ConflictPolicy.WARN)
    await world.made(update_settings, warns)
    one = await world.event(centre=centre, room=room)
    two = await world.event(
        centre=centre, room=room, start_at=world.tomorrow(10) + timedelta(minutes=30)
    )
    booked = await world.booked(candidate, one)
    await world.booked(candidate, two)

    results = [
        await granted(world, booked, time_extension_minutes=20),
        await granted(world, booked, time_extension_minutes=10),
        await granted(world, booked, type="reader", scope=S.OTHER),
        await world.one(revoke, revoking(world, booked)),
    ]

    assert [warned(result) for result in results] == [[]] * 4


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"type": None}, [("ACCOMMODATION_TYPE_EMPTY", "type")]),
        ({"type": ""}, [("ACCOMMODATION_TYPE_EMPTY", "type")]),
        ({"type": " \t"}, [("ACCOMMODATION_TYPE_EMPTY", "type")]),
        ({"type": "t" * 51}, [("STRING_LENGTH", "type")]),
        ({"name": "n" * 201, "reason": "r" * 501}, [("STRING_LENGTH", "name")]),
        ({"time_extension_minutes": 1000}, [("OUT_OF_RANGE", "time_extension_minutes")]),
        ({"time_extension_minutes": -1}, [("OUT_OF_RANGE", "time_extension_minutes")]),
        ({"extra_time_percentage": 1000}, [("OUT_OF_RANGE", "extra_time_percentage")]),
        ({"extra_time_percentage": -1}, [("OUT_OF_RANGE", "extra_time_percentage")]),
        ({"extra_breaks_per_section": 100}, [("OUT_OF_RANGE", "extra_breaks_per_section")]),
        ({"extra_breaks_per_section": -1}, [("OUT_OF_RANGE", "extra_breaks_per_section")]),
    ],
)
async def test_what_an_accommodation_may_be_like(
    world: World, booked: UUID, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Lengths and numbers have limits, and invalid values grant nothing."""
    result = await granted(world, booked, **values)

    assert places(result)[:1] == [(code, name) for code, name in expected]
    assert await accommodations(world, booked) == []


async def test_the_limits_themselves_are_granted(world: World, booked: UUID) -> None:
    """999 minutes, 999 percent, 99 breaks and the longest texts are accepted."""
    result = await granted(
        world,
        booked,
        type="t" * 50,
        name="n" * 200,
        reason="r" * 500,
        time_extension_minutes=999,
        extra_time_percentage=999,
        extra_breaks_per_section=99,
    )

    assert codes(result) == []
    assert (await world.row(booked)).extra_time_minutes == 999


async def test_the_message_of_an_empty_type_is_the_source_s(world: World, booked: UUID) -> None:
    """Both commands use the source's exact message `[002]`."""
    results = [
        await granted(world, booked, type=" "),
        await world.one(revoke, revoking(world, booked, "")),
    ]

    for result, path in zip(results, ("type", "type"), strict=True):
        assert places(result) == [("ACCOMMODATION_TYPE_EMPTY", path)]
        assert isinstance(result, Refused)
        assert result.refusals[0].message == "Accommodation type cannot be empty."


@pytest.mark.parametrize("asked", ["grant", "revoke"])
async def test_input_then_version_then_state(world: World, booked: UUID, asked: str) -> None:
    """The permission is checked alone, then reference and fields, then the version, then the
    state.
    """
    run, command = (grant, granting) if asked == "grant" else (revoke, revoking)
    await world.made(assign_results, resulting(world, booked))
    marker = in_role(world, Role.MARKER)
    hidden = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({uuid4()})))

    forbidden = await world.one(run, command(world, uuid4(), "", viewer=marker))
    wrong = await world.one(run, command(world, uuid4(), "", expected_version=9))
    unseen = await world.one(run, command(world, booked, viewer=hidden))
    stale = await world.one(run, command(world, booked, expected_version=1))
    ended = await world.one(run, command(world, booked, expected_version=2))

    assert places(forbidden) == [("FORBIDDEN", "")]
    assert places(wrong) == [
        ("NOT_FOUND", "booking"),
        ("ACCOMMODATION_TYPE_EMPTY", "type"),
    ]
    assert places(unseen) == [("NOT_FOUND", "booking")]
    assert places(stale) == [("STALE_BOOKING", "expected_version")]
    assert places(ended) == [("ILLEGAL_STATE", "booking")]
    assert isinstance(ended, Refused)
    refusal: Any = ended.refusals[0]
    assert refusal.allowed == (BookingAction.ASSIGN_RESULT,)


async def put(world: World, booking: UUID, *types: str) -> None:
    """Insert accommodations of these types, ignoring existing ones."""

    def filled(work: UnitOfWork, commands: Any) -> list[Outcome]:
        rows = [
            new_row(
                Accommodation,
                organization_id=world.viewer.organization_id,
                id=new_key(),
                booking_id=booking,
                type=kind,
                scope=S.OTHER,
                granted_by_name="admin",
                granted_at=work.now,
            )
            for kind in types
        ]
        work.insert(Accommodation, rows)
        return [Outcome(booking) for _ in commands]

    await world.storage.write(filled, [None])


@pytest.mark.parametrize("kept", ["READER", "Reader", "reader"])
async def test_a_grant_replaces_all_that_have_become_of_one_type(
    world: World, booked: UUID, kept: str
) -> None:
    """A grant replaces READER and Reader, and both forms of e with a diaeresis, which earlier
    versions stored separately.
    """
    await put(world, booked, "READER", "Reader", "Zoe\u0308", "Zo\u00eb")

    results = [await granted(world, booked, type=kind) for kind in (kept, kept, "Zoe\u0308")]

    assert [places(result) for result in results] == [[], [], []]
    assert {row.type for row in await accommodations(world, booked)} == {kept, "Zo\u00eb"}
    assert len(await accommodations(world, booked)) == 2


async def test_a_booking_has_500_accommodations_at_most(world: World, booked: UUID) -> None:
    """More than 500 is OUT_OF_RANGE in every batch; an existing accommodation can still be
    replaced.
    """
    await put(world, booked, *(f"type {n}" for n in range(499)))

    results = await world.storage.write(
        grant, [granting(world, booked, type=f"more {n}") for n in (1, 2, 1)]
    )
    replaced = await granted(world, booked, type="more 1", name="Replaced")

    assert [places(result) for result in results] == [
        [],
        [("OUT_OF_RANGE", "accommodation")],
        [],
    ]
    assert codes(replaced) == []
    assert (await world.row(booked)).accommodation_count == 500


async def test_one_booking_twice_in_a_batch(world: World, booked: UUID) -> None:
    """The last accommodation of each type in a batch counts."""
    commands = [
        granting(world, booked, time_extension_minutes=10),
        granting(world, booked, time_extension_minutes=20),
        granting(world, booked, type="b", time_extension_minutes=5),
        granting(world, booked, time_extension_minutes=20),
    ]

    results = await world.storage.write(grant, commands)

    changed_ones = [isinstance(result, Outcome) and result.changed for result in results]
    rows = await accommodations(world, booked)
    assert changed_ones == [True, True, True, False]
    assert [(row.type, row.effective_minutes) for row in rows] == [("b", 5), ("extra-time", 20)]
    row = await world.row(booked)
    assert (row.extra_time_minutes, row.version) == (25, 4)
    assert [c.version for c in await world.changes() if c.booking_id] == [1, 2, 3, 4]


async def test_revoking_twice_in_a_batch(world: World, booked: UUID) -> None:
    """The second command has nothing to revoke."""
    await granted(world, booked)

    results = await world.storage.write(revoke, [revoking(world, booked)] * 2)

    assert [codes(result) for result in results] == [[], ["ACCOMMODATION_NOT_GRANTED"]]


async def test_the_number_of_statements_does_not_grow(world: World, centre: UUID) -> None:
    """Fifty grants take as many statements as four, even if half of them replace earlier ones."""
    hall = await world.room(centre, "Hall", capacity=100)
    event = await world.event(centre=centre, room=hall)
    keys = [await world.booked(c, event) for c in await world.candidates(54)]
    for key in keys[::2]:
        await world.made(grant, granting(world, key, time_extension_minutes=5))
    commands = [granting(world, key, time_extension_minutes=9) for key in keys]
    statements = Statements()

    four = await statements.needed(world, grant, commands[:4])
    fifty = await statements.needed(world, grant, commands[4:])
    revoking_four = await statements.needed(world, revoke, [revoking(world, k) for k in keys[:4]])
    revoking_fifty = await statements.needed(world, revoke, [revoking(world, k) for k in keys[4:]])

    assert four == fifty
    assert revoking_four == revoking_fifty
