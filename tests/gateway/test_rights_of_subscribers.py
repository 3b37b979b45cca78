"""Subscriptions read the viewer's rights before each change that they deliver.

The order of the changes and of the deliveries is that of the test: nothing here waits for a time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.auth import Authenticator, TokenExpired, TokenRefused, make_token
from gateway.change_feed import ChangeFeed, Watch
from gateway.export_addresses import ExportAddresses
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.identity import global_id
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.references import ByKey
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from resolvers.vocabulary import Role
from schema import build_schema
from schema.grammar.context import Context
from tests.conftest import SettableClock
from tests.gateway.conftest import SECRET
from tests.patience import PATIENCE
from tests.resolvers.world import World

BOOKINGS = """subscription ($after: String) {
  bookingChanged(after: $after) { booking { candidate { id } } } }"""
EVENTS = "subscription ($after: String) { eventChanged(after: $after) { type } }"
SEATS = "subscription ($ids: [ID!]!) { seatsChanged(eventIds: $ids) { seats { taken } } }"


class AnnouncedWatch:
    """A watch that says when its subscriber has read everything and waits."""

    def __init__(self, watch: Watch, waiting: asyncio.Event) -> None:
        self._watch, self._waiting = watch, waiting

    async def changed(self) -> None:
        self._waiting.set()
        await self._watch.changed()


class Announced:
    """A feed of which a test knows when somebody waits."""

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self.waiting = asyncio.Event()

    def watch(self, organization_id: UUID) -> AnnouncedWatch:
        return AnnouncedWatch(self._feed.watch(organization_id), self.waiting)

    async def turn(self) -> None:
        await self._feed.turn()


@dataclass
class Subscriber:
    """A user with a token, whose subscriptions read the rights that the database has."""

    world: World
    operations: Operations
    feed: Announced
    authenticator: Authenticator
    user: UpsertUser
    header: str

    async def becomes(self, **values: Any) -> None:
        await self.world.made(upsert_users, replace(self.user, **values))

    async def subscribed(self, text: str, **variables: Any) -> Any:
        storage = self.world.storage

        async def who() -> Viewer:
            return await self.authenticator.viewer(self.header)

        context = Context(
            viewer=await who(),
            storage=storage,
            feed=self.feed,
            exports=ExportAddresses(SECRET, storage.clock),
            who=who,
        )
        return aclosing(await self.operations.execute(GraphQLRequest(text, variables), context))


async def following(results: Any) -> Any:
    """The next delivery, without its root field."""
    async with asyncio.timeout(PATIENCE):
        result = await anext(results)
    assert result.errors is None, result.errors
    [answer] = result.data.values()
    return answer


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def feed(storage: Storage) -> AsyncIterator[Announced]:
    """A feed that hears of commits, and does not poll."""
    made = ChangeFeed(storage, poll_seconds=3600)
    await made.start()
    yield Announced(made)
    await made.close()


@pytest.fixture
async def subscriber(world: World, feed: Announced, clock: SettableClock) -> Subscriber:
    """A user who sees the organization, with a token for an hour."""
    user = UpsertUser(viewer=world.viewer, reference="U1", name="Uma", role=Role.ADMIN)
    organization_id = world.viewer.organization_id
    token = make_token(
        secret=SECRET,
        organization_id=organization_id,
        role="admin",
        now=clock.now,
        hours=1,
        user_id=await world.made(upsert_users, user),
    )
    authenticator = Authenticator(world.storage, SECRET, clock)
    operations = Operations(build_schema())
    return Subscriber(world, operations, feed, authenticator, user, f"Bearer {token}")


class Beginning:
    """The place before the first change."""

    position = 0


START = IN_COMMIT_ORDER.cursor(Beginning)


async def deactivated(subscriber: Subscriber, clock: SettableClock) -> None:
    await subscriber.becomes(active=False)


async def expired(subscriber: Subscriber, clock: SettableClock) -> None:
    clock.now += timedelta(hours=1)


LOST: dict[str, tuple[Callable[..., Any], type[Exception], str]] = {
    "deactivated": (deactivated, TokenRefused, "The token's user is not active."),
    "expired": (expired, TokenExpired, "The token has expired."),
}


@pytest.fixture(params=LOST)
def lost(
    request: pytest.FixtureRequest, subscriber: Subscriber, clock: SettableClock
) -> tuple[Callable[[], Any], type[Exception], str]:
    """What takes the subscriber's rights away, and the error that a subscription then ends with."""
    lose, error, message = LOST[request.param]
    return lambda: lose(subscriber, clock), error, message


