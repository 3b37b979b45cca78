"""Storage that fails for whoever reads one of its tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from resolvers.storage import Read, Storage

TABLES: Final = (
    *("booking", "enrolment", "candidate", "event", "room", "centre", "payment", "accommodation"),
    *("organization", "app_user", "external_id", "change_log", "test", "subject", "module"),
    *("notification_endpoint", "notification_delivery"),
)


class ReadFailed(RuntimeError):
    """What a read of the failing table raises."""


@contextmanager
def failing(storage: Storage, table: str) -> Iterator[None]:
    """Every statement that names the table fails meanwhile."""
    real: dict[str, Any] = {"read": storage.read, "tuples": storage.tuples}
    named = re.compile(rf"\b{table}\b(?!\.)")

    def guarded(name: str) -> Any:
        async def read(asked: Read[Any]) -> Any:
            if named.search(storage.statements.of(asked.shape, asked.build).sql):
                raise ReadFailed(table)
            return await real[name](asked)

        return read

    with replaced(storage, {name: guarded(name) for name in real}):
        yield


@contextmanager
def replaced(storage: Storage, methods: dict[str, Any]) -> Iterator[None]:
    """A storage some of whose methods are others."""
    for name, method in methods.items():
        setattr(storage, name, method)
    try:
        yield
    finally:
        for name in methods:
            delattr(storage, name)


@contextmanager
def statements(storage: Storage) -> Iterator[list[str]]:
    """The SQL that is run meanwhile."""
    found: list[str] = []
    real: dict[str, Any] = {"read": storage.read, "tuples": storage.tuples}

    def noted(name: str) -> Any:
        async def read(asked: Read[Any]) -> Any:
            found.append(storage.statements.of(asked.shape, asked.build).sql)
            return await real[name](asked)

        return read

    with replaced(storage, {name: noted(name) for name in real}):
        yield found
