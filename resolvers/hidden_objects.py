"""The objects of a batch of upserts that a viewer of the batch cannot see.

For such a viewer, a hidden object is treated as absent: an upsert neither finds nor locks it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlmodel import SQLModel

from resolvers.links import Owner
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Scope, Viewer
from resolvers.visibility import hidden, is_confined

Model = TypeVar("Model", bound=SQLModel)


class HiddenObjects(Generic[Model]):
    """The objects of one table that each viewer of a batch cannot see.

    `existing` are the rows that the batch may refer to; one statement reads, for each viewer with a
    restricted scope, which of them the viewer sees.
    """

    def __init__(
        self,
        work: UnitOfWork,
        model: type[Model],
        viewers: Collection[Viewer],
        existing: Sequence[Any],
    ) -> None:
        self._model, self._viewers = model, viewers
        self._keys: set[tuple[Viewer, UUID]] = {
            (viewer, key)
            for viewer in viewers
            if is_confined(model, viewer)
            for key in hidden(work, model, viewer, _of_organization(viewer, existing))
        }
        self._made: dict[Owner, Scope] = {}

    def add_made(self, owner: Owner, scope: Scope) -> None:
        """Add an object that the batch creates: viewers with the same scope see it."""
        self._made[owner] = scope

    def hides(self, viewer: Viewer, owner: Owner) -> bool:
        """Whether a viewer cannot see an object."""
        if not is_confined(self._model, viewer):
            return False
        if owner in self._made:
            return self._made[owner] != viewer.scope
        return (viewer, owner[1]) in self._keys

    def visible_to_any(self, rows: Iterable[Any]) -> list[Any]:
        """Return the existing rows that at least one viewer of the batch sees."""
        return [
            row
            for row in rows
            if any(
                (viewer, row.id) not in self._keys
                for viewer in self._viewers
                if viewer.organization_id == row.organization_id
            )
        ]


def _of_organization(viewer: Viewer, rows: Sequence[Any]) -> list[UUID]:
    return [row.id for row in rows if row.organization_id == viewer.organization_id]
