"""Statements are compiled once for each shape, and rows are equal on both databases."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage import Read, Storage, UnitOfWork
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Compiled
from resolvers.storage.rows import as_dict, changed, new_row
from resolvers.storage.tables import (
    Candidate,
    ChangeLog,
    Event,
    ImportReceipt,
    Payment,
    columns,
    table,
)
from resolvers.storage.tables.derived import derived
from resolvers.vocabulary import ChangeType, DurationUnit, EventKind
from tests import shapes
from tests.resolvers.storage.conftest import Receipts, Results, do_nothing

pytestmark = pytest.mark.both_databases

AMOUNT = columns(Payment).cost_amount.type

AT = datetime(2027, 1, 11, 12, 30, 15, 123456, tzinfo=UTC)


class Counted:
    """A statement that counts how often it is built."""

    def __init__(self) -> None:
        self.times = 0

    def build(self, dialect: str) -> sa.Executable:
        self.times += 1
        c = columns(ImportReceipt)
        return sa.select(table(ImportReceipt)).where(one_of(c.content_hash, "names"))

    def read(self, *names: str, by_key: bool = False) -> Read[ImportReceipt]:
        return Read(("test counted", self), self.build, {"names": list(names)}, by_key=by_key)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Statements are built once, as in a server."""
    with shapes.unchecked():
        yield


@pytest.mark.usefixtures("unchecked")
async def test_a_shape_is_compiled_once(storage: Storage, receipts: Receipts):
    """Whatever the values and however many, and whoever runs it: reads or commands."""
    await storage.write(receipts.write, ["a", "b", "c"])
    counted = Counted()

    def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        assert len(work.rows(counted.read("a", "b"))) == 2
        return do_nothing(work, commands)

    assert len(await storage.read(counted.read("a"))) == 1
    assert len(await storage.read(counted.read("a", "b", "c"))) == 3
    assert await storage.read(counted.read()) == []
    assert len(await storage.read(counted.read("c", by_key=True))) == 1
    await storage.write(run, [None])
    await asyncio.gather(*(storage.read(counted.read("a")) for _ in range(50)))

    assert counted.times == 1


async def test_a_shape_of_two_statements_fails_a_test(storage: Storage, organization_id: UUID):
    """Reads that differ in a condition, a parameter, a constant or a column need two shapes."""
    c = columns(ImportReceipt)
    every = sa.select(c.content_hash)
    some = every.where(c.organization_id == sa.bindparam("of", type_=c.organization_id.type))
    renamed = every.where(c.organization_id == sa.bindparam("by", type_=c.organization_id.type))
    constant, another = (every.where(c.content_hash == text) for text in ("a", "b"))
    wider = every.add_columns(c.organization_id)
    statements = (every, some, renamed, constant, another, wider)
    values = {"of": organization_id, "by": organization_id}

    for n, (first, second) in enumerate(permutations(statements, 2)):
        await storage.read(Read(("test shared", n), lambda _, one=first: one, values))
        await storage.read(Read(("test shared", n), lambda _, one=first: one, values))
        assert shapes.shared() == []
        with pytest.raises(AssertionError, match="Two statements share"):
            await storage.read(Read(("test shared", n), lambda _, one=second: one, values))
        assert len(shapes.shared()) == 1


@pytest.mark.usefixtures("unchecked")
async def test_writes_are_compiled_once(
    storage: Storage, receipts: Receipts, monkeypatch: pytest.MonkeyPatch
):
    """A write of equal columns is one statement, for ever."""
    await storage.write(receipts.write, ["first"])
    monkeypatch.setattr(Compiled, "__init__", lambda *_: pytest.fail("compiled again"))

    for n in range(1, 10):
        await storage.write(receipts.write, [f"{n}.{m}" for m in range(n)])


def an_event(organization_id: UUID, **values: Any) -> Any:
    return new_row(
        Event,
        organization_id=organization_id,
        id=new_key(),
        identifier=new_key(),
        kind=next(iter(EventKind)),
        title="T",
        time_zone="UTC",
        last_change_time=AT,
        **values,
    )


