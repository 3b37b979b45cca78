"""Carries out commands in batches: one transaction in flight in a process, whoever asks.

Requests that arrive meanwhile are the next batch, in order, as runs of the same command, each under
a savepoint. The fixed cost of a transaction is many times that of a row, so this is what makes
bookings fast; the database's own locks and constraints are what makes them right, with any number
of processes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import groupby
from typing import Any

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage.idempotency import Idempotency, claim, keep, release
from resolvers.storage.unit_of_work import UnitOfWork

logger = logging.getLogger(__name__)

Result = Outcome | Refused
Run = Callable[[UnitOfWork, Sequence[Any]], Sequence[Result]]

BATCH_REQUESTS = 64
WAITING_REQUESTS = 20_000
LOCK_PATIENCE_SECONDS = 30.0
CONSTRAINT_TRIES = 3

LOOKED_AT = 4 * BATCH_REQUESTS
"""How far a batch looks for requests that may be in it, past those whose key is in it already."""

RETRIED_TOGETHER = 16
"""The most requests that are tried again in one batch, in which each may wait for its lock."""

SMALLER = 8
"""By how much a batch that failed whole is divided, to answer those who are not at fault."""


class Overloaded(Exception):
    """Too many requests wait, somebody else held a lock for too long, or the process stops.

    Nothing was written.
    """

    retry_after_seconds = 1


class Trouble(Enum):
    """What a database's error means for the command that met it."""

    LOCKED = auto()  # try again later
    CONSTRAINT = auto()  # somebody else was first; look again
    FAULT = auto()  # ours


@dataclass(eq=False, slots=True)
class Request:
    """Some commands of one kind that are answered together."""

    run: Run
    commands: Sequence[Any]
    all_or_nothing: bool
    idempotency: Idempotency | None
    answer: "asyncio.Future[list[Result]]"
    give_up_at: float
    constraint_failures: int = 0
    together: int = BATCH_REQUESTS  # the size of the largest batch that it may be in


@dataclass(slots=True)
class Performed:
    """What became of each request of a batch: an answer, an exception, or to be tried again."""

    answers: dict[Request, list[Result] | Exception] = field(default_factory=dict)
    again: list[Request] = field(default_factory=list)


def perform(
    work: UnitOfWork, requests: Sequence[Request], trouble: Callable[[BaseException], Trouble]
) -> Performed:
    """Carry out a batch inside the open transaction, up to the commit."""
    performed = Performed()
    claimed = _claim_keys(work, requests, performed)
    open_requests = [r for r in requests if r not in performed.answers]

    def alone_or_together(request: Request) -> Any:
        return id(request) if request.all_or_nothing else request.run

    for _, group in groupby(open_requests, alone_or_together):
        _perform_run(work, list(group), trouble, performed)
    work.wait_as_usual()
    _keep_answers(work, claimed, performed)
    work.append_changes()
    return performed


