"""Serves the gateway in several processes until a signal stops it."""

from functools import partial

from gateway.failures import Misused
from gateway.incoming.processes import run_processes
from gateway.incoming.server import Config
from gateway.memory import settle
from gateway.serving import announce, application, limits, options, require_host
from gateway.start import log_to_stderr, settings_of_migrated_database
from resolvers.storage import SQLITE_SCHEME


def serve(host: str, port: int, processes: int) -> None:
    """Serve at an address. Raises: WrongSetting, NotMigrated, Misused."""
    settings = settings_of_migrated_database()
    log_to_stderr()
    require_host(host)
    if settings.database_url.startswith(SQLITE_SCHEME):
        raise Misused("--processes requires PostgreSQL; a SQLite database is served by one process")
    settings.require_secret()
    settle()
    announce(settings, host, port)
    run_processes(
        Config(
            partial(application, settings, host),
            limits(settings),
            factory=True,
            workers=processes,
            **options(settings, host, port),
        )
    )
