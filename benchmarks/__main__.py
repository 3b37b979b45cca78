"""The command line: python -m benchmarks reads | books | agents | events | exports | …."""

import asyncio
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from benchmarks import (
    agents,
    book_growth,
    books_report,
    databases,
    exports,
    growth,
    memory,
    overload,
    profile,
    reads,
    registrations,
    report,
    rush,
    start,
    watching,
)
from benchmarks import books as booking
from benchmarks import events as searching
from benchmarks.data import Size
from benchmarks.serve import BOOKING_SERVERS, SERVERS, TWO_PROCESSES
from benchmarks.servers import cores

cli = typer.Typer(
    help="What the speed figures in README come from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Kinds = Annotated[
    list[str] | None,
    typer.Option("--database", help="sqlite or postgresql; both unless given, if there are both."),
]
Rebuild = Annotated[bool, typer.Option("--rebuild", help="Build the databases anew.")]
Quick = Annotated[bool, typer.Option("--quick", help="About a minute, and less certain.")]
Json = Annotated[Path | None, typer.Option("--json", help="A file for every measurement.")]


@cli.command("reads")
def measure_reads(
    database: Kinds = None,
    rebuild: Rebuild = False,
    quick: Quick = False,
    rounds: Annotated[int | None, typer.Option(help="How often everything is asked.")] = None,
    json: Json = None,
) -> None:
    """CPU for each request and requests a second, beside a hand-written route and stock."""
    effort = reads.QUICK if quick else reads.Effort()
    if rounds is not None:
        effort = replace(effort, rounds=rounds)
    urls, asked = reads.prepared(_kinds(database), Size(), rebuild=rebuild)
    _stay_off_the_servers_core()
    measured: list[reads.Measured] = []
    for kind, url in urls.items():
        measured += _run(reads.measure(kind, url, asked, effort, list(SERVERS)))
    typer.echo(report.markdown(report.Results(measured)), nl=False)
    if json is not None:
        report.write_json(json, measured, effort=asdict(effort), size=asdict(Size()))


@cli.command("subscribers")
def measure_subscribers(quick: Quick = False) -> None:
    """What subscriptions cost on PostgreSQL, beside a bare broadcast of the same bytes."""
    effort = watching.QUICK if quick else watching.Effort()
    _stay_off_the_servers_core()
    typer.echo(watching.markdown(_run(watching.measure(effort))), nl=False)


@cli.command("profile")
def show_profile(
    query: Annotated[str, typer.Argument(help="detail, roster, fan-out, spread or hot.")],
    database: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "postgresql",
    server: Annotated[
        str, typer.Option(help=f"One of {', '.join({**SERVERS, **BOOKING_SERVERS})}.")
    ] = "gateway",
    clients: Annotated[int, typer.Option(help="How many clients book: spread and hot only.")] = 16,
    seconds: Annotated[float, typer.Option(help="How much CPU time is sampled.")] = 5,
    lines: Annotated[int, typer.Option(help="How many lines of each table.")] = 25,
) -> None:
    """Where a server's CPU time goes, by package, function and line.

    While it answers a query, or while clients book: at spread events, or at one hot event.
    """
    if query in rush.SHAPES:
        part = rush.Part(query, clients)
        _stay_off_the_servers_core()
        typer.echo(_run(profile.profiled_bookings(database, server, part, seconds, lines)))
        return
    urls, asked = reads.prepared([database], Size(), rebuild=False)
    [wanted] = [one for one in asked if one.name == query]
    _stay_off_the_servers_core()
    typer.echo(_run(profile.profiled(urls[database], server, wanted, seconds, lines)))


@cli.command("books")
def measure_bookings(
    database: Kinds = None,
    clients: Annotated[
        list[int] | None, typer.Option(help="How many clients; 1, 16 and 64 unless given.")
    ] = None,
    only: Annotated[str | None, typer.Option(help="spread or hot; both unless given.")] = None,
    subscribers: Annotated[
        list[int] | None, typer.Option(help="How many subscribers elsewhere; 0 and 500.")
    ] = None,
    growth: Annotated[
        bool, typer.Option("--growth", help="How the cost grows with the data, and nothing else.")
    ] = False,
    processes: Annotated[
        bool,
        typer.Option("--processes", help="Also a gateway with two processes, on PostgreSQL."),
    ] = False,
    quick: Quick = False,
    rounds: Annotated[int | None, typer.Option(help="How often everything is measured.")] = None,
    json: Json = None,
) -> None:
    """Bookings a second and their cost, beside a fair route and a simple one."""
    if growth:
        _measure_growth(_kinds(database), rounds)
        return
    effort = booking.QUICK if quick else booking.Effort()
    given = {
        "rounds": rounds,
        "clients": clients and tuple(clients),
        "subscribers": subscribers and tuple(subscribers),
        "shapes": only and (only,),
        "servers": processes and (*BOOKING_SERVERS, TWO_PROCESSES),
    }
    effort = replace(effort, **{name: value for name, value in given.items() if value})
    kinds = _kinds(database or (["postgresql"] if quick or processes else None))
    _stay_off_the_servers_core()
    measured = [one for kind in kinds for one in _run(booking.measure(kind, effort))]
    typer.echo(books_report.markdown(measured), nl=False)
    if json is not None:
        books_report.write_json(json, measured)


