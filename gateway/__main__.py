"""The command line of the gateway: `booking-gateway --help` lists its commands.

Each command imports what it needs, so that help, a mistyped argument and `serve` do not wait for
the modules of other commands.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.failures import Misused
from gateway.memory import expect_many_objects, starting
from gateway.roles import OF_USERS, ROLE_NAMES

FORMAT_NAMES: Final = ("surpass-scheduler", "surpass-test-schedule", "shift-iq", "ec-english")

cli = typer.Typer(
    help="One GraphQL API over the booking systems of the exam industry.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

OrganizationName = Annotated[str, typer.Option("--organization", help="The organization's name.")]


def _print_version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        print(f"booking-gateway {version('booking-gateway')}")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)] = 8000,
    processes: Annotated[
        int,
        typer.Option(
            help="How many processes serve; more than one requires PostgreSQL.", min=1, max=64
        ),
    ] = 1,
) -> None:
    """Serve GraphQL over HTTP and WebSocket."""
    with starting():
        if processes == 1:
            from gateway import serving

            serving.serve(host, port)
        else:
            from gateway import serving_processes

            serving_processes.serve(host, port, processes)


@cli.command("worker")
def work() -> None:
    """Do the background work: validate agent bookings, deliver notifications, expire bookings.

    For gateways with GATEWAY_WORKER=off. Any number of workers may run at the same time.
    """
    from gateway import commands

    commands.work()


@cli.command("migrate")
def bring_up_to_date() -> None:
    """Create the database tables, or upgrade them to the current version."""
    import os

    from gateway.settings import Settings
    from resolvers.storage.migrate import migrate

    settings = Settings.read(os.environ)
    migrate(settings.database_url)
    settings.make_first_secret()


@cli.command("organization")
def add_organization(
    name: Annotated[str, typer.Argument(help="The organization's name, which must be unique.")],
    time_zone: Annotated[str, typer.Option(help="An IANA time zone, such as Europe/London.")],
    currency: Annotated[str, typer.Option(help="An ISO 4217 code, such as GBP.")],
) -> None:
    """Create an organization."""
    from gateway import commands

    commands.add_organization(name, time_zone=time_zone, currency=currency)


@cli.command("token")
def print_token(
    organization: OrganizationName,
    role: Annotated[
        str | None,
        typer.Option(
            help=f"One of {', '.join(ROLE_NAMES)}; by default, the user's role. agent and candidate"
            " require --user."
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="The reference of a user. The token has the user's role and scope."),
    ] = None,
    hours: Annotated[
        float, typer.Option(help="How many hours the token is valid.", min=0.01, max=87_600)
    ] = 12,
) -> None:
    """Print a token for a role or a user."""
    if role is None and user is None:
        raise Misused("--role or --user is required")
    if role is not None and role not in ROLE_NAMES:
        raise Misused(f"--role must be one of {', '.join(ROLE_NAMES)}, not {role!r}")
    if role is not None and user is None and ROLE_NAMES[role] in OF_USERS:
        raise Misused(f"--role {role} requires --user")
    from gateway import commands

    print(commands.token_for(organization, role=role, user=user, hours=hours))


@cli.command("import")
def import_file(
    format: Annotated[str, typer.Argument(help=f"One of {', '.join(FORMAT_NAMES)}.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="A document, or an array of them: JSON; XML for surpass-test-schedule, ec-english."
        ),
    ],
    organization: Annotated[
        str | None, typer.Option(help="The organization's name; required if there are several.")
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
    """Import data of another system. Importing the same file again changes nothing.

    surpass-scheduler: the students of an event, and the bodies of commands.

    surpass-test-schedule: the bodies with which tests are scheduled, in JSON or
    in XML.

    shift-iq: events, requests, and the bodies of commands. The values of the request's address
    stand beside each body: {"registration": UUID, "command":
    "register-lax", "body": {...}}; with "event" in place of "registration"
    for the commands "add" and "cancel" of events.

    ec-english: the bookings of agencies, in JSON or in XML, as bodies of
    PutBookingRequest: {"AgentBookingId": ..., "Booking": {...}}.
    """
    if format not in FORMAT_NAMES:
        raise Misused(f"FORMAT must be one of {', '.join(FORMAT_NAMES)}, not {format!r}")
    from gateway import commands

    if not commands.import_file(
        format,
        file,
        organization=organization,
        centre=centre,
        associate=auto_sync_centre_subject,
    ):
        raise typer.Exit(1)


@cli.command("demo")
def fill_demo() -> None:
    """Create a demo organization with a month of bookings around today."""
    import asyncio

    from demo.organization import NAME, make_demo
    from gateway.start import settings_of_migrated_database
    from gateway.wakeups import wakeups_of
    from resolvers.storage import utc_now

    settings = settings_of_migrated_database()
    settings.make_first_secret()
    made = asyncio.run(make_demo(settings.database_url, utc_now(), wakeups_of(settings)))
    print(f"{NAME!r} is ready." if made else f"{NAME!r} already exists; nothing changed.")


@cli.command("doctor")
def check_counters(
    repair: Annotated[
        bool, typer.Option("--repair", help="Correct the counters that differ.")
    ] = False,
) -> None:
    """Count the seats that are taken, and print each counter that differs.

    The gateway can run at the same time. The exit code is 1 if a difference remains.
    """
    from gateway import commands

    if not commands.check_seats(repair=repair):
        raise typer.Exit(1)


@cli.command("schema")
def print_schema(
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="FILE", help="Print the changes since the schema in this file."
        ),
    ] = None,
) -> None:
    """Print the GraphQL schema.

    With --against, print the breaking and dangerous changes and the additions instead. The exit
    code is 1 if a change is breaking.
    """
    if against is None:
        from schema import build_schema

        print(build_schema().as_str())
        return
    from gateway.comparing import changes_since, is_breaking

    changes = changes_since(against)
    print("\n".join(changes) or f"The schema equals {against}, apart from descriptions.")
    if any(map(is_breaking, changes)):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line. An error is one line on stderr, and an exit code."""
    expect_many_objects()
    try:
        cli()
    except Misused as misused:
        _exit(str(misused), 2)
    except Exception as error:
        from gateway.explaining import explained

        if (explanation := explained(error)) is None:
            raise
        _exit(*explanation)


def _exit(message: str, code: int) -> None:
    print(f"booking-gateway: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
