"""References: how callers name an object, and the lookup of a whole batch of names.

An object is named by its key, by its own reference or code, or by a source system's key. The number
of statements does not grow with the number of names. A viewer with a scope finds only the rows that
are visible in it (`resolvers.visibility`): a row outside of it is treated as absent.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.checks import can_be_kept
from resolvers.refusals import AmbiguousReference, Invalid, NotFoundRefusal
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import Narrowing
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
from resolvers.texts import folded
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.visibility import BY_ROW, is_confined, narrowing_to
from resolvers.vocabulary import SourceSystem

Model = TypeVar("Model", bound=SQLModel)

SHIFT_IQ = frozenset({SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2})

_DIGITS = "[0-9a-f]"
_UUID = re.compile(
    rf"(\{{)?{_DIGITS}{{8}}(-?){_DIGITS}{{4}}\2{_DIGITS}{{4}}\2{_DIGITS}{{4}}\2{_DIGITS}{{12}}(?(1)\}})",
    re.IGNORECASE | re.ASCII,
)
"""A UUID as systems write it: with or without hyphens, and with or without braces."""


@frozen
class ByKey:
    """Our own key, from a global id, and the type of object in the id."""

    key: UUID
    type_name: str | None = field(default=None, repr=False)


@frozen
class ByReference:
    """The object's own reference, code or name."""

    reference: str


@frozen
class ByExternalId:
    """A source system's key."""

    system: SourceSystem
    kind: str
    value: str

    def __post_init__(self) -> None:
        """Shift iQ accepts a UUID in any case, in braces and without hyphens."""
        if self.system in SHIFT_IQ and (match := _UUID.fullmatch(self.value)):
            object.__setattr__(self, "value", str(UUID(match[0])))


@frozen
class Unreadable:
    """An invalid global id, or one of another type."""

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
"""The type's name in the contract, and the column that a reference is compared with."""


@lru_cache(maxsize=256)
def folded_column(model: type[SQLModel], column: str | None) -> str | None:
    """Return the column with the folded form of another; None if texts are compared unchanged."""
    name = f"{column}_folded"
    return name if name in columns(model) else None


Asker = UUID | Viewer
"""The source of a name: an organization, or a viewer who can name only a part of its rows."""

Group = Viewer | None
"""Names that are looked up with the same condition: those of one viewer, or all others."""


