"""GraphQL over HTTP, as the GraphQL-over-HTTP specification has it.

Whoever asks for `application/graphql-response+json` gets 4xx for a request that could not be
carried out; everybody else gets `application/json`, and 200 for any well-formed request. Both get
503 with Retry-After if the gateway was too busy, or its database down, for all that they asked.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import lru_cache, partial
from operator import is_
from typing import Final

from graphql import ExecutionResult, OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import errors
from gateway.auth import Authenticator, TokenMissing, Unauthenticated
from gateway.bodies import RETRY_SECONDS, TooManyUnfinishedBytes, UnfinishedBodies
from gateway.deliveries import Delivery
from gateway.disconnecting import ClientWatches
from gateway.framing import EventStream
from gateway.incoming.whole import WHOLE
from gateway.media_types import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    accepts_events_only,
    negotiated,
    negotiated_stream,
)
from gateway.operations import Operations
from gateway.quotas import RETRY_SECONDS as QUOTA_SECONDS
from gateway.quotas import TooMany
from gateway.request import GraphQLRequest, MalformedRequest
from gateway.request_headers import FirstHeaders
from gateway.security_headers import HEADERS
from gateway.streams import Stream, Streams
from resolvers.values import frozen
from resolvers.viewer import Viewer
from schema.grammar.executed import ExecutedFields

logger = logging.getLogger(__name__)

MakeContext = Callable[..., object]
"""What makes an operation's own context."""


NEEDS_STREAM: Final = (
    "A subscription needs a WebSocket at this address, or the header 'Accept: text/event-stream'."
)

CHANGES_CURSOR: Final = b"graphql-changes-cursor"
"""The header that asks for the log position of a query, in the extensions of its result."""

CLIENT_CLOSED_REQUEST: Final = 499
"""The status of a response that no client receives, as nginx names it in its logs."""


class _Refused(Exception):
    """The request is refused with a status and one error."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        extensions: Mapping[str, object] | None = None,
        **headers: str,
    ) -> None:
        super().__init__(message)
        self.status, self.error = status, errors.top_level(message, code, **(extensions or {}))
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Disconnected(Exception):
    """The client has disconnected, and the work for its request was cancelled."""


@frozen
class _Answer:
    """What a response says."""

    status: int
    media_type: str
    body: bytes
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "content-type": f"{self.media_type}; charset=utf-8",
            "cache-control": "no-store",
            **self.more,
        }

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI takes them, with those that every response of the gateway has."""
        length = (b"content-length", str(len(self.body)).encode())
        if not self.more:
            return [*ALWAYS[self.media_type], length]
        named = {**HEADERS, **self.headers}
        return [*((k.lower().encode(), v.encode()) for k, v in named.items()), length]


ALWAYS: Final = {
    media_type: [
        (name.lower().encode(), value.encode())
        for name, value in {**HEADERS, **_Answer(200, media_type, b"").headers}.items()
    ]
    for media_type in (JSON, GRAPHQL_RESPONSE)
}

HEADS: Final = {
    media_type: b"".join(b"%b: %b\r\n" % header for header in headers)
    for media_type, headers in ALWAYS.items()
}


