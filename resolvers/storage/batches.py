"""Carries out a batch of requests inside an open transaction.

Requests of the same command are a run under a savepoint. A run that fails is tried again, request
by request, so that only the request at fault fails.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import groupby
from typing import Any
from uuid import UUID

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage.idempotency import Idempotency, claim, keep, release
from resolvers.storage.overloaded import Unavailable
from resolvers.storage.unit_of_work import UnitOfWork

Result = Outcome | Refused
Run = Callable[[UnitOfWork, Sequence[Any]], Sequence[Result]]

BATCH_REQUESTS = 64
BATCH_COMMANDS = 1_000 + BATCH_REQUESTS
"""The largest request has 1,000 commands; with it run the small requests of others.

64,000 commands would take a minute, and so long between two statements that PostgreSQL would end
the session.
"""

RUN_AGAIN = 3
"""How often a request runs again after a constraint or an outdated prepared statement."""

LOCK_TRIES = 16
"""After so many requests of an organization met a lock, its others do not run in this batch."""

RETRIED_TOGETHER = 16
"""The most requests that run again in one batch after each of them met a lock."""

SMALLER = 8
"""By how much a batch that failed whole is divided, to answer those who are not at fault."""


class ErrorMeaning(Enum):
    """What a database's error means for the command that met it."""

    LOCKED = auto()  # try again later
    CONSTRAINT = auto()  # another transaction was first; run again
    STALE = auto()  # a table has changed since the statement was prepared; run again
    UNAVAILABLE = auto()  # the database cannot be used
    FAULT = auto()  # ours


RUNS_AGAIN = {ErrorMeaning.CONSTRAINT, ErrorMeaning.STALE}


@dataclass(eq=False, slots=True)
class Request:
    """Some commands of one kind that are answered together.

    `organization_id` is None if they belong to no organization, or to many.
    """

    run: Run
    commands: Sequence[Any]
    all_or_nothing: bool
    idempotency: Idempotency | None
    organization_id: UUID | None
    answer: "asyncio.Future[list[Result]]"
    in_flight: bool = False
    expired: bool = False
    met_lock: bool = False
    was_lost: bool = False  # with the connection, once
    waits_briefly: bool = False  # for locks, because its organization has just met one
    failures: int = 0
    together: int = BATCH_REQUESTS  # the size of the largest batch that it may be in


@dataclass(slots=True)
class BatchOutcomes:
    """What became of each request of a batch.

    It has an answer or an exception, runs again at once, or waits for a lock. Requests that run
    `apart` have met no lock themselves, but others of their organization may have. `blocked` is the
    organization whose log position is locked: none of its requests can run. `queued` says whether
    background work was written.
    """

    answers: dict[Request, list[Result] | Exception] = field(default_factory=dict)
    again: list[Request] = field(default_factory=list)
    locked: list[Request] = field(default_factory=list)
    apart: list[Request] = field(default_factory=list)
    blocked: UUID | None = None
    queued: bool = False

    @property
    def unanswered(self) -> list[Request]:
        return [*self.again, *self.locked, *self.apart]


def organization_of(commands: Sequence[Any], idempotency: Idempotency | None) -> UUID | None:
    """The organization that a request belongs to: that of its key, its command or its viewer."""
    if idempotency is not None:
        return idempotency.organization_id
    if not commands:
        return None
    found = getattr(commands[0], "organization_id", None)
    if found is None:
        found = getattr(getattr(commands[0], "viewer", None), "organization_id", None)
    return found


def perform(
    work: UnitOfWork, requests: Sequence[Request], trouble: Callable[[BaseException], ErrorMeaning]
) -> BatchOutcomes:
    """Carry out a batch inside the open transaction, up to the commit."""
    performed = BatchOutcomes()
    if any(request.waits_briefly for request in requests):
        work.wait_briefly()
    claimed = _claim_keys(work, requests, performed)
    open_requests = [r for r in requests if r not in performed.answers]
    runs = _Runs(work, trouble, performed)

    def alone_or_together(request: Request) -> Any:
        return id(request) if request.all_or_nothing else request.run

    groups = [list(group) for _, group in groupby(open_requests, alone_or_together)]
    for group in groups:
        # the answers of keys are kept after the last run, before the log's position is raised
        runs.perform(group, is_last=group is groups[-1] and not claimed)
    work.wait_as_usual()
    _keep_answers(work, claimed, performed)
    work.append_changes()
    performed.queued = work.queued
    return performed


def undone(
    requests: Sequence[Request],
    error: Exception,
    trouble: ErrorMeaning,
    *,
    raising: UUID | None = None,
) -> BatchOutcomes:
    """What follows when a transaction was rolled back whole.

    `raising` is the organization whose log position the transaction was raising. Raises:
    Unavailable; the error itself, of a request that was alone already.
    """
    if trouble is ErrorMeaning.UNAVAILABLE:
        raise Unavailable from error
    if trouble is ErrorMeaning.LOCKED:
        return _after_lock(requests, raising)
    if len(requests) == 1:
        return BatchOutcomes(again=[_run_again(requests[0], error, trouble)])
    _divide(requests)
    return BatchOutcomes(again=list(requests))


