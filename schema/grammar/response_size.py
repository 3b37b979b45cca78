"""The limit of a response's size, enforced while the response is built.

A short query can ask for a very large response: nested lists multiply, and a plan that builds each
list once refers to it from many places. A plan therefore first estimates an upper bound, which
costs a few additions for each place. Only after this bound has exceeded the limit are the values
measured, each once.
"""

from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLError

from schema.grammar.executed import ExecutedFields

DEFAULT_BYTES: Final = 16 * 1024 * 1024
CODE: Final = "RESPONSE_TOO_LARGE"

SCALAR_BYTES: Final = 8
"""The assumed size of a value that is not a text: between `true` and an instant."""


class ResponseTooLarge(BaseException):
    """The response would be larger than the limit.

    It ends the whole operation, like a cancellation: neither a plan nor graphql-core treats it as
    the failure of a field.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def error(self, executed: ExecutedFields | None = None) -> GraphQLError:
        """Return the error that replaces the data; `executed` for a mutation."""
        message = (
            f"The response is larger than {self.limit} bytes."
            " Request fewer fields, smaller pages or fewer nested lists."
        )
        if executed is None:
            return GraphQLError(message, extensions={"code": CODE})
        return GraphQLError(
            f"{message} {executed}", extensions={"code": CODE, **executed.extensions}
        )


class ResponseSize:
    """The size of one operation's response so far."""

    __slots__ = ("_bound", "_known", "_own", "_repeats", "_total", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bound = 0
        self._repeats = 1
        self._own = 0
        self._total = 0
        self._known: dict[int, tuple[int, Any]] = {}

    def repeats(self, keys: int, different: int) -> None:
        """Record that rows refer to values of fewer `different` keys."""
        if keys > different:
            self._repeats *= keys - different + 1

    def built(self, answers: list[Any], most_bytes: int) -> None:
        """Add new answers, each of at most about `most_bytes` without the lists in it.

        Raises: ResponseTooLarge.
        """
        self._bound += len(answers) * most_bytes
        if self._bound * self._repeats > self.limit:
            self._require(self._sum(answers))

    def finished(self, answer: Any) -> None:
        """Add the answer of a root field. Raises: ResponseTooLarge."""
        if self._bound * self._repeats > self.limit:
            self._total += self._measured(answer)
            self._require(self._total)

    def _require(self, size: int) -> None:
        if size > self.limit or self._own > self.limit:
            raise ResponseTooLarge(self.limit)

    def _sum(self, values: Iterable[Any]) -> int:
        size = 0
        for value in values:
            size += self._measured(value)
            if size > self.limit:
                break
        return size

    def _measured(self, value: Any) -> int:
        """Return the approximate bytes of a value as JSON, including nested values."""
        kind = value.__class__
        if kind is str:
            return text_bytes(value)
        if kind is not dict and kind is not list:
            return SCALAR_BYTES
        known = self._known.get(id(value))
        if known is not None:
            return known[0]
        own, inner = 2, 0
        if kind is dict:
            own += sum(map(len, value)) + 4 * len(value)
        for part in value.values() if kind is dict else value:
            if part.__class__ is dict or part.__class__ is list:
                inner += self._measured(part)
            else:
                own += text_bytes(part) if part.__class__ is str else SCALAR_BYTES
            if inner > self.limit:
                break
        self._own += own
        self._known[id(value)] = (own + inner, value)  # referenced, so that its id is not reused
        return own + inner


def text_bytes(text: str) -> int:
    """Return the bytes of a text in JSON, before escaping."""
    return 2 + (len(text) if text.isascii() else len(text.encode(errors="replace")))
