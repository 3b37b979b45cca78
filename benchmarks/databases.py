"""The world on SQLite and PostgreSQL: built once, kept between runs, known by what made it."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import sqlalchemy as sa
from sqlmodel import SQLModel

from benchmarks import data, seats
from benchmarks.data import Rows, Size
from benchmarks.seats import COUNT_SEATS
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME
from resolvers.storage.migrate import migrate
from resolvers.storage.migrated import MIGRATIONS, is_newest
from resolvers.storage.read import DIALECTS
from resolvers.storage.rows import as_dict
from resolvers.storage.tables import metadata, table
from resolvers.storage.tables.derived import derived

FOLDER: Final = Path(__file__).parents[1] / "data" / "benchmarks"
PREFIX: Final = "gateway_benchmark_"
SERVER: Final = os.environ.get(
    "GATEWAY_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
"""The PostgreSQL server on which databases are made; its user may do so."""

KINDS: Final = ("sqlite", "postgresql")
MAY_SKIP_CHECKS: Final = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


def kept(kind: str, size: Size, *, rebuild: bool = False) -> str:
    """The address of the database of that size; built unless it is there already."""
    url = address(kind, f"{PREFIX}{fingerprint(size)}")
    if rebuild or not is_there(url):
        build(url, size)
    return url


def build_empty(url: str) -> None:
    """Make the database anew, with nothing in its tables."""
    drop(url)
    if kind_of(url) == "postgresql":
        asyncio.run(_on_server(f"CREATE DATABASE {_name(url)}"))
    migrate(url)


def build(url: str, size: Size) -> None:
    """Make the database anew, with everything in it. What is half made never has the name."""
    began = time.monotonic()
    sys.stderr.write(f"building {url} … ")
    sys.stderr.flush()
    rows = data.rows_of(size)
    unfinished = f"{url}_unfinished"
    build_empty(unfinished)
    fill(unfinished, rows)
    drop(url)
    rename(unfinished, url)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


def fill(url: str, rows: Rows, statements: Sequence[str] = ()) -> None:
    """Insert rows into empty tables, run statements, which may insert more, and count the seats."""
    if kind_of(url) == "postgresql":
        asyncio.run(_fill_postgresql(url, rows, statements))
    else:
        _fill_sqlite(_file(url), rows, statements)


def copy(url: str, to: str) -> None:
    """Copy a database that no process uses; a database that has the name is removed."""
    drop(to)
    if kind_of(url) == "postgresql":
        command = f"CREATE DATABASE {_name(to)} TEMPLATE {_name(url)} STRATEGY FILE_COPY"
        asyncio.run(_on_server(command))
    else:
        _file(to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_file(url), _file(to))


def drop(url: str) -> None:
    """Remove a database, if it is there."""
    if kind_of(url) == "postgresql":
        asyncio.run(_on_server(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)"))
        return
    for suffix in ("", "-wal", "-shm"):
        Path(f"{_file(url)}{suffix}").unlink(missing_ok=True)


def drop_all(kinds: Sequence[str]) -> None:
    """Remove every database that benchmarks have made."""
    if "sqlite" in kinds:
        shutil.rmtree(FOLDER, ignore_errors=True)
    if "postgresql" in kinds:
        for name in asyncio.run(_names_on_server()):
            drop(address("postgresql", name))


def address(kind: str, name: str) -> str:
    if kind == "postgresql":
        return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
    return f"{SQLITE_SCHEME}{FOLDER / name}.db"


def kind_of(url: str) -> str:
    return "postgresql" if url.startswith(POSTGRESQL_SCHEME) else "sqlite"


def available() -> tuple[str, ...]:
    """The kinds of database that can be measured here."""
    try:
        asyncio.run(_names_on_server())
    except (OSError, asyncpg.PostgresError):
        return ("sqlite",)
    return KINDS


def fingerprint(size: Size) -> str:
    """What the content follows from: the size, the generator and the tables."""
    known = hashlib.sha256(repr(size).encode())
    for file in [
        Path(data.__file__),
        Path(seats.__file__),
        *sorted((MIGRATIONS / "versions").glob("*.py")),
    ]:
        known.update(file.read_bytes())
    return known.hexdigest()[:12]


def is_there(url: str) -> bool:
    if kind_of(url) == "postgresql":
        return _name(url) in asyncio.run(_names_on_server())
    return is_newest(url)


def rename(old: str, new: str) -> None:
    if kind_of(old) == "postgresql":
        asyncio.run(_on_server(f"ALTER DATABASE {_name(old)} RENAME TO {_name(new)}"))
    else:
        _file(old).rename(_file(new))


def _file(url: str) -> Path:
    return Path(url.removeprefix(SQLITE_SCHEME))


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def _on_server(statement: str) -> None:
    connection = await asyncpg.connect(SERVER)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _names_on_server() -> list[str]:
    connection = await asyncpg.connect(SERVER, timeout=5)
    try:
        found = await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX
        )
    finally:
        await connection.close()
    return [row["datname"] for row in found]


async def _fill_postgresql(url: str, rows: Rows, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(MAY_SKIP_CHECKS):
            # a foreign key is checked row by row, which takes longer than all else
            await connection.execute("SET session_replication_role = replica")
        for model, of_table in in_order(rows):
            await connection.copy_records_to_table(
                table(model).name,
                records=as_kept(model, of_table, DIALECTS["postgresql"]),
                columns=[column.name for column in table(model).columns],
            )
        for statement in (*statements, *COUNT_SEATS):
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _fill_sqlite(file: Path, rows: Rows, statements: Sequence[str]) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        connection.execute("BEGIN")
        for model, of_table in in_order(rows):
            connection.executemany(_insert(model), as_kept(model, of_table, DIALECTS["sqlite"]))
        for statement in (*statements, *COUNT_SEATS):
            connection.execute(statement)
        connection.execute("COMMIT")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise AssertionError("a row refers to one that is not there")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _insert(model: type[SQLModel]) -> str:
    names = [column.name for column in table(model).columns]
    places = ", ".join("?" * len(names))
    return f"INSERT INTO {table(model).name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608


def in_order(rows: Rows) -> list[tuple[type[SQLModel], list[Any]]]:
    """The tables with their rows; what is referred to comes first."""
    place = {known.name: n for n, known in enumerate(metadata.sorted_tables)}
    return sorted(rows.items(), key=lambda item: place[table(item[0]).name])


def as_kept(
    model: type[SQLModel], rows: Iterable[Any], dialect: sa.Dialect
) -> Iterator[tuple[Any, ...]]:
    """The rows as the driver takes them."""
    processors = [
        (n, process)
        for n, column in enumerate(table(model).columns)
        if (process := column.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    ]
    for row in rows:
        given = as_dict(row)
        values = list({**given, **derived(model, None, given)}.values())
        for n, process in processors:
            values[n] = process(values[n])
        yield tuple(values)
