"""References: how callers name an object, and how a whole batch of names is looked up.

An object is named by its key, by its own reference or code, or by a source system's key. The number
of statements does not grow with the number of names.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.checks import can_be_kept
from resolvers.refusals import AmbiguousReference, Invalid, NotFoundRefusal
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    AgentOffice,
    Booking,
    Candidate,
    Centre,
    Department,
    Event,
    ExternalId,
    Module,
    NotificationDelivery,
    NotificationEndpoint,
    Product,
    ProductOffer,
    Room,
    Subject,
    Test,
    TestForm,
    TestSchedule,
    User,
    columns,
    table,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import SourceSystem

Model = TypeVar("Model", bound=SQLModel)

SHIFT_IQ = frozenset({SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2})

_DIGITS = "[0-9a-f]"
_UUID = re.compile(
    rf"(\{{)?{_DIGITS}{{8}}(-?){_DIGITS}{{4}}\2{_DIGITS}{{4}}\2{_DIGITS}{{4}}\2{_DIGITS}{{12}}(?(1)\}})",
    re.IGNORECASE | re.ASCII,
)
"""A UUID as systems write it: with or without hyphens, and with or without braces."""


@dataclass(frozen=True, slots=True)
class ByKey:
    """Our own key, from a global id."""

    key: UUID


@dataclass(frozen=True, slots=True)
class ByReference:
    """The object's own reference, code or name."""

    reference: str


@dataclass(frozen=True, slots=True)
class ByExternalId:
    """A source system's key."""

    system: SourceSystem
    kind: str
    value: str

    def __post_init__(self) -> None:
        """A UUID of Shift iQ is the same id in any case, in braces and without hyphens."""
        if self.system in SHIFT_IQ and (match := _UUID.fullmatch(self.value)):
            object.__setattr__(self, "value", str(UUID(match[0])))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was meant as a global id and is none, or is one of another type."""

    text: str
    rule: str


Ref = ByKey | ByReference | ByExternalId | Unreadable

NAMES: dict[type[SQLModel], tuple[str, str | None]] = {
    AgentOffice: ("AgentOffice", "code"),
    Booking: ("Booking", None),
    Candidate: ("Candidate", "reference"),
    Centre: ("Centre", "reference"),
    Department: ("Department", "name"),
    Event: ("Event", "identifier"),
    Module: ("Module", "reference"),
    NotificationDelivery: ("NotificationDelivery", None),
    NotificationEndpoint: ("NotificationEndpoint", None),
    Product: ("Product", "code"),
    ProductOffer: ("ProductOffer", None),
    Room: ("Room", "name"),
    Subject: ("Subject", "reference"),
    Test: ("Test", "reference"),
    TestForm: ("TestForm", "code"),
    TestSchedule: ("TestSchedule", "keycode"),
    User: ("User", "reference"),
}
"""The type's name in the contract, and the column that its reference means."""


