"""A constant load: clients of several organizations that book, move, cancel and read over HTTP.

Every write has an idempotency key, and a client repeats it with that key until it has an answer.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import httpx

from tests.end_to_end.clients import Client, client_of

CLIENTS: Final = 4
"""Of each organization."""

PAUSE_SECONDS: Final = 0.1
"""Between two operations of a client, on average."""

ATTEMPT_SECONDS: Final = 20
"""How long a client waits before it repeats its request: longer than any limit of the gateway."""

REPEAT_SECONDS: Final = 0.2
"""How long a client waits before it repeats a request, unless the answer says how long."""

FINISHING_SECONDS: Final = 60
"""How long clients repeat their last requests after the end of the load."""

DONE: Final = "done"
NO_ANSWER: Final = "no answer"
CUT: Final = "connection lost"
NOT_CONNECTED: Final = "not connected"
NOTHING_WRITTEN: Final = frozenset({"OVERLOADED", "503 OVERLOADED", NOT_CONNECTED})
"""Answers that say so; the outcome of a write with any other failure is unknown."""

FULL: Final = frozenset({"EVENT_FULL", "ROOM_FULL"})
"""The only refusals that these clients can meet."""

BOOK: Final = """
    mutation Book($candidate: ID!, $event: ID!, $key: String!) {
        write: bookEnrolment(input: {
            candidate: {id: $candidate}, event: {id: $event}, idempotencyKey: $key
        }) { booking: enrolment { id } replayed errors { code } }
    }
"""
MOVE: Final = """
    mutation Move($booking: ID!, $event: ID!, $key: String!) {
        write: moveEnrolment(input: {
            enrolmentId: $booking, toEvent: {id: $event}, idempotencyKey: $key
        }) { booking: enrolment { id } errors { code } }
    }
"""
CANCEL: Final = """
    mutation Cancel($booking: ID!, $key: String!) {
        write: cancelBooking(input: {
            bookingId: $booking, reason: ILLNESS, idempotencyKey: $key
        }) { booking { id } errors { code } }
    }
"""
READ: Final = """
    query Read($booking: ID!) {
        read: node(id: $booking) { ... on Enrolment { id status event { id } } }
    }
"""


@dataclass(frozen=True)
class Organization:
    """An organization of the load: where its requests go, and what they are about."""

    id: UUID
    name: str
    host: str
    token: str
    events: Sequence[str]
    candidates: Sequence[str]
    spare_event: str  # of which the load knows nothing
    spare_candidate: str


@dataclass(slots=True)
class Attempt:
    """One request of an operation. `answer` is DONE, a code, or what went wrong.

    It is answered if the gateway has carried it out, or has refused it by a rule.
    """

    began: float
    ended: float
    answer: str
    answered: bool

    @property
    def unknown(self) -> bool:
        return not self.answered and self.answer not in NOTHING_WRITTEN


@dataclass(slots=True)
class Operation:
    """What a client wants, with all attempts until it has an answer."""

    organization: str
    kind: str
    began: float
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def ended(self) -> float:
        """When the last attempt ended; without one, the operation has only begun."""
        return self.attempts[-1].ended if self.attempts else self.began

    @property
    def finished(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].answered

    @property
    def writes(self) -> bool:
        return self.kind != READ


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking as its client knows it."""

    candidate: str
    event: str
    live: bool = True


@dataclass
class Known:
    """What the gateway has acknowledged to the clients of an organization, by booking."""

    bookings: dict[str, Booked] = field(default_factory=dict)
    keys: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)  # input, booking
    open: set[str] = field(default_factory=set)  # candidates of operations without an answer
    wrong_answers: list[str] = field(default_factory=list)


