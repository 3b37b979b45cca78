"""What a command sees of the storage: rows, insert, update, delete, record. Never a session.

The calls are synchronous. On SQLite they run in the writer's thread, on PostgreSQL in a greenlet
that awaits the driver; command code is the same.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage import bulk, seat_counts
from resolvers.storage.columns import one_of
from resolvers.storage.encoding import names_of
from resolvers.storage.numbers import Blocks, Numbers
from resolvers.storage.observing import Observer, Recorded
from resolvers.storage.read import (
    ORGANIZATIONS,
    Combined,
    Compiled,
    Read,
    Row,
    Statements,
)
from resolvers.storage.rows import Model, as_dict, changed, difference
from resolvers.storage.seat_counts import SeatCounts
from resolvers.storage.tables import (
    AgentBooking,
    Booking,
    ChangeLog,
    LogPosition,
    NotificationDelivery,
    NotificationEndpoint,
    columns,
    table,
)
from resolvers.storage.tables.derived import DERIVED, derived

VALUE = "v_"
"""Before the name of a column, the name of the parameter with its value.

SQLAlchemy keeps the bare name.
"""


SAVEPOINT = "SAVEPOINT part"
RELEASE = "RELEASE SAVEPOINT part"
ROLL_BACK = "ROLLBACK TO SAVEPOINT part"

LOCK_SOON = "SET LOCAL lock_timeout = '1ms'"
LOCK_AS_USUAL = "SET LOCAL lock_timeout TO DEFAULT"


TOUCH = {
    "postgresql": "UPDATE log_position SET position = position WHERE false",
    "sqlite": "PRAGMA user_version = 0",  # writes a page to the log; nothing reads this number
}


QUEUES = frozenset({AgentBooking, NotificationDelivery, NotificationEndpoint})
"""The tables whose rows background work is found by."""


_AS_NUMBER = attrgetter("int")
"""What UUIDs are sorted by; comparing them calls a function of Python."""


class Part(NamedTuple):
    """What had been done before a part of the transaction began."""

    changes: int
    notifying: int
    numbers: Blocks


Writes = dict[tuple[str, type[SQLModel]], list[Any]]
"""What waits to be written, by verb and table."""


class Connection(Protocol):
    """A driver's connection inside a transaction, awaited or not."""

    def fetch(
        self, statement: Compiled | Combined, values: list[Any]
    ) -> Iterable[Iterable[Any]]: ...
    def execute_many(self, statement: Compiled, values: Sequence[Sequence[Any]]) -> None: ...
    def run(self, *statements: str) -> None: ...
    def encode(
        self, model: type[SQLModel], rows: Sequence[Sequence[Any]]
    ) -> list[tuple[Any, ...]]: ...


def locking(model: type[Model], keys: Iterable[tuple[UUID, UUID]]) -> Read[Model]:
    """A read that locks rows, each given by its organization and its key.

    It locks them in the order of both, and returns them as they are once locked. FOR NO KEY UPDATE:
    FOR UPDATE would stop every insert that refers to the row. SQLite has one writer, so there it is
    a plain read.
    """
    pairs = set(keys)
    c = columns(model)
    return Read(
        ("lock", model),
        lambda dialect: locked(
            sa.select(table(model)).where(
                one_of(c.organization_id, ORGANIZATIONS), one_of(c.id, "keys")
            ),
            model,
            dialect,
        ),
        {
            ORGANIZATIONS: list({organization_id for organization_id, _ in pairs}),
            "keys": sorted([key for _, key in pairs], key=_AS_NUMBER),
        },
    )


def locked(statement: sa.Select[Any], model: type[SQLModel], dialect: str) -> sa.Select[Any]:
    """A selection of one table's rows that locks them in the order that all locks are taken in."""
    c = columns(model)
    ordered = statement.order_by(c.organization_id, c.id)
    return ordered.with_for_update(key_share=True) if dialect == "postgresql" else ordered


