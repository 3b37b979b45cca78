"""Settings, read once from the environment; a wrong one stops the start and is named."""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from pydantic import PlainValidator, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway.hosts import WrongHost, hosts_of
from gateway.kept_secret import SECRET_BYTES, WrongSecret, kept_secret, make_first_secret
from gateway.manifests import Document, WrongManifest, read_manifest
from gateway.origins import Origin, WrongOrigin, origin_of
from gateway.outgoing.mail_servers import WrongMailServer, mail_server
from gateway.quotas import OPERATIONS_PER_CONNECTION
from resolvers.caching import DEFAULT_MIB
from resolvers.notifications.urls import MOST_OF_PORT
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME, STATEMENT_SECONDS
from resolvers.storage.paging import MAX_TOTAL_COUNT
from schema.grammar.response_size import DEFAULT_BYTES

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


def _rule(read: Callable[[str], object]) -> PlainValidator:
    """Reads a variable's text; what is no text was made by a program."""
    return PlainValidator(lambda value: read(value) if isinstance(value, str) else value)


def _database_url(value: str) -> str:
    for scheme in (SQLITE_SCHEME, POSTGRESQL_SCHEME):
        if value.startswith(scheme) and len(value) > len(scheme):
            return value
    # the value is not repeated: it may hold a password
    raise ValueError("must be sqlite:///FILE or postgresql://USER@HOST/DB")


def _redis_url(value: str) -> str:
    if not re.fullmatch(r"rediss?://[^/\s]+(/\d{1,5})?", value):
        # the value is not repeated: it may hold a password
        raise ValueError("must be redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss://…")
    if find_spec("redis") is None:
        raise ValueError("requires the package redis: install booking-gateway[redis]")
    return value


def _wakeup_url(value: str) -> str:
    if not value.startswith(POSTGRESQL_SCHEME) or value == POSTGRESQL_SCHEME:
        raise ValueError("must be postgresql://USER@HOST/DB")
    return value


def _secret(value: str) -> str:
    if len(value.encode(errors="surrogateescape")) < SECRET_BYTES:
        raise ValueError(f"must have at least {SECRET_BYTES} bytes")
    return value


def _switch(value: str) -> bool:
    if value not in {"on", "off"}:
        raise ValueError(f"must be on or off, not {value!r}")
    return value == "on"


def _environment(value: str) -> str:
    if value not in {DEVELOPMENT, PRODUCTION}:
        raise ValueError(f"must be {DEVELOPMENT} or {PRODUCTION}, not {value!r}")
    return value


def _worker(value: str) -> str:
    if value not in {EMBEDDED, "off"}:
        raise ValueError(f"must be {EMBEDDED} or off, not {value!r}")
    return value


def _token(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value or not value:
        raise ValueError("must be a token as `booking-gateway token` prints it")
    return value


def _hosts(value: str) -> tuple[str, ...]:
    try:
        return hosts_of(value)
    except WrongHost:
        rule = "must be host names or IP addresses without a port, separated by commas"
        raise ValueError(f"{rule}, not {value!r}") from None


def _origins(value: str) -> tuple[Origin, ...]:
    try:
        return tuple(origin_of(part.strip()) for part in value.split(","))
    except WrongOrigin:
        rule = "must be origins such as https://app.example.com, separated by commas"
        raise ValueError(f"{rule}, not {value!r}") from None


def _smtp_url(value: str) -> str:
    try:
        mail_server(value)
    except WrongMailServer:
        # the value is not repeated: it may hold a password
        rule = "must be smtp://HOST:PORT, smtp://USER:PASSWORD@HOST:PORT, or the same with smtps"
        raise ValueError(rule) from None
    return value


def _address(value: str) -> str:
    try:
        address = Address(addr_spec=value)
    except (MessageError, ValueError, IndexError):
        address = Address()
    if not (address.username and address.domain and value.isascii()):
        raise ValueError(f"must be one email address and nothing else, not {value!r}")
    return value


def _whole(least: int, most: int) -> PlainValidator:
    def rule(value: str) -> int:
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}, not {value!r}")
        return int(value)

    return _rule(rule)


def _duration(value: str) -> timedelta:
    if not re.fullmatch("[1-9][0-9]{0,4}[hd]", value):
        raise ValueError(f"must be a number of hours or days, as 12h or 90d, not {value!r}")
    number = int(value[:-1])
    return timedelta(days=number) if value.endswith("d") else timedelta(hours=number)


def _manifest(value: str) -> tuple[Document, ...]:
    try:
        return read_manifest(Path(value))
    except WrongManifest as wrong:
        rule = "must be a file with operations in the format of Apollo's persisted query manifests"
        raise ValueError(f"{rule}; {value!r} {wrong}") from None


