"""Upserts: create or update by reference, a batch at a time; shared by all kinds of object.

Omitted and null fields keep their values, a list replaces, a field with a default is written. A
field that gives rights (`active`, `offered`) has no default: an upsert that omits it restores
nothing. Two commands of a batch with the same new reference create one row. A batch takes a fixed
number of statements.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers import checks
from resolvers.changes import Origin
from resolvers.external_ids import ExternalIds, check_external_ids
from resolvers.hidden_objects import HiddenObjects
from resolvers.links import Owner
from resolvers.outcomes import Outcome, Warning
from resolvers.references import NAMES, ByExternalId, Lookup, Ref, folded_column, look_up, named
from resolvers.refusals import (
    AlreadyExists,
    NotFoundRefusal,
    Refusal,
    Refused,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded
from resolvers.values import frozen
from resolvers.viewer import Scope, Viewer

Keys = Mapping[str, Sequence[tuple[int, UUID]]]
"""For each field, the distinct keys of its references, each with its index in the list."""


@frozen(kw_only=True)
class Upsert:
    """The fields of every upsert command. Reference data has no history that stores the origin."""

    viewer: Viewer = field(repr=False)
    external_ids: tuple[ByExternalId, ...] | None = None
    origin: Origin | None = None


Within = Callable[[Scope], frozenset[UUID] | None]
"""The keys to which a scope restricts a field; None if it does not restrict it."""

Command = TypeVar("Command", bound=Upsert)
Model = TypeVar("Model", bound=SQLModel)


@frozen
class Change(Generic[Command, Model]):
    """The effect of one command: `before` is None if it creates the object."""

    command: Command
    owner: Owner
    before: Model | None
    after: Model
    keys: Keys


class Part(Protocol):
    """A further effect or rule of an upsert; one instance for a batch."""

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        """Return the refusals of a change; they change nothing."""

    def take(self, change: Change[Any, Any]) -> bool:
        """Apply an accepted change in memory. Returns whether it changes anything here."""

    def save(self, work: UnitOfWork) -> None:
        """Write the applied changes, after the objects themselves."""


@runtime_checkable
class WarningPart(Protocol):
    """A part that may also return warnings for a change that it has applied."""

    def warnings(self, change: Change[Any, Any]) -> Sequence[Warning]: ...


class Rule:
    """A part that only refuses."""

    def take(self, change: Change[Any, Any]) -> bool:
        return False

    def save(self, work: UnitOfWork) -> None:
        pass


@dataclass(slots=True)
class CheckedCommand(Generic[Command]):
    """A command whose fields and references are valid."""

    command: Command
    one: dict[str, UUID]
    keys: dict[str, list[tuple[int, UUID]]]
    identity: tuple[Any, ...] = ()
    folded_identity: tuple[Any, ...] = ()


@frozen
class PartContext:
    """The arguments of a part: the batch, and the locked objects that it may change."""

    work: UnitOfWork
    asked: Sequence[CheckedCommand[Any]]
    rows: Sequence[Any]
    external_ids: ExternalIds

    @property
    def owners(self) -> list[Owner]:
        return [(row.organization_id, row.id) for row in self.rows]


def _the_only(_: Any, rows: Sequence[Any]) -> Any:
    return rows[0] if rows else None


def _nothing_dated(_: Any, __: date) -> list[Refusal]:
    return []


@frozen(kw_only=True)
class UpsertDefinition(Generic[Command, Model]):
    """The differences between the upsert of one kind of object and the others.

    `identity` are the columns by which an existing object is found; of several, `choose` returns
    one or refuses. `check` validates the fields, `check_dates` validates dates on the day of the
    call; `values` returns the values to write. `one` are the fields that refer to one object, with
    the column that stores its key; `many` those that refer to several, or list the keys of objects
    that are not stored here (None). `scoped` are the fields of `many` that a viewer with a scope
    can fill only with objects in it; if omitted, a new object gets all of them.
    """

    model: type[Model]
    identity: tuple[str, ...]
    check: Callable[[Command], list[Refusal]]
    check_dates: Callable[[Command, date], list[Refusal]] = _nothing_dated
    values: Callable[[Command, Model | None], Mapping[str, Any]]
    one: Mapping[str, tuple[str, type[SQLModel]]] = field(default_factory=dict)
    many: Mapping[str, type[SQLModel] | None] = field(default_factory=dict)
    scoped: Mapping[str, Within] = field(default_factory=dict)
    parts: Sequence[Callable[[PartContext], Part]] = ()
    choose: Callable[[CheckedCommand[Command], Sequence[Model]], Model | None] = _the_only


def upsert(
    work: UnitOfWork, commands: Sequence[Command], kind: UpsertDefinition[Command, Model]
) -> list[Outcome | Refused]:
    """Create or update an object for each command; the outcomes are in the order of the commands.

    A refused command writes nothing and does not affect the others.
    """
    asked = _ask(work, commands, kind)
    good = [one for one in asked if isinstance(one, CheckedCommand)]
    batch = _Batch(work, kind, good)
    outcomes = [one if isinstance(one, Refused) else attempt(batch.carry_out, one) for one in asked]
    batch.save()
    return outcomes


def given(**values: Any) -> dict[str, Any]:
    """Return the values that were given; a field that is None keeps its value."""
    return {name: value for name, value in values.items() if value is not None}


class NamedCommand(Protocol):
    """A command with a reference and a name."""

    @property
    def reference(self) -> str: ...
    @property
    def name(self) -> str: ...


def check_named(command: NamedCommand) -> list[Refusal]:
    """Check a reference and a name."""
    return checks.violations(
        (checks.code, command.reference, "reference"),
        (checks.text, command.name, "name", {"least": 1, "most": checks.NAME}),
    )


# ---------------------------------------------------------------- fields, references


def _ask(
    work: UnitOfWork, commands: Sequence[Command], kind: UpsertDefinition[Command, Model]
) -> list[CheckedCommand[Command] | Refused]:
    today = work.now.date()
    validation = [_first_violations(command, kind, today) for command in commands]
    lookups = _look_up(work, commands, kind)
    return [
        attempt(_asked, command, kind, lookups, found)
        for command, found in zip(commands, validation, strict=True)
    ]


def _first_violations(
    command: Command, kind: UpsertDefinition[Command, Model], today: date
) -> ValidationErrors:
    validation = ValidationErrors()
    validation.refusals += kind.check(command)
    validation.refusals += kind.check_dates(command, today)
    validation.refusals += check_external_ids(command.external_ids, "external_ids")
    for name in kind.many:
        distinct = frozenset(getattr(command, name) or ())
        validation.of(checks.size, distinct, name, most=checks.PLAIN_LIST)
    return validation


def _look_up(
    work: UnitOfWork, commands: Sequence[Command], kind: UpsertDefinition[Command, Model]
) -> dict[type[SQLModel], Lookup[Any]]:
    names: dict[type[SQLModel], list[tuple[Viewer, Ref | None]]] = {}
    for command in commands:
        viewer = command.viewer
        for name, (_, model) in kind.one.items():
            names.setdefault(model, []).append((viewer, getattr(command, name)))
        for name, listed in kind.many.items():
            if listed is not None:
                refs = _elements(command, name) or ()
                names.setdefault(listed, []).extend((viewer, ref) for ref in refs)
    return {model: look_up(work, model, of_model) for model, of_model in names.items()}


def _asked(
    command: Command,
    kind: UpsertDefinition[Command, Model],
    lookups: Mapping[type[SQLModel], Lookup[Any]],
    validation: ValidationErrors,
) -> CheckedCommand[Command]:
    """Look up the references of a command. Raises: Refused, with all refusals so far."""
    asked = CheckedCommand(command, {}, {})
    for name, (column, model) in kind.one.items():
        if (ref := getattr(command, name)) is not None:
            key = validation.of(_key, lookups[model], command, ref, name)
            if key is not None:
                asked.one[column] = key
    for name, listed in kind.many.items():
        if (given_list := _elements(command, name)) is not None:
            keys: dict[UUID, int] = {}
            for n, ref in enumerate(given_list):
                at = (name, str(n))
                within = kind.scoped[name](command.viewer.scope) if name in kind.scoped else None
                key = ref
                if listed:
                    key = validation.of(_key, lookups[listed], command, ref, *at, within=within)
                if key is not None:
                    keys.setdefault(key, n)
            asked.keys[name] = [(n, key) for key, n in keys.items()]
    validation.settle()
    asked.identity = tuple(
        asked.one[name] if name in asked.one else getattr(command, name) for name in kind.identity
    )
    asked.folded_identity = tuple(
        folded(value) if folded_column(kind.model, name) else value
        for name, value in zip(kind.identity, asked.identity, strict=True)
    )
    return asked


def _elements(command: Upsert, name: str) -> Sequence[Any] | None:
    """Return the elements of a list; none if its size is refused, to avoid looking them up."""
    given_list: Sequence[Any] | None = getattr(command, name)
    if given_list is None or len(frozenset(given_list)) <= checks.PLAIN_LIST:
        return given_list
    return ()


def _key(
    lookup: Lookup[Any],
    command: Upsert,
    ref: Ref,
    *path: str,
    within: frozenset[UUID] | None = None,
) -> UUID:
    """Raises: Invalid, AmbiguousReference, NotFoundRefusal (also for a key not `within`)."""
    key: UUID = lookup.one(command.viewer, ref, *path).id
    if within is not None and key not in within:
        raise NotFoundRefusal(*path, object_type=lookup.type_name, identifier=named(ref))
    return key


# ---------------------------------------------------------------- lock, load, check, write


class _Batch(Generic[Command, Model]):
    """The objects of a batch as they were, and as its commands change them one after another.

    An object that a viewer cannot see is treated as absent. Only when nothing else is wrong, its
    identity is refused with AlreadyExists, the same refusal as for an external id of another
    object: its existence cannot be hidden, but nothing more is revealed.
    """

    def __init__(
        self,
        work: UnitOfWork,
        kind: UpsertDefinition[Command, Model],
        asked: Sequence[CheckedCommand[Command]],
    ) -> None:
        self._work, self._kind = work, kind
        existing = work.rows(_existing(kind, asked)) if asked else []
        viewers = {one.command.viewer for one in asked}
        self._hidden = HiddenObjects(work, kind.model, viewers, existing)
        locked = _lock(work, kind, self._hidden.visible_to_any(existing))
        self._before: dict[Owner, Any] = {(row.organization_id, row.id): row for row in locked}
        self._now: dict[Owner, Any] = dict(self._before)
        self._by_identity: dict[tuple[Any, ...], list[Owner]] = {}
        for row in existing:
            owner = (row.organization_id, row.id)
            now = self._before.get(owner, row)
            self._by_identity.setdefault(self._identity(now), []).append(owner)
        external_ids = ExternalIds()
        loading = PartContext(work, asked, locked, external_ids)
        self._parts: list[Part] = [
            _OwnExternalIds(NAMES[kind.model][0], loading),
            *(make(loading) for make in kind.parts),
        ]

    def carry_out(self, asked: CheckedCommand[Command]) -> Outcome:
        """Apply one command in memory. Raises: Refused or a Refusal; then nothing is applied."""
        change = self._change(asked)
        validation = ValidationErrors()
        for part in self._parts:
            validation.refusals += part.refusals(change)
        validation.settle()
        if change.before is None and self._owners(asked, hidden=True):
            raise AlreadyExists(self._kind.identity[0])
        parts_changed = [part.take(change) for part in self._parts]
        warns = [part for part in self._parts if isinstance(part, WarningPart)]
        if change.before is None:
            self._by_identity.setdefault(self._identity(change.after), []).append(change.owner)
            self._hidden.add_made(change.owner, asked.command.viewer.scope)
        self._now[change.owner] = change.after
        return Outcome(
            subject=change.owner[1],
            created=change.before is None,
            changed=change.after != change.before or any(parts_changed),
            warnings=tuple(warning for part in warns for warning in part.warnings(change)),
        )

    def save(self) -> None:
        work, model = self._work, self._kind.model
        work.insert(model, [row for owner, row in self._now.items() if owner not in self._before])
        work.save(model, [(row, self._now[owner]) for owner, row in self._before.items()])
        for part in self._parts:
            part.save(work)

    def _change(self, asked: CheckedCommand[Command]) -> Change[Command, Model]:
        """Raises: a Refusal of the kind's own, if it can't choose one of several objects."""
        command, kind = asked.command, self._kind
        organization_id = command.viewer.organization_id
        before = kind.choose(asked, [self._now[owner] for owner in self._owners(asked)])
        values = {**asked.one, **kind.values(command, before)}
        if before is not None:  # other objects may refer to this one by its current text
            values |= {name: getattr(before, name) for name in kind.identity}
        if before is None:
            key = new_key()
            after = new_row(kind.model, organization_id=organization_id, id=key, **values)
        else:
            key = before.id  # type: ignore[attr-defined]
            after = changed(before, **values)
        keys = _scoped(kind, asked, new=before is None)
        return Change(command, (organization_id, key), before, after, keys)

    def _owners(self, asked: CheckedCommand[Command], *, hidden: bool = False) -> list[Owner]:
        """Return the visible objects with the identity, or those hidden from the viewer."""
        viewer = asked.command.viewer
        forms = (asked.identity, asked.folded_identity)
        found = [self._by_identity.get((viewer.organization_id, *form), []) for form in forms]
        owners = dict.fromkeys(owner for same in found for owner in same)
        return [owner for owner in owners if self._hidden.hides(viewer, owner) is hidden]

    def _identity(self, row: Any) -> tuple[Any, ...]:
        compared = (_compared(self._kind.model, name, row) for name in self._kind.identity)
        return (row.organization_id, *compared)


def _compared(model: type[SQLModel], name: str, row: Any) -> Any:
    """Return the value by which a row is found: a text's folded form, which a new row lacks."""
    value, column = getattr(row, name), folded_column(model, name)
    return value if column is None else getattr(row, column) or folded(value)


