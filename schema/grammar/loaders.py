"""Loaders: one aiodataloader for each relation, for the duration of an operation.

A relation is a read that takes keys, and its rows contain their key; so the number of statements of
a query does not grow with its rows.
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
    """Return the key of a parent; a loader does not accept None."""
    return NO_PARENT if parent is None else parent


class Loaders:
    """The loaders of one operation, made at their first use."""

    def __init__(self, viewer: Viewer, storage: Storage) -> None:
        self._viewer = viewer
        self._storage = storage
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._reading: set[asyncio.Task[Any]] = set()

    def cancel(self) -> None:
        """Cancel the running reads: a loader reads in its own tasks."""
        for task in self._reading:
            task.cancel()

    async def load(self, name: str, key: Any) -> Any:
        """Return the relation's value for one key; keys requested at the same time share a read."""
        return await self.batched(name, lambda: self._relation(name)).load(key)

    async def load_many(self, name: str, keys: Sequence[Any]) -> list[Any]:
        """Return the relation's value for each of the keys."""
        return await self.batched(name, lambda: self._relation(name)).load_many(list(keys))

    async def load_shaped(self, shape: Hashable, relation: One | Many, key: Any) -> Any:
        """Return the value for one key of a relation with arguments; `shape` identifies the
        arguments.
        """
        return await self.batched(shape, lambda: self._rows(relation)).load(key)

    async def listed(self, listing: Any, parent: Any) -> list[Any]:
        """Return the rows of a parent's list (`grammar.lists.Listing`), and one more if any."""
        if listing.rows is None:
            return []
        make = self._root_list if listing.key is None else self._rows
        relation = Many(listing.rows, listing.key or "")
        shape = ("list", listing.shape, listing.page)
        rows: list[Any] = await self.batched(shape, lambda: make(relation)).load(_key(parent))
        return rows

    async def counted(self, listing: Any, parent: Any, most: int) -> int:
        """Return the number of elements of a parent's list; at most `most` + 1."""
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
        """Return the loader with this name, made at its first use."""
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
