"""Creates the service. This is the only module that joins its parts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.auth import Authenticator
from gateway.bodies import UnfinishedBodies
from gateway.change_feed import ChangeFeed
from gateway.embedded_worker import EmbeddedWorker
from gateway.endpoint import Endpoint
from gateway.export_addresses import PATH as EXPORTS
from gateway.export_addresses import ExportAddresses
from gateway.exports import ExportEndpoint
from gateway.fanout import Hub
from gateway.health import Health
from gateway.hosts import Hosts, host_of, is_local
from gateway.operations import Operations
from gateway.origins import Origins
from gateway.page import Assets, Page, asks_for_page
from gateway.quotas import Quotas
from gateway.security_headers import SecurityHeaders
from gateway.settings import EMBEDDED, Settings
from gateway.stopping import StopTimes
from gateway.streams import Stream, Streams
from gateway.wakeups import wakeups_of
from gateway.warming import warm
from gateway.websocket import SocketEndpoint
from gateway.worker import make_worker
from resolvers.caching import BUDGET, MIB
from resolvers.notifications import outbox
from resolvers.storage import Clock, Storage, storage_at, utc_now
from resolvers.viewer import Viewer
from schema.grammar.context import Context, Who

PATH = "/graphql"


def create_app(
    settings: Settings,
    schema: strawberry.Schema,
    *,
    host: str | None = None,
    clock: Clock = utc_now,
) -> "Gateway":
    """The service for these settings, with the background work unless they disable it.

    `host` is the address at which the service listens; requests may use it as host name.

    Raises: WrongSetting, WrongHost.
    """
    BUDGET.resize(settings.cache_mib * MIB)
    storage = storage_at(
        settings.database_url,
        outbox.fill,
        clock=clock,
        wait_seconds=settings.max_wait_ms / 1000,
        statement_seconds=settings.statement_seconds,
    )
    feed = ChangeFeed(storage, wakeups_of(settings), poll_seconds=settings.poll_seconds)
    operations = Operations(schema)
    endpoint, sockets, routes = _routes(settings, operations, storage, feed)
    hub = sockets.hub

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(storage.close)
            await storage.open()
            closing.push_async_callback(feed.close)
            await feed.start()
            closing.callback(hub.close)
            warming = warm(operations, settings.operations_manifest)
            await closing.enter_async_context(_in_background(warming, "warming"))
            if settings.worker == EMBEDDED:
                worker = EmbeddedWorker(partial(make_worker, storage, settings))
                seconds = StopTimes.within(settings.shutdown_seconds).background
                await closing.enter_async_context(_working(worker, seconds))
            yield

    app = Gateway(routes=routes, lifespan=lifespan, middleware=[Middleware(SecurityHeaders)])
    app.state.storage = storage
    app.endpoint = endpoint
    app.sockets = sockets
    app.origins = Origins(settings.allowed_origins)
    app.hosts = Hosts([*settings.allowed_hosts, *([] if host is None else [host_of(host)])])
    return app


class Gateway(Starlette):
    """The application. GraphQL requests bypass Starlette's layers, because they are the most
    frequent."""

    endpoint: Endpoint
    sockets: SocketEndpoint
    hosts: Hosts
    origins: Origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and (refusal := self.hosts.refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self.endpoint.post(scope, receive, send)
        elif scope["type"] == "websocket" and (refusal := self.origins.refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == PATH:
            await self.sockets.serve(WebSocket(scope, receive, send))
        else:
            await super().__call__(scope, receive, send)


def _routes(
    settings: Settings, operations: Operations, storage: Storage, feed: ChangeFeed
) -> tuple[Endpoint, SocketEndpoint, list[BaseRoute]]:
    authenticator = Authenticator(storage, settings.secret, storage.clock)
    exports = ExportAddresses(settings.secret, storage.clock)

    def make_context(
        viewer: Viewer, who: Who | None = None, *, resume_after: str | None = None
    ) -> Context:
        return Context(
            viewer=viewer,
            storage=storage,
            feed=feed,
            exports=exports,
            who=who,
            local_notifications=settings.notify_local,
            notification_ports=settings.notify_ports,
            max_response_bytes=settings.max_response_bytes,
            max_total_count=settings.max_total_count,
            resume_after=resume_after,
        )

    quotas = Quotas.of(
        connections=settings.connections_per_viewer,
        subscriptions=settings.max_subscriptions_per_viewer,
        operations=settings.max_subscriptions_per_connection,
    )
    hub = Hub(storage=storage, feed=feed, authenticator=authenticator, make_context=make_context)
    streams = Streams(
        operations=operations,
        hub=hub,
        authenticator=authenticator,
        make_context=make_context,
        clock=storage.clock,
        heartbeat_seconds=settings.heartbeat_seconds,
        quotas=quotas,
    )
    endpoint = Endpoint(
        operations=operations,
        authenticator=authenticator,
        make_context=make_context,
        max_body_bytes=settings.max_body_bytes,
        bodies=UnfinishedBodies(settings.max_unfinished_bytes),
        max_response_bytes=settings.max_response_bytes,
        streams=streams,
    )
    sockets = SocketEndpoint(
        operations=operations,
        hub=hub,
        authenticator=authenticator,
        make_context=make_context,
        clock=storage.clock,
        max_response_bytes=settings.max_response_bytes,
        quotas=quotas,
    )
    health = Health(storage, operations.planner.counts)
    files = ExportEndpoint(addresses=exports, authenticator=authenticator, storage=storage)
    return (
        endpoint,
        sockets,
        [
            Route(PATH, _page_or_answer(settings, endpoint), methods=["GET", "POST"]),
            Route(f"{EXPORTS}/{{address:path}}", files),
            Route("/health", health.respond),
            Route("/health/live", health.live),
            *(_page_routes() if settings.graphiql else []),
        ],
    )


def _page_routes() -> list[BaseRoute]:
    return [
        Route("/", lambda _: RedirectResponse(PATH)),
        Mount(f"{PATH}/assets", Assets()),
    ]


def _page_or_answer(
    settings: Settings, endpoint: Endpoint
) -> Callable[[Request], Awaitable[Response | Stream]]:
    """Browsers get the page; other clients get a GraphQL response.

    Only a browser on this machine gets the page with the token.
    """
    if not settings.graphiql:
        return endpoint.respond
    page, local_page = Page(token=None), Page(token=settings.graphiql_token)

    async def respond(request: Request) -> Response | Stream:
        if not asks_for_page(request):
            return await endpoint.respond(request)
        return (local_page if is_local(request.scope) else page).response()

    return respond


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run work in the background, and cancel it at the end."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _working(worker: EmbeddedWorker, finish_seconds: float) -> AsyncIterator[None]:
    """Run the background work. At the end, it finishes what it has started."""
    task = asyncio.create_task(worker.run(), name="embedded worker")
    try:
        yield
    finally:
        worker.stop()
        await asyncio.wait([task], timeout=finish_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
