"""The reference for subscriptions: each text that is posted is sent to all WebSockets.

It has no GraphQL, no database and no rights; nothing that sends WebSocket messages through ASGI
does less.
"""

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SUBPROTOCOL = "graphql-transport-ws"


def create(_: str, __: str) -> Starlette:
    """The server; it needs no database."""
    sockets: set[WebSocket] = set()

    async def hold(websocket: WebSocket) -> None:
        await websocket.accept(SUBPROTOCOL)
        sockets.add(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            sockets.discard(websocket)

    async def broadcast(request: Request) -> Response:
        text = (await request.body()).decode()

        async def send() -> None:
            for socket in list(sockets):
                await socket.send_text(text)

        return Response(b'{"data":{}}', background=BackgroundTask(send))

    return Starlette(
        routes=[Route("/graphql", broadcast, methods=["POST"]), WebSocketRoute("/graphql", hold)]
    )