class Endpoint:
    """Answers GET and POST."""

    def __init__(
        self,
        *,
        operations: Operations,
        authenticator: Authenticator,
        make_context: MakeContext,
        max_body_bytes: int,
        bodies: UnfinishedBodies,
        max_response_bytes: int,
        streams: Streams,
    ) -> None:
        self._operations = operations
        self._authenticator = authenticator
        self._make_context = make_context
        self._max_body_bytes = max_body_bytes
        self._bodies = bodies
        self._max_response_bytes = max_response_bytes
        self._streams = streams
        self._watches = ClientWatches()

    async def respond(self, request: Request) -> Response | Stream:
        """The response to any HTTP request; what is wrong with it is said in GraphQL's own form."""
        answer = await self._answer(request)
        if isinstance(answer, Stream):
            return answer
        return Response(answer.body, answer.status, answer.headers)

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a POST as `respond` does, without the layers around it."""
        answer = await self._answer(Request(scope, receive))
        if isinstance(answer, Stream):
            await answer(scope, receive, send)
            return
        if WHOLE in scope.get("extensions", ()) and not answer.more:
            head = HEADS[answer.media_type]
            whole = {"type": WHOLE, "status": answer.status, "head": head, "body": answer.body}
            await send(whole)
            return
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers}
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, request: Request) -> "_Answer | Stream":
        sent = FirstHeaders(request.scope)
        accept = sent.get(b"accept")
        media_type = negotiated(accept)
        try:
            viewer = await self._viewer(sent)
            asked = await self._asked(request, sent)
            kind = self._operations.kind(asked)
            if kind is OperationType.SUBSCRIPTION:
                return await self._stream(request, asked, viewer)
            if kind is OperationType.MUTATION and request.method != "POST":
                raise _Refused(405, "A mutation needs POST.", "METHOD_NOT_ALLOWED", Allow="POST")
            result = await self._result(request, asked, viewer)
        except _Refused as refused:
            told = {"errors": [refused.error]}
            return _Answer(refused.status, media_type, errors.encoded(told), refused.headers)
        except _Disconnected:
            return _Answer(CLIENT_CLOSED_REQUEST, media_type, b"")
        except Exception as fault:
            status, told, headers = errors.failure(fault)
            return _Answer(status, media_type, errors.encoded(told), headers)
        is_mutation = partial(is_, kind, OperationType.MUTATION)
        if result.errors:
            answer = _with_errors(result, media_type, self._max_response_bytes, is_mutation)
        else:
            answered = errors.answer(result)
            body = errors.encoded_within(answered, self._max_response_bytes, is_mutation)
            answer = _Answer(200, media_type, body)
        return _as_events(answer) if accepts_events_only(accept) else answer

    async def _stream(self, request: Request, asked: GraphQLRequest, viewer: Viewer) -> Stream:
        """The response to a subscription.

        Raises: _Refused, if the client accepts no stream, has too many of them, or its token has
        just expired.
        """
        media_type = negotiated_stream(request.headers.get("accept"))
        if media_type is None or request.method == "HEAD":
            raise _Refused(400, NEEDS_STREAM, "BAD_REQUEST")
        try:
            return await self._streams.open(
                asked,
                media_type,
                viewer,
                authorization=request.headers.get("authorization"),
                resume_after=request.headers.get("last-event-id") or None,
            )
        except Unauthenticated as no:
            raise _unauthenticated(no) from None
        except TooMany as too_many:
            raise _too_many(too_many) from None

    async def _result(
        self, request: Request, asked: GraphQLRequest, viewer: Viewer
    ) -> ExecutionResult:
        """The result of an operation. Raises: _Disconnected, _Refused."""
        watch = self._watches.begin(request.receive)
        context = self._make_context(viewer)
        try:
            result = await self._operations.execute(asked, context)
        except asyncio.CancelledError:
            if watch.has_cancelled():
                raise _Disconnected from None
            raise _stopped(self._operations.executed(asked, context)) from None
        finally:
            self._watches.end(watch)
        assert isinstance(result, ExecutionResult), "subscriptions are refused before"
        return result

    async def _viewer(self, headers: FirstHeaders) -> Viewer:
        try:
            return await self._authenticator.viewer(headers.get(b"authorization"))
        except Unauthenticated as no:
            raise _unauthenticated(no) from None

    async def _asked(self, request: Request, headers: FirstHeaders) -> GraphQLRequest:
        try:
            if request.method == "POST":
                _require_json(headers)
                asked = GraphQLRequest.in_body(await self._body(request, headers))
            else:
                asked = GraphQLRequest.in_query(request.query_params)
        except MalformedRequest as malformed:
            raise _Refused(400, str(malformed), "BAD_REQUEST") from None
        if headers.get(CHANGES_CURSOR) == "true":
            return replace(asked, wants_changes_cursor=True)
        return asked

    async def _body(self, request: Request, headers: FirstHeaders) -> bytes:
        """The body, unless it is too large: then no more of it is read than the limit.

        The server limits how long a body may take (`Limits.body_seconds`).
        """
        announced = headers.get(b"content-length") or ""
        if announced.isdigit() and int(announced) > self._max_body_bytes:
            raise self._too_large()
        message = await request.receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self._max_body_bytes:
                raise self._too_large()
            return body  # it arrived with the headers, as most do
        unfinished = self._bodies.begin()
        try:
            while message["type"] == "http.request":
                chunk = message.get("body", b"")
                if len(unfinished.content) + len(chunk) > self._max_body_bytes:
                    raise self._too_large()
                unfinished.add(chunk)
                if not message.get("more_body", False):
                    return bytes(unfinished.content)
                message = await request.receive()
        except TooManyUnfinishedBytes:
            raise _overloaded() from None
        finally:
            unfinished.end()
        raise _Refused(400, "The request body ended early.", "BAD_REQUEST")

    def _too_large(self) -> _Refused:
        rule = f"The request body must not be larger than {self._max_body_bytes} bytes."
        return _Refused(413, rule, "PAYLOAD_TOO_LARGE", Connection="close")


def _unauthenticated(no: Unauthenticated) -> _Refused:
    challenge = "Bearer" if isinstance(no, TokenMissing) else 'Bearer error="invalid_token"'
    return _Refused(401, str(no), "UNAUTHENTICATED", WWW_Authenticate=challenge)


def _too_many(too_many: TooMany) -> _Refused:
    return _Refused(
        429,
        str(too_many),
        too_many.code,
        extensions={"retryAfterSeconds": QUOTA_SECONDS},
        Retry_After=str(QUOTA_SECONDS),
    )


def _as_events(answer: _Answer) -> _Answer:
    """A response as server-sent events, unless it says when to repeat the request."""
    if answer.more:
        return answer
    events = EventStream()
    body = events.result(Delivery(answer.body)) + events.complete()
    return _Answer(200, EVENT_STREAM, body, {"x-accel-buffering": "no"})


def _stopped(executed: ExecutedFields | None) -> _Refused:
    """The gateway stops, and has cancelled the operation; `executed` for a mutation."""
    message = "The gateway stopped before the request had ended."
    return _Refused(
        503,
        message if executed is None else f"{message} {executed}",
        "OVERLOADED",
        extensions={
            "retryAfterSeconds": RETRY_SECONDS,
            **({} if executed is None else executed.extensions),
        },
        Retry_After=str(RETRY_SECONDS),
        Connection="close",
    )


def _overloaded() -> _Refused:
    return _Refused(
        503,
        "The gateway is receiving as many request bodies as it can; try again later.",
        "OVERLOADED",
        extensions={"retryAfterSeconds": RETRY_SECONDS},
        Retry_After=str(RETRY_SECONDS),
        Connection="close",
    )


def _with_errors(
    result: ExecutionResult, media_type: str, most_bytes: int, is_mutation: Callable[[], bool]
) -> _Answer:
    """The response to an operation of which something failed."""
    answered = errors.answer(result)
    seconds = errors.retry_after(answered)
    if seconds is not None:
        return _Answer(503, media_type, errors.encoded(answered), {"retry-after": str(seconds)})
    status = 400 if media_type == GRAPHQL_RESPONSE and errors.is_request_error(result) else 200
    return _Answer(status, media_type, errors.encoded_within(answered, most_bytes, is_mutation))


def _require_json(headers: FirstHeaders) -> None:
    """A browser sends any other type to another site's server without asking that server first."""
    if not _is_json(headers.get(b"content-type") or ""):
        rule = f"The header 'Content-Type' must be {JSON}, in UTF-8."
        raise _Refused(415, rule, "UNSUPPORTED_MEDIA_TYPE", Accept=JSON)


@lru_cache(maxsize=256)
def _is_json(given: str) -> bool:
    media_type, *parameters = (piece.strip().lower() for piece in given.split(";"))
    charsets = [
        p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")
    ]
    return media_type == JSON and charsets in ([], ["utf-8"], ["utf8"])
