"""Limits the total memory of unfinished request bodies."""

from typing import Final

UNCOUNTED_BYTES: Final = 64 * 1024
"""The part of each body that does not count, so that ordinary requests continue at the limit."""

RETRY_SECONDS: Final = 5


class TooManyUnfinishedBytes(Exception):
    """Unfinished request bodies have reached their memory limit."""


class UnfinishedBodies:
    """The request bodies of one process that are still arriving.

    `held` is the number of bytes that count, at most `most`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def begin(self) -> "UnfinishedBody":
        return UnfinishedBody(self)


class UnfinishedBody:
    """A body that is arriving. `end` releases its bytes."""

    __slots__ = ("_bodies", "_counted", "content")

    def __init__(self, bodies: UnfinishedBodies) -> None:
        self._bodies = bodies
        self._counted = 0
        self.content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Append a chunk. Raises: TooManyUnfinishedBytes."""
        counted = max(0, len(self.content) + len(chunk) - UNCOUNTED_BYTES)
        more = counted - self._counted
        if more and self._bodies.held + more > self._bodies.most:
            raise TooManyUnfinishedBytes
        self.content += chunk
        self._bodies.held += more
        self._counted = counted

    def end(self) -> None:
        """Release the bytes of a body that is complete, rejected or abandoned."""
        self._bodies.held -= self._counted
        self._counted = 0
        self.content = bytearray()
