"""The worker against real receivers, a real mail server and a clock that the test sets."""

import asyncio
import errno
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.background import Failures, run_every
from gateway.delivering import Deliverer
from gateway.lanes import CONNECTIONS_EACH
from gateway.outgoing.http import MOST_CONNECTIONS, HttpSender
from gateway.outgoing.mail import MOST_CONNECTIONS as MOST_MAIL_CONNECTIONS
from gateway.outgoing.mail import MailSender
from gateway.slow_endpoints import SLOW_SECONDS
from gateway.validating import FIRST_WINDOW, WaitingBookings
from gateway.worker import Worker
from resolvers.notifications.commands import RegisterNotification, RotateKey
from resolvers.notifications.endpoints import KEY, register, rotate
from resolvers.notifications.rights import INACTIVE
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.outcomes import Outcome
from resolvers.presence import presences
from resolvers.references import ByKey
from resolvers.storage import Overloaded
from resolvers.storage.rows import changed
from resolvers.storage.statistics import SMALL_ROWS
from resolvers.storage.tables import (
    AgentBooking,
    NotificationDelivery,
    NotificationEndpoint,
    WorkerPresence,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import (
    AgentBookingStatus,
    BookingStatus,
    NotificationChannel,
    NotificationTopic,
    Role,
)
from tests.conftest import DATABASES
from tests.gateway.receiving import (
    Behaviour,
    Receiving,
    answering,
    receiving,
    silent_after,
)
from tests.gateway.test_mail import Mailbox, mail_server_of
from tests.patience import PATIENCE, eventually
from tests.resolvers.agent_bookings.conftest import (  # noqa: F401 - with fixtures
    SAMPLE,
    School,
    course,
    office,
    possible,
    school,
)
from tests.resolvers.enrolments.test_expiry import UNPAID, WEEK
from tests.resolvers.storage.conftest import (  # noqa: F401 - fixtures
    foreign,
    on_postgresql,
    opened,
)
from tests.resolvers.storage.proxy import Proxy
from tests.resolvers.world import World

POLL_SECONDS = 0.01
DELIVERIES_KEPT_FOR = timedelta(days=7)
NEVER = replace(SAMPLE, courses=(replace(SAMPLE.courses[0], date_from=date(2027, 3, 16)),))
OTHER = replace(SAMPLE, agent_booking_id="X2")
OF_AGENTS = (NotificationTopic.AGENT_BOOKING_INVALID, NotificationTopic.AGENT_BOOKING_SUCCESS)


def answer(status: str) -> Behaviour:
    return answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


OK, FAULT = answer("200 OK"), answer("500 Internal Server Error")


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour for each request; the last for all that follow."""
    left = list(behaviours)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)

    return behave


def late_by() -> tuple[Behaviour, asyncio.Event]:
    """A behaviour that takes a message once something has happened."""
    imported = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await imported.wait()
        await OK(reader, writer)

    return behave, imported


def told(request: bytes) -> tuple[dict[str, str], Any]:
    """A request's headers and its body."""
    head, _, body = request.partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), json.loads(body)


@asynccontextmanager
async def mailing(mailbox: Mailbox) -> AsyncIterator[MailSender]:
    """What hands email over to a mailbox."""
    async with mail_server_of(mailbox) as port:
        yield MailSender(f"smtp://127.0.0.1:{port}", "bookings@exams.example", seconds=PATIENCE)


