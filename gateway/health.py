"""Whether the gateway can do its work."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resolvers.organizations.reads import only_organization
from resolvers.storage import Storage

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5


class Health:
    """Answers whoever watches over the process; nothing of what it holds is told."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def respond(self, _: Request) -> Response:
        """200 when the database answers, else 503."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._storage.read(only_organization())
        except Exception as error:
            logger.warning("The database does not answer: %r", error)
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ok"})
