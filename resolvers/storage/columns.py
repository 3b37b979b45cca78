"""How each kind of value is kept, chosen once.

The types write what a driver takes and read what it returns, so that a row needs little work on its
way:

| kind        | PostgreSQL  | SQLite                                   |
|-------------|-------------|------------------------------------------|
| key         | uuid        | 32 hex digits                            |
| instant     | timestamptz | UTC text of fixed width, sorts as time   |
| wall time   | timestamp   | text of fixed width, without a zone      |
| amount      | numeric     | text (a number there would be a float)   |
| document    | jsonb       | text                                     |
| choice      | text with a CHECK on both                              ||
"""

from collections.abc import Callable, Container
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID, SafeUUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine, UserDefinedType
from sqlmodel import Field
from uuid_utils.compat import uuid7

Processor = Callable[[Any], Any] | None


def new_key() -> UUID:
    """A UUIDv7: sorts by the time it was made."""
    key: UUID = uuid7()
    return key


FIRST = datetime.min.replace(microsecond=1, tzinfo=UTC)
LAST = datetime.max.replace(microsecond=999_998, tzinfo=UTC)
LAST_OF_ROWS = datetime.max.replace(microsecond=999_997, tzinfo=UTC)
"""The last instant that a row may have: the one after it stands for a null."""


