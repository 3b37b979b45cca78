"""Serves the files of `exportEvents`.

Rows are read, written and sent in pieces, so a file of any length takes the same memory. After an
error in the middle, the connection ends without the end of the file, so clients can detect that the
file is incomplete.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway import errors
from gateway.auth import Authenticator, Unauthenticated
from gateway.export_addresses import AddressExpired, AddressRefused, ExportAddresses, ExportRequest
from gateway.export_slots import ExportSlots, NoSlot
from resolvers.exports.files import FORMATS
from resolvers.exports.reads import exported_events
from resolvers.refusals import PermissionRefusal
from resolvers.storage import Overloaded, Storage
from resolvers.storage.read import Read
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

METHODS: Final = ("GET", "HEAD")
ROWS: Final = 200
"""The number of rows in memory at a time."""

RETRY_SECONDS: Final = 5
SEND_SECONDS: Final = 30
"""The timeout for a client to receive one piece."""

FILE_SECONDS: Final = 15 * 60
"""The timeout for a file. While it is read, the database keeps deleted rows."""


class _Refused(Exception):
    """The request is refused with a status and one error."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        error = errors.top_level(message, code, **more)
        self.response = _error(status, error, headers)


def _error(status: int, error: errors.Formatted, headers: dict[str, str] | None = None) -> Response:
    return Response(
        errors.encoded({"errors": [error]}),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/json",
    )


def _failure(fault: Exception) -> Response:
    status, answered, headers = errors.failure(fault)
    return _error(status, answered["errors"][0], headers)


class ExportEndpoint:
    """Responds to GET and HEAD at the addresses of files."""

    def __init__(
        self, *, addresses: ExportAddresses, authenticator: Authenticator, storage: Storage
    ) -> None:
        self._addresses = addresses
        self._authenticator = authenticator
        self._storage = storage
        self._slots = ExportSlots()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            asked = self._asked(request)
            viewer = await self._viewer(asked)
            if request.method == "HEAD":
                await send(_start(asked))
                await send({"type": "http.response.body", "body": b""})
                return
        except _Refused as refused:
            await refused.response(scope, receive, send)
            return
        except Exception as fault:
            await _failure(fault)(scope, receive, send)
            return
        await _until_gone(receive, self._in_turn(asked, viewer, scope, receive, send))

    async def _in_turn(
        self, asked: ExportRequest, viewer: Viewer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the file once the viewer has a slot, or the reason why it is not sent."""
        try:
            async with self._slots.slot((viewer.organization_id, viewer.key)):
                # the viewer's rights may have changed while the request waited
                read = await self._read(asked)
                delivery = _Delivery(self._storage, asked, read, send, partial(self._viewer, asked))
                await delivery.send(scope, receive)
        except NoSlot:
            await _no_slot().response(scope, receive, send)
        except _Refused as refused:
            await refused.response(scope, receive, send)
        except Exception as fault:
            await _failure(fault)(scope, receive, send)

    def _asked(self, request: Request) -> ExportRequest:
        if request.method not in METHODS:
            allow = ", ".join(METHODS)
            rule = f"A file is fetched with GET, not {request.method}."
            raise _Refused(405, rule, "METHOD_NOT_ALLOWED", {"allow": allow})
        try:
            return self._addresses.asked(request.path_params["address"])
        except AddressRefused as no:
            raise _Refused(403, str(no.__doc__), "FORBIDDEN") from None
        except AddressExpired as no:
            raise _Refused(410, str(no.__doc__), "EXPIRED") from None

    async def _read(self, asked: ExportRequest) -> Read[Any]:
        """The read of the file, with the caller's current permissions."""
        viewer = await self._viewer(asked)
        return exported_events(viewer, asked.export, now=self._storage.clock())

    async def _viewer(self, asked: ExportRequest) -> Viewer:
        """The caller with its current permissions. Raises: _Refused, if they do not include the
        file."""
        try:
            viewer = await self._authenticator.viewer_of(asked.claims)
            viewer.require(Permission.READ)
        except (Unauthenticated, PermissionRefusal):
            rule = "Whoever asked for this file may not read it any more."
            raise _Refused(403, rule, "FORBIDDEN") from None
        return viewer


def _no_slot() -> _Refused:
    return _Refused(
        503,
        "The gateway is writing as many files as it can; try again later.",
        "OVERLOADED",
        {"retry-after": str(RETRY_SECONDS)},
        retryAfterSeconds=RETRY_SECONDS,
    )


class _Delivery:
    """One file on its way to one client."""

    def __init__(
        self,
        storage: Storage,
        asked: ExportRequest,
        read: Read[Any],
        send: Send,
        viewer: Callable[[], Awaitable[Viewer]],
    ) -> None:
        self._viewer = viewer
        self._storage = storage
        self._asked = asked
        self._read = read
        self._send = send
        self._begun = False

    async def send(self, scope: Scope, receive: Receive) -> None:
        """Send the file, or an error if nothing of the file was sent."""
        try:
            async with asyncio.timeout(FILE_SECONDS), aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    if self._begun:
                        await self._viewer()  # rights may end while the file is sent
                    if piece or not self._begun:
                        await self._give(piece)
                await self._give(b"", more=False)
        except _Refused:
            logger.warning("An export ended: the caller is no longer permitted to read it")
        except Exception as fault:
            if self._begun and isinstance(fault, TimeoutError):
                logger.warning("An export ended: reading and sending it took too long")
                return
            if self._begun and isinstance(fault, Overloaded):
                logger.warning("An export ended: %r", fault.__cause__ or fault)
                return
            failure = _failure(fault)
            if not self._begun:
                await failure(scope, receive, self._send)

    async def _give(self, piece: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            if not self._begun:
                self._begun = True
                await self._send(_start(self._asked))
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _pieces(self) -> AsyncGenerator[bytes]:
        """The bytes of the file, from the first response of the database on."""
        export = self._asked.export
        rows = self._storage.stream(self._read, size=ROWS)
        file = FORMATS[export.format].write(export.fields)
        thread = _Thread()
        try:
            async with aclosing(rows):
                beginning = await thread.do(file.begin)
                async for some in rows:
                    yield beginning + await thread.do(partial(file.add, some))
                    beginning = b""
            yield beginning
            rest = file.end()
            while piece := await thread.do(partial(next, rest, b"")):
                yield piece
        finally:
            thread.end_with(file.close)


def _start(asked: ExportRequest) -> Message:
    headers = {
        "content-type": FORMATS[asked.export.format].content_type,
        "content-disposition": f'attachment; filename="{asked.file_name}"',
        "cache-control": "no-store",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}


class _Thread:
    """Writes a file step by step in a thread, so the event loop stays free."""

    def __init__(self) -> None:
        self._steps = ThreadPoolExecutor(1, "export")

    async def do(self, step: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._steps, step)

    def end_with(self, step: Callable[[], object]) -> None:
        """Take the next step after the previous one has ended."""
        self._steps.submit(step)
        self._steps.shutdown(wait=False)


async def _until_gone(receive: Receive, answer: Coroutine[Any, Any, None]) -> None:
    """Respond to a request, and cancel its work if the client disconnects."""
    answering = asyncio.create_task(answer)
    leaving = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
