"""Statements of SQLite in threads that end when the task that waits for them is cancelled."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

Value = TypeVar("Value")

FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.1
"""Seconds between two interrupts of one statement."""


class NotNeeded(Exception):
    """The task that waits for the statement was cancelled before the statement began."""


class _Call(Generic[Value]):
    """A call with a connection, in a thread; `interrupt` ends it and never a later one."""

    def __init__(
        self,
        connection: Callable[[], sqlite3.Connection],
        call: Callable[[sqlite3.Connection], Value],
    ) -> None:
        self._connect, self._call = connection, call
        self._lock = threading.Lock()
        self._running: sqlite3.Connection | None = None
        self._ended = False

    def run(self) -> Value:
        connection = self._connect()
        with self._lock:
            if self._ended:
                raise NotNeeded
            self._running = connection
        try:
            return self._call(connection)
        finally:
            with self._lock:
                self._running, self._ended = None, True

    def interrupt(self) -> bool:
        """Interrupt the call, or prevent it. Returns whether it may still be running."""
        with self._lock:
            if self._running is None:
                self._ended = True
                return False
            self._running.interrupt()
            return True


async def run_interruptibly(
    executor: Executor,
    connection: Callable[[], sqlite3.Connection],
    call: Callable[[sqlite3.Connection], Value],
) -> Value:
    """What `call` returns for the connection of a thread; cancelling interrupts its statement."""
    one = _Call(connection, call)
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(executor, one.run)
    except asyncio.CancelledError:
        _interrupt(loop, one, FIRST_PAUSE)
        raise


def _interrupt(loop: asyncio.AbstractEventLoop, call: _Call[Value], pause: float) -> None:
    """Interrupt a call until it has ended: SQLite ignores an interrupt between two statements."""
    if call.interrupt():
        loop.call_later(pause, _interrupt, loop, call, min(2 * pause, LONGEST_PAUSE))