ROWS: dict[str, Any] = {
    "all of an event": lambda of: (
        Event,
        an_event(
            of,
            start_at=AT,
            local_start=datetime(2027, 1, 11, 12, 30, 15),
            credit_hours=2.5,
            number=2**31 - 1,
            duration_unit=next(iter(DurationUnit)),
            person_code_is_required=True,
        ),
    ),
    "little of an event": lambda of: (Event, an_event(of)),
    "whole floats": lambda of: (Event, an_event(of, credit_hours=2.0)),
    "small floats": lambda of: (Event, an_event(of, credit_hours=0.1 + 0.2)),
    "far instants": lambda of: (
        Event,
        an_event(
            of,
            start_at=datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            end_at=datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),
        ),
    ),
    "dates": lambda of: (
        Candidate,
        new_row(
            Candidate,
            organization_id=of,
            id=new_key(),
            reference="R",
            first_names="\U0001f600 Ä\u0301",
            last_name="",
            date_of_birth=date(1900, 2, 28),
            search_text="",
        ),
    ),
    "documents": lambda of: (
        ChangeLog,
        new_row(
            ChangeLog,
            organization_id=of,
            position=2**63 - 1,
            id=new_key(),
            at=AT,
            actor_name="A",
            changed_fields=[],
            before={"a": None, "b": [1, 2.5, True, 'é \U0001f600 \\ "'], "c": {}},
            after={"text": "", "n": 2**53, "deep": [[[{}]]]},
            version=1,
            booking_type=ChangeType.CREATED,
            booking_id=new_key(),
        ),
    ),
}


@pytest.mark.parametrize("name", ROWS)
async def test_a_row_comes_back_as_it_was(storage: Storage, organization_id: UUID, name: str):
    """Every kind of column has the same value and the same type again, on either database."""
    model, row = ROWS[name](organization_id)
    await put(storage, model, row)

    [found] = await storage.read(by_id(model, row.id))

    kept = changed(row, **derived(model, None, as_dict(row)))
    assert as_dict(found) == as_dict(kept)
    assert kinds(found) == kinds(kept)
    if isinstance(getattr(found, "start_at", None), datetime):
        assert found.start_at.tzinfo is not None
        assert found.start_at.utcoffset() == timedelta(0)
        assert found.local_start is None or found.local_start.tzinfo is None


def kinds(row: Any) -> dict[str, type]:
    """The types of a row's values; a driver's own kind of UUID is one."""
    return {n: UUID if isinstance(v, UUID) else type(v) for n, v in as_dict(row).items()}


async def test_instants_of_any_zone_are_kept_in_utc(storage: Storage, organization_id: UUID):
    """What is written with an offset is the same instant again, in UTC."""
    given = AT.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    row = an_event(organization_id, start_at=given)
    await put(storage, Event, row)

    [found] = await storage.read(by_id(Event, row.id))

    assert found.start_at == AT
    assert found.start_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "end", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
async def test_the_ends_of_time_are_instants(
    storage: Storage, organization_id: UUID, end: datetime
):
    """The first and the last instant of all come back with a zone, at most a microsecond off."""
    row = an_event(organization_id, registration_deadline=end)
    await put(storage, Event, row)

    [found] = await storage.read(by_id(Event, row.id))

    assert abs(found.registration_deadline - end) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    "amount", ["0", "0.00", "40.10", "-0.01", "12345678901234567890.123456789", "1E+3", "1E-7"]
)
async def test_amounts_stay_what_they_were(storage: Storage, organization_id: UUID, amount: str):
    """A decimal is exact, its cents included."""
    read: Read[Any] = Read(
        "test amount",
        lambda _: sa.select(sa.cast(sa.bindparam("n", type_=AMOUNT), AMOUNT).label("n")),
        {"n": Decimal(amount)},
    )

    [row] = await storage.read(read)

    assert type(row.n) is Decimal
    assert row.n == Decimal(amount)
    assert f"{row.n:f}" == f"{Decimal(amount):f}"  # as many decimal places


async def put(storage: Storage, model: type[SQLModel], row: Any) -> None:
    def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        work.insert(model, [row])
        return do_nothing(work, commands)

    await storage.write(run, [None])


def by_id(model: type[Any], key: UUID) -> Read[Any]:
    return Read(
        ("test by id", model),
        lambda _: sa.select(table(model)).where(one_of(columns(model).id, "keys")),
        {"keys": [key]},
    )