class Working(School):
    """A school with somebody who is told, and a worker who tells."""

    async def endpoint(self, **values: Any) -> tuple[UUID, str]:
        """An endpoint and its key."""
        given = {"topics": OF_AGENTS, "channel": NotificationChannel.HTTP_JSON, "local": True}
        given["viewer"] = self.viewer
        result = await self.one(register, RegisterNotification(**{**given, **values}))
        assert isinstance(result, Outcome), result
        return result.subject, result.facts[KEY]

    async def deliveries(self) -> list[Any]:
        of = self.viewer.organization_id
        rows = await self.rows(NotificationDelivery, "organization_id", of)
        return sorted(rows, key=lambda row: row.id)

    async def statuses(self) -> list[str]:
        return [row.status.value for row in await self.deliveries()]

    @asynccontextmanager
    async def worker(
        self, mail: MailSender | None = None, *, lease_seconds: float = 60, seconds: float = 5
    ) -> AsyncIterator[Worker]:
        """A worker, until it is left; then it finishes what it has begun."""
        http = HttpSender(local=True, seconds=seconds)
        worker = Worker(
            self.storage,
            Deliverer(http, mail, self.storage.clock),
            lease_seconds=lease_seconds,
            attempt_seconds=seconds,
            expire_seconds=POLL_SECONDS,
            forget_seconds=POLL_SECONDS,
            deliveries_kept_for=DELIVERIES_KEPT_FOR,
            poll_seconds=POLL_SECONDS,
        )
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            async with asyncio.timeout(PATIENCE):
                await running

    async def is_claimed(self) -> bool:
        return [bool(row.lease) for row in await self.deliveries()] == [True]

    async def until_told(self, *statuses: str) -> None:
        async def holds() -> bool:
            return await self.statuses() == list(statuses)

        await eventually(holds)

    async def works_for(self, time: timedelta) -> None:
        """Let time pass in which the background work is done, without making any attempt."""

        def pass_time(work: UnitOfWork, times: Sequence[timedelta]) -> list[Outcome]:
            *_, latest = presences(work)
            seen_at = work.now + times[0]
            work.save(WorkerPresence, [(latest, changed(latest, seen_at=seen_at))])
            return [Outcome(self.viewer.organization_id)]

        await self.storage.write(pass_time, [time])
        clock: Any = self.storage.clock
        clock.now += time

    async def work_off(self, **values: Any) -> None:
        """Have a worker until nothing waits that is due."""

        async def idle() -> bool:
            of = self.viewer.organization_id
            bookings = await self.rows(AgentBooking, "organization_id", of)
            waiting = {AgentBookingStatus.RECEIVED, AgentBookingStatus.VALIDATING}
            # in one read: between two the first of a booking may end, and the next become due
            heads: dict[Any, Any] = {}
            for row in await self.deliveries():
                if row.next_attempt_at is not None:
                    heads.setdefault((row.endpoint_id, row.subject_id, row.channel), row)
            now = self.storage.clock()
            busy = [row for row in heads.values() if row.lease or row.next_attempt_at <= now]
            return not (waiting & {row.status for row in bookings} or busy)

        async with self.worker(**values):
            await eventually(idle)


@pytest.fixture
def world(storage, viewer) -> Working:
    return Working(storage, viewer)


@pytest.fixture
async def receiver() -> AsyncIterator[Callable[..., Awaitable[Receiving]]]:
    """Start a receiver that behaves in some way."""
    async with AsyncExitStack() as up:

        async def start(*behaviours: Behaviour) -> Receiving:
            return await up.enter_async_context(receiving(in_turn(*behaviours or (OK,))))

        yield start


@pytest.mark.both_databases
async def test_corrected_and_told(world, possible, receiver):  # noqa: F811
    """An impossible start date is INVALID and told once; corrected it is confirmed and told once.

    Acceptance example 10.
    """
    to = await receiver()
    _, key = await world.endpoint(url=to.url)

    await world.booked(NEVER)
    await world.work_off()
    await world.put()
    await world.work_off()

    assert await world.statuses() == ["DELIVERED", "DELIVERED"]
    (invalid, told_invalid), (success, told_success) = [told(each) for each in to.requests]
    assert invalid["X-EC-NotificationKey"] == success["X-EC-NotificationKey"] == key
    assert (invalid["X-Booking-Revision"], success["X-Booking-Revision"]) == ("1", "2")
    assert told_invalid == {
        "Topic": "Booking:Invalid",
        "AgentBookingId": "X8347848",
        "ValidationMessages": [
            {"Message": "2027-03-16 isn't a valid start date for 'General English' in 'Brighton'"}
        ],
    }
    assert told_success["Topic"] == "Booking:Success"
    assert told_success["EcEnglishBookingId"] > 0


