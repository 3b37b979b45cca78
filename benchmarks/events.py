"""How long a page of 50 of 100,000 events takes, with three criteria, beside the same SQL by hand.

Each search is asked from anywhere in its list. By hand is the driver itself: the statement, its
values and nothing around it; the gateway is asked over HTTP, with all that belongs to a request.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import orjson

from benchmarks import data
from benchmarks.data import Size
from benchmarks.drivers import Driver, driver_at
from benchmarks.load import Cost, answers, cost_of
from benchmarks.queries import post
from benchmarks.reads import COMPARED, Differs, token
from benchmarks.servers import cores, serving
from resolvers.events.reads import ordering_of
from resolvers.identity import global_id
from resolvers.storage.nulls import LAST_INSTANT
from resolvers.texts import sort_key
from resolvers.vocabulary import EventSortField, SortDirection

SIZE: Final = Size(candidates=100, enrolments=0, events=100_000)
"""As for the exports: one database serves both."""

WARM: Final = 20

STARTS: Final = f"coalesce(e.start_at, {LAST_INSTANT})"
"""The start of an event in the words of its index."""

BY_HAND: Final = """
    SELECT e.id, e.number, e.title, e.start_at, e.end_at, e.time_zone, c.id, c.name
    FROM event e
    LEFT JOIN centre c ON c.organization_id = e.organization_id AND c.id = e.venue_id
    WHERE e.organization_id = $1 AND {criteria} ORDER BY {order} LIMIT 51
"""
DOCUMENT: Final = """query Search($filter: EventFilter, $sort: [EventSort!], $after: String) {
  events(first: 50, filter: $filter, sort: $sort, after: $after) {
    nodes { id number title times { start end timeZone } centre { id name } }
    pageInfo { hasNextPage }
  }
}"""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page is asked with: of the gateway, and by hand after the organization."""

    variables: dict[str, Any]
    values: tuple[Any, ...]


class Search(Protocol):
    """A list of events by three criteria. `criteria` and `order` are its SQL by hand."""

    name: str
    criteria: str
    order: str

    def page(self, chance: random.Random, centres: Sequence[UUID]) -> Page: ...


def _anywhere(chance: random.Random) -> datetime:
    """A moment of the days on which there are events, but for the last, so that a page is full."""
    days = chance.randrange(data.DAYS - 100)
    return data.FIRST_DAY.replace(tzinfo=UTC) + timedelta(days=days, hours=chance.randrange(24))


class Coming:
    """The next events of a type that are published; pages begin anywhere after the first day."""

    name = "type, publication, start from; by start"
    criteria = f"""lower(e.exam_type) = $2 AND lower(e.publication_status) = $3
        AND {STARTS} >= $4 AND ({STARTS}, e.id) > ($4, $5)"""
    order = f"{STARTS}, e.id"

    def page(self, chance: random.Random, _: Sequence[UUID]) -> Page:
        place = (_anywhere(chance), UUID(int=0))
        filter = {
            "examType": {"eq": "class"},
            "publicationStatus": {"eq": "Published"},
            "start": {"gte": data.FIRST_DAY.replace(tzinfo=UTC).isoformat()},
        }
        after = ordering_of(None).cursor_of(place)
        return Page({"filter": filter, "after": after}, ("class", "published", *place))


class AtCentre:
    """The latest events at a centre that began before a moment and have a limit."""

    name = "centre, capacity, start before; by start, latest first"
    criteria = f"""e.venue_id = $2 AND e.capacity_maximum >= $3
        AND {STARTS} <= $4 AND ({STARTS}, e.id) < ($4, $5)"""
    order = f"{STARTS} DESC, e.id DESC"
    sort = ((EventSortField.START, SortDirection.DESC),)

    def page(self, chance: random.Random, centres: Sequence[UUID]) -> Page:
        centre = chance.choice(centres)
        place = (_anywhere(chance) + timedelta(days=90), UUID(int=0))
        filter = {
            "centreId": {"eq": global_id("Centre", centre)},
            "capacityMaximum": {"gte": 10},
            "start": {"lt": place[0].isoformat()},
        }
        after = ordering_of(self.sort).cursor_of(place)
        sort = [{"field": "START", "direction": "DESC"}]
        return Page({"filter": filter, "sort": sort, "after": after}, (centre, 10, *place))