class Instant(UserDefinedType[datetime]):
    """A point in time, in UTC, to the microsecond.

    asyncpg takes Python's first and last instant for infinite ones, and gives those back without a
    zone: they are kept a microsecond off.
    """

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        if dialect.name != "sqlite":
            return lambda value: None if value is None else min(max(value, FIRST), LAST)
        return lambda value: None if value is None else instant_text(value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor:
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else datetime.fromisoformat(value)


@lru_cache(maxsize=4096)  # the rows of a batch have few instants, each of them many times
def instant_text(value: datetime) -> str:
    """The fixed-width text that SQLite keeps for an instant."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


_new_key: Final = partial(object.__new__, UUID)
_set_int: Final = vars(UUID)["int"].__set__
_set_is_safe: Final = vars(UUID)["is_safe"].__set__


def key_of_text(text: str | None) -> UUID | None:
    """The key that SQLite keeps as 32 hex digits.

    `UUID(text)` also accepts braces, hyphens and a prefix, and takes four times as long.
    """
    if text is None:
        return None
    key: UUID = _new_key()
    _set_int(key, int(text, 16))
    _set_is_safe(key, SafeUUID.unknown)
    return key


def text_of_key(key: UUID | None) -> str | None:
    """The 32 hex digits that SQLite keeps for a key."""
    return None if key is None else key.hex


def bind_processor(kind: TypeEngine[Any], dialect: sa.Dialect) -> Processor:
    """What converts values of a type to those of the driver; None if they are the same."""
    if isinstance(kind, sa.Uuid) and dialect.name == "sqlite":
        return text_of_key
    return kind.dialect_impl(dialect).bind_processor(dialect)


def result_processor(kind: TypeEngine[Any], dialect: sa.Dialect) -> Processor:
    """What converts values of the driver to those of a type; None if they are the same."""
    if isinstance(kind, sa.Float):
        return None  # both drivers return floats; SQLAlchemy would ask for the type's number first
    if isinstance(kind, sa.Uuid) and dialect.name == "sqlite":
        return key_of_text
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:  # SQLAlchemy asks a method
        return dict(kind.enum_class.__members__).__getitem__
    return kind.dialect_impl(dialect).result_processor(dialect, None)


class WallTime(UserDefinedType[datetime]):
    """A date and time of day as a clock on the wall shows it; no zone, whole seconds."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else value.isoformat(timespec="seconds")

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor:
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else datetime.fromisoformat(value)


class ExactAmount(UserDefinedType[Decimal]):
    """A decimal that stays what it was."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else str(value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor:
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else Decimal(value)


class Document(UserDefinedType[Any]):
    """A JSON value that is kept and returned whole."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        return lambda value: None if value is None else orjson.dumps(value).decode()

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor:
        return lambda value: None if value is None else orjson.loads(value)


_DDL: dict[type[UserDefinedType[Any]], tuple[str, str]] = {
    Instant: ("TIMESTAMP WITH TIME ZONE", "TEXT"),
    WallTime: ("TIMESTAMP WITHOUT TIME ZONE", "TEXT"),
    ExactAmount: ("NUMERIC", "TEXT"),
    Document: ("JSONB", "TEXT"),
}


def _register(kind: type[UserDefinedType[Any]], postgresql: str, sqlite: str) -> None:
    compiles(kind, "postgresql")(lambda *_, **__: postgresql)
    compiles(kind, "sqlite")(lambda *_, **__: sqlite)


for _kind, _names in _DDL.items():
    _register(_kind, *_names)


class KeyList(UserDefinedType[list[Any]]):
    """The value of one bound parameter that holds a whole list; see `one_of`."""

    cache_ok = True

    def __init__(self, element: TypeEngine[Any]) -> None:
        self.element = element

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        process = bind_processor(self.element, dialect)
        if dialect.name != "sqlite":
            if process is None:
                return lambda values: None if values is None else list(values)
            return lambda values: None if values is None else [process(v) for v in values]
        if process is None:
            return lambda values: orjson.dumps(list(values)).decode()
        return lambda values: orjson.dumps([process(v) for v in values]).decode()


class RoomTime(UserDefinedType[tuple[UUID, datetime, datetime]]):
    """A room and a time in it, as SQLite's JSON functions read them."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Processor:
        return lambda value: (value[0].hex, instant_text(value[1]), instant_text(value[2]))


class _OneOf(sa.ColumnElement[bool]):
    inherit_cache = False
    type = sa.Boolean()
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it; not changed
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: sa.ColumnElement[Any], values: sa.BindParameter[Any]) -> None:
        self.column, self.values = column, values

    def self_group(self, against: Any = None) -> "_OneOf":
        """Itself: SQLAlchemy would compare it with 1 on SQLite, and no index would be used."""
        return self


@compiles(_OneOf)
def _one_of_postgresql(
    element: _OneOf, compiler: Any, *, alone: Container[str] = (), **options: Any
) -> str:
    column = compiler.process(element.column, **options)
    values = compiler.process(element.values, **options)
    return f"{column} = {values}" if element.values.key in alone else f"{column} = ANY ({values})"


@compiles(_OneOf, "sqlite")
def _one_of_sqlite(
    element: _OneOf, compiler: Any, *, alone: Container[str] = (), **options: Any
) -> str:
    column = compiler.process(element.column, **options)
    values = compiler.process(element.values, **options)
    if element.values.key in alone:
        return f"{column} = (SELECT value FROM json_each({values}))"  # noqa: S608 - the same
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - compiled, not given


def one_of(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """True where the column is one of the values of the list bound as `name`.

    One parameter whatever the length, so the statement is compiled and prepared once; see also
    `read.ORGANIZATIONS`.
    """
    return _OneOf(column, sa.bindparam(name, type_=KeyList(column.type)))


def key(**options: Any) -> Any:
    return Field(sa_type=sa.Uuid, **options)


def text(length: int, **options: Any) -> Any:
    return Field(sa_type=sa.String(length), **options)


def folded_text(**options: Any) -> Any:
    """The folded form of a text, up to three times as long as the text (`tables.derived`)."""
    return Field(sa_type=sa.String(600), **options)


def sort_key(**options: Any) -> Any:
    """What a list for people is sorted by (`tables.derived`): compared by code points."""
    kind = sa.String(500).with_variant(sa.String(500, collation="C"), "postgresql")
    return Field(sa_type=kind, **options)


def instant(**options: Any) -> Any:
    return Field(sa_type=Instant, **options)


def wall_time(**options: Any) -> Any:
    return Field(sa_type=WallTime, **options)


def amount(**options: Any) -> Any:
    return Field(sa_type=ExactAmount, **options)


def document(**options: Any) -> Any:
    return Field(sa_type=Document, **options)


def choice(values: type[Enum], *, check: str | None = None, **options: Any) -> Any:
    """One of an enum's names, as text that a CHECK guards.

    Named when a table has two of the enum.
    """
    kind = sa.Enum(
        values,
        native_enum=False,
        create_constraint=True,
        name=check or values.__name__.lower(),
        length=32,
    )
    return Field(sa_type=kind, **options)