def undone(requests: Sequence[Request], error: Exception, trouble: Trouble) -> Performed:
    """What follows when a transaction was rolled back whole: smaller ones are tried.

    Raises: the error, of a request that was by itself already.
    """
    if len(requests) == 1 and trouble is not Trouble.LOCKED:
        raise error
    for request in requests:
        request.together = max(1, len(requests) // SMALLER)
    return Performed(again=list(requests))


def _perform_run(
    work: UnitOfWork,
    requests: list[Request],
    trouble: Callable[[BaseException], Trouble],
    performed: Performed,
) -> None:
    commands = [command for request in requests for command in request.commands]
    before = work.savepoint()
    try:
        results: Sequence[Result] = requests[0].run(work, commands)
        assert len(results) == len(commands), "a result for each command"
        work.flush()  # here, where a constraint can still be told from a fault
    except Exception as error:
        work.undo(before)
        if trouble(error) is Trouble.LOCKED:
            work.wait_briefly()
        if trouble(error) is Trouble.CONSTRAINT:
            work.forget_numbers()
        if len(requests) > 1:
            for request in requests:
                _perform_run(work, [request], trouble, performed)
            return
        _give_up_or_retry(requests[0], error, trouble(error), performed)
        return
    refused = any(isinstance(result, Refused) for result in results)
    if requests[0].all_or_nothing and refused:
        work.undo(before)
        results = [result for result in results if isinstance(result, Refused)]
    else:
        work.keep()
    position = 0
    for request in requests:
        performed.answers[request] = list(results[position : position + len(request.commands)])
        position += len(request.commands)


def _give_up_or_retry(
    request: Request, error: Exception, trouble: Trouble, performed: Performed
) -> None:
    if trouble is Trouble.CONSTRAINT and request.constraint_failures < CONSTRAINT_TRIES:
        request.constraint_failures += 1
        performed.again.append(request)
    elif trouble is Trouble.LOCKED:
        performed.again.append(request)
    else:
        performed.answers[request] = error


def _claim_keys(
    work: UnitOfWork, requests: Sequence[Request], performed: Performed
) -> dict[Request, Idempotency]:
    """Claim every request's key, and answer those whose key was used before."""
    keyed = {r: r.idempotency for r in requests if r.idempotency is not None}
    used = claim(work, keyed.values())
    for request, key in keyed.items():
        if key in used:
            performed.answers[request] = used[key]
    return {request: key for request, key in keyed.items() if key not in used}


def _keep_answers(
    work: UnitOfWork, claimed: dict[Request, Idempotency], performed: Performed
) -> None:
    """Store the results of a request with its key if at least one of them is an outcome.

    A request of which nothing succeeded leaves nothing, and its key may be tried again.
    """
    kept, released = {}, []
    for request, key in claimed.items():
        answer = performed.answers.get(request)
        if isinstance(answer, list) and any(isinstance(result, Outcome) for result in answer):
            kept[key] = answer
        else:
            released.append(key)
    keep(work, kept)
    release(work, released)


class Writer:
    """The queues before the one transaction that a process has in flight.

    What was tried in vain is tried again in batches of its own, in turn with the new requests: a
    lock that somebody keeps does not stop those who need another.
    """

    def __init__(
        self,
        transact: Callable[[list[Request]], Awaitable[Performed]],
        *,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
    ) -> None:
        self._transact = transact
        self._lock_patience_seconds = lock_patience_seconds
        self._waiting: deque[Request] = deque()
        self._again: deque[Request] = deque()
        self._tried_again = False
        self._arrived = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

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
        Overloaded.
        """
        if self._closing or len(self._waiting) + len(self._again) >= WAITING_REQUESTS:
            raise Overloaded
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = loop.create_task(self._write_batches(), name="writer")
        request = Request(
            run=run,
            commands=commands,
            all_or_nothing=all_or_nothing,
            idempotency=idempotency,
            answer=loop.create_future(),
            give_up_at=loop.time() + self._lock_patience_seconds,
        )
        self._waiting.append(request)
        self._arrived.set()
        return await request.answer  # a cancelled caller cancels the answer, never the batch

    async def close(self) -> None:
        """Finish what waits and what is in flight, then stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _write_batches(self) -> None:
        while await self._is_asked():
            batch = self._next_batch()
            if not batch:
                continue  # every caller has been cancelled
            try:
                performed = await self._transact(batch)
            except Exception as error:
                self._answer_all(batch, error)
                continue
            for request, answer in performed.answers.items():
                _answer(request, answer)
            self._put_back(performed.again)

    async def _is_asked(self) -> bool:
        """Wait for a request; False once there will be none."""
        while not (self._waiting or self._again):
            if self._closing:
                return False
            self._arrived.clear()
            await self._arrived.wait()
        return True

    def _next_batch(self) -> list[Request]:
        """The next requests of a queue, in order.

        Of several with one key the first, since the others need its answer.
        """
        queue = self._next_queue()
        batch: list[Request] = []
        left: list[Request] = []
        keys = set()
        most = BATCH_REQUESTS
        while queue and len(batch) < most and len(left) < LOOKED_AT:
            request = queue.popleft()
            if request.answer.cancelled():
                continue
            identity = request.idempotency.identity if request.idempotency else None
            if (identity is not None and identity in keys) or request.together <= len(batch):
                left.append(request)
                continue
            most = min(most, request.together)
            keys.add(identity)
            batch.append(request)
        queue.extendleft(reversed(left))
        return batch

    def _next_queue(self) -> deque[Request]:
        self._tried_again = bool(self._again) and not (self._waiting and self._tried_again)
        return self._again if self._tried_again else self._waiting

    def _put_back(self, requests: list[Request]) -> None:
        """Let these be tried again, behind those that are, and answer who waited too long."""
        for request in requests:
            request.together = min(request.together, RETRIED_TOGETHER)
        self._again.extend(requests)
        now = asyncio.get_running_loop().time()
        patient = [request for request in self._again if request.give_up_at > now]
        for request in self._again:
            if request.give_up_at <= now:
                _answer(request, Overloaded())
        self._again = deque(patient)

    def _answer_all(self, requests: list[Request], error: Exception) -> None:
        logger.error(
            "A transaction failed; %d requests were told so", len(requests), exc_info=error
        )
        for request in requests:
            _answer(request, error)


def _answer(request: Request, answer: list[Result] | Exception) -> None:
    if request.answer.done():
        return
    if isinstance(answer, Exception):
        request.answer.set_exception(answer)
    else:
        request.answer.set_result(answer)
