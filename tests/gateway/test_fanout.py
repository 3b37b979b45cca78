"""Delivering changes: one execution for each group, and every change once for each subscriber."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from gateway.fanout import channels
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.identity import global_id
from resolvers.references import ByKey
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from resolvers.vocabulary import Role
from schema import build_schema
from tests.gateway.fanning import Fan, Gate, fan_on, overloaded_once
from tests.patience import eventually, several_turns
from tests.plan.both_ways import SwitchedPlanner
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

BOOKINGS = """
    subscription ($filter: BookingFilter, $after: String) {
        bookingChanged(filter: $filter, after: $after) { booking { candidate { email } } }
    }
"""
SEATS = "subscription ($ids: [ID!]!) { seatsChanged(eventIds: $ids) { seats { taken } } }"
READERS = 20
JOINERS = 30


class Beginning:
    """The place before the first change."""

    position = 0


START = IN_COMMIT_ORDER.cursor(Beginning)


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def fan(world: World) -> AsyncIterator[Fan]:
    async with fan_on(world) as made:
        yield made


@pytest.fixture
async def centre(world: World) -> UUID:
    return await world.centre()


@pytest.fixture
async def event(world: World, centre: UUID) -> UUID:
    return await world.event(centre=centre, room=await world.room(centre, capacity=1000))


async def cursors_of_bookings(world: World) -> list[str]:
    changes = await world.changes()
    return [IN_COMMIT_ORDER.cursor(change) for change in changes if change.booking_type]


async def test_subscribers_with_the_same_rights_share_an_execution(
    fan: Fan, world: World, centre: UUID, event: UUID
):
    """And the bytes of its result; those with other rights have an execution of their own."""
    admin, other = await fan.token_of("A"), await fan.token_of("B")
    staff = await fan.token_of("S", Role.INVIGILATOR, centre_ids=(ByKey(centre),))
    readers = [await fan.joined((admin, other)[n % 2], BOOKINGS) for n in range(READERS)]
    restricted = await fan.joined(staff, BOOKINGS)
    before = fan.executions

    await world.booked(await world.candidate(email="c@example.org"), event)
    for reader in (*readers, restricted):
        await reader.has(1)

    assert fan.executions - before == 2
    assert len({id(reader.payloads[0]) for reader in readers}) == 1
    assert b"c@example.org" in readers[0].payloads[0]
    assert b'"email":null' in restricted.payloads[0]


async def test_a_group_that_does_not_match_has_no_execution(
    fan: Fan, world: World, centre: UUID, event: UUID
):
    admin = await fan.token_of("A")
    elsewhere = await world.event(
        centre=centre, room=await world.room(centre, "Other"), start_at=world.tomorrow(14)
    )
    of_other = {"filter": {"eventId": {"eq": global_id("Event", elsewhere)}}}
    silent = await fan.joined(admin, BOOKINGS, **of_other)
    reader = await fan.joined(admin, BOOKINGS)
    before = fan.executions

    for n, candidate in enumerate(await world.candidates(3), 1):
        await world.booked(candidate, event)
        await reader.has(n)

    assert fan.executions - before == 3
    assert silent.payloads == []


async def test_subscribers_that_resumed_after_different_cursors_share_a_group(
    fan: Fan, world: World, event: UUID
):
    admin = await fan.token_of("A")
    people = await world.candidates(4)
    for candidate in people[:3]:
        await world.booked(candidate, event)
    cursors = await cursors_of_bookings(world)
    readers = [await fan.joined(admin, BOOKINGS, after=after) for after in (START, *cursors)]
    before = fan.executions

    await world.booked(people[3], event)
    for missed, reader in zip((3, 2, 1, 0), readers, strict=True):
        await reader.has(missed + 1)

    assert fan.executions - before == 1
    assert len({id(reader.payloads[-1]) for reader in readers}) == 1
    assert readers[0].cursors == await cursors_of_bookings(world)


async def test_a_reader_that_pauses_delays_no_other_and_misses_nothing(
    fan: Fan, world: World, event: UUID
):
    """It leaves its group, and later receives the rest in order, from the log."""
    admin = await fan.token_of("A")
    paused, reader = await fan.joined(admin, BOOKINGS), await fan.joined(admin, BOOKINGS)
    people = await world.candidates(12)
    paused.pause()

    for candidate in people[:11]:
        await world.booked(candidate, event)
    await reader.has(11)
    assert len(paused.payloads) == 1

    paused.read()
    await paused.has(11)
    await paused.joined()
    await world.booked(people[11], event)
    for each in (paused, reader):
        await each.has(12)
        assert each.cursors == await cursors_of_bookings(world)


async def test_a_client_that_never_reads_is_ended(world: World, event: UUID):
    """After `read_seconds`, with the last cursor that it was sent, and with one unread result."""
    async with fan_on(world, read_seconds=0.01) as fan:
        reader = await fan.joined(await fan.token_of("A"), BOOKINGS)
        reader.pause()

        for candidate in await world.candidates(5):
            await world.booked(candidate, event)
        await eventually(lambda: reader.error)

    assert reader.error.extensions == {
        "code": "SUBSCRIBER_TOO_SLOW",
        "lastCursor": reader.cursors[-1],
    }
    assert len(reader.payloads) == 1


async def test_subscribers_that_join_during_commits_miss_and_repeat_nothing(
    fan: Fan, world: World, event: UUID
):
    """Whether they catch up before their group has delivered the newest changes, or after."""
    admin = await fan.token_of("A")
    first = await fan.joined(admin, BOOKINGS)
    people = await world.candidates(JOINERS)

    async def commit() -> None:
        for candidate in people:
            await world.booked(candidate, event)

    committing = asyncio.create_task(commit())
    readers = []
    for joined in range(JOINERS):
        await first.has(joined + 1)
        after = START if joined % 3 else first.cursors[joined // 2]
        readers.append((after, await fan.subscribe(admin, BOOKINGS, after=after)))
    await committing

    cursors = await cursors_of_bookings(world)
    for after, reader in readers:
        expected = cursors if after == START else cursors[cursors.index(after) + 1 :]
        await reader.has(len(expected))
        await reader.joined()
        assert reader.cursors == expected
    assert first.cursors == cursors


async def test_seats_are_counted_once_for_all_subscribers(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """After each commit. A client that does not read is sent only the newest count."""
    admin = await fan.token_of("A")
    ids = [global_id("Event", event)]
    readers = [await fan.joined(admin, SEATS, ids=ids) for _ in range(READERS)]
    paused = readers[0]
    people = await world.candidates(6)
    counts = reads_of_seats(world.storage, monkeypatch)
    paused.pause()

    for n, candidate in enumerate(people, 2):
        await world.booked(candidate, event)
        for reader in readers[1:]:
            await reader.has(n)
    assert len(counts) == len(people)

    paused.read()
    await paused.has(3)
    await paused.joined()
    assert [taken(payload) for payload in paused.payloads] == [0, 1, 6]
    assert [taken(payload) for payload in readers[1].payloads] == [0, 1, 2, 3, 4, 5, 6]


def taken(payload: bytes) -> int:
    return int(payload.rpartition(b'"taken":')[2].rstrip(b"}"))


def reads_of_seats(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The reads of seats from now on; growing."""
    found, read = [], storage.read

    async def noted(asked: Any, *given: Any, **more: Any) -> Any:
        if "seats" in str(asked.shape):
            found.append(asked.shape)
        return await read(asked, *given, **more)

    monkeypatch.setattr(storage, "read", noted)
    return found


