"""Limits the connections and subscriptions of one viewer in this process."""

from collections import Counter
from typing import Final
from uuid import UUID

from resolvers.values import frozen
from resolvers.viewer import Viewer

RETRY_SECONDS: Final = 5
OPERATIONS_PER_CONNECTION: Final = 100
SUBSCRIPTIONS_FOR_EACH: Final = 10
"""The default number of subscriptions of a viewer for each connection that it may have."""


class TooMany(Exception):
    """A viewer has reached a limit. The message is for the caller."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(
            f"You have {most} open {what}, the limit for one caller. Close some of them first."
        )
        self.code = f"TOO_MANY_{what.upper()}"


class Quota:
    """At most `most` places for each viewer."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most = what, most
        self._taken: Counter[tuple[UUID, str]] = Counter()

    def place(self, viewer: Viewer) -> "QuotaPlace":
        """Take a place. Raises: TooMany."""
        key = (viewer.organization_id, viewer.key)
        if self._taken[key] >= self._most:
            raise TooMany(self._what, self._most)
        self._taken[key] += 1
        return QuotaPlace(self._taken, key)


class QuotaPlace:
    """A taken place. It is released by `close`, at the latest at the end of a `with` block."""

    __slots__ = ("_key", "_taken")

    def __init__(self, taken: "Counter[tuple[UUID, str]]", key: tuple[UUID, str]) -> None:
        self._taken = taken
        self._key: tuple[UUID, str] | None = key

    def close(self) -> None:
        """Release the place, once."""
        key, self._key = self._key, None
        if key is not None:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]

    def __enter__(self) -> "QuotaPlace":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@frozen
class Quotas:
    """The quotas of one process. A stream over HTTP is a connection with one subscription.

    `operations` is the number of operations that one WebSocket may have at a time.
    """

    connections: Quota
    subscriptions: Quota
    operations: int = OPERATIONS_PER_CONNECTION

    @classmethod
    def of(
        cls,
        *,
        connections: int,
        subscriptions: int | None = None,
        operations: int = OPERATIONS_PER_CONNECTION,
    ) -> "Quotas":
        if subscriptions is None:
            subscriptions = SUBSCRIPTIONS_FOR_EACH * connections
        return cls(
            Quota("connections", connections),
            Quota("subscriptions", subscriptions),
            operations,
        )