def _scoped(kind: UpsertDefinition[Any, Any], asked: CheckedCommand[Any], *, new: bool) -> Keys:
    """Return the lists of a command, with defaults for a viewer with a scope.

    If a list is empty or omitted, a new object gets the keys to which the scope restricts it, so
    that the viewer sees the object; an existing object keeps its keys.
    """
    keys: dict[str, Sequence[tuple[int, UUID]]] = dict(asked.keys)
    for name, within in kind.scoped.items():
        own = within(asked.command.viewer.scope)
        if own is None or keys.get(name):
            continue
        keys.pop(name, None)
        if new:
            keys[name] = list(enumerate(sorted(own)))
    return keys


def _lock(work: UnitOfWork, kind: UpsertDefinition[Any, Model], rows: Sequence[Any]) -> list[Any]:
    """Return the rows, locked organization by organization in key order."""
    by_organization: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_organization.setdefault(row.organization_id, []).append(row.id)
    return [
        row
        for organization_id in sorted(by_organization)
        for row in work.lock(kind.model, organization_id, by_organization[organization_id])
    ]


def _existing(
    kind: UpsertDefinition[Any, Model], asked: Sequence[CheckedCommand[Any]]
) -> Read[Any]:
    """Return the rows whose identity may be one of the commands'."""
    c = columns(kind.model)
    both = [values for one in asked for values in (one.identity, one.folded_identity)]
    given_values = zip(*both, strict=True)
    return Read(
        ("existing", kind.model),
        lambda _: sa.select(table(kind.model)).where(
            one_of(c.organization_id, "organizations"),
            *(one_of(c[folded_column(kind.model, name) or name], name) for name in kind.identity),
        ),
        {
            "organizations": list({one.command.viewer.organization_id for one in asked}),
            **{n: list(set(v)) for n, v in zip(kind.identity, given_values, strict=True)},
        },
        by_key=True,
    )


class _OwnExternalIds:
    """The external ids of the objects themselves."""

    def __init__(self, type_name: str, loading: PartContext) -> None:
        self._type_name, self._ids = type_name, loading.external_ids
        names = [
            (one.command.viewer.organization_id, external_id)
            for one in loading.asked
            for external_id in one.command.external_ids or ()
        ]
        given_any = any(one.command.external_ids is not None for one in loading.asked)
        self._ids.load(loading.work, names, loading.owners if given_any else ())

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        return self._ids.refusals(change.owner, change.command.external_ids, "external_ids")

    def take(self, change: Change[Any, Any]) -> bool:
        return self._ids.replace(self._type_name, change.owner, change.command.external_ids)

    def save(self, work: UnitOfWork) -> None:
        self._ids.save(work)
