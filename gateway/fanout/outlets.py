"""Where a subscriber's results go."""

from typing import Protocol


class Outlet(Protocol):
    """One subscription on one connection."""

    def send(self, payload: bytes, cursor: str) -> bool:
        """Send a result, the JSON of a response; `cursor` is the change's place in the log.

        The result is accepted in any case. Returns False if the client has to read before more can
        be sent.
        """

    async def writable(self) -> None:
        """Return once more can be sent, or once the connection is lost."""

    def fail(self, error: Exception) -> None:
        """Say why nothing more is delivered."""

    def close(self) -> None:
        """Nothing more is delivered, for whatever reason; called once, before `fail`."""
