"""A worker may die at any instant: nothing is lost, and nothing is sent twice without a death."""

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import groupby, pairwise

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.notifications.commands import RegisterNotification
from resolvers.notifications.endpoints import register
from resolvers.storage.tables import AgentBooking, NotificationDelivery
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic
from tests.conftest import DATABASES
from tests.end_to_end.working import ATTEMPT_SECONDS, FastClock, worker
from tests.gateway.receiving import (
    Receiving,
    answering,
    cut_off_after,
    receiving,
    silent_after,
)
from tests.patience import PATIENCE, eventually
from tests.resolvers.agent_bookings.conftest import (  # noqa: F401 - with fixtures
    SAMPLE,
    School,
    course,
    office,
    possible,
    school,
)

DEATHS = 20
BOOKINGS = 60
NEVER = replace(SAMPLE, courses=(replace(SAMPLE.courses[0], date_from=date(2027, 3, 16)),))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FAULT = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"

TOLD = {
    "Booking:Created": 0,
    "Booking:Invalid": 1,
    "Booking:Success": 1,
}
"""The topics of a booking in the order of its life."""


@dataclass
class Told:
    """A message that was accepted: which delivery, about what, and by which worker."""

    delivery: str
    topic: str
    booking: str
    generation: int
    at: float


@dataclass
class Receiver:
    """At times slow, faulty or gone; it keeps what it has accepted, and from which worker."""

    chance: random.Random
    generation: int = 0
    accepted: list[Told] = field(default_factory=list)
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)
    up: Receiving | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.up is not None
        told = self._told(self.up.requests[-1])
        luck = self.chance.random()
        if luck < 0.1:
            await silent_after(b"")(reader, writer)
        if luck < 0.15:
            await cut_off_after(OK[:12])(reader, writer)
        if luck > 0.25:
            self.accepted.append(told)
        await answering(OK if luck > 0.25 else FAULT)(reader, writer)
        async with self.grown:
            self.grown.notify_all()

    async def drained(self) -> None:
        """Until everything is read that a worker has sent which is gone."""
        assert self.up is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.up.port)
        writer.write_eof()
        with suppress(ConnectionError):
            await reader.read()  # ours is served after those that came before it
        writer.close()
        await eventually(lambda: not self.up.open)  # what is left of them is served meanwhile

    def _told(self, request: bytes) -> Told:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        message = json.loads(body)
        about = message.get("AgentBookingId") or message["Reference"]
        delivery = headers["X-Booking-Delivery"]
        at = asyncio.get_running_loop().time()
        return Told(delivery, message["Topic"], about, self.generation, at)


@pytest.fixture
def clock() -> FastClock:
    return FastClock(datetime.now(UTC))


@pytest.fixture
def world(storage, viewer) -> School:
    return School(storage, viewer)


def submissions():
    """Of 60 students; every third asks for what is not possible."""
    for n in range(BOOKINGS):
        asked = SAMPLE if n % 3 else NEVER
        student = replace(asked.student, first_names=f"Student {n}", passport_number=f"P{n}")
        yield replace(asked, agent_booking_id=f"X{n}", student=student)


@pytest.mark.parametrize("database", DATABASES[-1:])
async def test_killed_twenty_times(world, possible, clock, database_url):  # noqa: F811
    """In the middle of their batches. Every booking is judged once, every message arrives in order,
    and what was accepted is sent again only where its worker had died.
    """
    receiver = Receiver(random.Random(6))
    async with receiving(receiver.answer) as down:
        port = down.port  # which nobody listens at, at first
    await world.made(
        register,
        RegisterNotification(
            viewer=world.viewer,
            topics=(
                NotificationTopic.BOOKING_CREATED,
                NotificationTopic.AGENT_BOOKING_INVALID,
                NotificationTopic.AGENT_BOOKING_SUCCESS,
            ),
            channel=NotificationChannel.HTTP_JSON,
            url=f"http://127.0.0.1:{port}/hooks",
            local=True,
        ),
    )
    await world.storage.write(book, [world.asking(each) for each in submissions()])

    async def deliveries(*statuses):
        of = world.viewer.organization_id
        rows = await world.rows(NotificationDelivery, "organization_id", of)
        return [row for row in rows if row.status in statuses]

    async def somebody_waits():
        return bool(await deliveries(DeliveryStatus.RETRYING))

    async def nobody_waits():
        return not await deliveries(DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)

    with worker(database_url, clock._since):
        await eventually(somebody_waits)

    async with receiving(receiver.answer, port=port) as receiver.up:
        for generation in range(1, DEATHS + 1):
            receiver.generation = generation
            with worker(database_url, clock._since):
                enough = len(receiver.accepted) + receiver.chance.randint(1, 6)
                async with asyncio.timeout(PATIENCE), receiver.grown:
                    await receiver.grown.wait_for(lambda n=enough: len(receiver.accepted) >= n)
            await receiver.drained()
        receiver.generation = DEATHS + 1
        with worker(database_url, clock._since):
            await eventually(nobody_waits)

    delivered = await deliveries(DeliveryStatus.DELIVERED)
    accepted = {told.delivery for told in receiver.accepted}
    assert len(delivered) == 2 * BOOKINGS
    assert accepted == {str(row.id) for row in delivered}
    for by_delivery in _grouped(receiver.accepted, lambda told: told.delivery):
        for one, next_one in pairwise(by_delivery):
            # on a busy machine the answer may come after the attempt's time limit
            late = next_one.at - one.at > ATTEMPT_SECONDS / 2
            assert one.generation != next_one.generation or late, "sent twice by one worker"
    for of_booking in _grouped(receiver.accepted, lambda told: told.booking):
        stages = [TOLD[told.topic] for told in of_booking]
        assert stages == sorted(stages)
    details = await world.rows(AgentBooking, "organization_id", world.viewer.organization_id)
    assert sorted(row.status for row in details) == ["CONFIRMED"] * 40 + ["INVALID"] * 20
    changes = [change.booking_type for change in await world.changes() if change.booking_type]
    assert (changes.count("CONFIRMED"), changes.count("INVALIDATED")) == (40, 20)


def _grouped(told, key):
    """In the order in which they were accepted."""
    return [list(group) for _, group in groupby(sorted(told, key=key), key)]
