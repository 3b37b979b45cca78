"""One attempt to deliver a message over HTTP, with httpcore."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from typing import Final

import httpcore

from gateway.outgoing.answers import Answer
from gateway.outgoing.connections import CheckedBackend, ConnectionFailure, Connections, Unreachable
from gateway.outgoing.resolving import Resolve
from gateway.outgoing.unreached import UnreachedReceivers
from resolvers.notifications.urls import Receiver

MOST_BYTES: Final = 64 * 1024
"""Of an answer that are read; they mean nothing, and are read so that the connection is kept."""

USER_AGENT: Final = "booking-gateway"


class Attempts:
    """Makes attempts, over connections that are kept for the next to the same receiver."""

    def __init__(
        self,
        *,
        local: bool,
        tls: ssl.SSLContext | None,
        resolve: Resolve,
        network: httpcore.AsyncNetworkBackend | None,
        seconds: float,
    ) -> None:
        self._seconds = seconds
        self._unreached = UnreachedReceivers()
        self._connections = Connections(
            tls or httpcore.default_ssl_context(),
            CheckedBackend(resolve, local=local, seconds=seconds, network=network),
        )

    async def aclose(self) -> None:
        """Close what is open; nothing may be under way."""
        await self._connections.aclose()

    async def make(self, to: Receiver, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body once. Nothing that a receiver does is an exception."""
        status: int | None = None
        request = _request(to, headers, body)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._connections.to(request.url.origin) as connection,
            ):
                response = await connection.handle_async_request(request)
                # the answer is given, and is not asked for again if its body never ends
                status = response.status
                await _read(response)
        except ConnectionFailure as broken:
            error = str(broken)
        except Unreachable as unreachable:
            error = self._not_reached(to, str(unreachable))
        except TimeoutError:
            error = self._not_reached(to, "no answer in time")
        except httpcore.RemoteProtocolError:
            error = "did not answer in HTTP"
        except httpcore.NetworkError:
            error = "hung up"
        else:
            return Answer(status)
        return Answer(status) if status is not None else Answer(error=error)

    def _not_reached(self, to: Receiver, why: str) -> str:
        """One text for whatever keeps an answer away; the log alone has the reason."""
        self._unreached.failed(to.authority, why)
        return f"could not be reached, or did not answer within {self._seconds:g} s"


def _request(to: Receiver, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    url = httpcore.URL(
        scheme=to.scheme.encode(), host=to.host.encode(), port=to.port, target=to.target.encode()
    )
    all_headers = [
        ("Host", to.authority),
        ("User-Agent", USER_AGENT),
        *headers.items(),
        ("Content-Length", str(len(body))),
    ]
    return httpcore.Request("POST", url, headers=all_headers, content=body)


async def _read(response: httpcore.Response) -> None:
    """Read an answer to its end, so that the connection can be kept, or leave it when too long."""
    length = 0
    parts = response.aiter_stream()  # a generator, though it is not said to be one
    async with aclosing(response), aclosing(parts):  # type: ignore[type-var]
        async for part in parts:
            length += len(part)
            if length > MOST_BYTES:
                return
