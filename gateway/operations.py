"""Carries out GraphQL operations: a document is read and judged once, then executed when it comes.

What executes is behind `Operations.execute`; HTTP and WebSocket know nothing else of it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Final, TypeVar, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    create_source_event_stream,
    execute,
    execute_subscription_event,
    map_source_to_response_event,
    parse,
    validate,
)
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway import errors
from gateway.deliveries import Deliveries, Delivery
from gateway.depth import require_shallow
from gateway.limited_executor import limited, within_limit
from gateway.repeats import require_few_repeats
from gateway.request import GraphQLRequest
from gateway.subscribed import ActiveSubscription, SharedResults
from resolvers.caching import BUDGET, Cache, CacheBudget
from resolvers.viewer import Viewer
from schema.changes.followed import ChangeSource
from schema.grammar.context import Context
from schema.grammar.executed import ExecutedFields
from schema.grammar.log_cursors import CHANGES_CURSOR, cursor_of, note_changes_cursor
from schema.grammar.response_size import DEFAULT_BYTES, ResponseTooLarge
from schema.plan import PlannedDocument, Planner, estimated_plan_bytes

TOKENS: Final = 20_000
"""The longest document; what the largest page of the clients needs is a tenth of it."""

CHARACTER_BYTES: Final = 110
"""How much memory a parsed document takes for each character of its text."""

ABORTED: Final = "Validation aborted."
"""graphql-core's message for a document whose validation exceeds the limit on recursion."""

Responses = AsyncGenerator[ExecutionResult, None]

T = TypeVar("T")


@dataclass(slots=True)
class _Document:
    """A document that was read: either what it is, or what is wrong with it."""

    text: str
    parsed: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    planned: PlannedDocument | None = None
    shared: SharedResults | None = None

    @property
    def is_followed(self) -> bool:
        """Whether it may select a log position, which is read before everything else.

        A payload has it as `cursor`.
        """
        text = self.text
        return CHANGES_CURSOR in text or ("cursor" in text and "mutation" in text)


