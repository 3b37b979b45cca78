"""Wake-ups: hints between processes, and outages of what passes them on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx
import pytest

from gateway.app import create_app
from gateway.change_feed import ChangeFeed
from gateway.settings import Settings
from gateway.wakeups import NoWakeups, Wakeups, wakeups_of
from gateway.wakeups.hints import MOST_ORGANIZATIONS, hint_of, positions_in
from gateway.wakeups.linked import LinkedWakeups, OpenLink
from gateway.wakeups.postgresql import APPLICATION, linked_through_postgresql
from gateway.wakeups.redis import linked_through_redis
from resolvers.notifications import outbox
from resolvers.storage import Storage, storage_at
from resolvers.storage.columns import new_key
from tests.conftest import DATABASES, run_statements
from tests.gateway.conftest import SCHEMA, SECRET
from tests.gateway.test_change_feed import commit
from tests.patience import PATIENCE, eventually
from tests.redis_server import RedisServer, redis_server
from tests.resolvers.storage.proxy import Proxy

KEYS = [new_key() for _ in range(3)]
CUT = f"""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE application_name = '{APPLICATION}' AND datname = current_database()
"""


class Process:
    """The wake-ups of one process, and what it received of others'."""

    def __init__(self, wakeups: Wakeups) -> None:
        self.wakeups = wakeups
        self.received: dict[UUID, int] = {}
        self.linked = 0
        self.hints = 0

    def wake(self, positions: Mapping[UUID, int]) -> None:
        self.received.update(positions)
        self.linked += not positions
        self.hints += bool(positions)

    async def is_linked(self, times: int = 1) -> None:
        await eventually(lambda: self.linked >= times)

    async def receives(self, key: UUID, position: int) -> None:
        await eventually(lambda: self.received.get(key) == position)


@asynccontextmanager
async def processes(settings: Settings, count: int = 2) -> AsyncIterator[list[Process]]:
    """The wake-ups of several processes, whose links are open."""
    async with AsyncExitStack() as closing:
        made = [Process(wakeups_of(settings)) for _ in range(count)]
        for each in made:
            await each.wakeups.start(each.wake)
            closing.push_async_callback(each.wakeups.close)
        for each in made:
            await each.is_linked()
        yield made


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_a_hint_names_organizations_and_positions():
    positions = {key: n for n, key in enumerate(KEYS)}

    hint = hint_of("ab", positions)

    assert positions_in(hint, sender="cd") == positions
    assert positions_in(hint, sender="ab") is None  # its own


def test_a_hint_of_many_organizations_names_none():
    """And fits into a payload of PostgreSQL."""
    most = {new_key(): 2**63 - 1 for _ in range(MOST_ORGANIZATIONS)}

    assert len(hint_of("0123abcd", most)) < 8000
    assert positions_in(hint_of("ab", most), sender="cd") == most
    assert positions_in(hint_of("ab", {**most, new_key(): 1}), sender="cd") == {}


@pytest.mark.parametrize(
    "text", ["", "x", "a b", "a " + "0" * 32, "a 1:2:3", "a " + "g" * 32 + ":1"]
)
def test_a_malformed_hint_names_none(text: str):
    """So the receiver looks at the log itself."""
    assert positions_in(text, sender="cd") == {}


def test_a_file_has_no_wakeups():
    assert isinstance(wakeups_of(Settings(database_url="sqlite:///x")), NoWakeups)


async def test_without_a_start_nothing_is_sent():
    """`close` returns at once."""
    wakeups = wakeups_of(Settings(database_url="postgresql://x@127.0.0.1:1/x"))
    wakeups.announce({KEYS[0]: 1})

    async with asyncio.timeout(PATIENCE):
        await wakeups.close()


@dataclass
class Through:
    """A server that passes hints on, and ways to interrupt it."""

    settings: Settings
    name: str
    link: Callable[[str], OpenLink]
    """Makes links to an address, with little patience."""
    cut: Callable[[], Awaitable[object]]
    """Cut the connections of every process."""
    proxy: Proxy
    """Another way to the same server."""

    def behind(self) -> LinkedWakeups:
        """The wake-ups of a process on the other side of the proxy."""
        return LinkedWakeups(self.name, self.link(self.proxy.url))


@pytest.fixture(params=["postgresql", "redis"])
def address(request: pytest.FixtureRequest) -> str | None:
    """The address of PostgreSQL; None for Redis."""
    if request.param == "redis":
        return None
    if "postgresql" not in DATABASES:
        pytest.skip("GATEWAY_TEST_POSTGRES_URL is not set")
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
async def through(address: str | None) -> AsyncIterator[Through]:
    if address is None:
        link = partial(linked_through_redis, seconds=0.5)
        with redis_server() as server:
            async with Proxy(server.url, forwards_ends=True) as proxy:
                settings = Settings(redis_url=server.url)
                yield Through(settings, "Redis", link, server.restart, proxy)
    else:
        link = partial(linked_through_postgresql, seconds=0.5)
        async with Proxy(address, forwards_ends=True) as proxy:
            settings = Settings(database_url=address)
            cut = partial(run_statements, address, [CUT])
            yield Through(settings, "PostgreSQL", link, cut, proxy)


async def test_a_commit_wakes_every_other_process(through: Through):
    async with processes(through.settings, 3) as [one, *others]:
        one.wakeups.announce({KEYS[0]: 7, KEYS[1]: 8})

        for other in others:
            await other.receives(KEYS[0], 7)
            await other.receives(KEYS[1], 8)
        assert one.received == {}


