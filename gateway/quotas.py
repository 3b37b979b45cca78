"""How many connections and subscriptions one viewer can have in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from resolvers.values import frozen
from resolvers.viewer import Viewer

RETRY_SECONDS: Final = 5
OPERATIONS_PER_CONNECTION: Final = 100
SUBSCRIPTIONS_FOR_EACH: Final = 10
"""By default, a viewer can have this many subscriptions for each connection that it can have."""


class TooMany(Exception):
    """A viewer has as many of something as it can have. The message is for the caller."""

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

    @contextmanager
    def place(self, viewer: Viewer) -> Iterator[None]:
        """Hold a place. Raises: TooMany."""
        key = (viewer.organization_id, viewer.key)
        if self._taken[key] >= self._most:
            raise TooMany(self._what, self._most)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


@frozen
class Quotas:
    """The quotas of one process. A stream over HTTP is a connection with one subscription.

    `operations` is how many operations one WebSocket can have at a time.
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