class Operations:
    """The operations of one schema."""

    def __init__(self, schema: strawberry.Schema, budget: CacheBudget = BUDGET) -> None:
        self._schema: GraphQLSchema = schema._schema
        self._executor = limited(schema.execution_context_class)
        self.planner = Planner(self._schema)
        self._kept: Cache[str, _Document] = Cache(budget)
        self._last: tuple[str, _Document] | None = None

    def prepare(self, text: str, viewer: Viewer) -> tuple[GraphQLError, ...]:
        """Read a document, and compile its operations for viewers with the same rights.

        Returns the errors of a document that is not valid.
        """
        document = self._document(text, is_expected=True)
        if document.planned is not None:
            self.planner.prepare(document.planned, viewer)
        return document.errors

    def kind(self, request: GraphQLRequest) -> OperationType | None:
        """What a request asks for; None if it cannot be carried out, and `execute` says why."""
        document = self._document(request.query)
        if document.planned is None:
            return None
        operation = document.planned.operation(request.operation_name)
        return None if operation is None else operation.operation

    def executed(self, request: GraphQLRequest, context: Any) -> ExecutedFields | None:
        """What was executed of a mutation so far; None for everything else."""
        if self.kind(request) is not OperationType.MUTATION:
            return None
        return context.executed if isinstance(context, Context) else ExecutedFields()

    async def execute(self, request: GraphQLRequest, context: Any) -> ExecutionResult | Responses:
        """Carry out a request: the result, or for a subscription its results as they come.

        Whoever iterates over a subscription closes it. What goes wrong is among the result's
        errors, except that a subscription may also raise what its source raises.
        """
        document = self._document(request.query)
        if document.parsed is None or document.planned is None:
            return ExecutionResult(data=None, errors=list(document.errors))
        if self.kind(request) is OperationType.SUBSCRIPTION:
            source = await self._source(document.parsed, request, context)
            if isinstance(source, ExecutionResult):
                return source
            return self._results(document, request, context, source, lambda result, _: result)
        try:
            if document.is_followed or request.wants_changes_cursor:
                await _begin_to_follow(context)
            result = await self.planner.execute(
                document.planned, request.operation_name, request.variables, context
            )
            if result is None:
                result = await self._by_graphql_core(document.parsed, request, context)
            if request.wants_changes_cursor and self.kind(request) is OperationType.QUERY:
                _extend_with_changes_cursor(result, context)
            return result
        except asyncio.CancelledError:
            _cancel_reads(context)
            raise
        except ResponseTooLarge as too_large:
            _cancel_reads(context)
            return ExecutionResult(None, [too_large.error(self.executed(request, context))])

    async def _by_graphql_core(
        self, document: DocumentNode, request: GraphQLRequest, context: Any
    ) -> ExecutionResult:
        found: ExecutionResult = await within_limit(
            lambda: execute(
                self._schema,
                document,
                context_value=context,
                variable_values=request.variables,
                operation_name=request.operation_name,
                executor_class=self._executor,
                operation_extensions=None,  # Strawberry's executor expects it
                is_awaitable=cast(Any, optimized_is_awaitable),
            ),
            _limit(context),
        )
        return found

    async def subscribe(
        self, request: GraphQLRequest, context: Any
    ) -> ExecutionResult | ActiveSubscription | Deliveries:
        """Accept a subscription, or return the result that says why not.

        One to something else than the log of changes is returned as its results.
        """
        document = self._document(request.query)
        if document.parsed is None or document.planned is None:
            return ExecutionResult(data=None, errors=list(document.errors))
        source = await self._source(document.parsed, request, context)
        if isinstance(source, ExecutionResult):
            return source
        if not isinstance(source, ChangeSource):
            finish = partial(_delivery, _limit(context))
            return self._results(document, request, context, source, finish)
        operation = document.planned.operation(request.operation_name)
        assert operation is not None
        if document.shared is None:
            document.shared = SharedResults(self._schema, document.parsed)
        return ActiveSubscription(
            source,
            partial(self._answers, document, request),
            (request.query, *document.shared.key(operation, request.variables)),
            depends_on_user=document.shared.depend_on_user,
            shows_cursor=document.is_followed,
        )

    async def _source(self, document: DocumentNode, request: GraphQLRequest, context: Any) -> Any:
        """What a subscription follows, or the result that says why it cannot."""
        executor = self._event_executor(document, request, context)
        if isinstance(executor, list):
            return ExecutionResult(None, errors=executor)
        events: Any = create_source_event_stream(executor)
        return await events if isawaitable(events) else events

    def _event_executor(self, document: DocumentNode, request: GraphQLRequest, context: Any) -> Any:
        return self._executor.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=request.variables,
            operation_name=request.operation_name,
            operation_extensions=None,  # Strawberry's executor expects it
        )

    async def _results(
        self,
        document: _Document,
        request: GraphQLRequest,
        context: Any,
        source: AsyncGenerator[Any, None],
        finish: Callable[[ExecutionResult, Any], T],
    ) -> AsyncGenerator[T, None]:
        """What `finish` makes of the result for each event of a source, given both."""
        async with aclosing(source):
            async for event in source:
                [result] = await self._answers(document, request, context, [event])
                yield finish(result, event)

    async def _answers(
        self, document: _Document, request: GraphQLRequest, context: Any, payloads: Sequence[Any]
    ) -> list[ExecutionResult]:
        """The results of events of a subscription, in their order.

        The context notes the cursor of an event if the document may select it.
        """
        if len(payloads) > 1 and document.is_followed:
            return await self._answers_one_by_one(document, request, context, payloads)
        if document.is_followed and isinstance(context, Context):
            cursor = cursor_of(payloads[0])
            if cursor is not None:
                context.note_changes_cursor(cursor)
        try:
            return await self._answers_together(document, request, context, payloads)
        except asyncio.CancelledError:
            _cancel_reads(context)
            raise
        except ResponseTooLarge as too_large:
            _cancel_reads(context)
            if len(payloads) == 1:
                return [ExecutionResult(None, [too_large.error()])]
        return await self._answers_one_by_one(document, request, context, payloads)

    async def _answers_one_by_one(
        self, document: _Document, request: GraphQLRequest, context: Any, payloads: Sequence[Any]
    ) -> list[ExecutionResult]:
        return [
            result
            for payload in payloads
            for result in await self._answers(document, request, context, [payload])
        ]

    async def _answers_together(
        self, document: _Document, request: GraphQLRequest, context: Any, payloads: Sequence[Any]
    ) -> list[ExecutionResult]:
        parsed, planned = document.parsed, document.planned
        assert parsed is not None
        assert planned is not None
        results = await self.planner.events(
            planned, request.operation_name, request.variables, context, payloads
        )
        if results is not None:
            return results
        return [
            await self._event_by_graphql_core(parsed, request, context, payload)
            for payload in payloads
        ]

    async def _event_by_graphql_core(
        self, document: DocumentNode, request: GraphQLRequest, context: Any, payload: Any
    ) -> ExecutionResult:
        async def source() -> AsyncGenerator[Any, None]:
            yield payload

        async def answer(event: Any) -> ExecutionResult:
            found: ExecutionResult = await within_limit(
                lambda: execute_subscription_event(event), _limit(context)
            )
            return found

        executor = self._event_executor(document, request, context)
        results: Any = map_source_to_response_event(executor, source(), answer)
        async with aclosing(results):
            result: ExecutionResult = await anext(results)
        return result

    def _document(self, text: str, *, is_expected: bool = False) -> _Document:
        if self._last is not None and self._last[0] is text:
            return self._last[1]  # a request asks for its document several times
        document = self._kept.get(text)
        if document is None:
            document = self._read(text)
            size = 3_000 + CHARACTER_BYTES * len(text)
            self._kept.put(text, document, size, is_expected=is_expected)
        self._last = (text, document)
        return document

    def _read(self, text: str) -> _Document:
        try:
            parsed = parse(text, max_tokens=TOKENS)
        except GraphQLError as error:
            _drop_traceback(error)
            return _Document(text, None, (error,))
        _separate_tokens(parsed)
        errors = require_few_repeats(parsed)
        if not errors:
            errors = [_clear(error, parsed) for error in validate(self._schema, parsed)]
        if not errors:
            errors = require_shallow(parsed)
        if errors:
            for each in errors:
                _drop_traceback(each)
            return _Document(text, parsed, tuple(errors))
        planned = self.planner.planned(parsed, partial(self._grow, text))
        return _Document(text, parsed, planned=planned)

    def _grow(self, text: str) -> None:
        """Count a plan that was compiled for a kept document."""
        self._kept.grow(text, estimated_plan_bytes(text))