def lost(requests: Sequence[Request]) -> BatchOutcomes:
    """What follows when the connection was lost before the commit: each request runs once more."""
    again = [request for request in requests if not request.was_lost]
    for request in again:
        request.was_lost = True
    return BatchOutcomes(
        answers={request: Unavailable() for request in requests if request not in again},
        again=again,
    )


def _after_lock(requests: Sequence[Request], raising: UUID | None) -> BatchOutcomes:
    """Divide a batch that met a lock by organization; of one organization, into smaller ones."""
    blocked = [r for r in requests if raising is not None and r.organization_id == raising]
    if blocked:
        others = [request for request in requests if request.organization_id != raising]
        return BatchOutcomes(locked=blocked, again=others, blocked=raising)
    if len({request.organization_id for request in requests}) > 1:
        return BatchOutcomes(apart=list(requests))
    _divide(requests)
    return BatchOutcomes(locked=list(requests))


def _divide(requests: Sequence[Request]) -> None:
    for request in requests:
        request.together = max(1, len(requests) // SMALLER)


def _run_again(request: Request, error: Exception, trouble: ErrorMeaning) -> Request:
    """The request, if it may run once more. Raises: its error."""
    if trouble not in RUNS_AGAIN or request.failures >= RUN_AGAIN:
        raise error
    request.failures += 1
    return request


class _Runs:
    """Runs the requests of one transaction, and divides the runs that fail."""

    def __init__(
        self,
        work: UnitOfWork,
        trouble: Callable[[BaseException], ErrorMeaning],
        performed: BatchOutcomes,
    ) -> None:
        self._work = work
        self._trouble = trouble
        self._performed = performed
        self._locks: Counter[UUID | None] = Counter()

    def perform(self, requests: list[Request], *, is_last: bool = False) -> None:
        """Run requests of one command together; one by one if that fails.

        `is_last` says that nothing follows but the changes and the commit.
        """
        error = self._run(requests, is_last=is_last)
        if error is None:
            return
        if len(requests) == 1:
            self._settle(requests[0], error)
            return
        for request in requests:
            if self._locks[request.organization_id] >= LOCK_TRIES:
                self._performed.apart.append(request)
            else:
                self.perform([request])

    def _run(self, requests: list[Request], *, is_last: bool) -> Exception | None:
        """Run requests under a savepoint. Returns the error with which they were undone.

        Raises: the error, if the log's position is locked, which every request needs.
        """
        work = self._work
        commands = [command for request in requests for command in request.commands]
        before = work.savepoint()
        try:
            results: Sequence[Result] = requests[0].run(work, commands)
            assert len(results) == len(commands), "a result for each command"
            refused = any(isinstance(result, Refused) for result in results)
            undone = refused and requests[0].all_or_nothing
            # written here, where a constraint can still be told from a fault
            work.keep(is_last=is_last and not undone)
        except Exception as error:
            trouble = self._trouble(error)
            if trouble is ErrorMeaning.LOCKED and work.raising is not None:
                raise
            try:
                work.undo(before)
            except Exception:
                raise error from None  # the whole transaction is gone
            self._prepare_next(trouble)
            return error
        if undone:
            work.undo(before)
            results = [result for result in results if isinstance(result, Refused)]
        self._answer(requests, results)
        return None

    def _prepare_next(self, trouble: ErrorMeaning) -> None:
        if trouble is ErrorMeaning.LOCKED:
            self._work.wait_briefly()
        if trouble is ErrorMeaning.CONSTRAINT:
            self._work.forget_numbers()

    def _answer(self, requests: list[Request], results: Sequence[Result]) -> None:
        position = 0
        for request in requests:
            end = position + len(request.commands)
            self._performed.answers[request] = list(results[position:end])
            position = end

    def _settle(self, request: Request, error: Exception) -> None:
        """Decide what becomes of a request that failed by itself."""
        trouble = self._trouble(error)
        if trouble is ErrorMeaning.LOCKED:
            self._locks[request.organization_id] += 1
            request.together = min(request.together, RETRIED_TOGETHER)
            self._performed.locked.append(request)
            return
        if trouble is ErrorMeaning.UNAVAILABLE:
            unavailable = Unavailable()
            unavailable.__cause__ = error
            self._performed.answers[request] = unavailable
            return
        try:
            self._performed.again.append(_run_again(request, error, trouble))
        except Exception as fault:
            self._performed.answers[request] = fault


def _claim_keys(
    work: UnitOfWork, requests: Sequence[Request], performed: BatchOutcomes
) -> dict[Request, Idempotency]:
    """Claim every request's key, and answer those whose key was used before."""
    keyed = {r: r.idempotency for r in requests if r.idempotency is not None}
    used = claim(work, keyed.values())
    for request, key in keyed.items():
        if key in used:
            performed.answers[request] = used[key]
    return {request: key for request, key in keyed.items() if key not in used}


def _keep_answers(
    work: UnitOfWork, claimed: dict[Request, Idempotency], performed: BatchOutcomes
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
