"""Serves the page and its assets, with their headers."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.graphiql import ASSETS, CONTENT_SECURITY_POLICY, graphiql_page

ASSET_SECONDS = 24 * 60 * 60
"""How long a browser caches an asset. A newer version has the same name."""


def asks_for_page(request: Request) -> bool:
    """Whether a browser opens the address, and not a client that sends a query."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


class Page:
    """The page, with a token or without."""

    def __init__(self, *, token: str | None) -> None:
        self._html = graphiql_page(token=token)

    def response(self) -> Response:
        """The page. It must not be cached, because it may contain a token."""
        return HTMLResponse(
            self._html,
            headers={
                "cache-control": "no-store",
                "content-security-policy": CONTENT_SECURITY_POLICY,
                "vary": "Accept",
            },
        )


class Assets(StaticFiles):
    """The assets of the page, which a browser may cache."""

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = f"public, max-age={ASSET_SECONDS}"
        return response