class ByTitle:
    """The published events of a type with a number, by title."""

    name = "type, publication, number to; by title"
    criteria = """lower(e.exam_type) = $2 AND lower(e.publication_status) = $3
        AND e.number <= $4 AND (e.sort_key, e.id) > ($5, $6)"""
    order = "e.sort_key, e.id"
    sort = ((EventSortField.TITLE, SortDirection.ASC),)

    def page(self, chance: random.Random, _: Sequence[UUID]) -> Page:
        place = (sort_key(f"{chance.choice(data.SUBJECTS[:-1])}, paper"), UUID(int=0))
        most = data.CLASSES * 40
        filter = {
            "examType": {"eq": "class"},
            "publicationStatus": {"eq": "published"},
            "number": {"lte": most},
        }
        after = ordering_of(self.sort).cursor_of(place)
        values = ("class", "published", most, *place)
        return Page({"filter": filter, "sort": [{"field": "TITLE"}], "after": after}, values)


SEARCHES: Final[tuple[Search, ...]] = (Coming(), AtCentre(), ByTitle())


@dataclass(frozen=True, slots=True)
class Measured:
    """What pages of a search took, by hand and of the gateway."""

    database: str
    search: str
    by_hand: Cost
    gateway: Cost


async def measure(kind: str, url: str, pages: int) -> list[Measured]:
    """Every search on one database. Raises: Differs, Unanswered."""
    measured, mine, (core, _) = [], token(), cores()
    chance = random.Random(data.SEED)  # noqa: S311 - the same draws at every run
    async with driver_at(url) as driver:
        centres = [row[0] for row in await driver.fetch(CENTRES, ())]
        with serving("gateway", url, core=core) as server:
            for search in SEARCHES:
                asked = [search.page(chance, _keys(centres)) for _ in range(pages)]
                bodies = ({"query": DOCUMENT, "variables": page.variables} for page in asked)
                requests = [post(body, mine) for body in bodies]
                statement = BY_HAND.format(criteria=search.criteria, order=search.order)
                await _require_equal(driver, statement, server, asked[:COMPARED], requests)
                by_hand = await _cost_by_hand(driver, statement, asked)
                await cost_of(server, requests[:WARM], 1)
                gateway = await cost_of(server, requests, 1)
                measured.append(Measured(kind, search.name, by_hand, gateway))
    return measured


CENTRES: Final = "SELECT id FROM centre WHERE organization_id = $1 ORDER BY id"


def _keys(kept: Sequence[Any]) -> list[UUID]:
    return [UUID(str(key)) for key in kept]


async def _require_equal(
    driver: Driver, statement: str, server: Any, asked: Sequence[Page], requests: Sequence[bytes]
) -> None:
    """Raises: Differs (other events, or a page that is not full)."""
    bodies = await answers(server, requests[: len(asked)])
    for page, body in zip(asked, bodies, strict=True):
        rows = await driver.fetch(statement, page.values)
        found = [node["id"] for node in orjson.loads(body)["data"]["events"]["nodes"]]
        if found != [global_id("Event", key) for key in _keys([row[0] for row in rows[:50]])]:
            raise Differs(f"{page.variables}: other events than by hand")
        if len(rows) != 51:
            raise Differs(f"{page.variables}: no full page, but {len(rows)}")


async def _cost_by_hand(driver: Driver, statement: str, asked: Sequence[Page]) -> Cost:
    for page in asked[:WARM]:
        await driver.fetch(statement, page.values)
    cpu, began = time.process_time(), time.perf_counter()
    for page in asked:
        await driver.fetch(statement, page.values)
    return Cost(len(asked), time.process_time() - cpu, time.perf_counter() - began)


def markdown(measured: Sequence[Sequence[Measured]]) -> str:
    """A table of all searches."""
    lines = [
        f"A page of 50 of {SIZE.events:,} events, one after the other; ms a page",
        "",
        "| database | three criteria, and the order | SQL by hand | gateway | its CPU |",
        "|---|---|--:|--:|--:|",
    ]
    for one in (one for ones in measured for one in ones):
        lines.append(
            f"| {one.database} | {one.search} | {_milliseconds(one.by_hand)} "
            f"| {_milliseconds(one.gateway)} | {one.gateway.cpu_milliseconds:.2f} |"
        )
    return "\n".join(lines) + "\n"


def _milliseconds(cost: Cost) -> str:
    return f"{1000 / cost.per_second:.2f}"


def write_json(file: Path, measured: Sequence[Sequence[Measured]]) -> None:
    every = [asdict(one) for ones in measured for one in ones]
    file.write_bytes(orjson.dumps(every, option=orjson.OPT_INDENT_2))