def _ports(value: str) -> frozenset[int]:
    found = [part.strip() for part in value.split(",")]
    if not all(p.isascii() and p.isdigit() and 1 <= int(p) <= MOST_OF_PORT for p in found):
        rule = f"must be ports from 1 to {MOST_OF_PORT}, separated by commas"
        raise ValueError(f"{rule}, not {value!r}")
    return frozenset(map(int, found))


class Settings(BaseSettings):
    """What a gateway can be told from outside; each field is the variable of the same name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: Annotated[str, _rule(_database_url)] = "sqlite:///data/gateway.db"
    environment: Annotated[str, _rule(_environment)] = DEVELOPMENT
    jwt_secret: Annotated[str | None, _rule(_secret)] = None
    graphiql: Annotated[bool, _rule(_switch)] = True
    graphiql_token: Annotated[str | None, _rule(_token)] = None
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, _rule(_hosts)] = ()
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode, _rule(_origins)] = ()
    max_body_bytes: Annotated[int, _whole(1024, 1024**3)] = 8 * 1024 * 1024
    max_connections: Annotated[int, _whole(1, 1_000_000)] = 2_000
    max_connections_per_address: Annotated[int | None, _whole(1, 1_000_000)] = None
    max_connections_per_viewer: Annotated[int | None, _whole(1, 1_000_000)] = None
    max_subscriptions_per_viewer: Annotated[int | None, _whole(1, 1_000_000)] = None
    max_subscriptions_per_connection: Annotated[int, _whole(1, 1_000_000)] = (
        OPERATIONS_PER_CONNECTION
    )
    max_unfinished_bytes: Annotated[int, _whole(1024, 1024**4)] = 64 * 1024 * 1024
    max_response_bytes: Annotated[int, _whole(1024, 1024**4)] = DEFAULT_BYTES
    max_total_count: Annotated[int, _whole(1, 1_000_000_000)] = MAX_TOTAL_COUNT
    heartbeat_seconds: Annotated[float, _whole(1, 600)] = 15.0
    shutdown_seconds: Annotated[float, _whole(1, 3_600)] = 20.0
    cache_mib: Annotated[int, _whole(1, 1024**2)] = DEFAULT_MIB
    operations_manifest: Annotated[tuple[Document, ...], NoDecode, _rule(_manifest)] = ()
    statement_seconds: Annotated[float, _whole(1, 600)] = STATEMENT_SECONDS
    max_wait_ms: Annotated[int, _whole(1, 600_000)] = 800
    expire_seconds: Annotated[float, _whole(1, 86_400)] = 30.0
    worker: Annotated[str, _rule(_worker)] = EMBEDDED
    lease_seconds: Annotated[float, _whole(1, 3_600)] = 60.0
    smtp_url: Annotated[str | None, _rule(_smtp_url)] = None
    mail_from: Annotated[str, _rule(_address)] = "booking-gateway@localhost"
    notify_local: Annotated[bool, _rule(_switch)] = False
    notify_ports: Annotated[frozenset[int], NoDecode, _rule(_ports)] = frozenset()
    keep_delivered_days: Annotated[int, _whole(1, 36_500)] = 30
    forget_seconds: Annotated[float, _whole(1, 86_400)] = 600.0
    log_retention: Annotated[timedelta | None, _rule(_duration)] = None
    poll_seconds: Annotated[float, _whole(1, 3_600)] = POLL_SECONDS
    redis_url: Annotated[str | None, _rule(_redis_url)] = None
    wakeup_url: Annotated[str | None, _rule(_wakeup_url)] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only `read` looks at an environment: settings that a test makes depend on none."""
        return (init_settings,)

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
            if name not in names():
                raise WrongSetting(name, _unknown(name))
        source = EnvSettingsSource(cls)
        source.env_vars = {name.lower(): value for name, value in given.items()}
        try:
            return cls(**source())
        except ValidationError as error:
            # pydantic's own text repeats the value, which may be a secret
            first = error.errors()[0]
            name = f"{PREFIX}{first['loc'][0]}".upper()
            raise WrongSetting(name, str(first["ctx"]["error"])) from None

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


def names() -> list[str]:
    """The variables that there are."""
    return [f"{PREFIX}{field}".upper() for field in Settings.model_fields]


def _unknown(name: str) -> str:
    # what all of them begin with makes none of them alike
    known = [rule.removeprefix(PREFIX) for rule in names()]
    meant = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
    hint = f"; did you mean {PREFIX}{meant[0]}?" if meant else f"; there are {', '.join(names())}"
    return f"is not a setting of the gateway{hint}"
