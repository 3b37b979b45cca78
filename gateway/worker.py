"""Background work: judges agent bookings, delivers notifications, expires and forgets what is due.

All of it waits in the database, and is taken from there under leases: any number of workers may run
beside each other, and one that is killed loses nothing. Commits of this process wake the work at
once; a look every second finds what others have left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from gateway.background import Failures, is_cancelled
from gateway.delivering import Deliverer
from gateway.lanes import TRIES, Lanes
from gateway.outgoing.http import SECONDS, HttpSender
from gateway.settings import Settings
from gateway.validating import validate_waiting
from resolvers.bookings.expiry import organizations_with_overdue
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.forgetting import ForgetOld, forget_old
from resolvers.outcomes import Outcome
from resolvers.presence import BEAT_SECONDS, SayPresent, say_present
from resolvers.storage import Overloaded, Storage
from resolvers.storage.batches import Run

if TYPE_CHECKING:
    from gateway.outgoing.mail import MailSender

logger = logging.getLogger(__name__)

EXPIRE, FORGET, SAY_PRESENT = (
    cast(Run, run)
    for run in (expire_due, forget_old, say_present)  # which refuse nothing
)

POLL_SECONDS: Final = 1.0
BREATH_SECONDS: Final = 0.02
"""How long commits gather before the work is looked for: not once for each of a burst."""

EXPIRING_AT_ONCE: Final = 64
"""In how many organizations bookings expire at the same time."""

STATISTICS_SECONDS: Final = 60.0

SECONDS_OF_LEASE: Final = 4
"""An attempt takes at most this part of a lease: two, and writing what came of them, fit in."""


def make_worker(storage: Storage, settings: Settings) -> "Worker":
    """The worker for these settings, in the event loop that it will run in."""
    attempt_seconds = min(SECONDS, settings.lease_seconds / SECONDS_OF_LEASE)
    http = HttpSender(
        local=settings.notify_local, ports=settings.notify_ports, seconds=attempt_seconds
    )
    return Worker(
        storage,
        Deliverer(http, _mail_sender(settings, attempt_seconds), storage.clock),
        lease_seconds=settings.lease_seconds,
        attempt_seconds=attempt_seconds,
        expire_seconds=settings.expire_seconds,
        forget_seconds=settings.forget_seconds,
        deliveries_kept_for=timedelta(days=settings.keep_delivered_days),
    )


def _mail_sender(settings: Settings, attempt_seconds: float) -> "MailSender | None":
    """The mail sender, if there is a mail server; only then are the libraries for it imported."""
    if settings.smtp_url is None:
        return None
    from gateway.outgoing.mail import SECONDS as MAIL_SECONDS
    from gateway.outgoing.mail import MailSender

    seconds = min(MAIL_SECONDS, TRIES * attempt_seconds)
    return MailSender(settings.smtp_url, settings.mail_from, seconds=seconds)


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
        self._expire_seconds = expire_seconds
        self._forget_seconds = forget_seconds
        self._deliveries_kept_for = deliveries_kept_for
        self._poll_seconds = poll_seconds
        self._stopping = False
        self._received, self._queued, self._overdue, self._present, self._stopped = (
            asyncio.Event() for _ in range(5)
        )
        self._lanes = Lanes(
            storage,
            deliverer,
            lease_seconds=lease_seconds,
            attempt_seconds=attempt_seconds,
            pause_seconds=poll_seconds,
            when_closed=self._queued.set,
        )
        self._expiring: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until told to stop. What has been begun by then is finished, and written."""
        self._storage.when_changed.append(self._told)
        try:
            async with self._deliverer:
                often = self._poll_seconds
                async with asyncio.TaskGroup() as tasks:
                    for name, action, woken, seconds in (
                        ("validation", self._validate, self._received, often),
                        ("delivery", self._lanes.open_some, self._queued, often),
                        ("expiry", self._expire, self._overdue, self._expire_seconds),
                        ("presence", self._say_present, self._present, BEAT_SECONDS),
                        ("deletion", self._forget, self._stopped, self._forget_seconds),
                        ("statistics", self._gather, self._stopped, STATISTICS_SECONDS),
                    ):
                        tasks.create_task(self._repeat(name, action, woken, seconds))
                await self._lanes.closed()
                if self._expiring:
                    await asyncio.wait(self._expiring.values())
        except asyncio.CancelledError:
            self._lanes.cancel()
            for task in self._expiring.values():
                task.cancel()
            raise
        finally:
            self._storage.when_changed.remove(self._told)

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True
        self._lanes.stop()
        for woken in (self._received, self._queued, self._overdue, self._present, self._stopped):
            woken.set()

    def _told(self, _: dict[UUID, int]) -> None:
        """After a commit of this process there may be something to do."""
        self._received.set()
        self._queued.set()

    async def _repeat(
        self,
        name: str,
        action: Callable[[], Awaitable[None]],
        woken: asyncio.Event,
        seconds: float,
    ) -> None:
        """Do it again once woken, and every so often, until told to stop. No failure ends it."""
        failures = Failures(f"The background work ({name})", first_pause=self._poll_seconds)
        while not self._stopping:
            woken.clear()
            try:
                await action()
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled(error):
                    raise
                await self._pause(failures.failed(error))
                continue
            failures.succeeded()
            if await _set_within(woken, seconds):
                await asyncio.sleep(BREATH_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the work is to stop."""
        await _set_within(self._stopped, seconds)

    async def _validate(self) -> None:
        await validate_waiting(
            self._storage,
            lease_seconds=self._lease_seconds,
            going_on=lambda: not self._stopping,
        )

    # ---------------------------------------------------------------- the clock

    async def _expire(self) -> None:
        """Expire every booking that was not paid in time.

        Each organization has a task of its own: a lock in one does not hold up the others.
        """
        for row in await self._read(organizations_with_overdue):
            if row.id not in self._expiring and len(self._expiring) < EXPIRING_AT_ONCE:
                self._expiring[row.id] = asyncio.create_task(self._expire_in(row.id))

    async def _expire_in(self, organization_id: UUID) -> None:
        """Expire what is overdue in an organization, a batch at a time, except what is locked."""
        expired = False
        try:
            expired = (await self._one(EXPIRE, ExpireDue(organization_id))).changed
        except Overloaded:
            pass  # logged by the storage, and tried again in the next round
        except Exception:
            logger.exception("The bookings of an organization could not expire; tried again later")
        finally:
            del self._expiring[organization_id]
        if expired:
            self._overdue.set()  # there may be more

    async def _say_present(self) -> None:
        """Pauses in which no worker says so do not count against notifications."""
        await self._one(SAY_PRESENT, SayPresent())

    async def _gather(self) -> None:
        """Gather the planner's statistics of tables that have grown."""
        await self._storage.gather_statistics()

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


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within some seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
