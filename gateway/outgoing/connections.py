"""Connections to receivers: their names are resolved once, and only public addresses are reached.

What resolves to a public address when it is checked and to a private one when it is connected to
would turn the gateway against its own network; so the address that was checked is the one that is
connected to, and TLS still asks for the certificate of the name.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, Final

import httpcore

from gateway.outgoing.resolving import Resolve
from resolvers.notifications.addresses import Address, allowed

MOST_ADDRESSES: Final = 4
"""Of one name, in the order of the resolver; all are checked, so many are tried."""

KEPT_SECONDS: Final = 4.0
"""Unused: less than the 5 s after which common servers close, while we may be writing."""

MOST_KEPT: Final = 32


class Unreachable(Exception):
    """There is no connection. The text says why, and is for the gateway's log only.

    In `lastError` it would distinguish closed ports from silent ones, and names that resolve to
    private addresses from names that do not exist.
    """


class ConnectionFailure(Exception):
    """A connection gave no answer; the text says why, in words for the receiver's owner."""


class Connections:
    """Connections that are open: each is used by one request at a time, and kept for the next.

    httpcore's own pool looks at all of them, several times, for each request.
    """

    def __init__(self, tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend) -> None:
        self._tls, self._network = tls, network
        self._idle: deque[httpcore.AsyncHTTPConnection] = deque()

    @asynccontextmanager
    async def to(self, origin: httpcore.Origin) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection to a receiver for one request, which is not made before the request is."""
        connection = await self._kept(origin) or self._made(origin)
        try:
            yield connection
        finally:
            # a connection that was never made says that it is idle, and closed
            if connection.is_closed() or not connection.is_idle():
                await connection.aclose()
            else:
                self._idle.append(connection)

    async def aclose(self) -> None:
        """Close what is not in use."""
        while self._idle:
            await self._idle.popleft().aclose()

    async def _kept(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        """The one that was used last, if the receiver has not closed it; the oldest are closed."""
        while self._idle and (len(self._idle) > MOST_KEPT or self._idle[0].has_expired()):
            await self._idle.popleft().aclose()
        for connection in reversed(self._idle):
            if connection.can_handle_request(origin):
                self._idle.remove(connection)
                if not connection.has_expired():
                    return connection
                await connection.aclose()
                break
        return None

    def _made(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=self._network,
        )


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """The network as deliveries may use it."""

    def __init__(
        self,
        resolve: Resolve,
        *,
        local: bool,
        seconds: float,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolve, self._local, self._seconds = resolve, local, seconds
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers.

        Raises: Unreachable.
        """
        addresses = await self._addresses(host, port)
        failure = Unreachable("the name does not resolve")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                # one silent address must leave time for the next
                async with asyncio.timeout(self._seconds / len(addresses[:MOST_ADDRESSES])):
                    return _Stream(
                        await self._network.connect_tcp(
                            str(address), port, timeout, local_address, socket_options
                        )
                    )
            except TimeoutError:
                failure = Unreachable("no address answers")
            except httpcore.ConnectError as error:
                failure = Unreachable(_why_not(error))
        raise failure

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """Every address of a host, none of which is forbidden.

        Raises: Unreachable.
        """
        try:
            found = [ip_address(address) for address in await self._resolve(host, port)]
        except (OSError, ValueError):
            raise Unreachable("the name does not resolve") from None
        if not all(allowed(address, local=self._local) for address in found):
            raise Unreachable("the address is not public")
        return found


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that says in plain words why it ends, and is closed whatever ends it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        received = await self._stream.read(max_bytes, timeout)
        if not received:
            raise ConnectionFailure("hung up")
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except httpcore.ConnectError as error:
            raise ConnectionFailure(_why_no_tls(error)) from None
        except BaseException:
            # httpcore closes after an error, and not when an attempt runs out of time
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _why_not(error: BaseException) -> str:
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))
    return "refused the connection" if refused else "cannot be reached"


def _why_no_tls(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "does not speak TLS as we do"
    return "hung up"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what has led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
