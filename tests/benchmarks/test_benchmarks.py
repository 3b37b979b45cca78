"""Benchmarks measure what they say: the same data, the same answers, honest ratios."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from benchmarks import (
    copies,
    data,
    databases,
    events,
    exports,
    growth,
    memory,
    queries,
    reads,
    registrations,
    report,
    start,
)
from benchmarks.data import Size
from benchmarks.load import Cost, Unanswered, answers, cost_of
from benchmarks.reads import Differs, Effort, Measured
from benchmarks.serve import SERVERS
from benchmarks.servers import Server, serving
from resolvers.storage.tables import Booking, ChangeLog, table
from tests.conftest import DATABASES

SMALL = Size(candidates=60, events=30, enrolments=1_500, centres=4, rooms=8, tests=6)
QUERIES = queries.queries(queries.draw(data.rows_of(SMALL)))
BRIEF = Effort(rounds=1, cpu_seconds=0.02, new_documents=2, connections=(16,))


ONE = DATABASES[-1:]
"""PostgreSQL, if there is a server: the tests start servers, and one database is enough."""


@pytest.fixture(scope="module", params=ONE)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a small world, which these tests only read."""
    made = f"sqlite:///{tmp_path_factory.mktemp('world') / 'world.db'}"
    if request.param == "postgresql":
        made = databases.address("postgresql", f"{databases.PREFIX}test_{os.getpid()}")
    databases.build(made, SMALL)
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def servers(url: str) -> Iterator[dict[str, Server]]:
    """One server of each name."""
    with ExitStack() as running:
        yield {name: running.enter_context(serving(name, url)) for name in SERVERS}


def test_the_world_is_the_same_at_every_run() -> None:
    """Numbers of different days can be compared, and both databases hold the same rows."""
    one, other = data.rows_of(SMALL), data.rows_of(SMALL)

    assert one == other
    assert len(one[Booking]) == len(one[ChangeLog]) == SMALL.enrolments
    assert {row.organization_id for row in one[Booking]} == {data.organization_id()}


async def test_every_server_answers_alike(servers: dict[str, Server]) -> None:
    """What is compared does the same work: nothing is timed before that is seen."""
    few = [replace(query, variables=query.variables[:3]) for query in QUERIES]

    answered = [await reads.require_equal(servers, query) for query in few]

    detail, roster, fan_out = (data[-1] for data in answered)
    assert detail["booking"]["candidate"]["fullName"]
    assert len(roster["enrolments"]["nodes"]) == 50
    assert [len(event["enrolments"]["nodes"]) for event in fan_out["events"]["nodes"]] == [20] * 20


async def test_servers_that_differ_are_told(servers: dict[str, Server]) -> None:
    """A ratio between different answers would mean nothing."""
    [roster] = [query for query in QUERIES if query.name == "roster"]
    other = replace(roster, path="/enrolments?status=PENDING")

    two = {name: servers[name] for name in ("hand-written", "gateway")}

    with pytest.raises(Differs, match="roster: gateway"):
        await reads.require_equal(two, other)


def test_all_parts_are_measured(url: str) -> None:
    """Every query is timed on every server, as known and as new documents."""
    kind = databases.kind_of(url)

    measured = asyncio.run(reads.measure(kind, url, QUERIES, BRIEF, ["hand-written", "gateway"]))

    told = report.markdown(report.Results(measured))
    assert len(measured) == len(QUERIES) * 3
    assert all(one.cost.cpu_seconds > 0 for one in measured)
    assert told.count("hand-written route |") == len(QUERIES)


def test_files_of_every_format_are_measured(url: str) -> None:
    """Each is fetched whole, while somebody else is answered."""
    kind = databases.kind_of(url)

    measured = asyncio.run(exports.measure(kind, url))

    assert [one.format for one in measured] == list(exports.FORMATS)
    assert all(one.file_bytes > 1_000 and one.held_bytes > 0 for one in measured)
    assert all(one.others > 0 for one in measured)
    assert exports.markdown(measured).count(f"| {kind} |") == len(exports.FORMATS)


def test_an_answer_without_data_stops_the_run(servers: dict[str, Server]) -> None:
    """A server that refuses quickly is not a fast one."""
    requests = [queries.post({"query": "{ __typename }"}, "no-token")]

    for asked in (answers(servers["gateway"], requests), cost_of(servers["gateway"], requests, 1)):
        with pytest.raises(Unanswered, match="401"):
            asyncio.run(asked)


