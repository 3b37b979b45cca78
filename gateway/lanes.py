"""Delivers notifications: a lane for each endpoint with messages that are due (domain.md, 8.7).

Lanes and connections are shared fairly among organizations (`gateway.shares`). Within an
organization, the endpoint that was served longest ago is next. Endpoints that do not respond in
time get one connection at a time, and at most a part of the lanes.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast
from uuid import UUID

from gateway.delivering import Deliverer, Delivery, deliveries_of
from gateway.outgoing.answers import Answer
from gateway.shares import Shares
from gateway.slow_endpoints import SLOW_SECONDS, Endpoint, SlowEndpoints
from resolvers.notifications.commands import (
    ClaimDeliveries,
    FinishDelivery,
    ReleaseDeliveries,
)
from resolvers.notifications.delivering import claim, due_endpoints, finish, release
from resolvers.notifications.rights import Suppression, rights_to, withheld_because
from resolvers.notifications.rules import is_accepted
from resolvers.outcomes import Outcome
from resolvers.storage import Overloaded, Storage
from resolvers.storage.batches import Run

logger = logging.getLogger(__name__)

CLAIM, FINISH, RELEASE = (cast(Run, run) for run in (claim, finish, release))  # refuse nothing

DELIVERIES_AT_ONCE: Final = 50
LANES: Final = 128
"""The number of endpoints with deliveries at the same time."""

SLOW_LANES: Final = 32
"""The number of these that may be endpoints that did not respond in time."""

CONNECTIONS_EACH: Final = 8
"""The number of messages that an endpoint receives at the same time, unless it is slow."""

TRIES: Final = 2
"""The number of requests of one attempt: the second uses the previous key."""

WRITE_AGAIN_SECONDS: Final = 0.5


class Lanes:
    """The lanes of a worker. `open_some` opens those that are allowed; each closes by itself."""

    def __init__(
        self,
        storage: Storage,
        deliverer: Deliverer,
        *,
        lease_seconds: float,
        attempt_seconds: float,
        pause_seconds: float,
        when_closed: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._deliverer = deliverer
        self._lease_seconds = lease_seconds
        self._attempt_seconds = attempt_seconds
        self._pause_seconds = pause_seconds
        self._when_closed = when_closed
        self._stopping = False
        self._open: dict[Endpoint, asyncio.Task[None]] = {}
        self._lanes, self._slow_lanes = Shares(LANES), Shares(SLOW_LANES)
        self._slow = SlowEndpoints(storage.clock)
        self._turn = count(1)
        self._served: dict[Endpoint, int] = {}
        self._others_wait = False

    def stop(self) -> None:
        """Start no new work."""
        self._stopping = True

    async def closed(self) -> None:
        """Wait until every lane is closed."""
        while self._open:
            await asyncio.wait(self._open.values())

    def cancel(self) -> None:
        """Cancel running work."""
        for task in self._open.values():
            task.cancel()

    async def open_some(self) -> None:
        """Open a lane for each endpoint with messages that are due, as far as lanes are free."""
        rows = await self._storage.read(due_endpoints(self._storage.clock()))
        due = [(row.organization_id, row.endpoint_id) for row in rows]
        self._served = {one: self._served[one] for one in due if one in self._served}
        self._others_wait = False
        for endpoint in sorted(due, key=lambda one: self._served.get(one, 0)):
            if self._stopping or endpoint in self._open or self._slow.is_paused(endpoint):
                continue
            self._open_lane(endpoint)

    def _open_lane(self, endpoint: Endpoint) -> None:
        shares = [self._lanes, *([self._slow_lanes] if endpoint in self._slow else [])]
        if not all(one.may_take(endpoint[0]) for one in shares):
            self._others_wait |= endpoint not in self._slow
            return
        for one in shares:
            one.take(endpoint[0])
        self._served[endpoint] = next(self._turn)
        self._open[endpoint] = asyncio.create_task(self._lane(endpoint, shares))

    async def _lane(self, endpoint: Endpoint, shares: Sequence[Shares]) -> None:
        """Deliver to an endpoint while messages are due and no other endpoint waits for a lane."""
        try:
            more = True
            while more and not self._stopping:
                more = await self._deliver_some(endpoint)
                more = more and not (self._others_wait or endpoint in self._slow)
        except Overloaded:  # the storage logs outages
            await asyncio.sleep(self._pause_seconds)
        except Exception:
            logger.exception("Delivery to an endpoint failed and will be tried again")
            await asyncio.sleep(self._pause_seconds)
        finally:
            for one in shares:
                one.give_back(endpoint[0])
            del self._open[endpoint]
            self._when_closed()

    async def _deliver_some(self, endpoint: Endpoint) -> bool:
        """Claim and deliver messages that are due. Returns False if there are none."""
        ends_at = self._storage.clock() + timedelta(seconds=self._lease_seconds)
        ask = ClaimDeliveries(
            organization_id=endpoint[0],
            endpoint_id=endpoint[1],
            lease_seconds=self._lease_seconds,
            most=1 if endpoint in self._slow else DELIVERIES_AT_ONCE,
        )
        claimed = await self._one(CLAIM, ask)
        await self._deliver_all(endpoint, deliveries_of(claimed), ends_at)
        return claimed.changed

    async def _deliver_all(
        self, endpoint: Endpoint, deliveries: list[Delivery], ends_at: datetime
    ) -> None:
        """Make the attempts that fit into the lease. The rest are claimed again after it has ended.

        Each attempt is checked when its turn comes, with enough time left to write its outcome. If
        the endpoint becomes slow, the rest are released at once.
        """
        free = asyncio.Semaphore(CONNECTIONS_EACH)
        begin_by = ends_at - timedelta(seconds=(TRIES + 1) * self._attempt_seconds)
        was_slow = endpoint in self._slow
        left: list[Delivery] = []

        async def attempt(delivery: Delivery) -> None:
            async with free, self._deliverer.turn(delivery, endpoint[0]):
                if endpoint in self._slow and not was_slow:
                    left.append(delivery)
                    return
                known, withheld = await self._rights(endpoint[0], delivery)
                if not known or self._stopping or self._storage.clock() > begin_by:
                    return
                answer = Answer() if withheld else await self._timed(endpoint, delivery)
            # the next attempt starts while this outcome is written in a batch with others
            await self._write_down(endpoint, delivery, answer, ends_at, withheld)

        async with asyncio.TaskGroup() as tasks:
            for delivery in deliveries:
                tasks.create_task(attempt(delivery))
        if left:
            leases = tuple((each.id, each.lease) for each in left)
            await self._one(RELEASE, ReleaseDeliveries(endpoint[0], leases))

    async def _timed(self, endpoint: Endpoint, delivery: Delivery) -> Answer:
        """Make an attempt, and record whether the endpoint was slow."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._answer_to(delivery)
        if is_accepted(delivery.channel, status=answer.status, error=answer.error):
            self._slow.answered(endpoint)
        elif loop.time() - began >= SLOW_SECONDS:
            self._slow.failed(endpoint)
        return answer

    async def _rights(
        self, organization_id: UUID, delivery: Delivery
    ) -> tuple[bool, Suppression | None]:
        """Whether the permissions could be read, and the reason why a message is not sent, if any.

        They are read before each attempt, because the endpoint's user may have lost them since the
        message was queued or claimed.
        """
        try:
            rows = await self._storage.read(rights_to(organization_id, delivery.id))
        except Overloaded:
            return False, None
        except Exception:
            logger.exception("The rights to the delivery %s could not be read", delivery.id)
            return False, None
        return True, withheld_because(rows)

    async def _answer_to(self, delivery: Delivery) -> Answer:
        """Make an attempt. An internal error does not stop the other attempts."""
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
        withheld: Suppression | None,
    ) -> None:
        """Write the outcome of an attempt, which must not be repeated.

        The write is retried until the lease ends, and tried at least once: an expired lease is
        still valid if no other worker has taken it.
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
            except Exception as error:
                if not isinstance(error, Overloaded):  # the storage logs outages
                    logger.exception(
                        "The outcome of the delivery %s could not be written", delivery.id
                    )
                if self._storage.clock() >= ends_at:
                    return
                await asyncio.sleep(WRITE_AGAIN_SECONDS)

    async def _one(self, run: Run, command: Any) -> Outcome:
        [outcome] = await self._storage.write(run, [command])
        assert isinstance(outcome, Outcome)
        return outcome
