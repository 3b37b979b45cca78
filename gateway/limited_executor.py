"""graphql-core's executor with a limit on the size of the response.

graphql-core treats an exception as the failure of one field and continues with the others, so an
execution that has become too large is cancelled: its task, and with it everything that it awaits.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any, Final

from schema.grammar.response_size import SCALAR_BYTES, ResponseTooLarge, text_bytes

KEY_BYTES: Final = 16
"""The size of a field in addition to its value: its key and the separators."""

OBJECT_BYTES: Final = 256
"""The size of an object. Until the response is complete, graphql-core holds about 4 kB for each."""


class _Execution:
    """The size of one execution's response so far."""

    __slots__ = ("_bytes", "_limit", "is_too_large", "task")

    def __init__(self, limit: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.is_too_large = False
        self._limit = limit
        self._bytes = 0

    def count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limit and not self.is_too_large:
            self.is_too_large = True
            self.task.cancel()


_RUNNING: ContextVar[_Execution] = ContextVar("execution")


async def within_limit(execute: Callable[[], Any], limit: int) -> Any:
    """The result of an execution by a class of `limited`. Raises: ResponseTooLarge."""
    execution = _Execution(limit)
    token = _RUNNING.set(execution)
    try:
        result = execute()
        if isawaitable(result):
            result = await result
        if execution.is_too_large:
            await asyncio.sleep(0)  # receives the cancellation, if nothing has awaited since
    except asyncio.CancelledError:
        if not execution.is_too_large or execution.task.uncancel() > 0:
            raise
    finally:
        _RUNNING.reset(token)
    if execution.is_too_large:
        raise ResponseTooLarge(limit)
    return result


def limited(executor_class: type[Any]) -> type[Any]:
    """The class of executors that count what they complete; for `within_limit` only."""

    class LimitedExecutor(executor_class):  # type: ignore[misc]
        """Counts leaves and objects."""

        _execution: _Execution | None = None

        def complete_leaf_value(self, return_type: Any, result: Any) -> Any:
            value = super().complete_leaf_value(return_type, result)
            size = text_bytes(value) if isinstance(value, str) else SCALAR_BYTES
            self._count(size + KEY_BYTES)
            return value

        def complete_object_value(self, *given: Any, **named: Any) -> Any:
            self._count(OBJECT_BYTES)
            return super().complete_object_value(*given, **named)

        def execute_fields_serially(
            self, parent_type: Any, source: Any, path: Any, fields: Any, *given: Any
        ) -> Any:
            """A mutation whose first fields a plan has answered is executed from there on."""
            answered = getattr(self.context_value, "answered", None)
            if not answered:
                return super().execute_fields_serially(parent_type, source, path, fields, *given)
            left = {key: details for key, details in fields.items() if key not in answered}
            found = super().execute_fields_serially(parent_type, source, path, left, *given)
            return _merged(answered, found) if isawaitable(found) else {**answered, **found}

        def _count(self, size: int) -> None:
            execution = self._execution
            if execution is None:
                execution = self._execution = _RUNNING.get()
            execution.count(size)

    return LimitedExecutor


async def _merged(answered: dict[str, Any], found: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return {**answered, **await found}