class Lookup(Generic[Model]):
    """Finds the rows for a batch of names, each among the rows that its viewer can name.

    Run the reads of `reads`, and pass their rows to `found`, each with the group of its read.
    """

    def __init__(self, model: type[Model], names: Iterable[tuple[Viewer, Ref]]) -> None:
        self.model = model
        self.type_name, self._column = NAMES[model]
        self._compared = folded_column(model, self._column) or self._column
        self._names = {(self._asker(viewer), ref) for viewer, ref in names}
        self._rows: dict[tuple[Asker, Ref], list[Model]] = {}

    def keys(self) -> list[tuple[UUID, UUID]] | None:
        """Return the names as keys, each with its organization, if this needs no read.

        None if a name is not a key, or if its viewer can name only a part of the rows. The rows of
        these keys can be passed to `found_by_key`.
        """
        keys = []
        for asker, ref in self._names:
            if isinstance(asker, Viewer) or not isinstance(ref, ByKey):
                return None
            keys.append((asker, ref.key))
        return keys

    def reads(self) -> list[tuple[Group, Read[Any]]]:
        """Return at most three reads for each group: by key, by reference, by external id."""
        groups: dict[Group, list[tuple[UUID, Ref]]] = {}
        for asker, ref in self._names:
            if not isinstance(ref, Unreadable) and can_be_kept(named(ref)):
                groups.setdefault(self._group(asker), []).append((_organization(asker), ref))
        return [(group, read) for group in groups for read in self._of_group(group, groups[group])]

    def _of_group(self, group: Group, names: list[tuple[UUID, Ref]]) -> list[Read[Any]]:
        organizations = list({organization_id for organization_id, _ in names})
        given: dict[type, list[Any]] = {ByKey: [], ByReference: [], ByExternalId: []}
        for _, ref in names:
            given[type(ref)].append(ref)
        narrowing = narrowing_to(self.model, group)
        reads: list[Read[Any]] = []
        if keys := given[ByKey]:
            reads.append(self._read("id", [ref.key for ref in keys], organizations, narrowing))
        if references := self._reference_values(given[ByReference]):
            assert self._compared is not None
            reads.append(self._read(self._compared, references, organizations, narrowing))
        if external := given[ByExternalId]:
            reads.append(self._read_external(external, organizations, narrowing))
        return reads

    def read(self, work: UnitOfWork) -> None:
        """Look the names up inside a transaction."""
        self.found((group, row) for group, read in self.reads() for row in work.rows(read))

    def reads_by(self, column: str) -> list[tuple[Group, Read[Any]]]:
        """Return, for each group, a read of the rows with the references in another column."""
        groups: dict[Group, list[tuple[UUID, str]]] = {}
        for asker, ref in self._names:
            if isinstance(ref, ByReference) and can_be_kept(ref.reference):
                name = (_organization(asker), ref.reference)
                groups.setdefault(self._group(asker), []).append(name)
        return [
            (
                group,
                self._read(
                    column,
                    [text for _, text in names],
                    list({organization_id for organization_id, _ in names}),
                    narrowing_to(self.model, group),
                ),
            )
            for group, names in groups.items()
        ]

    def found(self, fetched: Iterable[tuple[Group, Any]]) -> None:
        """Accept the rows of the reads."""
        known: dict[Group, _ResolvedNames] = {}
        for group, row in fetched:
            known.setdefault(group, _ResolvedNames(self._compared)).add(row)
        nothing = _ResolvedNames(self._compared)
        for asker, ref in self._names:
            rows = known.get(self._group(asker), nothing).meant(
                _organization(asker), self._canonical(ref)
            )
            if isinstance(asker, Viewer) and (sees := BY_ROW.get(self.model)) is not None:
                rows = [row for row in rows if sees(asker, row)]
            self._rows[asker, ref] = [row for row in rows if self._is_of_type(row, ref)]

    def found_by_key(self, rows: Mapping[UUID, Any]) -> None:
        """Accept the rows of the keys that `keys` returned, by key."""
        for name in self._names:
            asker, ref = name
            assert isinstance(ref, ByKey)
            row = rows.get(ref.key)
            if row is None or row.organization_id != asker or not self._is_of_type(row, ref):
                self._rows[name] = []
            else:
                self._rows[name] = [row]

    def rows(self) -> list[Model]:
        """Return every row that was found, once."""
        rows = {row.id: row for found in self._rows.values() for row in found}  # type: ignore[attr-defined]
        return list(rows.values())

    def first(self, viewer: Viewer, ref: Ref) -> Model | None:
        """Return a row for a name, or None."""
        rows = self._rows.get((self._asker(viewer), ref), [])
        return rows[0] if rows else None

    def one(
        self,
        viewer: Viewer,
        ref: Ref,
        *path: str,
        prefer: Callable[[Model], bool] | None = None,
        missing: type[NotFoundRefusal] = NotFoundRefusal,
    ) -> Model:
        """Return the row for a name; of several, the only one for which `prefer` is true.

        Raises: Invalid, AmbiguousReference, NotFoundRefusal (or the given kind of it).
        """
        if isinstance(ref, Unreadable):
            raise Invalid(*path, rule=ref.rule)
        rows = self._rows[self._asker(viewer), ref]
        if len(rows) > 1 and prefer is not None:
            rows = [row for row in rows if prefer(row)]
        if len(rows) > 1:
            raise AmbiguousReference(*path)
        if not rows:
            raise missing(*path, object_type=self.type_name, identifier=named(ref))
        return rows[0]

    def _asker(self, viewer: Viewer) -> Asker:
        return viewer if is_confined(self.model, viewer) else viewer.organization_id

    def _group(self, asker: Asker) -> Group:
        return asker if isinstance(asker, Viewer) and self.model not in BY_ROW else None

    def _is_of_type(self, row: Any, ref: Ref) -> bool:
        """Whether a row is of the type in a global id; bookings are of several types."""
        if self.model is not Booking or not isinstance(ref, ByKey) or ref.type_name is None:
            return True
        return bool(row.kind.type_name == ref.type_name)

    def _canonical(self, ref: Ref) -> Ref:
        if isinstance(ref, ByReference) and self._column == "identifier":
            return ByReference(str(_uuid(ref.reference)))
        return ref

    def _reference_values(self, references: Sequence[ByReference]) -> list[Any]:
        if self._column == "identifier":
            identifiers = (_uuid(ref.reference) for ref in references)
            return [identifier for identifier in identifiers if identifier is not None]
        if self._compared == self._column:
            return [ref.reference for ref in references] if self._column else []
        return list({form for ref in references for form in _forms(ref.reference)})

    def _read(
        self, column: str, values: list[Any], organizations: list[UUID], narrowing: Narrowing
    ) -> Read[Any]:
        model = self.model
        return Read(
            ("look up", model, column),
            lambda _: sa.select(table(model)).where(
                one_of(columns(model).organization_id, "organizations"),
                one_of(columns(model)[column], "names"),
                narrowing.narrow(),
            ),
            {"organizations": organizations, "names": values},
            by_key=True,
            narrowing=narrowing,
        )

    def _read_external(
        self, refs: Sequence[ByExternalId], organizations: list[UUID], narrowing: Narrowing
    ) -> Read[Any]:
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
                .where(known_as_one_of(), narrowing.narrow())
            ),
            {"organizations": organizations, **columns_of(refs)},
            by_key=True,
            narrowing=narrowing,
        )


