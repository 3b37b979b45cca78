"""WebSockets after their handshake: the application is called for each message.

A process has thousands of them, and most are idle. No task waits for the next message, no timer
belongs to one connection, and nothing of the handshake is kept.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from websockets.frames import CloseCode, Opcode

from gateway.incoming.frames import (
    Failure,
    FrameReader,
    close_frame,
    control_frame,
    require_valid_close,
    text_frame,
)
from gateway.incoming.limits import State, UnreadOutput

BUSY_SECONDS: Final = 0.05
"""How often a stop looks whether a WebSocket is still busy."""

CLOSE_SECONDS: Final = 10.0
"""How long a client has to confirm that the connection is closed."""

UNREAD_BYTES: Final = 16 * 1024
"""With more output than this, the client has to read before more can be sent."""


class Listener(Protocol):
    """What a WebSocket's messages are for."""

    @property
    def is_busy(self) -> bool:
        """Whether operations run that end by themselves. A stop waits for them."""

    def received(self, text: str | None) -> None:
        """Handle a message; None is one that is not text."""

    def check(self, now: float) -> None:
        """Look at what is overdue; called once a second."""

    def lost(self) -> None:
        """The connection is closed or closing: nothing more is received, or can be sent."""


class OpenSocket(asyncio.Protocol):
    """A WebSocket. Its connection was counted before the handshake."""

    __slots__ = (
        "_address",
        "_closing_timer",
        "_gate",
        "_has_failed",
        "_is_closing",
        "_is_reading",
        "_is_silent",
        "_listener",
        "_most_bytes",
        "_ping_at",
        "_reader",
        "_state",
        "_unread",
        "transport",
    )

    def __init__(self, transport: asyncio.Transport, state: State, address: str) -> None:
        transport.set_write_buffer_limits(UNREAD_BYTES)
        self.transport = transport
        self._state = state
        self._address = address
        self._listener: Listener | None = None
        self._reader: FrameReader | None = None
        self._gate: asyncio.Future[None] | None = None
        self._unread = UnreadOutput(state.limits)
        self._most_bytes = state.limits.first_message_bytes
        self._is_reading = True
        self._is_closing = self._has_failed = self._is_silent = False
        self._closing_timer: asyncio.TimerHandle | None = None
        # those that connected together do not send their pings together
        ping_seconds = state.limits.ping_seconds
        self._ping_at = _loop().time() + random.uniform(0.5, 1) * ping_seconds  # noqa: S311

    def listen(self, listener: Listener) -> None:
        """Call the listener for each message from now on."""
        self._listener = listener

    def permit_large_messages(self) -> None:
        """Accept messages as large as those of an authenticated client."""
        self._most_bytes = self._state.limits.message_bytes

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Work for this connection. A stop of the server waits until it has ended."""
        task = _loop().create_task(work, name=name)
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        return task

    # Sending

    def send_text(self, text: bytes) -> bool:
        """Send a text frame without waiting; it is dropped if the connection is closing.

        Returns False if the client has to read before more can be sent.
        """
        if not self._is_closing and not self.transport.is_closing():
            self.transport.write(text_frame(text))
        return self._gate is None

    async def until_writable(self) -> None:
        """Return once the client has read, or once the connection is lost."""
        if self._gate is not None:
            await asyncio.shield(self._gate)

    def reply(self, text: bytes) -> None:
        """Send a text frame. If the client has to read first, nothing more is read from it."""
        self.send_text(text)
        self._read_only_if_it_reads()

    def close(self, code: int, reason: str) -> None:
        """Close the connection, and wait until the client has confirmed it."""
        if self._say_goodbye(code, reason):
            self._closing_timer = _loop().call_later(CLOSE_SECONDS, self.transport.close)

    def _say_goodbye(self, code: int, reason: str) -> bool:
        if self._is_closing or self.transport.is_closing():
            return False
        self.transport.write(close_frame(code, reason))
        self._is_closing = True
        self._read_again()
        self._release()
        return True

    def _release(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.lost()

    # Receiving

    def data_received(self, data: bytes) -> None:
        self._is_silent = False
        if self._has_failed:
            return
        reader = self._reader
        if reader is None:
            reader = self._reader = FrameReader()
        limits = self._state.limits
        try:
            for kind, payload in reader.messages(
                data, most_bytes=self._most_bytes, most_frames=limits.message_frames
            ):
                self._take(kind, payload)
                if self.transport.is_closing():
                    return
        except Failure as failure:
            self._fail(failure)
        if reader.is_empty or self._has_failed:
            self._reader = None

    def _take(self, kind: Opcode, payload: bytes) -> None:
        """Raises: Failure."""
        if kind is Opcode.CLOSE:
            self._closed_by_client(payload)
        elif self._listener is None:
            return  # what was on its way when the connection was closed
        elif kind is Opcode.TEXT:
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                raise Failure(CloseCode.INVALID_DATA, "a message must be UTF-8") from None
            self._listener.received(text)
        elif kind is Opcode.BINARY:
            self._listener.received(None)
        elif kind is Opcode.PING:
            self.transport.write(control_frame(Opcode.PONG, payload))
            self._read_only_if_it_reads()

    def _closed_by_client(self, payload: bytes) -> None:
        """Raises: Failure."""
        require_valid_close(payload)
        if not self._is_closing:
            self._is_closing = True
            self.transport.write(control_frame(Opcode.CLOSE, payload))
        self._release()
        self.transport.close()

    def _fail(self, failure: Failure) -> None:
        """Say why the connection is closed, and read the rest until the client closes it.

        Closing it earlier would reset the connection, and the client could not read the reason.
        """
        self._has_failed = True
        self.close(failure.code, failure.reason)
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()

    # What the transport says

    def pause_writing(self) -> None:
        self._unread.pause()
        self._gate = _loop().create_future()

    def resume_writing(self) -> None:
        self._unread.resume()
        self._open_gate()
        self._read_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._state.occupancy.leave(self._address)
        self._is_closing = True
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        self._reader = None
        self._open_gate()
        self._release()

    def _open_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set_result(None)

    def _read_only_if_it_reads(self) -> None:
        if self._gate is not None and self._is_reading:
            self._is_reading = False
            self.transport.pause_reading()

    def _read_again(self) -> None:
        if not self._is_reading and not self.transport.is_closing():
            self._is_reading = True
            self.transport.resume_reading()

    # What the server says

    @property
    def is_subscriber(self) -> bool:
        """Whether its client should reconnect after a stop."""
        return not self._is_closing

    def close_overdue(self, now: float) -> None:
        """Drop a client that does not read, and one that has gone without a word."""
        if self._unread.is_stalled(self.transport, now):
            self.transport.abort()
            return
        if self._listener is not None:
            self._listener.check(now)
        if now >= self._ping_at and not self._is_closing:
            self._ping(now)

    def _ping(self, now: float) -> None:
        """Ask the client for a sign of life; without any since the last time, close."""
        if self._is_silent and self._is_reading:
            self._fail(Failure(CloseCode.INTERNAL_ERROR, "keepalive ping timeout"))
            self.transport.close()
        elif not self.transport.is_closing():
            self._is_silent = True
            self._ping_at = now + self._state.limits.ping_seconds
            self.transport.write(control_frame(Opcode.PING))

    def shutdown(self) -> None:
        """Close with 1012 as soon as no operation runs that ends by itself."""
        if self._listener is not None and self._listener.is_busy:
            _loop().call_later(BUSY_SECONDS, self.shutdown)
        else:
            self.restart()

    def restart(self) -> None:
        """Close with 1012: the client may reconnect, and continue after its last cursor."""
        self._say_goodbye(CloseCode.SERVICE_RESTART, "")
        self.transport.close()


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