async def events_with_bookings(world: World) -> list[Any]:
    """Two events with a booking each: two changes of events, two of bookings."""
    centre = await world.centre()
    room = await world.room(centre)
    events = [await world.event(centre=centre, room=room, identifier=name) for name in ("E1", "E2")]
    for n, event in enumerate(events):
        await world.booked(await world.candidate(f"C{n}"), event)
    return events


@pytest.mark.parametrize("text", [BOOKINGS, EVENTS])
async def test_nothing_more_of_the_backlog_is_delivered(world, subscriber, lost, text):
    """Although the changes are in a page that was read while the viewer still had the rights."""
    await events_with_bookings(world)
    lose, error, message = lost

    async with await subscriber.subscribed(text, after=START) as results:
        await following(results)
        await lose()

        with pytest.raises(error, match=message):
            await following(results)
        with pytest.raises(StopAsyncIteration):
            await anext(results)


@pytest.mark.parametrize("text", [BOOKINGS, EVENTS])
async def test_no_live_change_is_delivered(world, subscriber, lost, text):
    """A subscriber that waits is not sent what happens after its rights have gone."""
    centre = await world.centre()
    lose, error, message = lost

    async with await subscriber.subscribed(text) as results:
        waiting = asyncio.create_task(following(results))
        async with asyncio.timeout(PATIENCE):
            await subscriber.feed.waiting.wait()
        await lose()
        event = await world.event(centre=centre, room=await world.room(centre))
        await world.booked(await world.candidate("C1"), event)

        with pytest.raises(error, match=message):
            await waiting


async def test_no_more_seats_are_delivered(world, subscriber, lost):
    """Each count of several is checked, and so are those that follow."""
    events = await events_with_bookings(world)
    ids = [global_id("Event", key) for key in events]
    lose, error, message = lost

    async with await subscriber.subscribed(SEATS, ids=ids) as results:
        assert await following(results) == {"seats": {"taken": 1}}
        await lose()

        with pytest.raises(error, match=message):
            await following(results)


@pytest.mark.both_databases
async def test_what_leaves_the_scope_is_not_delivered(world, subscriber):
    """A page that was read with the former scope is read again with the new one."""
    centres = [await world.centre(name) for name in ("LON", "PAR")]
    events = [await world.event(centre=key, room=await world.room(key)) for key in centres]
    people = await world.candidates(4)
    for n, candidate in enumerate(people):
        await world.booked(candidate, events[n % 2])
    staff = {"role": Role.CENTRE_STAFF, "centre_ids": tuple(map(ByKey, centres))}
    await subscriber.becomes(**staff)

    async with await subscriber.subscribed(BOOKINGS, after=START) as results:
        told = [await following(results)]
        await subscriber.becomes(**{**staff, "centre_ids": (ByKey(centres[1]),)})
        told += [await following(results) for _ in range(2)]

    ids = [change["booking"]["candidate"]["id"] for change in told]
    assert ids == [global_id("Candidate", people[n]) for n in (0, 1, 3)]


async def test_a_new_role_counts_from_the_next_change_on(world, subscriber):
    """Without VIEW_PII the same subscription shows no more personal data."""
    centre = await world.centre()
    event = await world.event(centre=centre, room=await world.room(centre))
    for n in range(2):
        candidate = await world.candidate(f"C{n}", email=f"c{n}@example.org")
        await world.booked(candidate, event)
    text = BOOKINGS.replace("{ id }", "{ email }")
    shown = {"booking": {"candidate": {"email": "c0@example.org"}}}

    async with await subscriber.subscribed(text, after=START) as results:
        assert await following(results) == shown
        await subscriber.becomes(role=Role.INVIGILATOR, centre_ids=(ByKey(centre),))
        assert await following(results) == {"booking": {"candidate": {"email": None}}}