class _ResolvedNames:
    """The rows found for one group of names, by key, reference and external id."""

    def __init__(self, column: str | None) -> None:
        self._column = column
        self._is_folded = column is not None and column.endswith("_folded")
        self._by_key: dict[tuple[UUID, UUID], Any] = {}
        self._by_reference: dict[tuple[UUID, str], dict[UUID, Any]] = {}
        self._by_external: dict[tuple[UUID, Ref], Any] = {}

    def add(self, row: Any) -> None:
        self._by_key[row.organization_id, row.id] = row
        if self._column is not None:
            name = (row.organization_id, str(getattr(row, self._column)))
            self._by_reference.setdefault(name, {}).setdefault(row.id, row)
        if hasattr(row, "external_system"):
            key = ByExternalId(row.external_system, row.external_kind, row.external_value)
            self._by_external[row.organization_id, key] = row

    def meant(self, organization_id: UUID, ref: Ref) -> list[Any]:
        """Return the rows for a name."""
        match ref:
            case ByKey(key):
                row = self._by_key.get((organization_id, key))
            case ByExternalId():
                row = self._by_external.get((organization_id, ref))
            case ByReference(reference):
                forms = _forms(reference) if self._is_folded else (reference,)
                named_so = (self._by_reference.get((organization_id, form)) for form in forms)
                return list(next((rows for rows in named_so if rows), {}).values())
            case Unreadable():
                row = None
        return [] if row is None else [row]


def _forms(reference: str) -> tuple[str, str]:
    """Return the values of a folded column that match a reference, closest first; see migration
    0007.
    """
    return reference, folded(reference)


def _organization(asker: Asker) -> UUID:
    return asker.organization_id if isinstance(asker, Viewer) else asker


def known_as_one_of() -> sa.ColumnElement[bool]:
    """True for external ids among `organizations` and `columns_of` some names, and a few more.

    All columns of the key are compared: by value alone, each lookup would read all of an
    organization's.
    """
    x = columns(ExternalId)
    return sa.and_(
        one_of(x.organization_id, "organizations"),
        one_of(x.system, "systems"),
        one_of(x.kind, "kinds"),
        one_of(x.value, "values"),
    )


def columns_of(names: Iterable[ByExternalId]) -> dict[str, list[Any]]:
    """Return the values that `known_as_one_of` binds."""
    given = list(names)
    return {
        "systems": list({one.system for one in given}),
        "kinds": list({one.kind for one in given}),
        "values": list({one.value for one in given}),
    }


def named(ref: Ref) -> str:
    """Return a name as a refusal shows it to the caller."""
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
    work: UnitOfWork, model: type[Model], names: Iterable[tuple[Viewer, Ref | None]]
) -> Lookup[Model]:
    """Look names up inside a transaction; names that are None are skipped."""
    lookup = Lookup(model, ((viewer, ref) for viewer, ref in names if ref is not None))
    lookup.read(work)
    return lookup


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
