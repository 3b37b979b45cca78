"""The part of an upsert that stores a list of other objects in a link table, and replaces it."""

from collections.abc import Callable
from typing import Any

from resolvers import checks
from resolvers.links import Link, count_linked, linked, save_links
from resolvers.refusals import OutOfRange, Refusal
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Change, Part, PartContext, Within


def listed(
    name: str, link: Link, *, listed_back: bool = False, within: Within | None = None
) -> Callable[[PartContext], Part]:
    """Return the part that stores a field of `many` in a link table.

    `listed_back` says that the other side has a plain list of these objects, too, which may be
    full. A viewer whose scope restricts the field to keys `within` it does not change the other
    links.
    """
    return lambda loading: _Listed(name, link, loading, listed_back=listed_back, within=within)


class _Listed:
    def __init__(
        self,
        name: str,
        link: Link,
        loading: PartContext,
        *,
        listed_back: bool,
        within: Within | None,
    ) -> None:
        self._name, self._link, self._within = name, link, within
        used = [one for one in loading.asked if name in one.keys]
        self._before = linked(loading.work, link, loading.owners if used else ())
        self._now = dict(self._before)
        children = {
            (one.command.viewer.organization_id, key) for one in used for _, key in one.keys[name]
        }
        back = link.reversed()
        self._sizes = count_linked(loading.work, back, children) if listed_back else None

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        """Return OutOfRange for each object whose own list is full."""
        if self._sizes is None:
            return []
        here = self._now.get(change.owner, frozenset())
        return [
            OutOfRange(
                self._name,
                str(n),
                rule=f"is linked to {checks.PLAIN_LIST} of these already, and cannot be to more",
            )
            for n, key in change.keys.get(self._name, ())
            if key not in here and self._sizes[change.owner[0], key] >= checks.PLAIN_LIST
        ]

    def take(self, change: Change[Any, Any]) -> bool:
        if self._name not in change.keys:
            return False
        here = self._now.get(change.owner, frozenset())
        wanted = frozenset(key for _, key in change.keys[self._name])
        own = None if self._within is None else self._within(change.command.viewer.scope)
        if own is not None:
            wanted |= here - own
        if self._sizes is not None:
            self._sizes.update((change.owner[0], key) for key in wanted - here)
            self._sizes.subtract((change.owner[0], key) for key in here - wanted)
        self._now[change.owner] = wanted
        return wanted != here

    def save(self, work: UnitOfWork) -> None:
        save_links(work, self._link, self._before, self._now)