class Load:
    """The clients, what they have done, and what they know."""

    def __init__(
        self,
        organizations: Sequence[Organization],
        *,
        clients: int = CLIENTS,
        seed: int = 0,
        finishing_seconds: float = FINISHING_SECONDS,
    ) -> None:
        self.organizations = organizations
        self.operations: list[Operation] = []
        self.known = {one.name: Known() for one in organizations}
        self._clients = clients
        self._seed = seed
        self._finishing_seconds = finishing_seconds
        self._ending = asyncio.Event()
        self._progress = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep all clients busy; at the end each finishes the operation that it has begun."""
        async with AsyncExitStack() as opened:
            tasks = []
            for organization in self.organizations:
                http = await opened.enter_async_context(
                    client_of(organization.host, organization.token)
                )
                for number in range(self._clients):
                    mine = organization.candidates[number :: self._clients]
                    chance = random.Random(f"{self._seed} {organization.name} {number}")
                    client = LoadClient(self, organization, http, mine, chance)
                    tasks.append(asyncio.create_task(client.run(self._ending)))
            try:
                yield
                self._ending.set()
                await asyncio.wait(tasks, timeout=self._finishing_seconds)
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def written(self, organization: str, *, since: float, within: float) -> bool:
        """Wait until a write of an organization succeeds that was begun after `since`."""

        def found() -> bool:
            return any(
                one.organization == organization
                and one.writes
                and one.finished
                and one.attempts[-1].began >= since
                for one in reversed(self.operations)
            )

        try:
            async with asyncio.timeout(within), self._progress:
                await self._progress.wait_for(found)
        except TimeoutError:
            return False
        return True

    async def progressed(self) -> None:
        async with self._progress:
            self._progress.notify_all()


class LoadClient:
    """One client. Nobody else books for its candidates."""

    def __init__(
        self,
        load: Load,
        organization: Organization,
        http: Client,
        candidates: Sequence[str],
        chance: random.Random,
    ) -> None:
        self._load = load
        self._organization = organization
        self._http = http
        self._known = load.known[organization.name]
        self._sitting: dict[str, str | None] = dict.fromkeys(candidates)  # candidate: booking
        self._chance = chance

    async def run(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            await self._act()
            await self._load.progressed()
            await asyncio.sleep(self._chance.uniform(0, 2 * PAUSE_SECONDS))

    async def _act(self) -> None:
        candidate = self._chance.choice(list(self._sitting))
        booking = self._sitting[candidate]
        if booking is None:
            await self._book(candidate)
        else:
            act = self._chance.choice((self._move, self._cancel, self._read))
            await act(candidate, booking)

    async def _book(self, candidate: str) -> None:
        event = self._chance.choice(self._organization.events)
        asked = {"candidate": candidate, "event": event, "key": str(uuid4())}
        made = await self._write(BOOK, candidate, asked)
        if made is not None:
            self._sitting[candidate] = made
            self._known.bookings[made] = Booked(candidate, event)
            self._known.keys[asked["key"]] = asked, made

    async def _move(self, candidate: str, booking: str) -> None:
        here = self._known.bookings[booking].event
        event = self._chance.choice([one for one in self._organization.events if one != here])
        asked = {"booking": booking, "event": event, "key": str(uuid4())}
        if await self._write(MOVE, candidate, asked) is not None:
            self._known.bookings[booking] = Booked(candidate, event)

    async def _cancel(self, candidate: str, booking: str) -> None:
        asked = {"booking": booking, "key": str(uuid4())}
        if await self._write(CANCEL, candidate, asked) is not None:
            here = self._known.bookings[booking].event
            self._known.bookings[booking] = Booked(candidate, here, live=False)
            self._sitting[candidate] = None

    async def _read(self, _: str, booking: str) -> None:
        """Read a booking, which must be as the last write left it."""
        expected = {
            "id": booking,
            "status": "CONFIRMED",
            "event": {"id": self._known.bookings[booking].event},
        }
        operation = self._begin(READ)
        data = await self._repeated(operation, {"booking": booking})
        if data["read"] != expected:
            self._known.wrong_answers.append(f"read {data['read']}, not {expected}")

    async def _write(self, document: str, candidate: str, asked: dict[str, Any]) -> str | None:
        """The booking that was written; None if a rule refused it."""
        operation = self._begin(document)
        self._known.open.add(candidate)
        data = await self._repeated(operation, asked)
        self._known.open.discard(candidate)
        payload = data["write"]
        refused = {error["code"] for error in payload["errors"]}
        if refused - FULL:
            self._known.wrong_answers.append(f"{refused} for {asked}")
        return None if payload["booking"] is None else str(payload["booking"]["id"])

    def _begin(self, kind: str) -> Operation:
        operation = Operation(self._organization.name, kind, time.monotonic())
        self._load.operations.append(operation)
        return operation

    async def _repeated(self, operation: Operation, asked: dict[str, Any]) -> Any:
        """The data of the first answer that is one."""
        while True:
            began = time.monotonic()
            answer, data, wait = await self._attempt(operation.kind, asked)
            operation.attempts.append(Attempt(began, time.monotonic(), answer, data is not None))
            if data is not None:
                return data
            await asyncio.sleep(wait)

    async def _attempt(self, document: str, asked: dict[str, Any]) -> tuple[str, Any, float]:
        """What a request was answered, its data if it was carried out, and when to repeat it."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                response = await self._http.answer(document, **asked)
        except TimeoutError:
            return NO_ANSWER, None, REPEAT_SECONDS
        except httpx.ConnectError:
            return NOT_CONNECTED, None, REPEAT_SECONDS
        except httpx.TransportError:
            return CUT, None, REPEAT_SECONDS
        return read_answer(response)


def read_answer(response: httpx.Response) -> tuple[str, Any, float]:
    """What a response says, its data if the request was carried out, and when to repeat it."""
    status = "" if response.status_code == 200 else f"{response.status_code} "
    try:
        body = response.json()
    except json.JSONDecodeError:
        return f"{status}without JSON", None, REPEAT_SECONDS
    if errors := body.get("errors"):
        extensions = errors[0].get("extensions", {})
        wait = float(extensions.get("retryAfterSeconds", REPEAT_SECONDS))
        return f"{status}{extensions.get('code', 'without a code')}", None, wait
    payload = body["data"].get("write") or {}
    refused = [error["code"] for error in payload.get("errors", ())]
    return refused[0] if refused else DONE, body["data"], 0.0
