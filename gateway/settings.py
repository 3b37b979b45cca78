"""Settings, read once from the environment; a wrong one stops the start and is named."""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gateway.hosts import SETTING as ALLOWED_HOSTS
from gateway.hosts import WrongHost, hosts_of
from gateway.kept_secret import SECRET_BYTES, WrongSecret, kept_secret, make_first_secret
from gateway.manifests import Document, WrongManifest, read_manifest
from gateway.origins import SETTING as ALLOWED_ORIGINS
from gateway.origins import Origin, WrongOrigin, origin_of
from gateway.outgoing.mail_servers import WrongMailServer, mail_server
from gateway.quotas import OPERATIONS_PER_CONNECTION
from resolvers.caching import DEFAULT_MIB
from resolvers.notifications.urls import MOST_OF_PORT
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME, STATEMENT_SECONDS
from resolvers.storage.paging import MAX_TOTAL_COUNT
from resolvers.values import frozen
from schema.response_size import DEFAULT_BYTES

PREFIX: Final = "GATEWAY_"
FOR_TESTS: Final = "GATEWAY_TEST_"
MAX_CONNECTIONS: Final = "GATEWAY_MAX_CONNECTIONS"

SHARE_OF_ONE: Final = 4
"""By default, the connections of one address or one viewer are at most this part of all."""

EMBEDDED: Final = "embedded"

POLL_SECONDS: Final = 2.0
"""How often a process looks for commits of other processes whose wake-up was lost."""

DEVELOPMENT: Final = "development"
PRODUCTION: Final = "production"


