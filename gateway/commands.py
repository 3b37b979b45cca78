"""The commands that use a database. Each opens it, and closes it at the end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from gateway.auth import make_token
from gateway.background import run_every
from gateway.checking import miscounted_seats
from gateway.failures import Failed, Misused
from gateway.roles import ROLE_NAMES
from gateway.settings import Settings
from gateway.start import log_to_stderr, settings_of_migrated_database
from gateway.wakeups import announcing, wakeups_of
from gateway.worker import STATISTICS_SECONDS, make_worker
from resolvers.notifications import outbox
from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.refusals import NotFoundRefusal, Refused, renamed
from resolvers.sources.formats import FORMATS
from resolvers.sources.importing import import_document
from resolvers.sources.json_text import read_file
from resolvers.sources.report import Fate, Report
from resolvers.sources.rows import Format
from resolvers.storage import Storage, one_row, storage_at, utc_now
from resolvers.storage.tables import Organization, User

Answer = TypeVar("Answer")


def work() -> None:
    """Do the background work until a signal stops it."""
    settings = settings_of_migrated_database()
    log_to_stderr()
    _with_storage(settings, lambda storage: _work(storage, settings))


async def _work(storage: Storage, settings: Settings) -> None:
    worker = make_worker(storage, settings)
    for told in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(told, worker.stop)
    print("Working.", flush=True)
    async with announcing(storage, wakeups_of(settings), wake=worker.wake):
        await worker.run()


def add_organization(name: str, *, time_zone: str, currency: str) -> None:
    """Create an organization. Raises: Failed."""
    settings = settings_of_migrated_database()
    settings.make_first_secret()
    command = MakeOrganization(name=name, time_zone=time_zone, currency=currency)
    [outcome] = _with_storage(settings, lambda storage: storage.write(make_organization, [command]))
    if isinstance(outcome, Refused):
        raise Failed(str(renamed(outcome, _options)))


def _options(path: Sequence[str]) -> tuple[str, ...]:
    """The options of the command line that fill the fields of a command; NAME is an argument."""
    return tuple("NAME" if name == "name" else f"--{name.replace('_', '-')}" for name in path)


def token_for(organization: str, *, role: str | None, user: str | None, hours: float) -> str:
    """A token for a role or a user. At least one is given. Raises: Failed."""
    settings = settings_of_migrated_database()
    found, found_user = _with_storage(settings, lambda storage: _find(storage, organization, user))
    if found_user is not None:
        role = _role_of(found_user, role)
    assert role is not None
    return make_token(
        secret=settings.secret,
        organization_id=found.id,
        role=role,
        now=utc_now(),
        hours=hours,
        subject=user,
        user_id=None if found_user is None else found_user.id,
    )


def _role_of(user: User, asked: str | None) -> str:
    role = next(name for name, each in ROLE_NAMES.items() if each is user.role)
    if asked not in {None, role}:
        raise Failed(f"the user {user.reference!r} is {role}, not {asked}")
    return role


def import_file(
    name: str, file: Path, *, organization: str | None, centre: str | None, associate: bool
) -> bool:
    """Import a document in the format `name`, and print the report.

    Returns True if no row was refused. Raises: Failed, Misused.
    """
    format = FORMATS[name]
    if centre is not None and not format.names_rooms:
        raise Misused(f"--centre is not an option of {name}")
    if associate and not format.associates:
        raise Misused(f"--auto-sync-centre-subject is not an option of {name}")
    settings = settings_of_migrated_database()
    document = read_file(file, format.parse)

    async def run(storage: Storage) -> Report:
        found = await _organization(storage, organization)
        async with announcing(storage, wakeups_of(settings)):
            return await _import(storage, format, document, found, centre, associate)

    report = _with_storage(settings, run)
    _print_report(report)
    return not report.refused


def check_seats(*, repair: bool) -> bool:
    """Print the seat counters that differ from their bookings; with `repair`, correct them.

    Returns whether the counters are correct at the end.
    """
    differences = asyncio.run(miscounted_seats(settings_of_migrated_database(), repair=repair))
    for difference in differences:
        _print_line(difference)
    if not differences:
        print("All seat counters are correct.")
    elif repair:
        print(f"Corrected counters: {len(differences)}.")
    else:
        print("Run `booking-gateway doctor --repair` to correct them.")
    return repair or not differences


def _with_storage(settings: Settings, action: Callable[[Storage], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        storage = storage_at(settings.database_url, outbox.fill)
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
        async with _statistics_of(storage):
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


@asynccontextmanager
async def _statistics_of(storage: Storage) -> AsyncIterator[None]:
    """Gather the planner's statistics while tables grow, and at the end."""
    often = asyncio.create_task(run_every(STATISTICS_SECONDS, storage.gather_statistics))
    try:
        yield
    finally:
        often.cancel()
        await asyncio.gather(often, return_exceptions=True)
    await storage.gather_statistics()


def _print_report(report: Report) -> None:
    """Print how many rows were made, changed, unchanged and refused, then refusals and warnings."""
    print(", ".join(f"{report.count(fate)} {fate}" for fate in Fate))
    for row in report.rows:
        for reason in row.reasons:
            _print_line(f"row {row.number}, {reason.path}: {reason.message} ({reason.code})")
        for warning in row.warnings:
            said = f"{warning.message} ({warning.code})"
            _print_line(f"row {row.number}, {warning.path}: warning: {said}")


def _print_line(line: str) -> None:
    # control characters in the file must not reach the terminal
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))


async def _organization(storage: Storage, name: str | None) -> Organization:
    """The organization with this name, by default the only one. Raises: Failed, Misused."""
    if name is not None:
        return (await _find(storage, name, None))[0]
    found = await storage.read(reads.only_organization())
    if len(found) > 1:
        raise Misused("--organization is required because there are several organizations")
    if not found:
        raise Failed("there is no organization. Create one with `booking-gateway organization`")
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
