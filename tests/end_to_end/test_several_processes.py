"""`serve --processes 2`: a parent of uvicorn's, and two processes that accept at one socket."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from resolvers.identity import global_id
from tests.conftest import DATABASES
from tests.end_to_end.clients import Client, socket_to
from tests.end_to_end.conftest import ids
from tests.end_to_end.servers import SECRET
from tests.end_to_end.test_never_overbooked import BOOK, CREATED, WHO_SITS, codes, together
from tests.patience import PATIENCE, eventually
from tests.processes import ROOT, Process, running
from tests.resolvers.world import World

pytestmark = [
    pytest.mark.skipif("postgresql" not in DATABASES, reason="several processes need PostgreSQL"),
    pytest.mark.parametrize("database", DATABASES[-1:], scope="session"),
]

STUDENTS = ROOT / "tests" / "resolvers" / "sources" / "documents" / "students.json"
PROCESSES = 2
CONNECTIONS_EACH = 8
BOOKED = """subscription Booked($after: String) {
    bookingChanged(after: $after) { type booking { id } }
}"""
NEWEST = "{ bookingChanges(last: 1) { pageInfo { endCursor } } }"
SERVER = "spawn_main"
"""What the command line of a process that uvicorn has started contains."""


def servers_of(parent: int) -> set[int]:
    """The processes that serve; multiprocessing starts another one that does not."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(child) for child in children if SERVER in command_of(int(child))}


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def is_running(process: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    return False


@contextmanager
def stopped(processes: Sequence[int]) -> Iterator[None]:
    """The processes do nothing until the block ends."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@dataclass
class Gateway:
    """A parent and what it has started."""

    parent: Process
    address: str
    token: str

    def servers(self) -> set[int]:
        return servers_of(self.parent.id)

    async def are_ready(self) -> set[int]:
        """Wait until each of the processes has answered a request."""
        servers = await eventually(self._all)
        for server in servers:
            async with self.connected(server, count=1):
                pass
        return servers

    def _all(self) -> set[int]:
        found = self.servers()
        return found if len(found) == PROCESSES else set()

    @asynccontextmanager
    async def connected(self, server: int, *, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
        """Clients with one connection each, all of them to one of the processes."""
        async with AsyncExitStack() as opened:
            with stopped(sorted(self.servers() - {server})):
                clients = [await opened.enter_async_context(self._client()) for _ in range(count)]
                for client in clients:
                    await eventually(lambda client=client: self._answers(client))
            yield clients

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.address,
            headers={"authorization": f"Bearer {self.token}"},
            limits=httpx.Limits(max_connections=1),
            timeout=PATIENCE,
        )

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        with suppress(httpx.ConnectError):
            return (await client.get("/health/live")).status_code == 200
        return False


@pytest.fixture
def gateway(database_url: str, token: str) -> Iterator[Gateway]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(
        *(sys.executable, "-m", "gateway", "serve"),
        *("--port", str(port), "--processes", str(PROCESSES)),
        environment={
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_JWT_SECRET": SECRET,
            "GATEWAY_POLL_SECONDS": "3600",
        },
    ) as parent:
        yield Gateway(parent, f"http://127.0.0.1:{port}", token)


async def event_with_seats(world: World, seats: int) -> str:
    centre = await world.centre()
    room = await world.room(centre, "Hall", capacity=1000)
    values = {"centre": centre, "room": room, "start_at": world.tomorrow(10)}
    return global_id("Event", await world.event(capacity_maximum=seats, **values))


async def test_two_processes_never_overbook(gateway: Gateway, world: World):
    """Of 100 requests for 10 seats over both processes, 10 are booked."""
    one, other = await gateway.are_ready()
    event = await event_with_seats(world, 10)
    asked: list[dict[str, Any]] = [
        {"candidate": candidate, "event": event}
        for candidate in ids("Candidate", await world.candidates(100))
    ]

    async with (
        gateway.connected(one, count=CONNECTIONS_EACH) as some,
        gateway.connected(other, count=CONNECTIONS_EACH) as others,
    ):
        clients = [Client(some), Client(others)]
        answers = await together(clients, BOOK, asked)
        found = [await client.ask(WHO_SITS, event=event) for client in clients]
        created = await clients[0].ask(CREATED, event=event)

    assert codes(answers) == {"done": 10, "CapacityError EVENT_FULL": 90}
    booked = {answer["enrolment"]["id"] for answer in answers if answer["enrolment"]}
    for event_now in found:
        assert event_now["seats"] == {"capacity": 10, "taken": 10, "free": 0, "state": "FULL"}
        assert {node["id"] for node in event_now["enrolments"]["nodes"]} == booked
    assert created == {"totalCount": 10}


async def test_a_killed_process_is_replaced(gateway: Gateway):
    """The other one goes on, and the parent stays."""
    one, other = await gateway.are_ready()
    async with gateway.connected(other, count=1) as [client]:
        os.kill(one, signal.SIGKILL)

        await eventually(lambda: len(gateway.servers() - {one}) == PROCESSES)

        assert (await client.get("/health/live")).status_code == 200
    assert other in await gateway.are_ready()


async def test_a_signal_to_the_parent_stops_all(gateway: Gateway):
    """They end as a single process does: what they have begun is finished."""
    servers = await gateway.are_ready()

    ended = await asyncio.to_thread(gateway.parent.end)

    assert ended.code == 0, ended
    assert not any(map(is_running, servers))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(gateway.address.rpartition(":")[2])))


async def test_subscribers_of_one_process_receive_the_changes_of_the_other(
    gateway: Gateway, world: World
):
    """By wake-ups: the next poll is an hour away."""
    one, other = await gateway.are_ready()
    event = await event_with_seats(world, 4)
    first, *others = ids("Candidate", await world.candidates(4))
    host = gateway.address.removeprefix("http://")
    async with (
        AsyncExitStack() as opened,
        gateway.connected(one, count=1) as [reader],
        gateway.connected(other, count=1) as [booker],
    ):
        assert (await Client([reader]).ask(BOOK, candidate=first, event=event))["errors"] == []
        newest = await Client([reader]).ask(NEWEST)
        with stopped([other]):
            subscriber = await opened.enter_async_context(socket_to(host, gateway.token))
        await subscriber.subscribe(BOOKED, after=newest["pageInfo"]["endCursor"])

        for candidate in others:
            booked = await Client([booker]).ask(BOOK, candidate=candidate, event=event)

            change = await subscriber.next()
            assert change == {"type": "CREATED", "booking": {"id": booked["enrolment"]["id"]}}


async def test_subscribers_receive_what_is_imported(
    gateway: Gateway, database_url: str, world: World
):
    """`booking-gateway import` wakes the gateways before it ends."""
    one, _ = await gateway.are_ready()
    event = await event_with_seats(world, 1)
    [candidate] = ids("Candidate", await world.candidates(1))
    async with (
        gateway.connected(one, count=1) as [reader],
        socket_to(gateway.address.removeprefix("http://"), gateway.token) as subscriber,
    ):
        assert (await Client([reader]).ask(BOOK, candidate=candidate, event=event))["errors"] == []
        newest = await Client([reader]).ask(NEWEST)
        await subscriber.subscribe(BOOKED, after=newest["pageInfo"]["endCursor"])

        with running(
            *(sys.executable, "-m", "gateway", "import", "surpass-scheduler", STUDENTS),
            environment={"GATEWAY_DATABASE_URL": database_url, "GATEWAY_JWT_SECRET": SECRET},
        ) as importing:
            importing.line("2 made")

        assert (await subscriber.next())["type"] == "CREATED"
