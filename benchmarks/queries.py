"""The three questions, and the variables that every server is asked with in the same order."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import orjson

from benchmarks import data
from benchmarks.data import Rows
from resolvers.bookings.reads import bookings_order
from resolvers.events.reads import ordering_of
from resolvers.identity import global_id
from resolvers.storage.tables import Booking, Event
from resolvers.vocabulary import BookingStatus

POOL: Final = 256
"""How many different variables there are for each query."""

FIRST_PAGES: Final = 8
"""One in so many asks for the first page of its list; the others begin anywhere in it."""

DETAIL: Final = """query Detail($id: ID!) {
  booking(id: $id) {
    ... on Enrolment {
      id reference status attemptNumber deliveryMode createdAt
      times { start end timeZone }
      candidate { id fullName reference }
      event { id title }
      room { id name capacity }
      centre { id name timeZone }
    }
  }
}"""
ROSTER: Final = """query Roster($first: Int, $after: String, $filter: BookingFilter) {
  enrolments(first: $first, after: $after, filter: $filter) {
    nodes {
      id reference status attemptNumber
      times { start }
      candidate { id fullName reference }
      event { title }
      room { name }
      centre { name timeZone }
    }
  }
}"""
FAN_OUT: Final = """query FanOut($first: Int, $after: String, $each: Int) {
  events(first: $first, after: $after) {
    nodes {
      id title
      enrolments(first: $each) {
        nodes { id reference status candidate { id fullName reference } }
      }
    }
  }
}"""


@dataclass(frozen=True, slots=True)
class Query:
    """A document, what it is asked with, and the hand-written route that answers the same."""

    name: str
    document: str
    variables: tuple[dict[str, str], ...]
    path: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """The variables that are the same in every request, as clients send them."""

    def request(self, server: str, token: str, variables: dict[str, str]) -> bytes:
        """The HTTP request with which a server is asked."""
        if server == "hand-written":
            return get(self._path(variables), token)
        return post({"query": self.document, "variables": {**self.fixed, **variables}}, token)

    def requests(self, server: str, token: str) -> list[bytes]:
        """One for each of the variables."""
        return [self.request(server, token, variables) for variables in self.variables]

    def new_documents(self, token: str, start: int, count: int) -> list[bytes]:
        """Requests of which each has a document that no other has: an alias tells them apart."""
        return [
            post(
                {
                    "query": self.document.replace("reference", f"alias{n}: reference", 1),
                    "variables": {**self.fixed, **self.variables[n % len(self.variables)]},
                },
                token,
            )
            for n in range(start, start + count)
        ]

    def _path(self, variables: dict[str, str]) -> str:
        quoted = {name: quote(value, safe="") for name, value in variables.items()}
        if "{id}" in self.path:
            return self.path.format(id=quoted["id"])
        if not quoted:
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}after={quoted['after']}"


def get(path: str, token: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", *_headers(token), "", "")
    return "\r\n".join(lines).encode()


def post(body: Any, token: str) -> bytes:
    content = orjson.dumps(body)
    lines = (
        "POST /graphql HTTP/1.1",
        *_headers(token),
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *("", ""),
    )
    return "\r\n".join(lines).encode() + content


def _headers(token: str) -> tuple[str, ...]:
    return ("Host: 127.0.0.1", f"Authorization: Bearer {token}", "Accept: application/json")


Variables = dict[str, list[dict[str, str]]]
"""By a query's name, what it is asked with."""


def queries(variables: Variables) -> list[Query]:
    """The three queries with what they are asked with."""
    asked = {name: tuple(drawn) for name, drawn in variables.items()}
    return [
        Query("detail", DETAIL, asked["detail"], "/enrolments/{id}"),
        Query(
            "roster",
            ROSTER,
            asked["roster"],
            "/enrolments?status=CONFIRMED",
            {"first": 50, "filter": {"status": ["CONFIRMED"]}},
        ),
        Query("fan-out", FAN_OUT, asked["fan-out"], "/events", {"first": 20, "each": 20}),
    ]


def draw(rows: Rows) -> Variables:
    """What the queries are asked with in a world; drawn in the same way at every run."""
    chance = random.Random(data.SEED)  # noqa: S311 - the same draws at every run
    bookings, events = rows[Booking], sorted(rows[Event], key=_by_start)
    confirmed = sorted((b for b in bookings if b.status is BookingStatus.CONFIRMED), key=_by_start)
    drawn = chance.sample(bookings, min(POOL, len(bookings)))
    return {
        "detail": [{"id": global_id("Enrolment", row.id)} for row in drawn],
        "roster": list(_pages(chance, bookings_order(None), confirmed[:-50])),
        "fan-out": list(_pages(chance, ordering_of(None), events[:-20])),
    }


def _by_start(row: Any) -> tuple[Any, Any]:
    return row.start_at, row.id


def _pages(chance: random.Random, order: Any, rows: Sequence[Any]) -> Iterable[dict[str, str]]:
    """Places in a list from which a whole page can be read."""
    for n in range(POOL):
        yield {} if n % FIRST_PAGES == 0 else {"after": order.cursor(chance.choice(rows))}
