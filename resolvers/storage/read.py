"""A read: a statement, its values and the shape of its rows; the storage runs it.

A statement is built and compiled once for each shape and dialect. After that a read costs its
values, the driver's own call and the few conversions that the driver leaves to us.

Rows are named tuples with the names of the selected columns. They are typed as the table they come
from, since they answer to the same names; they are never instances of it.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from resolvers.caching import BUDGET, Cache
from resolvers.storage.columns import bind_processor, result_processor
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.values import frozen

Row = TypeVar("Row")

DIALECTS: dict[str, sa.Dialect] = {
    "postgresql": postgresql_dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite_dialect(),
}


ORGANIZATIONS = "organizations"
"""The name of a list of organizations: nearly always there is one, and every index begins with it.

A statement with a list of one is compiled as a comparison. SQLite expects 25 values of any list,
and after ANALYZE it would rather scan an index than look 25 organizations up in it.
"""


@frozen
class Read(Generic[Row]):
    """What to select.

    `shape` names the statement: two reads with equal shapes must build equal statements. `build`
    makes it, given the dialect's name, with a bound parameter for each of `values`. `narrowing`
    restricts the rows: `build` applies its condition; its shape and its values are added here.
    `rows_of` is a table and its column, of a read of the rows with given keys in this column.

    `by_key` says that a few rows are fetched by an index, so that SQLite need not leave the event
    loop for them. `exact` makes the read of a page without the row that only tells whether there is
    more. `up_to` makes the read of a count that stops at a number.
    """

    shape: Hashable
    build: Callable[[str], sa.Executable]
    values: Mapping[str, Any] = field(default_factory=dict)
    by_key: bool = False
    narrowing: Narrowing = UNRESTRICTED
    rows_of: "tuple[Any, str] | None" = None
    exact: "Callable[[], Read[Row]] | None" = None
    up_to: "Callable[[int], Read[Row]] | None" = None

    def __post_init__(self) -> None:
        if self.narrowing.restricts:
            object.__setattr__(self, "shape", (self.shape, self.narrowing.shape))
            object.__setattr__(self, "values", {**self.values, **self.narrowing.values})
        if len(self.values.get(ORGANIZATIONS, ())) == 1:
            object.__setattr__(self, "shape", (self.shape, ORGANIZATIONS))
            object.__setattr__(self, "build", _of_one_organization(self.build))

    @property
    def is_restricted(self) -> bool:
        """Whether the viewer may see only a part of the rows that have the keys."""
        return self.narrowing.restricts

    @property
    def joinable(self) -> "tuple[Any, str] | None":
        """The table and the column by which these rows can be joined, for this viewer.

        None if the read is restricted: the joined rows would not meet its condition.
        """
        return None if self.is_restricted else self.rows_of


def _of_one_organization(build: Callable[[str], sa.Executable]) -> Callable[[str], sa.Executable]:
    return lambda dialect: build(dialect).execution_options(alone=frozenset({ORGANIZATIONS}))


class Compiled:
    """A statement in one dialect's SQL, with the conversions of its values and rows."""

    __slots__ = ("_make", "_names", "_parameters", "_processors", "sql")

    def __init__(self, statement: sa.Executable, dialect: sa.Dialect) -> None:
        options = statement.get_execution_options()
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=dialect, compile_kwargs={"alone": options.get("alone", ())}
        )
        self.sql: str = str(compiled)
        parameters = compiled.positiontup or []
        alone = options.get("alone", ()) if dialect.name == "postgresql" else ()
        self._parameters = [
            (
                name,
                _only if name in alone else bind_processor(compiled.binds[name].type, dialect),
                compiled.binds[name].value,
            )
            for name in parameters
        ]
        selected = list(getattr(statement, "exported_columns", ()))
        self._processors = [
            (position, process)
            for position, column in enumerate(selected)
            if (process := result_processor(column.type, dialect)) is not None
        ]
        self._names = [column.key for column in selected]
        self._make: Callable[[Iterable[Any]], Any] | None = None

    @property
    def parameters(self) -> int:
        """How many parameters the statement has."""
        return len(self._parameters)

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self._names)

    @property
    def estimated_bytes(self) -> int:
        """About how much memory the statement takes, with its shape and the type of its rows."""
        return 6_000 + len(self.sql) + 300 * (len(self._parameters) + self.width)

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The driver's positional parameters."""
        return [
            process(given.get(name, default)) if process else given.get(name, default)
            for name, process, default in self._parameters
        ]

    def tuples(self, fetched: Iterable[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """What the driver fetched, by position; as it came where nothing is to be converted."""
        if not self._processors:
            return fetched if isinstance(fetched, list) else list(fetched)
        result = []
        for row in fetched:
            converted = list(row)
            for position, process in self._processors:
                if (value := converted[position]) is not None:
                    converted[position] = process(value)
            result.append(converted)
        return result

    def rows(self, fetched: Iterable[Iterable[Any]]) -> list[Any]:
        """What the driver fetched, as named tuples of Python values."""
        make, processors = self._make or self._make_rows(), self._processors
        if not processors:
            return [make(row) for row in fetched]
        result = []
        for row in fetched:
            converted = list(row)
            for position, process in processors:
                if (value := converted[position]) is not None:
                    converted[position] = process(value)
            result.append(make(converted))
        return result

    def _make_rows(self) -> Callable[[Iterable[Any]], Any]:
        """Make the type of the rows at its first use: plans read tuples."""
        row_type: Any = namedtuple("Row", self._names, rename=True)  # type: ignore[misc]
        make: Callable[[Iterable[Any]], Any] = partial(tuple.__new__, row_type)
        self._make = make
        return make


class Combined:
    """Several statements of PostgreSQL as one: each is an array of records in the only row.

    The statements run in their order, since the columns of a row are evaluated in theirs. All see
    the same snapshot; a row that a statement locks is its newest version.
    """

    __slots__ = ("_parts", "sql")

    def __init__(self, parts: Sequence[Compiled]) -> None:
        self._parts = parts
        selected, first = [], 0
        for part in parts:
            numbered = _PARAMETER.sub(partial(_renumbered, first), part.sql)
            selected.append(f"(SELECT array_agg(p) FROM ({numbered}) AS p)")  # noqa: S608
            first += part.parameters
        self.sql = f"SELECT {', '.join(selected)}"

    @property
    def estimated_bytes(self) -> int:
        """About how much memory the statement takes; its parts are counted themselves."""
        return 1_000 + len(self.sql)

    def values(self, given: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The driver's positional parameters, from the values of each statement."""
        return [
            value
            for part, values in zip(self._parts, given, strict=True)
            for value in part.values(values)
        ]

    def rows(self, fetched: Iterable[Iterable[Any]]) -> list[list[Any]]:
        """The rows of each statement."""
        [row] = fetched
        return [part.rows(found or ()) for part, found in zip(self._parts, row, strict=True)]


_PARAMETER = re.compile(r"\$(\d+)")


def _renumbered(first: int, parameter: "re.Match[str]") -> str:
    return f"${first + int(parameter[1])}"


def _only(values: Sequence[Any]) -> Any:
    """The value of a list of one: PostgreSQL gets it without an array around it."""
    [value] = values
    return value


Check = Callable[[str, Hashable, Callable[[str], sa.Executable]], None]


class Statements:
    """The compiled statements of one dialect, by shape; all storages of a process share them."""

    checks: ClassVar[list[Check]] = []
    """Of tests: each is called at every use of a shape, with the dialect and what builds it."""

    def __init__(self, dialect_name: str) -> None:
        self.dialect_name = dialect_name

    def of(self, shape: Hashable, build: Callable[[str], sa.Executable]) -> Compiled:
        """The statement of a shape; `build` makes it unless it is kept."""
        for check in self.checks:
            check(self.dialect_name, shape, build)
        cache = _KEPT[self.dialect_name]
        statement = cache.get(shape)
        if statement is None:
            statement = Compiled(build(self.dialect_name), DIALECTS[self.dialect_name])
            cache.put(shape, statement, statement.estimated_bytes)
        return statement

    def combined(self, reads: Sequence[Read[Any]]) -> Combined:
        """The statements of several reads as one."""
        shape = ("combined", *(read.shape for read in reads))
        statement = _COMBINED.get(shape)
        if statement is None:
            statement = Combined([self.of(read.shape, read.build) for read in reads])
            _COMBINED.put(shape, statement, statement.estimated_bytes)
        elif self.checks:
            for read in reads:
                self.of(read.shape, read.build)
        return statement


_KEPT: Mapping[str, Cache[Hashable, Compiled]] = {name: Cache(BUDGET) for name in DIALECTS}
_COMBINED: Cache[Hashable, Combined] = Cache(BUDGET)


def one_row(rows: Sequence[Row]) -> Row | None:
    """The only row of a read by a unique key, or None."""
    return rows[0] if rows else None
