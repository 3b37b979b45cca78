"""Workers in processes of their own, which can be killed at any instant.

Their clock runs faster than the one on the wall: a wait of ten seconds takes a sixth of one.
"""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

from gateway.delivering import Deliverer
from gateway.outgoing.http import HttpSender
from gateway.worker import Worker
from resolvers.notifications import outbox
from resolvers.storage import storage_at, utc_now
from tests.processes import killed

SPEED = 60
LEASE_SECONDS = 120.0
ATTEMPT_SECONDS = 0.5
"""As the wall counts them; a lease is two seconds there."""

FORKS = multiprocessing.get_context("forkserver")
"""A process that has imported everything makes the others: each is up at once."""

FORKS.set_forkserver_preload(["tests.end_to_end.working"])


class FastClock:
    """Time that has run faster since some instant."""

    def __init__(self, since: datetime) -> None:
        self._since = since

    def __call__(self) -> datetime:
        return self._since + SPEED * (utc_now() - self._since)


@contextmanager
def worker(database_url: str, since: datetime) -> Iterator[BaseProcess]:
    """A worker that is killed at the end, whatever it is doing then."""
    with killed(FORKS.Process(target=_work, args=(database_url, since))) as process:
        yield process


def _work(database_url: str, since: datetime) -> None:
    asyncio.run(_run(database_url, since))


async def _run(database_url: str, since: datetime) -> None:
    storage = storage_at(database_url, outbox.fill, clock=FastClock(since))
    await storage.open()
    await Worker(
        storage,
        Deliverer(HttpSender(local=True, seconds=ATTEMPT_SECONDS), None, storage.clock),
        lease_seconds=LEASE_SECONDS,
        attempt_seconds=ATTEMPT_SECONDS * SPEED,
        expire_seconds=3_600,
        forget_seconds=3_600,
        deliveries_kept_for=timedelta(days=30),
        poll_seconds=0.05,
    ).run()
