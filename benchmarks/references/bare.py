"""What every start costs: Starlette and uvicorn with two routes."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def live(_: Request) -> JSONResponse:
    return JSONResponse({"status": "live"})


async def respond(_: Request) -> JSONResponse:
    return JSONResponse({"data": {}})


app: Final = Starlette(
    routes=[Route("/health/live", live), Route("/graphql", respond, methods=["POST"])]
)
