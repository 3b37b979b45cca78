"""How much one client, and all clients together, can hold of the process."""

import asyncio
import logging
import math
from collections import Counter
from ipaddress import IPv6Address, ip_address
from typing import Final

from uvicorn.server import ServerState

from resolvers.values import frozen

logger = logging.getLogger(__name__)

CLIENT_BITS: Final = 64
"""A client of IPv6 usually has a network with this prefix, and every address in it."""

UNKNOWN: Final = ""
"""The address of a client that has none, such as one at a Unix socket."""


@frozen(kw_only=True)
class Limits:
    """The limits of connections."""

    connections: int = 2_000
    connections_per_address: int = 500
    header_bytes: int = 32 * 1024
    header_lines: int = 100
    header_seconds: float = 10
    first_request_seconds: float = 30
    body_seconds: float = 40
    """For every path, whether the body is read or not; the endpoint answers with 408 earlier."""
    pipelined_requests: int = 32
    unread_seconds: float = 30
    """Within this time, a client must read all that waits for it, or `unread_bytes` of it."""
    unread_bytes: int = 128 * 1024
    first_message_bytes: int = 64 * 1024
    """The largest message of a WebSocket before its client is authenticated."""
    message_bytes: int = 256 * 1024
    """The largest message of a WebSocket after that."""
    message_frames: int = 1_000
    ping_seconds: float = 20
    """How often a WebSocket is pinged; by the next time, its client must have sent something."""
    report_seconds: float = 60


class Occupancy:
    """The number of connections, in total and for each address."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: Counter[str] = Counter()
        self._rejected = 0
        self._report_at = -math.inf
        self.total = 0

    def enter(self, address: str) -> bool:
        """Count a connection of an address; False if it would be above a limit."""
        if (
            self.total >= self._limits.connections
            or self._by_address[address] >= self._limits.connections_per_address
        ):
            self._rejected += 1
            return False
        self.total += 1
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Forget a connection that was counted and has ended."""
        self.total -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def report(self, now: float) -> None:
        """Log how many connections were rejected, at most once in `report_seconds`."""
        if not self._rejected or now < self._report_at:
            return
        logger.warning(
            "Rejected %d connections: at most %d may be open, and %d of one address; %d are open",
            self._rejected,
            self._limits.connections,
            self._limits.connections_per_address,
            self.total,
        )
        self._rejected = 0
        self._report_at = now + self._limits.report_seconds


class State(ServerState):
    """What the connections of a server share."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.occupancy = Occupancy(limits)


class UnreadOutput:
    """Whether the client of a connection reads what is sent to it.

    Output waits while the transport has asked to pause, or is closing. `pause` and `resume` are
    called when the transport asks for it.
    """

    __slots__ = ("_bytes", "_is_paused", "_limits", "_since")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._is_paused = False
        self._since = math.inf
        self._bytes = 0

    def pause(self) -> None:
        self._is_paused, self._since = True, math.inf

    def resume(self) -> None:
        self._is_paused, self._since = False, math.inf

    def is_stalled(self, transport: asyncio.Transport, now: float) -> bool:
        """Whether the client has read too little for too long."""
        if not (self._is_paused or transport.is_closing()):
            return False
        unread = transport.get_write_buffer_size()
        if self._since == math.inf or unread <= self._bytes - self._limits.unread_bytes:
            self._since, self._bytes = now, unread
        return now - self._since >= self._limits.unread_seconds


def address_of(client: tuple[str, int] | None) -> str:
    """The address by which the connections of a client are counted."""
    if client is None:
        return UNKNOWN
    try:
        address = ip_address(client[0])
    except ValueError:
        return client[0]
    if not isinstance(address, IPv6Address):
        return client[0]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> CLIENT_BITS:x}::"
