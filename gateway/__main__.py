"""The command line of the gateway: `booking-gateway --help` lists its commands."""

import asyncio
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import sqlalchemy.exc
import typer
import uvicorn
from alembic.util import CommandError
from rich.console import Console

from gateway.app import PATH, create_app
from gateway.auth import OF_USERS, ROLE_NAMES, make_token
from gateway.demo import NAME as DEMO
from gateway.demo import make_demo
from gateway.demo_storage import NotAsPlanned
from gateway.hosts import WrongHost
from gateway.memory import settle
from gateway.settings import Settings, WrongSetting
from gateway.worker import make_worker
from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.refusals import NotFoundRefusal, Refused
from resolvers.sources.formats import FORMATS
from resolvers.sources.importing import import_document
from resolvers.sources.json_text import Unreadable, read_file
from resolvers.sources.report import Fate, Report
from resolvers.sources.rows import Format
from resolvers.storage import Overloaded, Storage, one_row, storage_at, utc_now
from resolvers.storage.migrate import NotMigrated, migrate, require_newest
from resolvers.storage.tables import Organization, User
from schema import build_schema

Answer = TypeVar("Answer")

DATABASE_ERRORS = (
    CommandError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    sqlalchemy.exc.SQLAlchemyError,
)

SHUTDOWN_SECONDS = 5
"""How long requests may take to end once the process is told to."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than load balancers keep theirs, which is 60 s.

Whoever closes first must not be the server: a request may be on its way already.
"""

cli = typer.Typer(
    help="One GraphQL API over the booking systems of the exam world.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

OrganizationName = Annotated[str, typer.Option("--organization", help="The organization's name.")]


class Failed(Exception):
    """The command cannot be carried out. The message says why, and what to do."""


class Misused(Exception):
    """The command was given something that it does not know."""


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)] = 8000,
) -> None:
    """Serve GraphQL over HTTP and WebSocket until told to stop."""
    settings = _settings_of_migrated_database()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app = create_app(settings, build_schema(), host=host)
    except WrongHost:
        raise Misused(f"--host must be a host name or an IP address, not {host!r}") from None
    settle()
    console = Console(highlight=False)
    console.print(f"GraphQL at http://{host}:{port}{PATH}")
    if settings.graphiql and settings.graphiql_token is not None:
        console.print(
            "On this machine, the page there opens with a token (GATEWAY_GRAPHIQL_TOKEN)."
        )
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing here asks where a caller is
        ws_max_size=settings.max_body_bytes,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


@cli.command("worker")
def work() -> None:
    """Do the background work until told to stop: validate, deliver, expire.

    For gateways that serve with GATEWAY_WORKER=off; any number of workers may
    run beside each other.
    """
    settings = _settings_of_migrated_database()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _with_storage(settings, lambda storage: _work(storage, settings))


async def _work(storage: Storage, settings: Settings) -> None:
    worker = make_worker(storage, settings)
    for told in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(told, worker.stop)
    print("Working.", flush=True)
    await worker.run()


@cli.command("migrate")
def bring_up_to_date() -> None:
    """Make the database's tables, or bring them to the newest version."""
    settings = _settings()
    migrate(settings.database_url)
    settings.make_first_secret()


@cli.command("organization")
def add_organization(
    name: Annotated[str, typer.Argument(help="Its name, which no other organization has.")],
    time_zone: Annotated[str, typer.Option(help="An IANA time zone, such as Europe/London.")],
    currency: Annotated[str, typer.Option(help="An ISO 4217 code, such as GBP.")],
) -> None:
    """Make an organization."""
    settings = _settings_of_migrated_database()
    settings.make_first_secret()
    command = MakeOrganization(name=name, time_zone=time_zone, currency=currency)
    [outcome] = _with_storage(settings, lambda storage: storage.write(make_organization, [command]))
    if isinstance(outcome, Refused):
        raise Failed(str(outcome))


@cli.command("token")
def print_token(
    organization: OrganizationName,
    role: Annotated[
        str | None,
        typer.Option(
            help=f"One of {', '.join(ROLE_NAMES)}; by default the user's. agent and candidate"
            " require --user."
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="The reference of a user, whose role and scope count.")
    ] = None,
    hours: Annotated[float, typer.Option(help="How long it is valid.", min=0.01, max=87_600)] = 12,
) -> None:
    """Print a token for a role or a user, and nothing else."""
    if role is None and user is None:
        raise Misused("one of --role and --user is needed")
    if role is not None and role not in ROLE_NAMES:
        raise Misused(f"--role must be one of {', '.join(ROLE_NAMES)}, not {role!r}")
    if role is not None and user is None and ROLE_NAMES[role] in OF_USERS:
        raise Misused(f"--role {role} requires --user")
    settings = _settings_of_migrated_database()
    found, found_user = _with_storage(settings, lambda storage: _find(storage, organization, user))
    if found_user is not None:
        role = _role_of(found_user, role)
    assert role is not None
    token = make_token(
        secret=settings.secret,
        organization_id=found.id,
        role=role,
        now=utc_now(),
        hours=hours,
        subject=user,
        user_id=None if found_user is None else found_user.id,
    )
    print(token)


def _role_of(user: User, asked: str | None) -> str:
    role = next(name for name, each in ROLE_NAMES.items() if each is user.role)
    if asked not in {None, role}:
        raise Failed(f"the user {user.reference!r} is {role}, not {asked}")
    return role


