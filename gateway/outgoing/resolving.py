"""Looks up the addresses of names."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, as text; raises OSError when there are none."""

MOST_LOOKUPS: Final = 8
"""At the same time. A name whose servers are silent keeps a thread for longer than an attempt."""


class Resolver:
    """Asks the system, in threads of its own: slow names must not hold up the gateway's work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST_LOOKUPS, thread_name_prefix="names")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _looked_up, host, port
        )
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Stop asking; a lookup that is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _looked_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