def _separate_tokens(document: DocumentNode) -> None:
    """Remove the links between the tokens of a document, which form cycles.

    The nodes keep their first and last tokens, for the locations of errors. The other tokens are
    freed at once, and all of them when the document is dropped, without the garbage collector.
    """
    token = document.loc.start_token if document.loc else None
    while token is not None:
        token.prev, token.next, token = None, None, token.next


def _drop_traceback(error: GraphQLError) -> None:
    """Release the frames that raised an error, which hold the tokens and the parser."""
    cause: BaseException | None = error
    while cause is not None:
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__


async def _begin_to_follow(context: Any) -> None:
    if isinstance(context, Context):
        await note_changes_cursor(context)


def _extend_with_changes_cursor(result: ExecutionResult, context: Any) -> None:
    """Add the cursor to the extensions of a result, unless it could not be read."""
    with suppress(Exception):
        cursor = {CHANGES_CURSOR: context.changes_cursor}
        result.extensions = {**(result.extensions or {}), **cursor}


def _cancel_reads(context: Any) -> None:
    """Cancel what the loaders of a cancelled operation read: they do so in other tasks."""
    if isinstance(context, Context):
        context.cancel()


def _delivery(most_bytes: int, result: ExecutionResult, change: Any) -> Delivery:
    """The encoded result of a change."""
    payload = errors.encoded_within(errors.answer(result), most_bytes, lambda: False)
    return Delivery(payload, cursor_of(change))


def _limit(context: Any) -> int:
    """The largest response of an operation, in bytes."""
    return context.max_response_bytes if isinstance(context, Context) else DEFAULT_BYTES


def _clear(error: GraphQLError, document: DocumentNode) -> GraphQLError:
    """An error of a document, with its rule."""
    if error.message != ABORTED:
        return error
    if any(isinstance(each, FragmentDefinitionNode) for each in document.definitions):
        return GraphQLError("The fragments are nested too deeply or repeat too many fields.")
    return GraphQLError("The document is too complex to be validated.")
