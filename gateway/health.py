"""Whether the gateway can do its work, and how it does it."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resolvers.storage import Storage
from resolvers.storage.held_columns import Columns, declared_columns, read_held_columns
from schema.plan import Counts

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5


class Health:
    """Answers whoever watches over the process; nothing of what it holds is told."""

    def __init__(self, storage: Storage, counts: Counts) -> None:
        self._storage = storage
        self._counts = counts

    async def respond(self, _: Request) -> Response:
        """200 when the database answers and has the tables that the code declares, else 503.

        It also tells how many operations plans have answered since the start, and how many were
        left to graphql-core: because their plan gave up, or because they have none.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                held = Columns(await self._storage.tuples(read_held_columns()))
        except Exception as error:
            logger.warning("The database does not answer: %r", error)
            return JSONResponse({"status": "the database does not answer"}, 503)
        if difference := declared_columns(self._storage.dialect_name).first_difference(held):
            logger.warning("The database's tables are not those that are expected: %s", difference)
            return JSONResponse(
                {"status": "the database's tables differ", "difference": difference}, 503
            )
        operations = {
            "planned": self._counts.answered,
            "gaveUp": self._counts.gave_up,
            "notPlanned": self._counts.not_planned,
        }
        return JSONResponse({"status": "ok", "operations": operations})
