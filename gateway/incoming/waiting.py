"""A queue and an event for one waiter: each of asyncio's own holds 0.8 to 2.5 KB for many.

A process has thousands of WebSockets, and in each of them one task waits.
"""

import asyncio
from typing import Any


class _Waiter:
    """What one task waits for; others that wait, wait for the same."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    async def _woken(self) -> None:
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._future)

    def _wake(self) -> None:
        future, self._future = self._future, None
        if future is not None:
            future.set_result(None)


class Inbox(_Waiter):
    """The methods of `asyncio.Queue` that a connection uses."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[Any] = []

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        self._wake()

    def empty(self) -> bool:
        return not self._messages

    async def get(self) -> Any:
        """The oldest message."""
        while not self._messages:
            await self._woken()
        return self._messages.pop(0)


class Gate(_Waiter):
    """The methods of `asyncio.Event` that a connection uses; open at first."""

    __slots__ = ("_is_open",)

    def __init__(self) -> None:
        super().__init__()
        self._is_open = True

    def is_set(self) -> bool:
        return self._is_open

    def set(self) -> None:
        self._is_open = True
        self._wake()

    def clear(self) -> None:
        self._is_open = False

    async def wait(self) -> bool:
        while not self._is_open:
            await self._woken()
        return True