def test_memory_is_measured_after_every_step(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All documents are valid: a rejected one would take no memory."""
    for name, few in (("SHAPES", 6), ("LARGE", 1), ("BODIES", 2), ("USED", 3)):
        monkeypatch.setattr(memory, name, few)
    kind = databases.kind_of(url)

    steps = asyncio.run(memory.measure(kind, url, QUERIES, 2))

    assert [step.number for step in steps] == [0, 1, 2]
    assert all(step.peak_bytes >= step.resident_bytes > 0 for step in steps)
    assert memory.markdown(steps).count(f"| {kind} |") == 3


TIMES = 3


@pytest.fixture(scope="module")
def enlarged() -> Iterator[tuple[str, str]]:
    """A small world on PostgreSQL, and one of so many times the size."""
    small = databases.address("postgresql", f"{databases.PREFIX}test_growth_{os.getpid()}")
    databases.build(small, replace(SMALL, registrations=40))
    urls = small, copies.kept(small, TIMES)
    yield urls
    for url in urls:
        databases.drop(url)


async def rows_and_dangling_keys(url: str) -> dict[str, tuple[int, int]]:
    """For each table that is copied its rows, and those that refer to a row that is not there."""
    connection = await asyncpg.connect(url)
    try:
        return {
            table(model).name: (
                await connection.fetchval(f"SELECT count(*) FROM {table(model).name}"),
                sum([await connection.fetchval(dangling(key)) for key in keys_of(model)]),
            )
            for model in copies.COPIED
        }
    finally:
        await connection.close()


def keys_of(model: Any) -> list[Any]:
    return list(table(model).foreign_key_constraints)


def dangling(key: Any) -> str:
    """The statement that counts the rows whose foreign key leads nowhere."""
    of, pairs = key.table.name, [(e.parent.name, e.column.name) for e in key.elements]
    same = " AND ".join(f"r.{there} = o.{here}" for here, there in pairs)
    given = " AND ".join(f"o.{here} IS NOT NULL" for here, _ in pairs)
    found = f"SELECT 1 FROM {key.referred_table.name} r WHERE {same}"
    return f"SELECT count(*) FROM {of} o WHERE {given} AND NOT EXISTS ({found})"


ON_POSTGRESQL = pytest.mark.skipif(
    "postgresql" not in DATABASES, reason="growth is measured on PostgreSQL"
)


@ON_POSTGRESQL
def test_copies_refer_to_copies(enlarged: tuple[str, str]) -> None:
    """A larger world is as consistent as the one that it was made of."""
    small, large = (asyncio.run(rows_and_dangling_keys(url)) for url in enlarged)

    assert large == {name: (TIMES * rows, 0) for name, (rows, _) in small.items()}
    assert small["booking"] == (SMALL.enrolments + 40, 0)


@ON_POSTGRESQL
def test_growth_is_measured_for_each_query_of_readme(
    enlarged: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's part is measured too, unless a query does not need it."""
    for name, little in (("CPU_SECONDS", 0.001), ("ROUNDS", 1)):
        monkeypatch.setattr(growth, name, little)

    measured = asyncio.run(growth.measure(enlarged))

    found = {one.query: one for one in measured}
    assert {"Roster", "Candidate", "Search", "Agencies", "Total"} <= found.keys()
    assert all(min(one.gateway) > 0 for one in measured)
    assert all(min(one.database) > 0 for one in measured if one.query != "Export")
    assert growth.markdown(measured).count("\n| ") == 1 + len(measured)


def test_a_new_document_is_new() -> None:
    """No two of them are alike, so no cache can know them."""
    new = [body for query in QUERIES for body in query.new_documents("token", 0, 30)]

    assert len(set(new)) == len(new)


def test_a_ratio_is_that_of_one_round() -> None:
    """A round in which the machine was slow counts for both servers, or for neither."""

    def took(server: str, number: int, milliseconds: float) -> Measured:
        cost = Cost(1, milliseconds / 1000, 1.0)
        return Measured("postgresql", server, "detail", 16, number, cost)

    rounds: list[Any] = [(1.0, 1.1), (10.0, 20.0), (1.0, 1.3)]
    results = report.Results(
        [
            one
            for n, (theirs, ours) in enumerate(rounds)
            for one in (took("hand-written", n, theirs), took("gateway", n, ours))
        ]
    )

    ratio = results.ratio("postgresql", "detail", 16, "gateway", "hand-written")

    assert ratio == pytest.approx(1.3)
    assert "- met detail: 1.30 × the hand-written route" in report.markdown(results)  # noqa: RUF001


@pytest.mark.parametrize("kind", ONE)
def test_a_search_finds_what_the_sql_by_hand_finds(kind: str, tmp_path: Path) -> None:
    """Every name is searched for both ways, and the one that most have fills its page."""
    url = f"sqlite:///{tmp_path / 'world.db'}"
    if kind == "postgresql":
        url = databases.address("postgresql", f"{databases.PREFIX}search_{os.getpid()}")
    databases.build(url, replace(SMALL, enrolments=0, registrations=200))
    try:
        measured = asyncio.run(registrations.measure(kind, url))
    finally:
        databases.drop(url)

    found = {one.name: one.found for one in measured}
    assert list(found) == list(registrations.NAMES)
    assert (found["nobody's"], found["most"]) == (0, 50)
    assert registrations.markdown(measured).count(f"| {kind} |") == len(found)


@pytest.mark.parametrize("kind", ONE)
def test_events_are_searched_with_the_same_answers(kind: str, tmp_path: Path) -> None:
    """Every search finds by hand what the gateway finds, or nothing is reported."""
    url = f"sqlite:///{tmp_path / 'events.db'}"
    if kind == "postgresql":
        url = databases.address(kind, f"{databases.PREFIX}test_events_{os.getpid()}")
    databases.build(url, replace(events.SIZE, events=4_000, centres=4, rooms=8))

    measured = asyncio.run(events.measure(kind, url, 30))

    databases.drop(url)
    assert [one.search for one in measured] == [search.name for search in events.SEARCHES]
    assert events.markdown([measured]).count(f"| {kind} |") == 3


def test_measured_starts_read_compiled_modules() -> None:
    """Neither the settings of the shell nor its ban on bytecode reach the servers."""
    measuring = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1", "GATEWAY_WORKER": "off"}

    environment = start.environment(measuring, "sqlite:///x.db")

    assert environment.keys() == {"PATH", "GATEWAY_DATABASE_URL", "GATEWAY_JWT_SECRET"}


@pytest.mark.parametrize("kind", ONE)
def test_starts_are_measured_until_the_first_query_is_answered(url: str, kind: str) -> None:
    """Each server in each round; the gateway answers from its database."""
    measured = start.measure(kind, url, rounds=1)

    assert [one.server for one in measured] == [start.GATEWAY, *start.REFERENCES]
    assert all(0 < one.until_live <= one.until_query for one in measured)
    assert start.markdown(measured).count(f"| {kind} |") == len(measured)