async def test_rights_that_change_count_from_the_next_change_on(
    fan: Fan, world: World, centre: UUID, event: UUID
):
    """A viewer that loses or gains rights moves to the group of those who have the same."""
    people = [await world.candidate(f"P{n}", email=f"p{n}@example.org") for n in range(3)]
    reader = await fan.joined(await fan.token_of("U"), BOOKINGS)
    other = await fan.joined(await fan.token_of("A"), BOOKINGS)

    await world.booked(people[0], event)
    await reader.has(1)
    await fan.token_of("U", Role.INVIGILATOR, centre_ids=(ByKey(centre),))
    await world.booked(people[1], event)
    await reader.has(2)
    await fan.token_of("U")
    await world.booked(people[2], event)
    await reader.has(3)
    await other.has(3)

    assert [b"@example.org" in payload for payload in reader.payloads] == [True, False, True]
    assert [b"@example.org" in payload for payload in other.payloads] == [True, True, True]
    assert reader.cursors == other.cursors


async def test_a_subscriber_that_joins_during_a_delivery_has_its_present_rights(
    fan: Fan, world: World, centre: UUID, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """Its rights were read before they changed, and it joins after the others' were read again."""
    named = {"filter": {"candidateName": {"contains": "Lovelace"}}}
    reader = await fan.joined(await fan.token_of("A"), BOOKINGS, **named)
    candidate = await world.candidate(email="c@example.org")
    user = await fan.token_of("U")
    beginning = Gate(world.storage, monkeypatch, "newest position")
    late = await fan.subscribe(user, BOOKINGS)
    await beginning.is_reached()
    await fan.token_of("U", Role.INVIGILATOR, centre_ids=(ByKey(centre),))
    delivering = Gate(world.storage, monkeypatch, "candidate texts")
    await world.booked(candidate, event)
    await delivering.is_reached()

    beginning.open.set()
    subscriber: Any = late.subscriber
    await eventually(lambda: late.payloads or subscriber._group is not None)
    delivering.open.set()

    await late.has(1)
    await reader.has(1)
    assert b"c@example.org" in reader.payloads[0]
    assert b"c@example.org" not in late.payloads[0]


async def test_seats_are_counted_again_after_the_database_was_overloaded(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(channels, "RETRY_SECONDS", 0.01)
    reader = await fan.joined(await fan.token_of("A"), SEATS, ids=[global_id("Event", event)])
    [candidate] = await world.candidates(1)
    failed = overloaded_once(world.storage, monkeypatch, "seats")

    await world.booked(candidate, event)
    await reader.has(2)

    assert failed
    assert [taken(payload) for payload in reader.payloads] == [0, 1]


async def test_a_subscriber_that_leaves_takes_no_reads_of_others_with_it(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """Although both are answered by graphql-core, which reads through loaders."""
    fan.operations.planner = planner = SwitchedPlanner(build_schema()._schema)
    planner.on = False
    admin = await fan.token_of("A")
    leaving = await fan.joined(admin, BOOKINGS)
    reader = await fan.joined(admin, BOOKINGS.replace("email", "id email"))
    [candidate] = await world.candidates(1)
    reading = Gate(world.storage, monkeypatch, "Candidate", every=True)

    await world.booked(candidate, event)
    await reading.is_reached()
    await several_turns()
    leaving.subscriber.cancel()
    reading.open.set()

    await reader.has(1)
    assert leaving.payloads == []