async def test_tried_again_until_it_is_taken(world, possible, receiver, clock):  # noqa: F811
    """After 10 s and 40 s, give or take a tenth; what follows about the booking waits for it."""
    to = await receiver(FAULT, FAULT, OK)
    await world.endpoint(url=to.url)
    await world.booked(NEVER)
    await world.work_off()
    await world.put()
    await world.work_off()
    assert await world.statuses() == ["RETRYING", "QUEUED"]

    for seconds, requests in ((8, 1), (11, 2), (30, 2), (50, 4)):
        clock.now += timedelta(seconds=seconds)
        await world.work_off()
        assert len(to.requests) == requests

    first, second = await world.deliveries()
    assert (first.attempts, second.attempts) == (3, 1)
    topics = [told(request)[1]["Topic"] for request in to.requests]
    assert topics == ["Booking:Invalid"] * 3 + ["Booking:Success"]


async def test_given_up_after_two_days(world, possible, receiver, clock):  # noqa: F811
    """Then an email says what was not delivered, and why."""
    mailbox = Mailbox()
    to = await receiver(FAULT)
    await world.endpoint(url=to.url, email="staff@agency.example")
    await world.booked(NEVER)

    async with mailing(mailbox) as mail:
        await world.work_off(mail=mail)
        await world.works_for(timedelta(hours=48))
        await world.work_off(mail=mail)
        await world.work_off(mail=mail)

    assert await world.statuses() == ["FAILED", "DELIVERED"]
    [taken] = mailbox.taken
    assert taken.rcpt_tos == ["staff@agency.example"]
    message = message_from_bytes(taken.content, policy=policy.default)
    assert "X8347848" in message["Subject"]
    text = message.get_body(("plain",)).get_content()
    assert "2027-03-16 isn't a valid start date" in text
    assert "answered 500" in text


async def test_an_outage_does_not_count(world, possible, receiver, clock):  # noqa: F811
    """Neither towards the two days of a message nor towards the three of its endpoint."""
    to = await receiver(FAULT)
    endpoint, _ = await world.endpoint(url=to.url)
    await world.booked(NEVER)
    await world.work_off()

    await world.works_for(timedelta(hours=47))
    clock.now += timedelta(days=7)
    await world.work_off()

    [delivery] = await world.deliveries()
    assert (delivery.status, delivery.attempts) == ("RETRYING", 2)
    assert delivery.next_attempt_at > clock.now
    await world.works_for(timedelta(hours=1))
    await world.work_off()
    assert await world.statuses() == ["FAILED"]
    [row] = await world.rows(NotificationEndpoint, "id", endpoint)
    assert row.active


async def test_gone(world, possible, receiver):  # noqa: F811
    """410 disables an endpoint at once; nothing is sent there any more."""
    to = await receiver(answer("410 Gone"))
    endpoint, _ = await world.endpoint(url=to.url)
    await world.booked(NEVER)
    await world.work_off()
    await world.put()
    await world.work_off()

    assert await world.statuses() == ["FAILED"]
    [row] = await world.rows(NotificationEndpoint, "id", endpoint)
    assert (row.active, row.disabled_reason) == (False, "It answered 410 Gone.")
    assert len(to.requests) == 1


@pytest.mark.parametrize(("minutes", "delivered"), [(59, True), (61, False)])
async def test_a_receiver_with_the_previous_key(
    world,
    possible,  # noqa: F811
    receiver,
    clock,
    minutes,
    delivered,
):
    """For an hour after it was rotated it is tried where the new one is refused with 403."""
    to = await receiver(answer("403 Forbidden"), OK if delivered else answer("403 Forbidden"))
    endpoint, old = await world.endpoint(url=to.url)
    rotated = await world.one(rotate, RotateKey(viewer=world.viewer, endpoint=ByKey(endpoint)))
    clock.now += timedelta(minutes=minutes)

    await world.booked()
    await world.work_off()

    keys = [told(request)[0]["X-EC-NotificationKey"] for request in to.requests]
    new = rotated.facts[KEY]
    assert keys == ([new, old] if delivered else [new])
    assert await world.statuses() == ["DELIVERED" if delivered else "RETRYING"]


