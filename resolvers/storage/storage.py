"""Storage: what the rest of the program knows of a database."""

import abc
import logging
import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resolvers.storage.batches import BatchOutcomes, Request, Result, Run
from resolvers.storage.idempotency import Idempotency
from resolvers.storage.observing import Observer
from resolvers.storage.outages import Outage
from resolvers.storage.pacing import Pace
from resolvers.storage.read import Read, Row, Statements
from resolvers.storage.writer import LOCK_PATIENCE_SECONDS, Writer

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Storage(abc.ABC):
    """Reads, and commands in batches.

    One instance for each process; `open` before use, `close` after.

    `observer` is shown the changes that are about to be committed.
    `clock` is the only source of `now`; instants it returns are aware. A command that needs a lock
    is tried for `lock_patience_seconds`. One that would wait for other commands longer than
    `wait_seconds` is refused at once.
    """

    dialect_name: str

    def __init__(
        self,
        observer: Observer,
        *,
        clock: Clock = utc_now,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
        wait_seconds: float = math.inf,
    ) -> None:
        self.observer = observer
        self.clock = clock
        self.statements = Statements(self.dialect_name)
        self.when_changed: list[Callable[[Mapping[UUID, int]], None]] = []
        self.when_queued: list[Callable[[Mapping[UUID, int]], None]] = []
        self._outage = Outage()
        self._writer = Writer(
            self._transact,
            self._outage,
            lock_patience_seconds=lock_patience_seconds,
            pace=Pace(wait_seconds),
        )

    @abc.abstractmethod
    async def open(self) -> None: ...

    async def close(self) -> None:
        """Finish the commands that wait, then let go of the database."""
        await self._writer.close()
        self._outage.close()
        await self._disconnect()

    @abc.abstractmethod
    async def read(self, read: Read[Row]) -> list[Row]:
        """The rows of a read, as last committed. Raises: Overloaded."""

    @abc.abstractmethod
    async def tuples(self, read: Read[Any]) -> Sequence[Sequence[Any]]:
        """The rows of a read by position, without making named rows of them."""

    @abc.abstractmethod
    def stream(self, read: Read[Any], *, size: int) -> AsyncGenerator[Sequence[Sequence[Any]]]:
        """The rows of a read by position, at most `size` at a time, all of one moment.

        It has a connection of its own until it is closed (`contextlib.aclosing`), and keeps the
        database from clearing up what has changed meanwhile: whoever reads must not dawdle.
        """

    async def write(
        self,
        run: Run,
        commands: Sequence[Any],
        *,
        all_or_nothing: bool = False,
        idempotency: Idempotency | None = None,
    ) -> list[Result]:
        """Carry out commands of one kind; see `Writer.write`."""
        return await self._writer.write(
            run, commands, all_or_nothing=all_or_nothing, idempotency=idempotency
        )

    async def is_writable(self) -> bool:
        """Whether commands can be carried out at present."""
        return await self._writer.is_writable()

    @abc.abstractmethod
    async def gather_statistics(self) -> list[str]:
        """Gather the planner's statistics if tables have grown; the names of those that have."""

    @abc.abstractmethod
    async def _disconnect(self) -> None: ...

    @abc.abstractmethod
    async def _transact(self, requests: list[Request]) -> BatchOutcomes:
        """Carry out a batch in one transaction and commit it."""

    def _tell(self, changed: dict[UUID, int], *, queued: bool) -> None:
        """After a commit: say which organizations' logs have grown, and to which position.

        If background work was `queued`, those who do it are told, too.
        """
        if not changed:
            return
        for told in [*self.when_changed, *(self.when_queued if queued else ())]:
            try:
                told(changed)
            except Exception:  # what is committed must be answered
                logger.exception("An observer of commits failed")