class Lookup(Generic[Model]):
    """Finds the rows that a batch of names mean.

    Ask `reads`, run them, and give `found` their rows.
    """

    def __init__(self, model: type[Model], names: Iterable[tuple[UUID, Ref]]) -> None:
        self.model = model
        self.type_name, self._column = NAMES[model]
        self._names = set(names)
        self._rows: dict[tuple[UUID, Ref], list[Model]] = {}

    def reads(self) -> list[Read[Any]]:
        """At most three: by key, by reference, by external id."""
        organizations = list({organization_id for organization_id, _ in self._names})
        given: dict[type, list[Any]] = {ByKey: [], ByReference: [], ByExternalId: []}
        for _, ref in self._names:
            if not isinstance(ref, Unreadable) and can_be_kept(named(ref)):
                given[type(ref)].append(ref)
        reads: list[Read[Any]] = []
        if keys := given[ByKey]:
            reads.append(self._read("id", [ref.key for ref in keys], organizations))
        if references := self._reference_values(given[ByReference]):
            assert self._column is not None
            reads.append(self._read(self._column, references, organizations))
        if external := given[ByExternalId]:
            reads.append(self._read_external(external, organizations))
        return reads

    def found(self, fetched: Iterable[Any]) -> None:
        """Take the rows of the reads."""
        by_key: dict[tuple[UUID, UUID], Model] = {}
        by_reference: dict[tuple[UUID, str], list[Model]] = {}
        by_external: dict[tuple[UUID, Ref], Model] = {}
        for row in fetched:
            by_key[row.organization_id, row.id] = row
            if self._column is not None:
                name = (row.organization_id, str(getattr(row, self._column)))
                same = by_reference.setdefault(name, [])
                if all(other.id != row.id for other in same):  # type: ignore[attr-defined]
                    same.append(row)
            if hasattr(row, "external_system"):
                key = ByExternalId(row.external_system, row.external_kind, row.external_value)
                by_external[row.organization_id, key] = row
        for organization_id, ref in self._names:
            match ref:
                case ByKey(own):
                    row = by_key.get((organization_id, own))
                    rows = [] if row is None else [row]
                case ByReference(reference):
                    rows = by_reference.get((organization_id, self._canonical(reference)), [])
                case ByExternalId():
                    row = by_external.get((organization_id, ref))
                    rows = [] if row is None else [row]
                case Unreadable():
                    rows = []
            self._rows[organization_id, ref] = rows

    def rows(self) -> list[Model]:
        """Every row that was found, once."""
        rows = {row.id: row for found in self._rows.values() for row in found}  # type: ignore[attr-defined]
        return list(rows.values())

    def first(self, organization_id: UUID, ref: Ref) -> Model | None:
        """A row that a name means, or None."""
        rows = self._rows.get((organization_id, ref), [])
        return rows[0] if rows else None

    def one(
        self,
        organization_id: UUID,
        ref: Ref,
        *path: str,
        prefer: Callable[[Model], bool] | None = None,
        missing: type[NotFoundRefusal] = NotFoundRefusal,
    ) -> Model:
        """The row that a name means; of several, the only one that `prefer` holds for.

        Raises: Invalid, AmbiguousReference, NotFoundRefusal (or the given kind of it).
        """
        if isinstance(ref, Unreadable):
            raise Invalid(*path, rule=ref.rule)
        rows = self._rows[organization_id, ref]
        if len(rows) > 1 and prefer is not None:
            rows = [row for row in rows if prefer(row)]
        if len(rows) > 1:
            raise AmbiguousReference(*path)
        if not rows:
            raise missing(*path, object_type=self.type_name, identifier=named(ref))
        return rows[0]

    def _canonical(self, reference: str) -> str:
        return reference if self._column != "identifier" else str(_uuid(reference))

    def _reference_values(self, references: Sequence[ByReference]) -> list[Any]:
        if self._column == "identifier":
            identifiers = (_uuid(ref.reference) for ref in references)
            return [identifier for identifier in identifiers if identifier is not None]
        return [ref.reference for ref in references] if self._column else []

    def _read(self, column: str, values: list[Any], organizations: list[UUID]) -> Read[Any]:
        model = self.model
        return Read(
            ("look up", model, column),
            lambda _: sa.select(table(model)).where(
                one_of(columns(model).organization_id, "organizations"),
                one_of(columns(model)[column], "names"),
            ),
            {"organizations": organizations, "names": values},
            by_key=True,
        )

    def _read_external(self, refs: Sequence[ByExternalId], organizations: list[UUID]) -> Read[Any]:
        model, x, c = self.model, columns(ExternalId), columns(self.model)
        return Read(
            ("look up external", model),
            lambda _: (
                sa.select(
                    table(model),
                    x.system.label("external_system"),
                    x.kind.label("external_kind"),
                    x.value.label("external_value"),
                )
                .join(
                    table(ExternalId),
                    sa.and_(x.organization_id == c.organization_id, x.object_id == c.id),
                )
                .where(known_as_one_of())
            ),
            {"organizations": organizations, **columns_of(refs)},
            by_key=True,
        )


def known_as_one_of() -> sa.ColumnElement[bool]:
    """True for external ids among `organizations` and `columns_of` some names, and a few more.

    By every column of the key: by the value alone each look-up would read all of an organization's.
    """
    x = columns(ExternalId)
    return sa.and_(
        one_of(x.organization_id, "organizations"),
        one_of(x.system, "systems"),
        one_of(x.kind, "kinds"),
        one_of(x.value, "values"),
    )


def columns_of(names: Iterable[ByExternalId]) -> dict[str, list[Any]]:
    """The values that `known_as_one_of` asks for."""
    given = list(names)
    return {
        "systems": list({one.system for one in given}),
        "kinds": list({one.kind for one in given}),
        "values": list({one.value for one in given}),
    }


def named(ref: Ref) -> str:
    """A name as a refusal shows it to the caller who gave it."""
    match ref:
        case ByKey(key):
            return str(key)
        case ByReference(reference):
            return reference
        case ByExternalId(system, kind, value):
            return f"{system}/{kind}/{value}"
        case Unreadable(text):
            return text


def look_up(
    work: UnitOfWork, model: type[Model], names: Iterable[tuple[UUID, Ref | None]]
) -> Lookup[Model]:
    """Look names up inside a transaction; names that are None are left out."""
    lookup = Lookup(model, ((organization, ref) for organization, ref in names if ref is not None))
    lookup.found(row for read in lookup.reads() for row in work.rows(read))
    return lookup


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
