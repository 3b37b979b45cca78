"""Background work: judges agent bookings, delivers notifications, expires and forgets what is due.

All of it waits in the database, and is taken from there under leases: any number of workers may run
beside each other, and one that is killed loses nothing. Commits of this process wake the work at
once; a look every second finds what others have left.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from gateway.delivering import Deliverer, Delivery, deliveries_of
from gateway.outgoing.http import SECONDS, Answer, HttpSender
from gateway.outgoing.mail import SECONDS as MAIL_SECONDS
from gateway.outgoing.mail import MailSender
from gateway.settings import Settings
from gateway.validating import validate_waiting
from resolvers.bookings.expiry import organizations_with_overdue
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.forgetting import ForgetOld, forget_old
from resolvers.notifications.commands import ClaimDeliveries, FinishDelivery
from resolvers.notifications.delivering import claim, due_endpoints, finish
from resolvers.notifications.rights import Withheld, rights_to, withheld_because
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.batches import Run

logger = logging.getLogger(__name__)

CLAIM, FINISH, EXPIRE, FORGET = (
    cast(Run, run)
    for run in (claim, finish, expire_due, forget_old)  # which refuse nothing
)

POLL_SECONDS: Final = 1.0
BREATH_SECONDS: Final = 0.02
"""How long commits gather before the work is looked for: not once for each of a burst."""

DELIVERIES_AT_ONCE: Final = 50
LANES: Final = 64
"""How many endpoints are delivered to at the same time; a slow one keeps nobody else waiting."""

CONNECTIONS_EACH: Final = 8
"""How many messages an endpoint is sent at the same time."""

EXPIRING_AT_ONCE: Final = 64
"""In how many organizations bookings expire at the same time."""

SECONDS_OF_LEASE: Final = 4
"""An attempt takes at most this part of a lease: two, and writing what came of them, fit in."""

TRIES: Final = 2
"""How many attempts a delivery may need at once: the second with the previous key."""

WRITE_AGAIN_SECONDS: Final = 0.5

Endpoint = tuple[UUID, UUID]
"""An organization and an endpoint of it."""


def make_worker(storage: Storage, settings: Settings) -> "Worker":
    """The worker for these settings, in the event loop that it will run in."""
    attempt_seconds = min(SECONDS, settings.lease_seconds / SECONDS_OF_LEASE)
    mail = None
    if settings.smtp_url is not None:
        mail = MailSender(
            settings.smtp_url,
            settings.mail_from,
            seconds=min(MAIL_SECONDS, TRIES * attempt_seconds),
        )
    http = HttpSender(
        local=settings.notify_local, ports=settings.notify_ports, seconds=attempt_seconds
    )
    return Worker(
        storage,
        Deliverer(http, mail, storage.clock),
        lease_seconds=settings.lease_seconds,
        attempt_seconds=attempt_seconds,
        expire_seconds=settings.expire_seconds,
        forget_seconds=settings.forget_seconds,
        deliveries_kept_for=timedelta(days=settings.keep_delivered_days),
    )


class Worker:
    """One process's share of the work. `run` until `stop`."""

    def __init__(
        self,
        storage: Storage,
        deliverer: Deliverer,
        *,
        lease_seconds: float,
        attempt_seconds: float,
        expire_seconds: float,
        forget_seconds: float,
        deliveries_kept_for: timedelta,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._storage = storage
        self._deliverer = deliverer
        self._lease_seconds = lease_seconds
        self._attempt_seconds = attempt_seconds
        self._expire_seconds = expire_seconds
        self._forget_seconds = forget_seconds
        self._deliveries_kept_for = deliveries_kept_for
        self._poll_seconds = poll_seconds
        self._stopping = False
        self._received, self._queued, self._overdue, self._stopped = (
            asyncio.Event() for _ in range(4)
        )
        self._tasks = asyncio.TaskGroup()
        self._lanes: set[Endpoint] = set()
        self._expiring: set[UUID] = set()

    async def run(self) -> None:
        """Work until told to stop. What has been begun by then is finished, and written."""
        self._storage.when_changed.append(self._told)
        try:
            async with self._deliverer, self._tasks as tasks:
                often = self._poll_seconds
                tasks.create_task(self._repeat(self._validate, self._received, often))
                tasks.create_task(self._repeat(self._open_lanes, self._queued, often))
                tasks.create_task(self._repeat(self._expire, self._overdue, self._expire_seconds))
                tasks.create_task(self._repeat(self._forget, self._stopped, self._forget_seconds))
        finally:
            self._storage.when_changed.remove(self._told)

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True
        for woken in (self._received, self._queued, self._overdue, self._stopped):
            woken.set()

    def _told(self, _: dict[UUID, int]) -> None:
        """After a commit of this process there may be something to do."""
        self._received.set()
        self._queued.set()

    async def _repeat(
        self, action: Callable[[], Awaitable[None]], woken: asyncio.Event, seconds: float
    ) -> None:
        """Do it again once woken, and every so often; its errors are logged and do not end it."""
        while not self._stopping:
            woken.clear()
            try:
                await action()
            except Exception:
                logger.exception("Background work failed; it is tried again")
                await asyncio.sleep(self._poll_seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await woken.wait()
                    await asyncio.sleep(BREATH_SECONDS)

    # ---------------------------------------------------------------- agent bookings

    async def _validate(self) -> None:
        await validate_waiting(
            self._storage,
            lease_seconds=self._lease_seconds,
            going_on=lambda: not self._stopping,
        )

    # ---------------------------------------------------------------- notifications

    async def _open_lanes(self) -> None:
        """Have a lane for each endpoint that something is due at."""
        for row in await self._read(due_endpoints):
            endpoint = (row.organization_id, row.endpoint_id)
            if endpoint not in self._lanes and len(self._lanes) < LANES:
                self._lanes.add(endpoint)
                self._tasks.create_task(self._lane(endpoint))

    async def _lane(self, endpoint: Endpoint) -> None:
        """Deliver to an endpoint as long as something is due there."""
        try:
            while not self._stopping and await self._deliver_some(endpoint):
                pass
        except Exception:
            logger.exception("Delivering to an endpoint failed; it is tried again")
            await asyncio.sleep(self._poll_seconds)
        finally:
            self._lanes.remove(endpoint)
            self._queued.set()

    async def _deliver_some(self, endpoint: Endpoint) -> bool:
        """Claim what is due, and deliver it; False where nothing is."""
        ends_at = self._storage.clock() + timedelta(seconds=self._lease_seconds)
        ask = ClaimDeliveries(
            organization_id=endpoint[0],
            endpoint_id=endpoint[1],
            lease_seconds=self._lease_seconds,
            most=DELIVERIES_AT_ONCE,
        )
        deliveries = deliveries_of(await self._one(CLAIM, ask))
        await self._deliver_all(endpoint, deliveries, ends_at)
        return bool(deliveries)

    async def _deliver_all(
        self, endpoint: Endpoint, deliveries: list[Delivery], ends_at: datetime
    ) -> None:
        """Make the attempts that fit into the lease; the rest are claimed anew once it has ended.

        Whether one fits is known when it is its turn. As long as an attempt takes is left to write
        what has come of it.
        """
        free = asyncio.Semaphore(CONNECTIONS_EACH)
        begin_by = ends_at - timedelta(seconds=(TRIES + 1) * self._attempt_seconds)

        async def attempt(delivery: Delivery) -> None:
            async with free, self._deliverer.turn(delivery):
                known, withheld = await self._rights(endpoint[0], delivery)
                if not known or self._stopping or self._storage.clock() > begin_by:
                    return
                answer = Answer() if withheld else await self._answer_to(delivery)
            # while this is written, together with others, the next is on its way
            await self._write_down(endpoint, delivery, answer, ends_at, withheld)

        async with asyncio.TaskGroup() as tasks:
            for delivery in deliveries:
                tasks.create_task(attempt(delivery))

    async def _rights(
        self, organization_id: UUID, delivery: Delivery
    ) -> tuple[bool, Withheld | None]:
        """Why a message is not sent, if it is not; first, whether that could be found out.

        Read before each attempt: the endpoint's user may have lost the right to the message since
        it was queued, or since it was claimed.
        """
        try:
            rows = await self._storage.read(rights_to(organization_id, delivery.id))
        except Exception:
            logger.exception("The rights to the delivery %s could not be read", delivery.id)
            return False, None
        return True, withheld_because(rows)

    async def _answer_to(self, delivery: Delivery) -> Answer:
        """Make an attempt. A fault of ours stops none of the others."""
        try:
            return await self._deliverer.deliver(delivery)
        except Exception:
            logger.exception("The delivery %s could not be made", delivery.id)
            return Answer(error="the gateway could not make it")

    async def _write_down(
        self,
        endpoint: Endpoint,
        delivery: Delivery,
        answer: Answer,
        ends_at: datetime,
        withheld: Withheld | None,
    ) -> None:
        """Write what came of an attempt, which must not be made again.

        It is tried as long as the lease lasts, and once in any case: a lease that is over and
        nobody else's still counts.
        """
        done = FinishDelivery(
            organization_id=endpoint[0],
            endpoint_id=endpoint[1],
            delivery_id=delivery.id,
            lease=delivery.lease,
            status=answer.status,
            error=answer.error,
            withheld=withheld,
            chance=random.random(),  # noqa: S311 - spreads attempts, and guards nothing
        )
        written = False
        while not written:
            try:
                await self._one(FINISH, done)
                written = True
            except Exception:
                logger.exception("What came of the delivery %s is not written", done.delivery_id)
                if self._storage.clock() >= ends_at:
                    return
                await asyncio.sleep(WRITE_AGAIN_SECONDS)

    # ---------------------------------------------------------------- the clock

    async def _expire(self) -> None:
        """Expire every booking that was not paid in time.

        Each organization has a task of its own: a lock in one does not hold up the others.
        """
        for row in await self._read(organizations_with_overdue):
            if row.id not in self._expiring and len(self._expiring) < EXPIRING_AT_ONCE:
                self._expiring.add(row.id)
                self._tasks.create_task(self._expire_in(row.id))

    async def _expire_in(self, organization_id: UUID) -> None:
        """Expire what is overdue in an organization, a batch at a time, except what is locked."""
        expired = False
        try:
            expired = (await self._one(EXPIRE, ExpireDue(organization_id))).changed
        except Exception:
            logger.exception("The bookings of an organization could not expire; tried again later")
        finally:
            self._expiring.remove(organization_id)
        if expired:
            self._overdue.set()  # there may be more

    async def _forget(self) -> None:
        """Delete what is old, a batch at a time: other requests come in between."""
        more = True
        while more and not self._stopping:
            ask = ForgetOld(deliveries_kept_for=self._deliveries_kept_for)
            more = (await self._one(FORGET, ask)).changed

    async def _one(self, run: Run, command: Any) -> Outcome:
        [outcome] = await self._storage.write(run, [command])
        assert isinstance(outcome, Outcome)
        return outcome

    async def _read(self, read: Callable[..., Any]) -> Any:
        return await self._storage.read(read(self._storage.clock()))