class WrongSetting(ValueError):
    """A variable of the environment whose value breaks its rule."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name} {rule}")
        self.name = name


@frozen(kw_only=True)
class Settings:
    """What a gateway can be told from outside; each field is the variable of the same name."""

    database_url: str = "sqlite:///data/gateway.db"
    environment: str = DEVELOPMENT
    jwt_secret: str | None = None
    graphiql: bool = True
    graphiql_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[Origin, ...] = ()
    max_body_bytes: int = 8 * 1024 * 1024
    max_connections: int = 2_000
    max_connections_per_address: int | None = None
    max_connections_per_viewer: int | None = None
    max_subscriptions_per_viewer: int | None = None
    max_subscriptions_per_connection: int = OPERATIONS_PER_CONNECTION
    max_unfinished_bytes: int = 64 * 1024 * 1024
    max_response_bytes: int = DEFAULT_BYTES
    max_total_count: int = MAX_TOTAL_COUNT
    heartbeat_seconds: float = 15.0
    shutdown_seconds: float = 20.0
    cache_mib: int = DEFAULT_MIB
    operations_manifest: tuple[Document, ...] = ()
    statement_seconds: float = STATEMENT_SECONDS
    max_wait_ms: int = 800
    expire_seconds: float = 30.0
    worker: str = EMBEDDED
    lease_seconds: float = 60.0
    smtp_url: str | None = None
    mail_from: str = "booking-gateway@localhost"
    notify_local: bool = False
    notify_ports: frozenset[int] = frozenset()
    keep_delivered_days: int = 30
    forget_seconds: float = 600.0
    log_retention: timedelta | None = None
    poll_seconds: float = POLL_SECONDS
    redis_url: str | None = None
    wakeup_url: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that an environment makes; what it leaves out has its default.

        Raises: WrongSetting.
        """
        given = {
            name: value
            for name, value in environment.items()
            if name.startswith(PREFIX) and not name.startswith(FOR_TESTS)
        }
        for name in given:
            if name not in RULES:
                raise WrongSetting(name, _unknown(name))
        values = {
            name.removeprefix(PREFIX).lower(): RULES[name](name, value)
            for name, value in given.items()
        }
        return cls(**values)  # type: ignore[arg-type]

    @property
    def connections_per_viewer(self) -> int:
        """How many connections one viewer can have; by default, as many as one address."""
        return (
            self.max_connections_per_viewer
            or self.max_connections_per_address
            or max(1, self.max_connections // SHARE_OF_ONE)
        )

    @property
    def secret(self) -> str:
        """What tokens are signed with: the setting, or one that is made beside a SQLite file.

        Raises: WrongSetting, for PostgreSQL without the setting (its processes must share a secret)
        and, in production, if the file is missing although the database has organizations.
        """
        if self.jwt_secret is not None:
            return self.jwt_secret
        if not self.database_url.startswith(SQLITE_SCHEME):
            raise WrongSetting(
                "GATEWAY_JWT_SECRET", f"is required, at least {SECRET_BYTES} bytes of it"
            )
        try:
            return kept_secret(self._file, may_replace=self.environment != PRODUCTION)
        except WrongSecret as wrong:
            raise WrongSetting("GATEWAY_JWT_SECRET", str(wrong)) from None

    def require_secret(self) -> None:
        """Raises: WrongSetting, as `secret` does."""
        _ = self.secret

    def make_first_secret(self) -> None:
        """Make the secret beside a SQLite file that has no organization yet, if one is needed."""
        if self.jwt_secret is None and self.database_url.startswith(SQLITE_SCHEME):
            make_first_secret(self._file)

    @property
    def _file(self) -> Path:
        return Path(self.database_url.removeprefix(SQLITE_SCHEME))


def _unknown(name: str) -> str:
    # what all of them begin with makes none of them alike
    known = [rule.removeprefix(PREFIX) for rule in RULES]
    meant = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
    hint = f"; did you mean {PREFIX}{meant[0]}?" if meant else f"; there are {', '.join(RULES)}"
    return f"is not a setting of the gateway{hint}"


def _database_url(name: str, value: str) -> str:
    for scheme in (SQLITE_SCHEME, POSTGRESQL_SCHEME):
        if value.startswith(scheme) and len(value) > len(scheme):
            return value
    # the value is not repeated: it may hold a password
    raise WrongSetting(name, "must be sqlite:///FILE or postgresql://USER@HOST/DB")


def _redis_url(name: str, value: str) -> str:
    if not re.fullmatch(r"rediss?://[^/\s]+(/\d{1,5})?", value):
        # the value is not repeated: it may hold a password
        raise WrongSetting(name, "must be redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss://…")
    if find_spec("redis") is None:
        raise WrongSetting(name, "requires the package redis: install booking-gateway[redis]")
    return value


def _wakeup_url(name: str, value: str) -> str:
    if not value.startswith(POSTGRESQL_SCHEME) or value == POSTGRESQL_SCHEME:
        raise WrongSetting(name, "must be postgresql://USER@HOST/DB")
    return value


def _secret(name: str, value: str) -> str:
    if len(value.encode(errors="surrogateescape")) < SECRET_BYTES:
        raise WrongSetting(name, f"must have at least {SECRET_BYTES} bytes")
    return value


def _switch(name: str, value: str) -> bool:
    if value not in {"on", "off"}:
        raise WrongSetting(name, f"must be on or off, not {value!r}")
    return value == "on"


def _environment(name: str, value: str) -> str:
    if value not in {DEVELOPMENT, PRODUCTION}:
        raise WrongSetting(name, f"must be {DEVELOPMENT} or {PRODUCTION}, not {value!r}")
    return value


def _worker(name: str, value: str) -> str:
    if value not in {EMBEDDED, "off"}:
        raise WrongSetting(name, f"must be {EMBEDDED} or off, not {value!r}")
    return value


def _token(name: str, value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise WrongSetting(name, "must be a token as `booking-gateway token` prints it")
    return value


def _hosts(name: str, value: str) -> tuple[str, ...]:
    try:
        return hosts_of(value)
    except WrongHost:
        rule = "must be host names or IP addresses without a port, separated by commas"
        raise WrongSetting(name, f"{rule}, not {value!r}") from None


def _origins(name: str, value: str) -> tuple[Origin, ...]:
    try:
        return tuple(origin_of(part.strip()) for part in value.split(","))
    except WrongOrigin:
        rule = "must be origins such as https://app.example.com, separated by commas"
        raise WrongSetting(name, f"{rule}, not {value!r}") from None


def _smtp_url(name: str, value: str) -> str:
    try:
        mail_server(value)
    except WrongMailServer:
        # the value is not repeated: it may hold a password
        rule = "must be smtp://HOST:PORT, smtp://USER:PASSWORD@HOST:PORT, or the same with smtps"
        raise WrongSetting(name, rule) from None
    return value


def _address(name: str, value: str) -> str:
    try:
        address = Address(addr_spec=value)
    except (MessageError, ValueError, IndexError):
        address = Address()
    if not (address.username and address.domain and value.isascii()):
        raise WrongSetting(name, f"must be one email address and nothing else, not {value!r}")
    return value


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def rule(name: str, value: str) -> int:
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise WrongSetting(
                name, f"must be a whole number from {least} to {most}, not {value!r}"
            )
        return int(value)

    return rule


def _duration(name: str, value: str) -> timedelta:
    if not re.fullmatch("[1-9][0-9]{0,4}[hd]", value):
        raise WrongSetting(name, f"must be a number of hours or days, as 12h or 90d, not {value!r}")
    number = int(value[:-1])
    return timedelta(days=number) if value.endswith("d") else timedelta(hours=number)


def _manifest(name: str, value: str) -> tuple[Document, ...]:
    try:
        return read_manifest(Path(value))
    except WrongManifest as wrong:
        rule = "must be a file with operations in the format of Apollo's persisted query manifests"
        raise WrongSetting(name, f"{rule}; {value!r} {wrong}") from None


def _ports(name: str, value: str) -> frozenset[int]:
    found = [part.strip() for part in value.split(",")]
    if not all(p.isascii() and p.isdigit() and 1 <= int(p) <= MOST_OF_PORT for p in found):
        rule = f"must be ports from 1 to {MOST_OF_PORT}, separated by commas"
        raise WrongSetting(name, f"{rule}, not {value!r}")
    return frozenset(map(int, found))


RULES: Final[Mapping[str, Callable[[str, str], object]]] = {
    "GATEWAY_DATABASE_URL": _database_url,
    "GATEWAY_ENVIRONMENT": _environment,
    "GATEWAY_JWT_SECRET": _secret,
    "GATEWAY_GRAPHIQL": _switch,
    "GATEWAY_GRAPHIQL_TOKEN": _token,
    ALLOWED_HOSTS: _hosts,
    ALLOWED_ORIGINS: _origins,
    "GATEWAY_MAX_BODY_BYTES": _whole(1024, 1024**3),
    MAX_CONNECTIONS: _whole(1, 1_000_000),
    "GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": _whole(1, 1_000_000),
    "GATEWAY_MAX_CONNECTIONS_PER_VIEWER": _whole(1, 1_000_000),
    "GATEWAY_MAX_SUBSCRIPTIONS_PER_VIEWER": _whole(1, 1_000_000),
    "GATEWAY_MAX_SUBSCRIPTIONS_PER_CONNECTION": _whole(1, 1_000_000),
    "GATEWAY_MAX_UNFINISHED_BYTES": _whole(1024, 1024**4),
    "GATEWAY_MAX_RESPONSE_BYTES": _whole(1024, 1024**4),
    "GATEWAY_MAX_TOTAL_COUNT": _whole(1, 1_000_000_000),
    "GATEWAY_HEARTBEAT_SECONDS": _whole(1, 600),
    "GATEWAY_SHUTDOWN_SECONDS": _whole(1, 3_600),
    "GATEWAY_CACHE_MIB": _whole(1, 1024**2),
    "GATEWAY_OPERATIONS_MANIFEST": _manifest,
    "GATEWAY_STATEMENT_SECONDS": _whole(1, 600),
    "GATEWAY_MAX_WAIT_MS": _whole(1, 600_000),
    "GATEWAY_EXPIRE_SECONDS": _whole(1, 86_400),
    "GATEWAY_WORKER": _worker,
    "GATEWAY_LEASE_SECONDS": _whole(1, 3_600),
    "GATEWAY_SMTP_URL": _smtp_url,
    "GATEWAY_MAIL_FROM": _address,
    "GATEWAY_NOTIFY_LOCAL": _switch,
    "GATEWAY_NOTIFY_PORTS": _ports,
    "GATEWAY_KEEP_DELIVERED_DAYS": _whole(1, 36_500),
    "GATEWAY_FORGET_SECONDS": _whole(1, 86_400),
    "GATEWAY_LOG_RETENTION": _duration,
    "GATEWAY_POLL_SECONDS": _whole(1, 3_600),
    "GATEWAY_REDIS_URL": _redis_url,
    "GATEWAY_WAKEUP_URL": _wakeup_url,
}
"""What each variable may be; whatever else begins with GATEWAY_ is a mistake."""
