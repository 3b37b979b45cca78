"""Carries out commands in batches: a process has one transaction in flight.

Requests that arrive meanwhile are the next batch, in order. The fixed cost of a transaction is many
times that of a row, so this makes bookings fast. The database's own locks and constraints make them
correct, with any number of processes.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from resolvers.storage.batches import (
    BatchOutcomes,
    Request,
    Result,
    Run,
    organization_of,
)
from resolvers.storage.deadlines import Deadlines
from resolvers.storage.idempotency import Idempotency
from resolvers.storage.outages import WRITING, Outage
from resolvers.storage.overloaded import OutcomeUnknown, Overloaded
from resolvers.storage.pacing import Pace
from resolvers.storage.probing import NO_ORGANIZATION, Probe, probe
from resolvers.storage.queues import Queues

logger = logging.getLogger(__name__)

WAITING_REQUESTS = 20_000
LOCK_PATIENCE_SECONDS = 30.0

IN_FLIGHT_SECONDS = 15.0
"""How much longer than its patience a request waits for a transaction that it is part of."""

FRESH_SECONDS = 1.0
"""How long a commit proves that requests can be carried out."""

FAILED_SECONDS = 3.0
"""How long a failure proves the contrary, unless a request succeeds."""

CLOSING_SECONDS = 5.0
"""How long `close` waits for the requests that have come before it."""


class Writer:
    """The queues before the one transaction that a process has in flight."""

    def __init__(
        self,
        transact: Callable[[list[Request]], Awaitable[BatchOutcomes]],
        outage: Outage,
        *,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._transact = transact
        self._outage = outage
        self._patience = Deadlines(lock_patience_seconds, self._give_up)
        self._expired = Deadlines[Request](
            IN_FLIGHT_SECONDS, lambda request: _answer(request, OutcomeUnknown())
        )
        self._queues = Queues()
        self._in_flight: list[Request] = []
        self._unanswered = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._wrote_at = self._failed_at = -math.inf  # requests of organizations

    async def write(
        self,
        run: Run,
        commands: Sequence[Any],
        *,
        all_or_nothing: bool = False,
        idempotency: Idempotency | None = None,
    ) -> list[Result]:
        """Carry out commands and answer after the commit: a result for each, in their order.

        An all-or-nothing request that is refused answers with its refusals only. If the caller is
        cancelled before a batch has taken its request, the request is dropped; afterwards it is
        carried out, because the other requests of the batch depend on its transaction. Raises:
        Overloaded, at once if the request would wait for too long.
        """
        if self._closing or self._unanswered >= WAITING_REQUESTS:
            raise Overloaded
        if (seconds := self._pace.too_long(self._queues.ordinary)) is not None:
            raise Overloaded(retry_after_seconds=math.ceil(seconds))
        if self._task is None:
            self._start()
        request = Request(
            run=run,
            commands=commands,
            all_or_nothing=all_or_nothing,
            idempotency=idempotency,
            organization_id=organization_of(commands, idempotency),
            answer=asyncio.get_running_loop().create_future(),
        )
        self._patience.begin(request)
        self._unanswered += 1
        self._queues.add(request)
        self._arrived.set()
        try:
            return await request.answer  # a cancelled caller cancels the answer, never the batch
        finally:
            self._unanswered -= 1
            self._patience.end(request)
            if request.expired:
                self._expired.end(request)

    async def is_writable(self) -> bool:
        """Whether requests can be carried out: because one was just now, or a probe is."""
        now = asyncio.get_running_loop().time()
        if now - self._wrote_at < FRESH_SECONDS:
            return self._failed_at < self._wrote_at
        # a probe needs less than a request does: a full disk may still have room for it
        if self._failed_at > self._wrote_at and now - self._failed_at < FAILED_SECONDS:
            return False
        try:
            await self.write(cast(Run, probe), [Probe()])
        except Overloaded:
            return False
        return True

    async def close(self) -> None:
        """Finish the requests that wait, within a limit, then stop.

        After the limit, the callers of unfinished requests get Overloaded or OutcomeUnknown.
        """
        self._closing = True
        self._arrived.set()
        if self._task is None:
            return
        _, unfinished = await asyncio.wait([self._task], timeout=CLOSING_SECONDS)
        for task in unfinished:
            task.cancel()
            await asyncio.wait([task], timeout=CLOSING_SECONDS)
        self._answer_unfinished()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._write_batches(), name="writer")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Begin again after a fault of the writer itself; nothing that waits is left unanswered."""
        if task.cancelled() or task.exception() is None:
            return
        logger.critical("The writer has failed and starts again", exc_info=task.exception())
        self._answer_unfinished()
        if not self._closing:
            self._start()

    async def _write_batches(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        while not task.cancelling() and (batch := await self._next_batch()):
            self._in_flight = batch
            began = loop.time()
            for request in batch:
                request.in_flight = True
            try:
                performed = await self._transact(batch)
            except Exception as error:
                self._answer_all(batch, error)
            else:
                self._pace.ran(len(performed.answers), loop.time() - began)
                self._finish(batch, performed, took=loop.time() - began)
            self._in_flight = []

    async def _next_batch(self) -> list[Request]:
        """Wait for requests that may run; an empty list once there will be none."""
        loop = asyncio.get_running_loop()
        while True:
            self._arrived.clear()
            if batch := self._queues.next_batch(loop.time()):
                return batch
            ready_at = self._queues.next_at()
            if ready_at is None and self._closing:
                return []
            timer = None if ready_at is None else loop.call_at(ready_at, self._arrived.set)
            await self._arrived.wait()
            if timer is not None:
                timer.cancel()

    def _finish(self, batch: list[Request], performed: BatchOutcomes, *, took: float) -> None:
        """Answer the requests of a transaction, and let the others wait again."""
        now = asyncio.get_running_loop().time()
        for request in batch:
            request.in_flight = False
        unavailable = None
        for request, answer in performed.answers.items():
            _answer(request, answer)
            if isinstance(answer, Overloaded):
                unavailable = answer
                self._failed_at = now
                self._outage.failed(WRITING, answer)
        if unavailable is None and performed.answers:
            if any(request.organization_id != NO_ORGANIZATION for request in performed.answers):
                self._wrote_at = now
            self._outage.succeeded(WRITING)
        for request in performed.unanswered:
            if request.expired:
                _answer(request, Overloaded())
        self._queues.put_back(batch, performed, now=now, took=took)

    def _answer_all(self, requests: list[Request], error: Exception) -> None:
        if isinstance(error, Overloaded):
            self._failed_at = asyncio.get_running_loop().time()
            self._outage.failed(WRITING, error, requests=len(requests))
        else:
            logger.error("A transaction of %d requests failed", len(requests), exc_info=error)
        for request in requests:
            _answer(request, error)

    def _answer_unfinished(self) -> None:
        """Answer everything: requests that wait, and those whose transaction did not end."""
        for request in [*self._queues.all()]:
            _answer(request, Overloaded())
        for request in self._in_flight:
            _answer(request, OutcomeUnknown())
        self._in_flight = []

    def _give_up(self, request: Request) -> None:
        """Answer a request that has waited too long.

        If it is in flight, its transaction decides, or its caller learns that this is unknown.
        """
        if request.in_flight:
            request.expired = True
            self._expired.begin(request)
        else:
            _answer(request, Overloaded())
            self._arrived.set()


def _answer(request: Request, answer: list[Result] | Exception) -> None:
    if request.answer.done():
        return
    if isinstance(answer, Exception):
        request.answer.set_exception(answer)
    else:
        request.answer.set_result(answer)