@cli.command("import")
def import_file(
    format: Annotated[str, typer.Argument(help=f"One of {', '.join(FORMATS)}.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="A document, or an array of them: JSON; XML for surpass-test-schedule, ec-english."
        ),
    ],
    organization: Annotated[
        str | None, typer.Option(help="The organization's name; needed where there are several.")
    ] = None,
    centre: Annotated[
        str | None, typer.Option(help="The reference of the centre that new rooms belong to.")
    ] = None,
    auto_sync_centre_subject: Annotated[
        bool,
        typer.Option(
            "--auto-sync-centre-subject",
            help="Associate candidates with the centre and the subject of their test.",
        ),
    ] = False,
) -> None:
    """Import what has happened in another system; the same file again changes nothing.

    surpass-scheduler: the students of an event, and the bodies of commands.

    surpass-test-schedule: the bodies with which tests are scheduled, in JSON or
    in XML.

    shift-iq: events, requests, and the bodies of commands. Beside each body
    stands what its address has: {"registration": UUID, "command":
    "register-lax", "body": {...}}; with "event" in place of "registration"
    for the commands "add" and "cancel" of events.

    ec-english: the bookings that agencies put, in JSON or in XML, as bodies of
    PutBookingRequest: {"AgentBookingId": ..., "Booking": {...}}.
    """
    if format not in FORMATS:
        raise Misused(f"FORMAT must be one of {', '.join(FORMATS)}, not {format!r}")
    if centre is not None and not FORMATS[format].names_rooms:
        raise Misused(f"--centre is for new rooms, and {format} names none")
    if auto_sync_centre_subject and not FORMATS[format].associates:
        raise Misused(f"--auto-sync-centre-subject is not an option of {format}")
    settings = _settings_of_migrated_database()
    document = read_file(file, FORMATS[format].parse)

    async def run(storage: Storage) -> Report:
        found = await _organization(storage, organization)
        return await _import(
            storage, FORMATS[format], document, found, centre, auto_sync_centre_subject
        )

    report = _with_storage(settings, run)
    _print_report(report)
    if report.refused:
        raise typer.Exit(1)


@cli.command("demo")
def fill_demo() -> None:
    """Make an organization with a month of bookings around today, once."""
    settings = _settings_of_migrated_database()
    settings.make_first_secret()
    made = asyncio.run(make_demo(settings.database_url, utc_now()))
    print(f"{DEMO!r} is ready." if made else f"{DEMO!r} is there already, and stays as it is.")


@cli.command("schema")
def print_schema() -> None:
    """Print the schema in GraphQL's own language."""
    print(build_schema().as_str())


def main() -> None:
    """Run the command line; what is wrong is said in one line, and by the exit code."""
    try:
        cli()
    except (WrongSetting, Misused, Unreadable) as wrong:
        _exit(str(wrong), 2)
    except (Failed, NotAsPlanned, NotMigrated) as failed:
        _exit(str(failed), 1)
    except Overloaded:
        _exit("the database is busy: run it again, what was done stays done", 1)
    except (OSError, *DATABASE_ERRORS) as error:
        of_file = isinstance(error, OSError) and error.filename is not None
        what = "" if of_file else "the database cannot be used: "
        _exit(f"{what}{_first_line(error)}", 1)


def _exit(message: str, code: int) -> None:
    print(f"booking-gateway: {message}", file=sys.stderr)
    sys.exit(code)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _settings() -> Settings:
    return Settings.read(os.environ)


def _settings_of_migrated_database() -> Settings:
    settings = _settings()
    require_newest(settings.database_url)
    return settings


def _with_storage(settings: Settings, action: Callable[[Storage], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        storage = storage_at(settings.database_url)
        try:
            await storage.open()
            return await action(storage)
        finally:
            await storage.close()

    return asyncio.run(run())


async def _import(
    storage: Storage,
    format: Format,
    document: object,
    found: Organization,
    centre: str | None,
    associate: bool,
) -> Report:
    """Raises: Failed."""
    try:
        return await import_document(
            storage,
            format,
            document,
            organization_id=found.id,
            centre=centre,
            associate=associate,
        )
    except NotFoundRefusal:
        raise Failed(f"{found.name!r} has no centre {centre!r}") from None


def _print_report(report: Report) -> None:
    """How many rows were made, changed, unchanged and refused; then what there is to say of any."""
    print(", ".join(f"{report.count(fate)} {fate}" for fate in Fate))
    for row in report.rows:
        for reason in row.reasons:
            _print_line(f"row {row.number}, {reason.path}: {reason.message} ({reason.code})")
        for warning in row.warnings:
            said = f"{warning.message} ({warning.code})"
            _print_line(f"row {row.number}, {warning.path}: warning: {said}")


def _print_line(line: str) -> None:
    # what the file holds must not command the terminal
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))


async def _organization(storage: Storage, name: str | None) -> Organization:
    """The organization of that name, without a name the only one. Raises: Failed, Misused."""
    if name is not None:
        return (await _find(storage, name, None))[0]
    found = await storage.read(reads.only_organization())
    if len(found) > 1:
        raise Misused("--organization is needed, since there are several")
    if not found:
        raise Failed("there is no organization: make one with `booking-gateway organization`")
    return found[0]


async def _find(
    storage: Storage, organization: str, user: str | None
) -> tuple[Organization, User | None]:
    found = one_row(await storage.read(reads.organization_named(organization)))
    if found is None:
        raise Failed(f"there is no organization {organization!r}")
    if user is None:
        return found, None
    found_user = one_row(await storage.read(reads.user_by_reference(found.id, user)))
    if found_user is None:
        raise Failed(f"{organization!r} has no user {user!r}")
    return found, found_user


if __name__ == "__main__":
    main()