def _measure_growth(kinds: list[str], rounds: int | None) -> None:
    growth = book_growth.Growth() if rounds is None else book_growth.Growth(rounds=rounds)
    _stay_off_the_servers_core()
    grown = [one for kind in kinds for one in _run(book_growth.measure(kind, growth))]
    typer.echo(book_growth.markdown(grown), nl=False)


@cli.command("overload")
def measure_overload(
    database: Kinds = None,
    times: Annotated[float, typer.Option(help="Of the sustainable rate.")] = 10,
    seconds: Annotated[float, typer.Option(help="How long so much is asked.")] = 30,
) -> None:
    """Bookings at ten times the sustainable rate: what is accepted, what is refused, and when."""
    storm = overload.Storm(times=times, seconds=seconds)
    kinds = _kinds(database)
    _stay_off_the_servers_core()
    measured = [_run(overload.measure(kind, storm)) for kind in kinds]
    typer.echo(overload.markdown(measured), nl=False)


@cli.command("agents")
def measure_agents(
    database: Kinds = None,
    bookings: Annotated[int, typer.Option(help="How many are put.")] = 1_000,
) -> None:
    """Agent bookings a second: received, validated and notified, beside the messages alone."""
    measured = [_run(agents.measure(kind, bookings)) for kind in _kinds(database)]
    typer.echo(agents.markdown(measured), nl=False)


@cli.command("exports")
def measure_exports(database: Kinds = None, json: Json = None) -> None:
    """A file of 100,000 events in each format: time, memory, and how long others wait."""
    urls = {kind: databases.kept(kind, exports.SIZE) for kind in _kinds(database)}
    _stay_off_the_servers_core()
    measured = [one for kind, url in urls.items() for one in _run(exports.measure(kind, url))]
    typer.echo(exports.markdown(measured), nl=False)
    if json is not None:
        exports.write_json(json, measured)


@cli.command("memory")
def measure_memory(
    database: Kinds = None,
    steps: Annotated[int, typer.Option(help="How many steps of new documents.")] = memory.STEPS,
) -> None:
    """The memory of a gateway while thousands of different documents go by."""
    urls, asked = reads.prepared(_kinds(database), Size(), rebuild=False)
    _stay_off_the_servers_core()
    measured = [
        one for kind, url in urls.items() for one in _run(memory.measure(kind, url, asked, steps))
    ]
    typer.echo(memory.markdown(measured), nl=False)


@cli.command("start")
def measure_starts(
    database: Kinds = None,
    rounds: Annotated[int, typer.Option(help="How often everything is started.")] = start.ROUNDS,
    json: Json = None,
) -> None:
    """CPU of a new process until its first answers, beside its libraries alone and stock."""
    urls = {kind: databases.kept(kind, start.SIZE) for kind in _kinds(database)}
    measured = [one for kind, url in urls.items() for one in start.measure(kind, url, rounds)]
    typer.echo(start.markdown(measured), nl=False)
    if json is not None:
        start.write_json(json, measured)


@cli.command("registrations")
def measure_registrations(database: Kinds = None, json: Json = None) -> None:
    """A search by name over 100,000 registrations, beside the same SQL by hand."""
    urls = registrations.prepared(_kinds(database))
    _stay_off_the_servers_core()
    measured = [one for kind, url in urls.items() for one in _run(registrations.measure(kind, url))]
    typer.echo(registrations.markdown(measured), nl=False)
    if json is not None:
        registrations.write_json(json, measured)


@cli.command("events")
def measure_events(
    database: Kinds = None,
    rebuild: Rebuild = False,
    pages: Annotated[int, typer.Option(help="How many, of each search.")] = 400,
    json: Json = None,
) -> None:
    """Pages of events by three criteria, beside the same SQL by hand."""
    urls = {
        kind: databases.kept(kind, searching.SIZE, rebuild=rebuild) for kind in _kinds(database)
    }
    _stay_off_the_servers_core()
    measured = [_run(searching.measure(kind, url, pages)) for kind, url in urls.items()]
    typer.echo(searching.markdown(measured), nl=False)
    if json is not None:
        searching.write_json(json, measured)


@cli.command("growth")
def measure_growth(rebuild: Rebuild = False, json: Json = None) -> None:
    """CPU of the queries of README at 100,000 and at 1,000,000 enrolments, on PostgreSQL."""
    _kinds(["postgresql"])
    urls = growth.prepared(rebuild=rebuild)
    _stay_off_the_servers_core()
    measured = _run(growth.measure(urls))
    typer.echo(growth.markdown(measured), nl=False)
    if json is not None:
        growth.write_json(json, measured)


@cli.command("data")
def build_data(database: Kinds = None, rebuild: Rebuild = False) -> None:
    """Build the databases unless they are there, and print their addresses."""
    for kind in _kinds(database):
        typer.echo(databases.kept(kind, Size(), rebuild=rebuild))


@cli.command("clean")
def remove_data(database: Kinds = None) -> None:
    """Remove every database that benchmarks have made, of whatever version."""
    databases.drop_all(_kinds(database))


def _kinds(given: list[str] | None) -> list[str]:
    there = databases.available()
    for kind in given or databases.KINDS:
        if kind in there:
            continue
        if given:
            raise typer.BadParameter(f"{kind} is not there; {', '.join(there)} is")
        typer.echo(f"{kind} is not at {databases.SERVER}: left out", err=True)
    return [kind for kind in given or databases.KINDS if kind in there]


def _stay_off_the_servers_core() -> None:
    _, own = cores()
    if own is not None:
        os.sched_setaffinity(0, {own})


def _run(action: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(action)


if __name__ == "__main__":
    cli()
