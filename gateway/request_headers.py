"""The headers of a request as most requests need them: a few of them, each once."""

from starlette.types import Scope


class FirstHeaders:
    """The first value of each header. Starlette's own search all headers for each name."""

    __slots__ = ("_values",)

    def __init__(self, scope: Scope) -> None:
        self._values: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def get(self, name: bytes) -> str | None:
        """The value of a header, whose name is given in lower case; None without it."""
        value = self._values.get(name)
        return None if value is None else value.decode("latin-1")
