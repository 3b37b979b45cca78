"""External ids: the keys under which source systems know our rows.

An id belongs to one object. The ids of a whole batch are assigned in memory, in the order of its
commands, and written as one difference.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers import checks
from resolvers.links import Owner, rows_of
from resolvers.reading import ORGANIZATION, of_organization
from resolvers.references import ByExternalId, columns_of, known_as_one_of
from resolvers.refusals import AlreadyExists, Refusal
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import ExternalId, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer

Name = tuple[UUID, ByExternalId]
"""An external id with its organization."""

Holder = tuple[str, UUID]
"""The type and the key of the object to which an external id belongs."""

MOST_VALUE = 200


def check_external_ids(given: Sequence[ByExternalId] | None, *path: str) -> list[Refusal]:
    """Check the ids themselves, whatever their owners: their lengths and number."""
    if given is None:
        return []
    each = [(*path, str(n)) for n in range(len(given))]
    return checks.violations(
        (checks.size, set(given), *path, {"most": checks.PLAIN_LIST}),
        *((checks.code, one.kind, *at, "kind") for at, one in zip(each, given, strict=True)),
        *(
            (checks.code, one.value, *at, "value", {"most": MOST_VALUE})
            for at, one in zip(each, given, strict=True)
        ),
    )


class ExternalIds:
    """The owners of ids during a batch. First `load`, then `refusals`, `claim` and `replace`, then
    `save`.
    """

    def __init__(self) -> None:
        self._before: dict[Name, Holder] = {}
        self._now: dict[Name, Holder] = {}
        self._of: dict[Owner, set[ByExternalId]] = {}

    def load(self, work: UnitOfWork, names: Iterable[Name], owners: Iterable[Owner]) -> None:
        """Read the owners of these ids and the ids of these objects; may be called repeatedly."""
        rows = _holders(work, set(names))
        for row in rows + rows_of(work, ExternalId, "object_id", owners):
            name = (row.organization_id, ByExternalId(row.system, row.kind, row.value))
            self._before[name] = self._now[name] = (row.object_type, row.object_id)
            self._of.setdefault((row.organization_id, row.object_id), set()).add(name[1])

    def refusals(
        self, owner: Owner, given: Sequence[ByExternalId] | None, *path: str
    ) -> list[Refusal]:
        """Return AlreadyExists for each id that belongs to another object."""
        organization_id, key = owner
        return [
            AlreadyExists(*path, str(n))
            for n, one in enumerate(given or ())
            if self._now.get((organization_id, one), ("", key))[1] != key
        ]

    def claim(self, object_type: str, owner: Owner, given: Iterable[ByExternalId]) -> bool:
        """Add ids to an object's own. Returns whether any is new to it."""
        wanted = set(given)
        own = self._of.setdefault(owner, set())
        added = wanted - own
        for one in added:
            self._now[owner[0], one] = (object_type, owner[1])
        own |= added
        return bool(added)

    def replace(self, object_type: str, owner: Owner, given: Iterable[ByExternalId] | None) -> bool:
        """Replace an object's ids; None keeps them. Returns whether anything changed."""
        if given is None:
            return False
        wanted = set(given)
        own = self._of.setdefault(owner, set())
        removed = own - wanted
        for one in removed:
            del self._now[owner[0], one]
        own -= removed
        return self.claim(object_type, owner, wanted) or bool(removed)

    def save(self, work: UnitOfWork) -> None:
        """Write the difference; deletions come first, since an id may have a new owner."""
        gone = [name for name, holder in self._before.items() if self._now.get(name) != holder]
        new = [name for name, holder in self._now.items() if self._before.get(name) != holder]
        work.delete(ExternalId, [_as_columns(name) for name in gone])
        work.insert(
            ExternalId,
            [
                new_row(
                    ExternalId,
                    **_as_columns(name),
                    object_type=self._now[name][0],
                    object_id=self._now[name][1],
                )
                for name in new
            ],
        )
        self._before = dict(self._now)


def _holders(work: UnitOfWork, names: Collection[Name]) -> list[Any]:
    """Return the rows of these ids, and possibly a few more."""
    if not names:
        return []
    read: Read[Any] = Read(
        "holders of external ids",
        lambda _: sa.select(table(ExternalId)).where(known_as_one_of()),
        {
            "organizations": list({organization_id for organization_id, _ in names}),
            **columns_of(one for _, one in names),
        },
        by_key=True,
    )
    return work.rows(read)


def external_ids_of(viewer: Viewer, keys: Sequence[UUID]) -> Read[ExternalId]:
    """Return the external ids of objects of any type, each with its object's key as `object_id`."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(ExternalId)
        return (
            sa.select(table(ExternalId))
            .where(of_organization(ExternalId), one_of(c.object_id, "keys"))
            .order_by(c.system, c.kind, c.value)
        )

    return Read(
        "external ids of",
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys)},
        by_key=True,
    )


def _as_columns(name: Name) -> dict[str, Any]:
    organization_id, one = name
    return {
        "organization_id": organization_id,
        "system": one.system,
        "kind": one.kind,
        "value": one.value,
    }
