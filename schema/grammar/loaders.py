"""Loaders: one aiodataloader for each relation, for as long as an operation lasts.

A relation is a read that takes keys and whose rows say which key they answer; so the number of
statements of a query does not grow with its rows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from aiodataloader import DataLoader

from resolvers.storage import Storage
from resolvers.viewer import Viewer
from schema.grammar.relations import RELATIONS, Assembled, Many, One

KEYS_AT_ONCE = 1000

NO_PARENT = object()


def _key(parent: Any) -> Any:
    """A loader takes no None for a key."""
    return NO_PARENT if parent is None else parent


class Loaders:
    """The loaders of one operation, made when first used."""

    def __init__(self, viewer: Viewer, storage: Storage) -> None:
        self._viewer = viewer
        self._storage = storage
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._reading: set[asyncio.Task[Any]] = set()

    def cancel(self) -> None:
        """Cancel what is being read: a loader reads in tasks of its own."""
        for task in self._reading:
            task.cancel()

    async def load(self, name: str, key: Any) -> Any:
        """What a relation has for one key; asked together with all keys of the moment."""
        return await self.batched(name, lambda: self._relation(name)).load(key)

    async def load_many(self, name: str, keys: Sequence[Any]) -> list[Any]:
        """What a relation has for each of the keys."""
        return await self.batched(name, lambda: self._relation(name)).load_many(list(keys))

    async def load_shaped(self, shape: Hashable, relation: One | Many, key: Any) -> Any:
        """What a relation that depends on arguments has for one key; `shape` says on which."""
        return await self.batched(shape, lambda: self._rows(relation)).load(key)

    async def listed(self, listing: Any, parent: Any) -> list[Any]:
        """The rows of a parent's list (`grammar.lists.Listing`), and one more if there are more."""
        if listing.rows is None:
            return []
        make = self._root_list if listing.key is None else self._rows
        relation = Many(listing.rows, listing.key or "")
        shape = ("list", listing.shape, listing.page)
        rows: list[Any] = await self.batched(shape, lambda: make(relation)).load(_key(parent))
        return rows

    async def counted(self, listing: Any, parent: Any, most: int) -> int:
        """How many elements a list of a parent has; at most one more than `most`."""
        if listing.count is None:
            return 0
        make = self._root_list if listing.key is None else self._rows
        relation = Many(lambda viewer, keys: listing.counted(viewer, keys, most))
        shape = ("count", listing.shape)
        rows = await self.batched(shape, lambda: make(relation)).load(_key(parent))
        return int(rows[0].total) if rows else 0

    def _root_list(self, relation: Many) -> Callable[[list[Any]], Any]:
        async def load(keys: list[Any]) -> list[Any]:
            rows = await self._storage.read(relation.read(self._viewer, ()))
            return [rows for _ in keys]

        return load

    def batched(
        self, name: Hashable, make: Callable[[], Callable[[list[Any]], Any]]
    ) -> "DataLoader[Any, Any]":
        """The loader of a name, made at its first use."""
        loader = self._loaders.get(name)
        if loader is None:
            read = self._cancellable(make())
            loader = self._loaders[name] = DataLoader(read, max_batch_size=KEYS_AT_ONCE)
        return loader

    def _cancellable(self, load: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
        async def load_in_task(keys: list[Any]) -> Any:
            task = asyncio.current_task()
            assert task is not None
            self._reading.add(task)
            try:
                return await load(keys)
            finally:
                self._reading.discard(task)

        return load_in_task

    def _relation(self, name: str) -> Callable[[list[Any]], Any]:
        relation = RELATIONS[name]
        if isinstance(relation, Assembled):
            return self._assembled(relation)
        return self._rows(relation)

    def _assembled(self, relation: Assembled) -> Callable[[list[Any]], Any]:
        async def load(keys: list[Any]) -> list[Any]:
            rows = await self._storage.read(relation.read(self._viewer, keys))
            found = relation.assemble(rows, now=self._storage.clock())
            nothing: Any = [] if relation.many else None
            return [found.get(key, nothing) for key in keys]

        return load

    def _rows(self, relation: One | Many) -> Callable[[list[Any]], Any]:
        async def load(keys: list[Any]) -> list[Any]:
            rows = await self._storage.read(relation.read(self._viewer, keys))
            if isinstance(relation, One):
                one = {getattr(row, relation.key): row for row in rows}
                return [one.get(key) for key in keys]
            many: dict[Any, list[Any]] = defaultdict(list)
            for row in rows:
                many[getattr(row, relation.key)].append(row)
            return [many[key] for key in keys]

        return load
