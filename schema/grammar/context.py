"""The context of an operation.

It has the viewer, the storage, the loaders, the feed of changes and the URLs of files.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import strawberry

from resolvers.exports.asked import EventExport, ExportedFile
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Idempotency, Storage
from resolvers.storage.batches import Run
from resolvers.storage.paging import MAX_TOTAL_COUNT
from resolvers.storage.read import Read, Row
from resolvers.viewer import Viewer
from schema.grammar.executed import ExecutedFields
from schema.grammar.loaders import Loaders
from schema.grammar.response_size import DEFAULT_BYTES


class Watch(Protocol):
    """A subscriber's watch on the feed of an organization's changes."""

    async def changed(self) -> None:
        """Return once the log may have grown since the last call, or since the watch began."""


class Feed(Protocol):
    """Wakes subscribers. It carries no data: changes are read from the log."""

    def watch(self, organization_id: UUID) -> Watch: ...

    async def turn(self) -> None:
        """Return when a subscriber may read its next change: subscribers take turns."""


class Exports(Protocol):
    """Makes URLs from which files can be downloaded."""

    def file(self, viewer: Viewer, export: EventExport) -> ExportedFile:
        """Return the URL of a file with the data that this viewer may see. Raises: OutOfRange."""


Who = Callable[[], Awaitable[Viewer]]


class Context:
    """The context of one operation: its loaders keep what they read until it ends.

    `who` returns the current viewer; without it, the viewer does not change. `local_notifications`
    permits notifications to this machine, `notification_ports` are the permitted ports besides 443.
    A list is counted up to `max_total_count`. A subscription continues after the cursor
    `resume_after`, which is newer than its argument `after`.
    """

    __slots__ = (
        "_changes_cursor",
        "_doing",
        "_done",
        "_loaders",
        "_who",
        "answered",
        "exports",
        "feed",
        "held",
        "local_notifications",
        "max_response_bytes",
        "max_total_count",
        "notification_ports",
        "resume_after",
        "storage",
        "viewer",
    )

    def __init__(
        self,
        *,
        viewer: Viewer,
        storage: Storage,
        feed: Feed,
        exports: Exports,
        who: Who | None = None,
        local_notifications: bool = False,
        notification_ports: frozenset[int] = frozenset(),
        max_response_bytes: int = DEFAULT_BYTES,
        max_total_count: int = MAX_TOTAL_COUNT,
        resume_after: str | None = None,
    ) -> None:
        self.viewer = viewer
        self._who = who
        self.storage = storage
        self.feed = feed
        self.exports = exports
        self.local_notifications = local_notifications
        self.notification_ports = notification_ports
        self.max_response_bytes = max_response_bytes
        self.max_total_count = max_total_count
        self.resume_after = resume_after
        self._loaders: Loaders | None = None
        self._done: dict[str, Any] = {}
        self._doing: str | None = None
        self._changes_cursor: str | Exception | None = None
        self.answered: dict[str, Any] = {}
        """The answers of a mutation's first fields, which stay what they are."""
        self.held: dict[type, list[Any]] = {}
        """Rows that the last write returned with its outcomes, by table; a payload shows them."""

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.viewer, self.storage)
        return self._loaders

    def renew_loaders(self) -> None:
        """Discard what was read, after a write or before the next change of a subscription."""
        self._loaders = None
        self.held = {}

    @property
    def changes_cursor(self) -> str:
        """The end of the log of changes before this operation read anything else.

        Raises: the error with which reading it failed.
        """
        if isinstance(self._changes_cursor, Exception):
            raise self._changes_cursor
        assert self._changes_cursor is not None, "it is read at the start of an operation"
        return self._changes_cursor

    def note_changes_cursor(self, cursor: str | Exception) -> None:
        self._changes_cursor = cursor

    def cancel(self) -> None:
        """Cancel the reads of this operation, because its client has disconnected."""
        if self._loaders is not None:
            self._loaders.cancel()

    async def renew_viewer(self) -> bool:
        """Read the viewer's rights again; True if they have changed since the last read.

        Raises: the error of `who` for a credential that is no longer valid.
        """
        if self._who is None:
            return False
        before, self.viewer = self.viewer, await self._who()
        changed = self.viewer != before
        if changed:
            self.renew_loaders()
        return changed

    async def once(self, key: str, do: Callable[[], Awaitable[Any]]) -> Any:
        """Return the result of a mutation's root field by its response key; execute it on the first
        call.
        """
        if key not in self._done:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                await asyncio.sleep(0)  # a pending cancellation is raised here
            self._doing = key
            try:
                self._done[key] = await do()
            except Exception as error:
                self._done[key] = error
            self._doing = None  # stays set if it was cancelled
        done = self._done[key]
        if isinstance(done, Exception):
            raise done
        return done

    @property
    def executed(self) -> ExecutedFields:
        """The fields of a mutation that were executed so far; their writes are committed."""
        done = [key for key, done in self._done.items() if not isinstance(done, Exception)]
        return ExecutedFields(done, self._doing)

    @property
    def now(self) -> datetime:
        return self.storage.clock()

    async def read(self, read: Read[Row]) -> list[Row]:
        return await self.storage.read(read)

    async def write(
        self,
        run: Run,
        commands: Sequence[Any],
        *,
        all_or_nothing: bool = False,
        idempotency: Idempotency | None = None,
    ) -> list[Outcome | Refused]:
        """Carry out commands; later reads see their writes."""
        try:
            results = await self.storage.write(
                run, commands, all_or_nothing=all_or_nothing, idempotency=idempotency
            )
        finally:
            self.renew_loaders()
        for result in results:
            if isinstance(result, Outcome):
                for table, row in result.related.items():
                    self.held.setdefault(table, []).append(row)
        return results


Info = strawberry.Info[Context, None]
