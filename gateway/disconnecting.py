"""Cancels the work of an HTTP request whose client has disconnected."""

import asyncio
from typing import Final

from starlette.types import Receive

from resolvers.storage.deadlines import Deadlines

WATCH_AFTER_SECONDS: Final = 0.5
"""How long a request runs before the gateway watches its client.

Even bookings in a rush end earlier, and a watch costs a tenth of the CPU of a booking.
"""


class ClientWatches:
    """The watches of the requests that run, all with one timer."""

    def __init__(self) -> None:
        self._soon = Deadlines[ClientWatch](WATCH_AFTER_SECONDS, lambda watch: watch._begin())

    def begin(self, receive: Receive) -> "ClientWatch":
        """Watch the client of the current task's request, whose body must have been received."""
        watch = ClientWatch(receive)
        self._soon.begin(watch)
        return watch

    def end(self, watch: "ClientWatch") -> None:
        self._soon.end(watch)
        watch.stop()


class ClientWatch:
    """Cancels the task that makes it when the client disconnects, until `stop` is called."""

    __slots__ = ("_receive", "_task", "_watching", "disconnected")

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._receive, self._task = receive, task
        self._watching: asyncio.Task[None] | None = None
        self.disconnected = False

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    def has_cancelled(self) -> bool:
        """Whether this watch alone cancelled the task; the task then continues normally."""
        return self.disconnected and self._task.uncancel() == 0

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="client watch")

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.disconnected = True
        self._task.cancel()
