"""The background work inside a serving process. It restarts if it ends unexpectedly."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from gateway.background import set_within
from gateway.worker import Worker

logger = logging.getLogger(__name__)

TASK: Final = "worker"
PAUSE_SECONDS: Final = 1.0


class EmbeddedWorker:
    """Runs a worker, and starts another if it ends, until `stop` is called."""

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._worker: Worker | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop` is called. Work that has started is finished and written."""
        while not self._stopping.is_set():
            self._worker = self._make()
            task = asyncio.create_task(self._worker.run(), name=TASK)
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
                [ended] = await asyncio.gather(task, return_exceptions=True)
            if not self._stopping.is_set():
                logger.error(
                    "The background work ended unexpectedly; it starts again", exc_info=ended
                )
                await set_within(self._stopping, PAUSE_SECONDS)

    def stop(self) -> None:
        """Start no new work."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()
