"""Caches that share one budget of bytes: compiled statements, prepared statements, documents.

Entries are estimated, not measured, since measuring costs more than making them. The estimates are
calibrated with tracemalloc (tests/gateway/test_cache_sizes.py). When the budget is exceeded, the
least recently used entries are dropped, whatever their cache.

An entry larger than a thousandth of the budget is stored only at its second use, and one larger
than a sixteenth is never stored. So a large document that is sent once does not displace the
entries in use.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MIB: Final = 1024 * 1024
DEFAULT_MIB: Final = 128

LARGE_SHARE: Final = 1000
"""An entry with more than this part of the budget is stored at its second use."""

LARGEST_SHARE: Final = 16
"""An entry with more than this part of the budget is never stored."""

REMEMBERED: Final = 10_000
"""How many large entries are remembered by the hash of their key after their first use."""


class _Entry:
    """A cached value. Its hash is its identity, so that moving it runs no code of its key."""

    __slots__ = ("bytes", "cache", "key", "value")

    def __init__(self, cache: "Cache[Any, Any]", key: Hashable, value: Any, size: int) -> None:
        self.cache, self.key, self.value, self.bytes = cache, key, value, size


class CacheBudget:
    """The bytes that the entries of several caches may use together."""

    def __init__(self, most_bytes: int = DEFAULT_MIB * MIB) -> None:
        self.most_bytes = most_bytes
        self.used_bytes = 0
        self._order: OrderedDict[_Entry, None] = OrderedDict()
        self._used_once: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()

    def resize(self, most_bytes: int) -> None:
        """Change the limit, and drop what no longer fits."""
        with self._lock:
            self.most_bytes = most_bytes
            self._drop_oldest()

    def used(self, entry: _Entry) -> None:
        """Mark an entry as the most recently used."""
        try:  # `contextlib.suppress` costs more than the move
            self._order.move_to_end(entry)
        except KeyError:
            return  # another thread has dropped it

    def add(self, entry: _Entry, *, is_expected: bool = False) -> None:
        with self._lock:
            if not self._admits(entry, is_expected=is_expected):
                return
            self.remove(entry.cache.entries.get(entry.key))
            entry.cache.entries[entry.key] = entry
            self._order[entry] = None
            self.used_bytes += entry.bytes
            self._drop_oldest()

    def grow(self, entry: _Entry, more: int) -> None:
        with self._lock:
            if entry in self._order:
                entry.bytes += more
                self.used_bytes += more
                self._drop_oldest()

    def clear(self, cache: "Cache[Any, Any]") -> None:
        with self._lock:
            for entry in [*cache.entries.values()]:
                self.remove(entry)

    def remove(self, entry: _Entry | None) -> None:
        """Drop an entry. Called with the lock held."""
        if entry is not None and entry in self._order:
            del self._order[entry]
            entry.cache.entries.pop(entry.key, None)
            self.used_bytes -= entry.bytes

    def _admits(self, entry: _Entry, *, is_expected: bool) -> bool:
        if entry.bytes * LARGE_SHARE <= self.most_bytes:
            return True
        if entry.bytes * LARGEST_SHARE > self.most_bytes:
            return False
        if is_expected:
            return True
        name = hash((id(entry.cache), entry.key))
        if name in self._used_once:
            del self._used_once[name]
            return True
        self._used_once[name] = None
        if len(self._used_once) > REMEMBERED:
            self._used_once.popitem(last=False)
        return False

    def _drop_oldest(self) -> None:
        while self.used_bytes > self.most_bytes and self._order:
            self.remove(next(iter(self._order)))


class Cache(Generic[Key, Value]):
    """Values by key, within a shared budget. A hit costs a lookup and a move; it takes no lock."""

    __slots__ = ("_budget", "entries")

    def __init__(self, budget: CacheBudget) -> None:
        self._budget = budget
        self.entries: dict[Key, _Entry] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        self._budget.used(entry)
        value: Value = entry.value
        return value

    def put(self, key: Key, value: Value, size: int, *, is_expected: bool = False) -> None:
        """Store a value of so many bytes, if the budget admits it.

        A large value is stored before its second use if `is_expected` says that there will be one.
        """
        self._budget.add(_Entry(self, key, value, size), is_expected=is_expected)

    def grow(self, key: Key, more: int) -> None:
        """Add bytes to the size of a value that has grown, if it is stored."""
        entry = self.entries.get(key)
        if entry is not None:
            self._budget.grow(entry, more)

    def clear(self) -> None:
        """Drop all entries of this cache."""
        self._budget.clear(self)


BUDGET: Final = CacheBudget()
"""The budget of the process."""
