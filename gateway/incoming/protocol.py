"""HTTP as uvicorn speaks it, with limits on what a client can hold.

uvicorn limits neither headers nor the time that a request takes to arrive, and waits forever for a
client that does not read. Here each connection has a deadline for what its client must do next; the
server calls `close_overdue` of all connections once a second, because a timer for each request
costs more than parsing it.

Data goes to the parser in pieces of at most `Limits.header_bytes`. The parser keeps an incomplete
line and copies it with each piece that it receives, so that much may arrive without completing
anything, and no more.
"""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import httptools
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway import errors
from gateway.incoming.limits import Limits, State, UnreadOutput, address_of
from gateway.incoming.whole import WHOLE, send_whole
from gateway.security_headers import HEADERS

RETRY_SECONDS: Final = 5

WHEN_STOPPING: Final = "when_stopping"
"""The function in the `state` of an HTTP request's scope for responses that never end.

The application calls it with a function that ends the response; the server calls that at a stop.
"""

SHUTTING_DOWN: Final = "The gateway stopped before the request had ended."
"""For what is cancelled outside of an operation; the endpoint says more of those."""


class _Excess(Exception):
    """A request exceeds a limit: it gets an error, and its connection is closed."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class LimitedProtocol(HttpToolsProtocol):
    """HTTP, up to a request that becomes a WebSocket."""

    def __init__(
        self, config: Config, server_state: State, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits: Limits = server_state.limits
        self._occupancy = server_state.occupancy
        self._unread = UnreadOutput(server_state.limits)
        self._is_counted = False
        self._is_handed_over = False
        self._phase_seconds = math.inf
        self._deadline = math.inf
        self._messages = 0
        self._in_message = self._in_head = False
        self._header_bytes = 0
        self._bytes_without_progress = 0
        self._has_progress = False
        self._end_stream: Callable[[], None] | None = None
        self._is_stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_counted = self._occupancy.enter(address_of(self.client))
        if self._is_counted:
            self._begin_phase(self._limits.first_request_seconds)
        else:
            self._refuse(_Excess(503, "Too many connections; try again later.", "OVERLOADED"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_counted:
            self._is_counted = False
            self._occupancy.leave(address_of(self.client))
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._is_counted = False  # LimitedSocket gives the place back
        self._is_handed_over = True
        super().handle_websocket_upgrade()
        del self.parser  # which refers to this, and would keep both until the next collection

    def close_overdue(self, now: float) -> None:
        """Close the connection if its client has not sent, or not read, what it must by now."""
        if self._unread.is_stalled(self.transport, now):
            self.transport.abort()
        elif now < self._deadline or self.transport.is_closing():
            return
        elif self.flow.read_paused:  # the client can send nothing
            self._deadline = now + self._phase_seconds
        elif self._in_message:
            self._refuse(_Excess(408, "The request took too long to arrive.", "REQUEST_TIMEOUT"))
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        self._unread.pause()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread.resume()
        super().resume_writing()

    # Data from the client

    def data_received(self, data: bytes) -> None:
        most = self._limits.header_bytes
        try:
            while data and not (self._is_handed_over or self.transport.is_closing()):
                room = most - self._header_bytes if self._in_head else most
                self._parse(data[:room])
                data = data[room:]
        except _Excess as excess:
            self._refuse(excess)

    def _parse(self, piece: bytes) -> None:
        """Give a piece to the parser. Raises: _Excess."""
        was_in_message, before = self._in_message, self._messages
        headers = self.headers
        known = len(headers or ())
        self._has_progress = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _Excess):
                raise error.__context__ from None
            raise _Excess(400, "The request is not valid HTTP.", "BAD_REQUEST") from None
        if not self._in_message:
            return
        if self._in_head:
            if self._messages == before + (not was_in_message):  # the piece is of one head only
                self._header_bytes += len(piece)
            if self._header_bytes >= self._limits.header_bytes:
                raise self._too_large()
        elif self._has_progress or self.headers is not headers or len(self.headers) != known:
            self._bytes_without_progress = 0
        else:
            self._bytes_without_progress += len(piece)
            if self._bytes_without_progress > self._limits.header_bytes:
                raise self._too_large()
        if len(self.headers) > self._limits.header_lines:
            raise self._too_large()

    def _too_large(self) -> _Excess:
        rule = (
            f"A request must not have more than {self._limits.header_lines} headers"
            f" or {self._limits.header_bytes} bytes of headers."
        )
        return _Excess(431, rule, "HEADERS_TOO_LARGE")

    # What the parser has found

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._messages += 1
        self._in_message = self._in_head = True
        self._header_bytes = self._bytes_without_progress = 0
        self._begin_phase(self._limits.header_seconds)

    def on_headers_complete(self) -> None:
        """Raises: _Excess, before the application sees the request."""
        if len(self.headers) > self._limits.header_lines:
            raise self._too_large()
        if len(self.pipeline) >= self._limits.pipelined_requests:
            raise _Excess(503, "Too many pipelined requests.", "OVERLOADED")
        super().on_headers_complete()
        self._in_head = False
        self._begin_phase(self._limits.body_seconds)
        if not self.parser.should_upgrade():
            self.headers = []  # trailers, which are not headers of the request

    def on_chunk_header(self) -> None:
        self._has_progress = True

    def on_body(self, body: bytes) -> None:
        self._has_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._deadline = math.inf
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:  # before all of the body
            self._begin_phase(self.timeout_keep_alive)

    def _begin_phase(self, seconds: float) -> None:
        self._phase_seconds = seconds
        self._deadline = self.loop.time() + seconds

    # The end

    @property
    def is_subscriber(self) -> bool:
        """Whether it has a response that never ends by itself."""
        return self._end_stream is not None

    def shutdown(self) -> None:
        super().shutdown()
        self._is_stopping = True
        if self._end_stream is not None:
            self._end_stream()

    def _when_stopping(self, end: Callable[[], None]) -> None:
        self._end_stream = end
        if self._is_stopping:
            end()

    def on_response_complete(self) -> None:
        """Begin the next request, or wait for one; `close_overdue` closes an idle connection."""
        self._end_stream = None
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self._in_message:
            self._begin_phase(self.timeout_keep_alive)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.scope["state"][WHEN_STOPPING] = self._when_stopping
        super()._start_asgi_task(cycle, partial(self._until_stopped, cycle, app))

    async def _until_stopped(
        self,
        cycle: RequestResponseCycle,
        app: ASGI3Application,
        scope: Scope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        """Run the application; when the server cancels it, answer with 503, or drop the client."""

        async def send_either(message: Any) -> None:
            if message["type"] == WHOLE:
                await send_whole(cycle, message)
            else:
                await send(message)

        scope.setdefault("extensions", {})[WHOLE] = {}  # type: ignore[typeddict-item]
        try:
            await app(scope, receive, send_either)
        except asyncio.CancelledError:
            if not cycle.response_started and not self.transport.is_closing():
                self.transport.write(_response(_Excess(503, SHUTTING_DOWN, "OVERLOADED")))
                self.transport.close()
            elif not cycle.response_complete:
                self.transport.abort()
            cycle.disconnected = True

    def _refuse(self, excess: _Excess) -> None:
        """Answer with an error if no other response is due first, and close the connection."""
        if not self.transport.is_closing() and self._is_next_to_answer():
            self.transport.write(_response(excess))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _is_next_to_answer(self) -> bool:
        """Whether the next response belongs to the message that is being received."""
        if self.cycle is None:
            return True
        if self._in_head or not self._in_message:
            return self.cycle.response_complete
        return not (self.pipeline or self.cycle.response_started)


def _response(excess: _Excess) -> bytes:
    """A whole response with the form of the endpoint's own errors."""
    retries = {"retryAfterSeconds": RETRY_SECONDS} if excess.status == 503 else {}
    body = errors.encoded({"errors": [errors.top_level(str(excess), excess.code, **retries)]})
    headers = {
        **HEADERS,
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-store",
        "content-length": str(len(body)),
        "connection": "close",
        **({"retry-after": str(RETRY_SECONDS)} if retries else {}),
    }
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[excess.status] + lines.encode() + b"\r\n" + body