async def test_email_to_staff(world, possible):  # noqa: F811
    """The topics arrive as email, with a text for those whose program shows no HTML."""
    mailbox = Mailbox()
    await world.endpoint(channel=NotificationChannel.HTML_EMAIL, email="staff@agency.example")
    await world.booked()

    async with mailing(mailbox) as mail:
        await world.work_off(mail=mail)

    [taken] = mailbox.taken
    message = message_from_bytes(taken.content, policy=policy.default)
    assert "X8347848" in message["Subject"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_without_a_mail_server(world, possible):  # noqa: F811
    """It waits until there is one, and says so."""
    await world.endpoint(channel=NotificationChannel.HTML_EMAIL, email="staff@agency.example")
    await world.booked()

    await world.work_off()

    [row] = await world.deliveries()
    assert (row.status, row.attempts) == ("RETRYING", 1)
    assert row.last_error == "there is no mail server: GATEWAY_SMTP_URL is not set"


async def test_a_slow_receiver_delays_nobody_else(world, possible, receiver):  # noqa: F811
    """What it is sent is still on its way when the others have theirs."""
    late, answered = late_by()
    slow, quick = await receiver(late), await receiver()
    for to in (slow, quick):
        await world.endpoint(url=to.url)

    async with world.worker(seconds=PATIENCE, lease_seconds=10 * PATIENCE):
        await world.booked()

        async def quick_is_told() -> bool:
            return sorted(await world.statuses()) == ["DELIVERED", "QUEUED"]

        await eventually(quick_is_told)
        assert len(slow.requests) == 1
        answered.set()


DEAD = 300
ROUNDS = 20


async def test_dead_endpoints_of_one_organization_keep_no_other_waiting(world, receiver):
    """While 300 endpoints take messages and never answer, another organization gets all of its own.

    No attempt ends before the test does, so whatever waited for one would never arrive.
    """
    late, answered = late_by()
    dead, good = await receiver(late), await receiver()
    topics = (NotificationTopic.EVENT_CREATED,)
    for n in range(DEAD):
        await world.endpoint(url=f"{dead.url}&n={n}", topics=topics)
    key = await world.made(make_organization, MakeOrganization("Other", "Asia/Tokyo", "JPY"))
    other = Working(world.storage, replace(world.viewer, organization_id=key))
    await other.endpoint(url=good.url, topics=topics)
    for _ in range(3):
        await world.event()

    async with world.worker(seconds=10 * PATIENCE, lease_seconds=100 * PATIENCE):
        await eventually(lambda: dead.open == MOST_CONNECTIONS // 2)
        for n in range(1, ROUNDS + 1):
            await other.event()
            await eventually(lambda n=n: len(good.requests) == n)
        assert dead.open == MOST_CONNECTIONS // 2
        answered.set()


async def test_an_endpoint_that_does_not_answer_is_tried_by_one_message(world, receiver, clock):
    """After a pause; the others are not held meanwhile, and follow once it has answered."""
    silent = [silent_after(b"")] * CONNECTIONS_EACH
    to = await receiver(*silent, OK)
    await world.endpoint(url=to.url, topics=(NotificationTopic.EVENT_CREATED,))
    for _ in range(3 * CONNECTIONS_EACH):
        await world.event()

    async with world.worker(seconds=SLOW_SECONDS * 1.5):

        async def given_back() -> bool:
            rows = await world.deliveries()
            tried = [row.status for row in rows if row.attempts]
            return tried == ["RETRYING"] * CONNECTIONS_EACH and not any(row.lease for row in rows)

        await eventually(given_back)
        assert len(to.requests) == CONNECTIONS_EACH
        clock.now += timedelta(seconds=1)

        async def others_delivered() -> bool:
            return (await world.statuses()).count("DELIVERED") == 2 * CONNECTIONS_EACH

        await eventually(others_delivered)


async def test_what_has_begun_is_finished(world, possible, receiver):  # noqa: F811
    """A worker that is told to stop waits for the answer, and writes it down."""
    late, answered = late_by()
    to = await receiver(late)
    await world.endpoint(url=to.url)
    await world.booked()

    async with world.worker() as worker:

        async def is_sent() -> bool:
            return len(to.requests) == 1

        await eventually(is_sent)
        worker.stop()
        answered.set()

    assert await world.statuses() == ["DELIVERED"]


async def test_a_lease_that_is_too_short_sends_nothing(world, possible, receiver, clock):  # noqa: F811
    """What does not fit into what is left of it is not begun: somebody else might send it too."""
    to = await receiver()
    await world.endpoint(url=to.url)
    await world.booked()

    async with world.worker(seconds=5, lease_seconds=9):
        await eventually(world.is_claimed)

    assert to.requests == []


async def test_whose_turn_comes_too_late_waits_for_another_lease(world, possible, clock):  # noqa: F811
    """Nothing is sent under a lease that is over by then: another worker may have sent it."""
    mailbox = Mailbox()
    await world.endpoint(channel=NotificationChannel.HTML_EMAIL, email="staff@agency.example")
    await world.booked()

    async with mailing(mailbox) as mail, AsyncExitStack() as others:
        for _ in range(MOST_MAIL_CONNECTIONS):
            await others.enter_async_context(mail.turns.of(uuid4()))
        async with world.worker(mail):
            await eventually(world.is_claimed)
            clock.now += timedelta(seconds=61)
            await others.aclose()
            await world.until_told("DELIVERED")

    assert len(mailbox.taken) == 1


async def test_what_is_known_too_late_is_written_if_nobody_else_was_there(
    world,
    possible,  # noqa: F811
    receiver,
    clock,
):
    """The message was taken: it is not sent again because the answer came after the lease."""
    behave, imported = late_by()
    to = await receiver(behave)
    await world.endpoint(url=to.url)
    await world.booked()

    async with world.worker():

        async def is_sent() -> bool:
            return len(to.requests) == 1

        await eventually(is_sent)
        clock.now += timedelta(seconds=61)
        imported.set()
        await world.until_told("DELIVERED")

    assert len(to.requests) == 1


async def test_one_that_cannot_be_judged_keeps_no_other(world, possible):  # noqa: F811
    """A fault of ours with one booking waits until its lease ends; the others are confirmed."""
    broken, other = await world.booked(), await world.booked(OTHER)
    [detail] = await world.rows(AgentBooking, "id", broken)

    def lose_content(work: UnitOfWork, details: Sequence[AgentBooking]) -> list[Outcome]:
        work.save(AgentBooking, [(detail, changed(detail, content={})) for detail in details])
        return [Outcome(detail.id) for detail in details]

    await world.storage.write(lose_content, [detail])

    async with world.worker():

        async def is_confirmed() -> bool:
            return (await world.row(other)).status is BookingStatus.CONFIRMED

        await eventually(is_confirmed)

    assert (await world.detail(broken)).status is AgentBookingStatus.VALIDATING


@pytest.mark.both_databases
async def test_unpaid_bookings_expire(world, clock):
    """Within a look of the worker, whoever asks or does not."""
    centre = await world.centre()
    event = await world.event(centre=centre, room=await world.room(centre))
    candidate = await world.candidate()
    key = await World.booked(world, candidate, event, payment=UNPAID)
    clock.now = (await world.row(key)).lapses_at + timedelta(seconds=1)

    async with world.worker():

        async def expired() -> bool:
            return (await world.row(key)).status is BookingStatus.EXPIRED

        await eventually(expired)


@pytest.mark.both_databases
async def test_a_locked_log_stops_the_validation_of_no_other_organization(
    world,
    foreign,  # noqa: F811
):
    """Bookings of the others are judged while it is locked, and its own once it is free."""
    key = await world.made(make_organization, MakeOrganization("Other", "Asia/Tokyo", "JPY"))
    other = Working(world.storage, replace(world.viewer, organization_id=key))
    ours = [await world.booked(SAMPLE), await world.booked(OTHER)]
    theirs = await other.booked(SAMPLE)
    transaction = foreign.transaction()
    await transaction.start()
    locking = "SELECT 1 FROM log_position WHERE organization_id = $1 FOR NO KEY UPDATE"
    await foreign.execute(locking, world.viewer.organization_id)

    def judged(place: Working, booking: UUID) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            return (await place.detail(booking)).status is AgentBookingStatus.INVALID

        return holds

    async with world.worker():
        await eventually(judged(other, theirs))
        # the second is received while the first organization is still being waited for
        await eventually(judged(other, await other.booked(OTHER)))
        assert [(await world.detail(each)).status for each in ours] == ["RECEIVED"] * 2
        await transaction.rollback()
        for booking in ours:
            await eventually(judged(world, booking))


@pytest.mark.both_databases
async def test_organizations_behind_many_waiting_bookings_are_found(world):
    """The look goes further if all of the oldest bookings belong to a busy organization."""
    key = await world.made(make_organization, MakeOrganization("Other", "Asia/Tokyo", "JPY"))
    other = Working(world.storage, replace(world.viewer, organization_id=key))
    ours = world.viewer.organization_id
    for n in range(FIRST_WINDOW + 1):
        await world.booked(replace(SAMPLE, agent_booking_id=f"B{n}"))
    await other.booked(SAMPLE)
    waiting = WaitingBookings(world.storage)

    looks = [await waiting.organizations({ours}) for _ in range(3)]

    assert looks == [[], [key], []]


async def test_a_log_that_cannot_be_written_does_not_end_the_work(world, database_url):
    """A part of the worker that fails beside its action begins again."""

    class Full(logging.Handler):
        failed = asyncio.Event()

        def emit(self, record: logging.LogRecord) -> None:
            self.failed.set()
            raise OSError(errno.ENOSPC, "No space left on device")

    handler = Full()
    booking = await world.booked(SAMPLE)

    def rename(table: str, name: str) -> None:
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute(f"ALTER TABLE {table} RENAME TO {name}")

    rename("agent_booking", "away")
    logging.getLogger("gateway").addHandler(handler)
    try:
        async with world.worker():
            async with asyncio.timeout(PATIENCE):
                await handler.failed.wait()
            rename("away", "agent_booking")

            async def judged() -> bool:
                return (await world.detail(booking)).status is AgentBookingStatus.INVALID

            await eventually(judged)
    finally:
        logging.getLogger("gateway").removeHandler(handler)


@pytest.mark.both_databases
async def test_a_locked_log_stops_the_expiry_of_no_other_organization(
    world,
    clock,
    foreign,  # noqa: F811
):
    """Bookings of the others expire while it is locked, and its own once it is free."""
    key = await world.made(make_organization, MakeOrganization("Other", "Asia/Tokyo", "JPY"))
    other = World(world.storage, replace(world.viewer, organization_id=key))

    async def two_unpaid(place: World) -> list[UUID]:
        """The second is to be paid an hour later than the first."""
        centre = await place.centre()
        event = await place.event(
            centre=centre, room=await place.room(centre), start_at=place.tomorrow(10) + WEEK
        )
        first, second = await place.candidates(2)
        begun = clock.now
        keys = [await World.booked(place, first, event, payment=UNPAID)]
        clock.now += timedelta(hours=1)
        keys.append(await World.booked(place, second, event, payment=UNPAID))
        clock.now = begun
        return keys

    ours, theirs = await two_unpaid(world), await two_unpaid(other)
    transaction = foreign.transaction()
    await transaction.start()
    locking = "SELECT 1 FROM log_position WHERE organization_id = $1 FOR NO KEY UPDATE"
    await foreign.execute(locking, world.viewer.organization_id)

    def expired(place, booking):
        async def holds() -> bool:
            return (await place.row(booking)).status is BookingStatus.EXPIRED

        return holds

    async with world.worker():
        for booking in theirs:
            # the second becomes overdue while the first organization is still being waited for
            clock.now = (await other.row(booking)).lapses_at + timedelta(seconds=1)
            await eventually(expired(other, booking))
        assert [(await world.row(each)).status for each in ours] == ["PENDING"] * 2
        await transaction.rollback()
        for booking in ours:
            await eventually(expired(world, booking))


@pytest.mark.parametrize("database", DATABASES[-1:])
async def test_an_outage_of_the_database_is_survived(
    world,
    possible,  # noqa: F811
    receiver,
    opened,  # noqa: F811
    on_postgresql,  # noqa: F811
    database_url,
    caplog,
):
    """Every part of the work goes on afterwards; the outage has two lines in the log."""
    to = await receiver()
    await world.endpoint(url=to.url)
    async with Proxy(database_url, forwards_ends=True) as proxy:
        behind = Working(await opened(proxy.url), world.viewer)
        async with behind.worker():
            await world.booked()
            await eventually(lambda: len(to.requests) == 1)

            proxy.refuse()
            await world.booked(OTHER)
            refused = proxy.refused
            await eventually(lambda: proxy.refused > refused + 20)
            assert len(to.requests) == 1

            proxy.accept_again()
            await eventually(lambda: len(to.requests) == 2)

    logged = [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]
    assert len(logged) == 1, [record.getMessage() for record in logged]
    assert "The database is not available" in logged[0].getMessage()
    assert [record for record in caplog.records if record.exc_info] == []


def test_the_pauses_between_failures_grow_and_a_failure_is_logged_once(caplog):
    failures = Failures("The work", first_pause=1)

    pauses = [failures.failed(ValueError("wrong")) for _ in range(7)]
    failures.succeeded()
    pauses.append(failures.failed(Overloaded()))

    assert pauses == [1, 2, 4, 4, 4, 4, 4, 1]
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [
        ("ERROR", True),
        ("WARNING", False),
    ]


async def test_a_cancellation_from_below_does_not_end_the_work():
    """Only a task that is itself cancelled ends; it would be missing until the next start."""
    tries = []
    tried_again = asyncio.Event()

    async def action() -> None:
        tries.append(1)
        if len(tries) > 1:
            tried_again.set()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    task = asyncio.create_task(run_every(POLL_SECONDS, action))
    async with asyncio.timeout(PATIENCE):
        await tried_again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_delivered_notifications_are_forgotten(world, possible, receiver, clock):  # noqa: F811
    """Once they have been kept for as long as the settings say."""
    to = await receiver()
    await world.endpoint(url=to.url)
    await world.booked(SAMPLE)
    await world.work_off()
    assert await world.statuses() == ["DELIVERED"]
    clock.now += DELIVERIES_KEPT_FOR + timedelta(seconds=1)

    async with world.worker():

        async def forgotten() -> bool:
            return await world.deliveries() == []

        await eventually(forgotten)


def of_user(world: Working, user_id: UUID) -> Any:
    """A viewer who is this user, and sees the organization."""
    return replace(world.viewer, user_id=user_id)


async def test_nothing_is_sent_to_the_url_of_a_deactivated_user(world, receiver):
    """What waits fails with the reason, and the endpoint is disabled."""
    to = await receiver()
    user = UpsertUser(viewer=world.viewer, reference="U1", name="Uma", role=Role.ADMIN)
    viewer = of_user(world, await world.made(upsert_users, user))
    topics = (NotificationTopic.EVENT_CREATED,)
    endpoint, _ = await world.endpoint(viewer=viewer, topics=topics, url=to.url)
    for _ in range(3):
        await world.event()

    await world.made(upsert_users, replace(user, active=False))
    await world.work_off()

    assert to.requests == []
    assert await world.statuses() == ["FAILED"] * 3
    assert {row.last_error for row in await world.deliveries()} == {INACTIVE}
    [row] = await world.rows(NotificationEndpoint, "id", endpoint)
    assert (row.active, row.disabled_reason) == (False, INACTIVE)


async def test_what_was_claimed_before_is_not_sent_either(world, receiver):
    """A worker holds more messages than it sends at once; each is checked when it is its turn."""
    late, imported = late_by()
    to = await receiver(late)
    user = UpsertUser(viewer=world.viewer, reference="U1", name="Uma", role=Role.ADMIN)
    viewer = of_user(world, await world.made(upsert_users, user))
    topics = (NotificationTopic.EVENT_CREATED,)
    await world.endpoint(viewer=viewer, topics=topics, url=to.url)
    for _ in range(CONNECTIONS_EACH + 4):
        await world.event()

    async def begun() -> bool:
        return len(to.requests) == CONNECTIONS_EACH

    async with world.worker(seconds=PATIENCE, lease_seconds=PATIENCE * 8):
        await eventually(begun)
        assert all(row.lease for row in await world.deliveries())
        await world.made(upsert_users, replace(user, active=False))
        imported.set()

        async def over() -> bool:
            return set(await world.statuses()) <= {"DELIVERED", "FAILED"}

        await eventually(over)

    assert len(to.requests) == CONNECTIONS_EACH
    failed = [row for row in await world.deliveries() if row.status == "FAILED"]
    assert {row.last_error for row in failed} == {INACTIVE}
    assert len(failed) >= 4


async def test_statistics_of_tables_that_have_grown_are_gathered(world, database_url):
    """Without them, SQLite reads more for a booking, the more bookings there are."""
    await world.candidates(SMALL_ROWS + 1)
    gathered = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'"

    async with world.worker():
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            await eventually(lambda: connection.execute(gathered).fetchone() == (1,))