async def test_announcements_are_sent_together(through: Through):
    """Of 1,000 commits in a row, a few hints are sent; the newest positions arrive."""
    async with processes(through.settings) as [one, other]:
        for position in range(1_000):
            one.wakeups.announce({KEYS[position % 3]: position})

        for n, key in enumerate(KEYS):
            await other.receives(key, max(p for p in range(1_000) if p % 3 == n))
        assert other.hints <= 2


async def test_after_a_cut_every_process_looks_for_itself(
    through: Through, caplog: pytest.LogCaptureFixture
):
    """Then wake-ups work again. A cut is one line in each process's log, without a traceback."""
    async with processes(through.settings) as [one, other]:
        caplog.clear()
        await through.cut()

        await one.is_linked(2)
        await other.is_linked(2)
        one.wakeups.announce({KEYS[0]: 1})
        await other.receives(KEYS[0], 1)

    interrupted = [r for r in caplog.records if "interrupted" in r.message]
    assert len(interrupted) == 2
    assert not any(record.exc_info for record in caplog.records)


async def test_what_is_announced_during_an_outage_is_sent_after_it(
    through: Through, caplog: pytest.LogCaptureFixture
):
    """However often the link is tried, the outage is one line in the log."""
    async with processes(through.settings, 1) as [other]:
        one = Process(through.behind())
        await one.wakeups.start(one.wake)
        await one.is_linked()
        through.proxy.refuse()
        one.wakeups.announce({KEYS[0]: 1})
        one.wakeups.announce({KEYS[1]: 2})
        await eventually(lambda: through.proxy.refused >= 3)

        through.proxy.accept_again()

        await other.receives(KEYS[0], 1)
        await other.receives(KEYS[1], 2)
        await one.wakeups.close()
    assert len(caplog.records) == 1


async def test_a_server_that_does_not_answer_is_an_outage(
    through: Through, caplog: pytest.LogCaptureFixture
):
    """A hint that is not accepted in time goes over the next link."""
    async with processes(through.settings, 1) as [other]:
        one = Process(through.behind())
        await one.wakeups.start(one.wake)
        await one.is_linked()
        through.proxy.stop_forwarding()
        one.wakeups.announce({KEYS[0]: 1})
        await eventually(lambda: "interrupted" in caplog.text)
        through.proxy.forward_again()

        await other.receives(KEYS[0], 1)
        await one.wakeups.close()


async def test_what_was_announced_is_sent_before_the_end(through: Through):
    """`booking-gateway import` ends right after its last commit."""
    async with processes(through.settings) as [one, other]:
        one.wakeups.announce({KEYS[0]: 1})
        await one.wakeups.close()

        await other.receives(KEYS[0], 1)


async def test_an_outage_does_not_delay_the_end(through: Through):
    one = Process(through.behind())
    await one.wakeups.start(one.wake)
    await one.is_linked()
    through.proxy.refuse()
    one.wakeups.announce({KEYS[0]: 1})

    async with asyncio.timeout(PATIENCE):
        await one.wakeups.close()


@pytest.mark.parametrize(
    "settings",
    [{"redis_url": "redis://127.0.0.1:1"}, {"wakeup_url": "postgresql://x@127.0.0.1:1/x"}],
    ids=["redis", "postgresql"],
)
async def test_the_gateway_serves_without_the_server_of_its_wakeups(
    settings: dict[str, str], database_url: str, caplog: pytest.LogCaptureFixture
):
    """It starts, and /health answers 200."""
    given = Settings(database_url=database_url, jwt_secret=SECRET, worker="off", **settings)  # type: ignore[arg-type]
    app = create_app(given, SCHEMA)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await eventually(lambda: "interrupted" in caplog.text)
            assert (await client.get("/health")).status_code == 200


@asynccontextmanager
async def following(storage: Storage, wakeups: Wakeups) -> AsyncIterator[ChangeFeed]:
    feed = ChangeFeed(storage, wakeups, poll_seconds=3600)
    await feed.start()
    yield feed
    await feed.close()


@pytest.mark.both_databases
async def test_a_subscriber_is_woken_by_a_commit_of_another_process(
    storage: Storage, database_url: str, organization_id: UUID, own_redis: RedisServer
):
    """Through Redis, also on SQLite; the poll would take an hour."""
    settings = Settings(database_url=database_url, redis_url=own_redis.url)
    elsewhere = storage_at(database_url, outbox.fill, clock=storage.clock)
    await elsewhere.open()
    async with (
        processes(settings, 1) as [probe],
        following(storage, wakeups_of(settings)) as feed,
        following(elsewhere, wakeups_of(settings)),
    ):
        watch = feed.watch(organization_id)
        for n in range(1, 4):
            await commit(elsewhere, organization_id)
            await probe.receives(organization_id, n)
            await asyncio.wait_for(watch.changed(), PATIENCE)
    await elsewhere.close()


async def test_a_lost_wakeup_is_found_by_the_poll(
    storage: Storage, database_url: str, organization_id: UUID
):
    """A server that loses every hint delays a change by the time between two polls."""
    feed = ChangeFeed(storage, NoWakeups(), poll_seconds=0.01)
    await feed.start()
    watch = feed.watch(organization_id)
    await asyncio.wait_for(watch.changed(), PATIENCE)
    elsewhere = storage_at(database_url, outbox.fill, clock=storage.clock)
    await elsewhere.open()

    await commit(elsewhere, organization_id)

    await asyncio.wait_for(watch.changed(), PATIENCE)
    await elsewhere.close()
    await feed.close()
