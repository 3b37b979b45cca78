"""Whether the process is alive, and whether it can do its work."""

import asyncio
import logging
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resolvers.storage import Overloaded, Storage
from resolvers.storage.held_columns import Columns, declared_columns, read_held_columns
from schema.plan import Counts

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 0.05
"""How long a request waits for its check. After that, it uses the last result."""

FIRST_SECONDS: Final = 5.0
"""How long the first request waits, because there is no earlier result."""

SILENT_SECONDS: Final = 2.0
"""The database does not answer if a check takes longer."""

State = dict[str, Any]

DOES_NOT_ANSWER: Final[State] = {"status": "the database does not answer"}
NOT_WRITABLE: Final[State] = {"status": "nothing can be written"}


class Health:
    """Responds to load balancers and supervisors within 100 ms, even if the database hangs."""

    def __init__(self, storage: Storage, counts: Counts) -> None:
        self._storage = storage
        self._counts = counts
        self._check: asyncio.Task[State | None] | None = None
        self._checking_since = 0.0
        self._last: State | None = DOES_NOT_ANSWER
        self._is_first = True

    async def live(self, _: Request) -> Response:
        """200 while the process answers, also during an outage of the database."""
        return JSONResponse({"status": "live"})

    async def respond(self, _: Request) -> Response:
        """200 if the database answers, has the declared tables and can be written to, else 503.

        It also shows the number of operations that plans executed since the start, and of those
        that graphql-core executed because their plan fell back or they have no plan.
        """
        failure = await self._failure()
        if failure is not None:
            return JSONResponse(failure, 503)
        operations = {
            "planned": self._counts.answered,
            "gaveUp": self._counts.gave_up,
            "notPlanned": self._counts.not_planned,
        }
        return JSONResponse({"status": "ok", "operations": operations})

    async def _failure(self) -> State | None:
        """Why the gateway cannot do its work; None if it can. Requests share a check."""
        loop = asyncio.get_running_loop()
        if self._check is None:
            self._checking_since = loop.time()
            self._check = loop.create_task(self._checked(), name="health")
        check = self._check
        await asyncio.wait([check], timeout=FIRST_SECONDS if self._is_first else ANSWER_SECONDS)
        if check.done():
            return check.result()
        if loop.time() - self._checking_since > SILENT_SECONDS:
            return DOES_NOT_ANSWER
        return self._last

    async def _checked(self) -> State | None:
        try:
            self._last = await self._found()
        finally:
            self._is_first = False
            self._check = None
        return self._last

    async def _found(self) -> State | None:
        try:
            held = Columns(await self._storage.tuples(read_held_columns()))
            difference = declared_columns(self._storage.dialect_name).first_difference(held)
        except Overloaded:
            return DOES_NOT_ANSWER  # the storage has logged why
        except Exception:
            logger.exception("The database could not be checked")
            return DOES_NOT_ANSWER
        if difference:
            logger.warning("The database's tables are not those that are expected: %s", difference)
            return {"status": "the database's tables differ", "difference": difference}
        return None if await self._storage.is_writable() else NOT_WRITABLE
