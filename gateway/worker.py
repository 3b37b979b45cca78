"""Background work: validates agent bookings, delivers notifications, expires and removes old data.

All work waits in the database and is claimed with leases, so any number of workers may run at the
same time, and a killed worker loses nothing. Commits of this process wake the work at once, in
`booking-gateway worker` commits of other processes too. A check every second finds the rest.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from gateway.background import ByOrganization, Failures, is_cancelled, set_within
from gateway.delivering import Deliverer
from gateway.lanes import TRIES, Lanes
from gateway.outgoing.http import SECONDS, HttpSender
from gateway.settings import Settings
from gateway.validating import WaitingBookings, validate_waiting
from resolvers.bookings.expiry import organizations_with_overdue
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.forgetting import ForgetOld, forget_old
from resolvers.log_retention import (
    DeleteOldChanges,
    delete_old_changes,
    organizations_with_changes_before,
)
from resolvers.outcomes import Outcome
from resolvers.presence import BEAT_SECONDS, ReportPresence, say_present
from resolvers.storage import Storage
from resolvers.storage.batches import Run

if TYPE_CHECKING:
    from gateway.outgoing.mail import MailSender

logger = logging.getLogger(__name__)

EXPIRE, FORGET, DELETE_OLD_CHANGES, SAY_PRESENT = (
    cast(Run, run)
    for run in (expire_due, forget_old, delete_old_changes, say_present)  # refuse nothing
)

POLL_SECONDS: Final = 1.0
BREATH_SECONDS: Final = 0.02
"""The delay after a commit before the worker looks for work, so a burst causes one look."""

ORGANIZATIONS_AT_ONCE: Final = 64
"""The number of organizations for which a piece of work runs at the same time."""

STATISTICS_SECONDS: Final = 60.0

SECONDS_OF_LEASE: Final = 4
"""An attempt takes at most this part of a lease, so two attempts and the writes fit into it."""


def make_worker(storage: Storage, settings: Settings) -> "Worker":
    """The worker for these settings. Call it in the event loop in which the worker runs."""
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
        log_kept_for=settings.log_retention,
    )


def _mail_sender(settings: Settings, attempt_seconds: float) -> "MailSender | None":
    """The mail sender, if a mail server is configured. Only then are its libraries imported."""
    if settings.smtp_url is None:
        return None
    from gateway.outgoing.mail import SECONDS as MAIL_SECONDS
    from gateway.outgoing.mail import MailSender

    seconds = min(MAIL_SECONDS, TRIES * attempt_seconds)
    return MailSender(settings.smtp_url, settings.mail_from, seconds=seconds)


class Worker:
    """The worker of one process. `run` works until `stop` is called."""

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
        log_kept_for: timedelta | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._storage = storage
        self._deliverer = deliverer
        self._lease_seconds = lease_seconds
        self._expire_seconds = expire_seconds
        self._forget_seconds = forget_seconds
        self._deliveries_kept_for = deliveries_kept_for
        self._log_kept_for = log_kept_for
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
        self._waiting = WaitingBookings(storage)
        self._validating = self._by_organization("validation", self._received)
        self._expiring = self._by_organization("expiry", self._overdue)

    async def run(self) -> None:
        """Work until `stop` is called. Work that has started is finished and written."""
        self._storage.when_queued.append(self.wake)
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
                        ("retention", self._shorten_logs, self._stopped, self._forget_seconds),
                        ("statistics", self._gather, self._stopped, STATISTICS_SECONDS),
                    ):
                        tasks.create_task(self._watch(name, action, woken, seconds))
                await self._lanes.closed()
                await self._validating.ended()
                await self._expiring.ended()
        except BaseException:
            for begun in (self._lanes, self._validating, self._expiring):
                begun.cancel()
            raise
        finally:
            self._storage.when_queued.remove(self.wake)

    def stop(self) -> None:
        """Start no new work."""
        self._stopping = True
        self._lanes.stop()
        for woken in (self._received, self._queued, self._overdue, self._present, self._stopped):
            woken.set()

    def wake(self, _: Mapping[UUID, int]) -> None:
        """Look for work soon, because of a commit."""
        self._received.set()
        self._queued.set()

    async def _watch(
        self,
        name: str,
        action: Callable[[], Awaitable[None]],
        woken: asyncio.Event,
        seconds: float,
    ) -> None:
        """Repeat a part of the work, and restart it if the repetition itself fails."""
        while not self._stopping:
            try:
                await self._repeat(name, action, woken, seconds)
            except Exception:
                with suppress(Exception):  # a log that cannot be written, for example
                    logger.exception(
                        "The background work (%s) ended unexpectedly; it starts again", name
                    )
                await self._pause(self._poll_seconds)

    async def _repeat(
        self,
        name: str,
        action: Callable[[], Awaitable[None]],
        woken: asyncio.Event,
        seconds: float,
    ) -> None:
        """Run an action when woken and periodically, until `stop`. It continues after failures."""
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
            if await set_within(woken, seconds):
                await asyncio.sleep(BREATH_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until `stop` is called."""
        await set_within(self._stopped, seconds)

    def _by_organization(self, what: str, again: asyncio.Event) -> ByOrganization:
        return ByOrganization(
            what,
            most=ORGANIZATIONS_AT_ONCE,
            first_pause=self._poll_seconds,
            pause=self._pause,
            when_done=again.set,
        )

    async def _validate(self) -> None:
        for organization_id in await self._waiting.organizations(self._validating.busy):
            self._validating.begin(organization_id, partial(self._validate_in, organization_id))

    async def _validate_in(self, organization_id: UUID) -> bool:
        return await validate_waiting(
            self._storage,
            organization_id,
            lease_seconds=self._lease_seconds,
            going_on=lambda: not self._stopping,
        )

    # ---------------------------------------------------------------- the clock

    async def _expire(self) -> None:
        """Expire every booking whose payment is overdue."""
        for row in await self._read(organizations_with_overdue):
            self._expiring.begin(row.id, partial(self._expire_in, row.id))

    async def _expire_in(self, organization_id: UUID) -> bool:
        """Expire overdue bookings of an organization in batches, except locked ones."""
        return (await self._one(EXPIRE, ExpireDue(organization_id))).changed

    async def _say_present(self) -> None:
        """Record that a worker is running. Times without a worker do not count as retry time."""
        await self._one(SAY_PRESENT, ReportPresence())

    async def _gather(self) -> None:
        """Update the planner's statistics of tables that have grown."""
        await self._storage.gather_statistics()

    async def _forget(self) -> None:
        """Delete old rows in batches, so other requests can run in between."""
        more = True
        while more and not self._stopping:
            ask = ForgetOld(deliveries_kept_for=self._deliveries_kept_for)
            more = (await self._one(FORGET, ask)).changed

    async def _shorten_logs(self) -> None:
        """Delete expired changes in batches."""
        kept_for = self._log_kept_for
        if kept_for is None:
            return
        before = self._storage.clock() - kept_for
        for row in await self._storage.read(organizations_with_changes_before(before)):
            more = True
            while more and not self._stopping:
                ask = DeleteOldChanges(row.id, kept_for)
                more = (await self._one(DELETE_OLD_CHANGES, ask)).changed

    async def _one(self, run: Run, command: Any) -> Outcome:
        [outcome] = await self._storage.write(run, [command])
        assert isinstance(outcome, Outcome)
        return outcome

    async def _read(self, read: Callable[..., Any]) -> Any:
        return await self._storage.read(read(self._storage.clock()))
