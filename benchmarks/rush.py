"""The clients of a booking benchmark, and what they book."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Final
from uuid import UUID

from benchmarks import booking_world
from benchmarks.booking_requests import booking_request
from benchmarks.booking_world import World
from benchmarks.queries import DETAIL, post
from benchmarks.reads import token
from resolvers.identity import global_id

SPREAD: Final = "spread"
HOT: Final = "hot"
SHAPES: Final = (SPREAD, HOT)
BOOKED: Final = b'"enrolment":{"id":'
"""What the response to a booking contains, and that to a refusal does not."""

BOOKINGS: Final = {1: 96, 16: 640, 64: 1_280}
"""How many bookings make up a part, by the number of clients."""

PAUSE_SECONDS: Final = 0.02
"""Between a response to the reader and its next query."""

READ: Final = 1_000
"""How many bookings the reader asks for, in turn."""


@dataclass(frozen=True, slots=True)
class Part:
    """One way to book: over all events or at one, by so many clients, with subscribers or not.

    With `reads`, a reader asks for a booking now and then meanwhile.
    """

    shape: str
    clients: int
    subscribers: int = 0
    reads: bool = False

    @property
    def bookings(self) -> int:
        return BOOKINGS.get(self.clients, 20 * self.clients)


class Crowd:
    """The candidates of one server: each books once. Every server has the same, in one order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = 1
        self.events = booking_world.events_of(world)
        self._token = token()

    @property
    def bookings(self) -> int:
        """How many candidates have booked."""
        return self._next - 1

    def requests(self, part: Part, number: int, round_number: int) -> list[bytes]:
        """Requests that book a seat for as many candidates who have not booked yet."""
        chance = random.Random(self._next)  # noqa: S311 - the same draws for every server
        hot = self.events.hot[round_number % len(self.events.hot)]
        return [
            self.request(hot if part.shape == HOT else chance.choice(self.events.spread))
            for _ in range(number)
        ]

    def request(self, event: UUID) -> bytes:
        """A request that books a seat at an event for a candidate who has not booked yet."""
        if self._next > self._world.bookers:
            raise ValueError(
                f"all {self._world.bookers:,} candidates have booked: use fewer rounds"
            )
        candidate, self._next = self._world.candidate(self._next), self._next + 1
        return booking_request(candidate, event, self._token)


def detail_queries(world: World) -> Iterator[bytes]:
    """Requests for one booking each, without an end."""
    mine, every = token(), 1 + world.enrolments // READ
    return cycle(
        [
            post(
                {"query": DETAIL, "variables": {"id": global_id("Enrolment", world.booking(n))}},
                mine,
            )
            for n in range(1, world.enrolments, every)
        ]
    )