class UnitOfWork:
    """One transaction, for as many commands as fit into it.

    `now` is the same instant for all of them.
    """

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        now: datetime,
        numbers: Numbers,
        observer: Observer,
        *,
        in_part: bool = False,
    ) -> None:
        """`in_part` says that the transaction has begun with a savepoint."""
        self.now = now
        self.changed_organizations: dict[UUID, int] = {}
        self.queued = False  # whether rows were written that background work is done for
        self.raising: UUID | None = None  # the organization whose log position is being raised
        self._connection = connection
        self._statements = statements
        self._numbers = numbers
        self._observer = observer
        self._changes: list[Recorded] = []
        self._notifying: list[UUID] = []
        self._writes: Writes = {}
        self._seats = SeatCounts()
        self._waits_briefly = False
        self._in_part = in_part
        self._has_run = False  # anything since the savepoint
        self._inserts_together = statements.dialect_name == "postgresql"

    def rows(self, read: Read[Row]) -> list[Row]:
        """The rows of a read, as this transaction sees them, with what it has written."""
        if self._writes:
            self.flush()
        return self._fetch(read)

    def rows_of_all(self, reads: Sequence[Read[Any]]) -> list[list[Any]]:
        """The rows of each of several reads, which PostgreSQL answers in one round trip.

        The reads run in their order. None sees what another session commits after the first began,
        except for rows that it locks.
        """
        if self._statements.dialect_name != "postgresql":
            return [self.rows(read) for read in reads]
        if self._writes:
            self.flush()
        self._has_run = True
        combined = self._statements.combined(reads)
        fetched = self._connection.fetch(combined, combined.values(read.values for read in reads))
        return combined.rows(fetched)

    def _fetch(self, read: Read[Row]) -> list[Row]:
        self._has_run = True
        compiled = self._statements.of(read.shape, read.build)
        return compiled.rows(self._connection.fetch(compiled, compiled.values(read.values)))

    def lock(self, model: type[Model], organization_id: UUID, keys: Iterable[UUID]) -> list[Model]:
        """Lock rows in key order, and read them as they are once locked; see `locking`."""
        pairs = [(organization_id, key) for key in keys]
        return self.rows(locking(model, pairs)) if pairs else []

    def insert(self, model: type[Model], rows: Sequence[Model]) -> None:
        """Insert rows (`resolvers.storage.rows.new_row`)."""
        if model in DERIVED:
            rows = [changed(row, **derived(model, None, as_dict(row))) for row in rows]
        self._pending("insert", model).extend(rows)
        if model is Booking:
            for row in rows:
                self._seats.take(row)

    def save(self, model: type[Model], versions: Iterable[tuple[Model, Model]]) -> None:
        """Update rows, given as they were and as they shall be.

        What did not change is not written.
        """
        keys = [column.name for column in table(model).primary_key]
        for before, after in versions:
            if values := difference(before, after):
                values |= _derived_differences(model, before, after)
                self._pending("update", model).append(
                    {**{name: getattr(before, name) for name in keys}, **values}
                )
                if model is Booking:
                    self._seats.free(before)
                    self._seats.take(after)

    def delete(self, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
        """Delete the rows that have exactly these values."""
        for row in rows:
            self._pending("delete", model).append(dict(row))

    def _pending(self, verb: str, model: type[SQLModel]) -> list[Any]:
        """What waits to be written in bulk: rows to insert, or else values by column.

        Two verbs for one table keep their order.
        """
        self.queued |= model in QUEUES
        if any(other != verb and waiting is model for other, waiting in self._writes):
            self.flush()
        return self._writes.setdefault((verb, model), [])

    def flush(self) -> None:
        """Write what waits: one statement for each table, verb and set of columns.

        On PostgreSQL, successive inserts are one statement. What bookings change about the counters
        of seats is written after them.
        """
        writes, self._writes = self._writes, {}
        taken, freed = self._seats.drain()
        self._write_all(writes, taken, freed)

    def _write_all(
        self,
        writes: Writes,
        taken: Sequence[seat_counts.Change],
        freed: Sequence[seat_counts.Change],
    ) -> None:
        inserts: dict[type[SQLModel], list[Any]] = {}
        for (verb, model), rows in writes.items():
            if verb == "insert":
                inserts[model] = rows
                continue
            self._insert(inserts)
            inserts = {}
            for alike in _alike(_merged(model, rows) if verb == "update" else rows):
                self._write(verb, model, alike)
        if self._inserts_together:
            inserts |= dict(taken)
        self._insert(inserts)
        seat_counts.write(self, [] if self._inserts_together else taken, freed)

    def _insert(self, tables: Mapping[type[SQLModel], Sequence[Any]]) -> None:
        """Insert the rows of several tables."""
        encoded = self._encoded(tables)
        if self._inserts_together and encoded:
            models, rows_of_models = zip(*encoded, strict=True)
            given = bulk.values(rows_of_models)
            inserted: Read[Any] = Read(("insert", models), lambda _: bulk.inserting(models), given)
            self._fetch(inserted)
            return
        for model, rows in encoded:
            self._has_run = True
            compiled = self._statements.of(("insert", model), partial(_inserting, model))
            self._connection.execute_many(compiled, rows)

    def _encoded(
        self, tables: Mapping[type[SQLModel], Sequence[Any]]
    ) -> list[tuple[type[SQLModel], list[tuple[Any, ...]]]]:
        return [(m, self._connection.encode(m, rows)) for m, rows in tables.items() if rows]

    def _write(self, verb: str, model: type[SQLModel], rows: list[dict[str, Any]]) -> None:
        names = tuple(rows[0])
        self.execute(
            (verb, model, names),
            lambda _: _WRITING[verb](model, names),
            [{f"{VALUE}{name}": value for name, value in row.items()} for row in rows],
        )

    def execute(
        self,
        shape: Hashable,
        build: Callable[[str], sa.Executable],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """Run a statement for each row of values, now."""
        if rows:
            self._has_run = True
            compiled = self._statements.of(shape, build)
            self._connection.execute_many(compiled, [compiled.values(row) for row in rows])

    def numbers(self, organization_id: UUID, series: str, count: int) -> list[int]:
        """The next numbers of an organization's series.

        Each given once, with gaps after a failure.
        """
        return self._numbers.take(self, organization_id, series, count)

    def forget_numbers(self) -> None:
        """Take new blocks from now on: somebody else, an import, has used numbers of ours."""
        self._numbers.forget()

    def record(
        self, organization_id: UUID, *, facts: Mapping[str, Any] | None = None, **change: Any
    ) -> None:
        """Put a change into the log.

        It gets its position when the transaction is about to commit. `facts` are all that is true
        after it, for those to be told; the log does not keep them.
        """
        row = {"organization_id": organization_id, **change}
        self._changes.append(Recorded(row, facts or {}))

    def notify_from_now_on(self, organization_id: UUID) -> None:
        """Whatever is committed after this transaction looks for those to be told of it.

        An organization's first endpoint sets the flag; any other needs the lock on the position, so
        that no change overtakes it which has not seen it.
        """
        self._notifying.append(organization_id)

    def savepoint(self) -> Part:
        """Begin a part that can be undone. Returns what `undo` needs.

        The savepoint of the part before is released with it, or by the end of the transaction.
        """
        if self._in_part and self._has_run:
            self._connection.run(RELEASE, SAVEPOINT)
        elif not self._in_part:
            self._connection.run(SAVEPOINT)
        self._in_part, self._has_run = True, False
        return self._done()

    def keep(self, *, is_last: bool = False) -> None:
        """End the part, and keep it; before the commit, nothing follows the last one.

        On PostgreSQL, the inserts of the last part and the changes of one organization are one
        statement. `raising` stays set if it fails.
        """
        organizations = {change.row["organization_id"] for change in self._changes}
        if (
            not is_last
            or not self._inserts_together
            or self._waits_briefly
            or self._notifying
            or len(organizations) != 1
            or any(verb != "insert" for verb, _ in self._writes)
        ):
            self.flush()
            return
        writes, self._writes = self._writes, {}
        taken, freed = self._seats.drain()
        if freed:
            self._write_all(writes, taken, freed)
            return
        [self.raising] = organizations
        inserts = {model: rows for (_, model), rows in writes.items()} | dict(taken)
        self._append(self.raising, self._changes, inserts)
        self.raising = None
        self._changes.clear()

    def undo(self, before: Part) -> None:
        """End the part as if it had never begun, its recorded changes and its numbers included."""
        self._undo(before, ROLL_BACK, RELEASE)
        self._in_part = False

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Undo, at the end, what was done inside: for a command that is only tried out."""
        self.flush()
        self._has_run = True
        self._connection.run("SAVEPOINT trial")
        before = self._done()
        try:
            yield
            self.flush()
        finally:
            self._undo(before, "ROLLBACK TO SAVEPOINT trial", "RELEASE SAVEPOINT trial")

    def _done(self) -> Part:
        return Part(len(self._changes), len(self._notifying), self._numbers.uncommitted())

    def _undo(self, before: Part, *statements: str) -> None:
        self._writes.clear()
        self._seats.clear()
        self.raising = None
        self.changed_organizations.clear()
        self._connection.run(*statements)
        del self._changes[before.changes :]
        del self._notifying[before.notifying :]
        self._numbers.rollback(before.numbers)

    def wait_briefly(self) -> None:
        """After a lock was waited for in vain: wait less for each of the others of this batch."""
        if self._statements.dialect_name == "postgresql" and not self._waits_briefly:
            self._has_run = True
            self._connection.run(LOCK_SOON)
            self._waits_briefly = True

    def wait_as_usual(self) -> None:
        """Wait for the locks that every batch takes, on the log's positions, as long as ever."""
        if self._waits_briefly:
            self._connection.run(LOCK_AS_USUAL)
            self._waits_briefly = False

    def touch(self) -> None:
        """Write without changing anything; fails if nothing can be written."""
        self._has_run = True
        self._connection.run(TOUCH[self._statements.dialect_name])

    def append_changes(self) -> None:
        """Give the recorded changes their positions and write them.

        The last thing before the commit.

        The positions' rows stay locked until then, so positions are dense and in commit order.
        """
        self.flush()
        by_organization: dict[UUID, list[Recorded]] = {key: [] for key in self._notifying}
        for change in self._changes:
            by_organization.setdefault(change.row["organization_id"], []).append(change)
        for organization_id in sorted(by_organization):
            self.raising = organization_id
            if organization_id in self._notifying:
                self.execute("notify", lambda _: _notify(), [{"of": organization_id}])
            if changes := by_organization[organization_id]:
                self._append(organization_id, changes)
        self.raising = None
        self._changes.clear()
        self._notifying.clear()

    def _append(
        self,
        organization_id: UUID,
        changes: Sequence[Recorded],
        inserts: Mapping[type[SQLModel], Sequence[Any]] | None = None,
    ) -> None:
        """Write an organization's changes, and what is to be told of them.

        `inserts` are rows of other tables for the same statement of PostgreSQL.
        """
        rows = [change.row for change in changes]
        if self._inserts_together:
            log = self._append_together(organization_id, rows, inserts or {})
        else:
            log = self._append_rows(organization_id, rows)
        first = log.position - len(changes) + 1
        for n, change in enumerate(changes):
            change.row["position"] = first + n
        if log.notifies:
            self._observer(self, organization_id, changes)
            self.flush()
        self.changed_organizations[organization_id] = log.position

    def _append_together(
        self,
        of: UUID,
        changes: Sequence[Mapping[str, Any]],
        inserts: Mapping[type[SQLModel], Sequence[Any]],
    ) -> LogPosition:
        """Insert rows, raise the position and insert the changes in one statement."""
        logged = self._connection.encode(ChangeLog, [_row_of_change(each) for each in changes])
        encoded = self._encoded(inserts)
        models = tuple(model for model, _ in encoded)
        rows = [*(rows for _, rows in encoded), logged]
        appended: Read[LogPosition] = Read(
            ("append changes", models),
            lambda _: bulk.appending(models),
            {"of": of, "by": len(logged), **bulk.values(rows)},
        )
        [log] = self._fetch(appended)
        return log

    def _append_rows(self, of: UUID, changes: Sequence[Mapping[str, Any]]) -> LogPosition:
        raised: Read[LogPosition] = Read(
            "raise log position", lambda _: _raise_position(), {"of": of, "by": len(changes)}
        )
        [log] = self._fetch(raised)
        first = log.position - len(changes) + 1
        rows = [_row_of_change({**each, "position": first + n}) for n, each in enumerate(changes)]
        self._insert({ChangeLog: rows})
        return log


def _row_of_change(change: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of the log; what a change does not name is None."""
    return tuple(map(change.get, names_of(ChangeLog)))


def _derived_differences(
    model: type[SQLModel], before: SQLModel, after: SQLModel
) -> dict[str, Any]:
    """The columns that follow from others and that the later version of a row changes."""
    if model not in DERIVED:
        return {}
    old, new = as_dict(before), as_dict(after)
    return {
        name: value
        for name, value in derived(model, old, new).items()
        if value != old[name] or value != new[name]
    }


def _alike(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Rows grouped by the columns that they name."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups.values()


def _merged(model: type[SQLModel], rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Successive updates of a row as one, its columns in the table's order."""
    keys = [column.name for column in table(model).primary_key]
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        merged.setdefault(tuple(row[name] for name in keys), {}).update(row)
    order = [column.name for column in columns(model)]
    return [{name: row[name] for name in order if name in row} for row in merged.values()]


def _inserting(model: type[SQLModel], _: str) -> sa.Executable:
    return table(model).insert().values({name: _bound(model, name) for name in names_of(model)})


def _updating(model: type[SQLModel], names: tuple[str, ...]) -> sa.Executable:
    keys = [column.name for column in table(model).primary_key]
    return (
        table(model)
        .update()
        .where(*(columns(model)[name] == _bound(model, name) for name in keys))
        .values({name: _bound(model, name) for name in names if name not in keys})
    )


def _deleting(model: type[SQLModel], names: tuple[str, ...]) -> sa.Executable:
    return (
        table(model)
        .delete()
        .where(*(columns(model)[name] == _bound(model, name) for name in names))
    )


def _bound(model: type[SQLModel], name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(f"{VALUE}{name}", type_=columns(model)[name].type)


_WRITING: dict[str, Callable[[type[SQLModel], tuple[str, ...]], sa.Executable]] = {
    "update": _updating,
    "delete": _deleting,
}


def _raise_position() -> sa.Executable:
    c = columns(LogPosition)
    return (
        table(LogPosition)
        .update()
        .where(c.organization_id == sa.bindparam("of"))
        .values(position=c.position + sa.bindparam("by", type_=sa.BigInteger))
        .returning(c.position, c.notifies)
    )


def _notify() -> sa.Executable:
    c = columns(LogPosition)
    return (
        table(LogPosition)
        .update()
        .where(c.organization_id == sa.bindparam("of"))
        .values(notifies=sa.true())
    )
