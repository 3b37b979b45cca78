"""A worker may die at any instant: nothing is lost, and nothing is sent twice without a death."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import groupby

import asyncpg
import pytest

from resolvers.agent_bookings.booking import book
from resolvers.notifications.commands import RegisterNotification
from resolvers.notifications.endpoints import register
from resolvers.storage.tables import AgentBooking, NotificationDelivery
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic
from tests.conftest import DATABASES
from tests.end_to_end.working import FastClock, worker
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
BOOKINGS = 42
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
    """A message that the receiver has read: which delivery, about what, and by which worker."""

    delivery: str
    topic: str
    booking: str
    generation: int


@dataclass
class Receiver:
    """At times slow, faulty or gone; it keeps what it has read and accepted, by which worker."""

    chance: random.Random
    generation: int = 0
    read: list[Told] = field(default_factory=list)
    accepted: list[Told] = field(default_factory=list)
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)
    up: Receiving | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.up is not None
        told = self._told(self.up.requests[-1])
        self.read.append(told)
        luck = self.chance.random()
        if luck < 0.05:
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
        return Told(delivery, message["Topic"], about, self.generation)


@pytest.fixture
def clock() -> FastClock:
    return FastClock(datetime.now(UTC))


@pytest.fixture
def world(storage, viewer) -> School:
    return School(storage, viewer)


def submissions():
    """Of every student one; every third asks for what is not possible."""
    for n in range(BOOKINGS):
        asked = SAMPLE if n % 3 else NEVER
        student = replace(asked.student, first_names=f"Student {n}", passport_number=f"P{n}")
        yield replace(asked, agent_booking_id=f"X{n}", student=student)


RECORD_FAILURES = """
    CREATE TABLE failed_attempt (delivery uuid, worker text);
    CREATE FUNCTION record_failed_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO failed_attempt VALUES (NEW.id, current_setting('application_name'));
        RETURN NULL;
    END $$;
    CREATE TRIGGER failed_attempts AFTER UPDATE ON notification_delivery FOR EACH ROW
    WHEN (NEW.attempts > OLD.attempts AND NEW.status <> 'DELIVERED')
    EXECUTE FUNCTION record_failed_attempt()
"""
FORGET_FAILURES = """
    DROP TRIGGER failed_attempts ON notification_delivery;
    DROP FUNCTION record_failed_attempt;
    DROP TABLE failed_attempt
"""


Failures = Callable[[], Awaitable[Counter[tuple[str, int]]]]


@pytest.fixture
async def failures(database_url) -> AsyncIterator[Failures]:
    """How many failed attempts of each delivery each generation of workers has written down."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(RECORD_FAILURES)

    async def found() -> Counter[tuple[str, int]]:
        rows = await connection.fetch("SELECT delivery, worker FROM failed_attempt")
        return Counter((str(row["delivery"]), int(row["worker"])) for row in rows)

    yield found
    await connection.execute(FORGET_FAILURES)
    await connection.close()


@pytest.mark.parametrize("database", DATABASES[-1:])
async def test_killed_twenty_times(world, possible, clock, database_url, failures):  # noqa: F811
    """In the middle of their batches. Every booking is judged once, every message arrives in order.

    A message is sent again only after the worker has died, or has written down that its attempt
    failed. The receiver may have accepted it even so: on a busy machine it reads a request after
    the worker's time limit, and neither side can know.
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

    def generation_of(number):
        return worker(f"{database_url}?application_name={number}", clock._since)

    with generation_of(0):
        await eventually(somebody_waits)

    async with receiving(receiver.answer, port=port) as receiver.up:
        for generation in range(1, DEATHS + 1):
            receiver.generation = generation
            with generation_of(generation):
                enough = len(receiver.accepted) + receiver.chance.randint(1, 3)
                async with asyncio.timeout(PATIENCE), receiver.grown:
                    await receiver.grown.wait_for(lambda n=enough: len(receiver.accepted) >= n)
            await receiver.drained()
        receiver.generation = DEATHS + 1
        with generation_of(DEATHS + 1):
            await eventually(nobody_waits)

    delivered = await deliveries(DeliveryStatus.DELIVERED)
    accepted = {told.delivery for told in receiver.accepted}
    assert len(delivered) == 2 * BOOKINGS
    assert accepted == {str(row.id) for row in delivered}
    failed = await failures()
    sent = Counter((told.delivery, told.generation) for told in receiver.read)
    for attempts, times in sent.items():
        assert times - 1 <= failed[attempts], "sent again by a worker that knew of no failure"
    for of_booking in _grouped(receiver.accepted, lambda told: told.booking):
        stages = [TOLD[told.topic] for told in of_booking]
        assert stages == sorted(stages)
    details = await world.rows(AgentBooking, "organization_id", world.viewer.organization_id)
    assert sorted(row.status for row in details) == ["CONFIRMED"] * 28 + ["INVALID"] * 14
    changes = [change.booking_type for change in await world.changes() if change.booking_type]
    assert (changes.count("CONFIRMED"), changes.count("INVALIDATED")) == (28, 14)


def _grouped(told, key):
    """In the order in which they were accepted."""
    return [list(group) for _, group in groupby(sorted(told, key=key), key)]
