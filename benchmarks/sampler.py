"""Samples where a process's CPU time goes: after each millisecond of it, every thread's stack.

A timer of CPU time rings only while the process works. C functions are seen as the line of Python
that calls them; threads that wait are left out.
"""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import orjson

INTERVAL_SECONDS: Final = 0.001
DEEPEST: Final = 100
WAITING: Final = ("concurrent/futures/thread.py", "threading.py", "asyncio/runners.py")
"""Where a thread stands that has nothing to do."""

Place = tuple[str, int, str, int]
"""A file, the line that is executed, and the function with its own line."""


@contextmanager
def sampling(output: Path | None) -> Iterator[None]:
    """Sample this process, and write what was seen to a file at the end; None: do not."""
    if output is None:
        yield
        return
    seen: Counter[tuple[Place, ...]] = Counter()

    def look(_: int, interrupted: FrameType | None) -> None:
        own = sys._getframe()
        others = [frame for frame in sys._current_frames().values() if frame is not own]
        working = [frame for frame in others if not _waits(frame)]
        # the event loop itself has no frame of its own: it works if nobody else does
        if interrupted is not None and not (working and _waits(interrupted)):
            working.append(interrupted)
        for frame in working:
            seen[tuple(_stack(frame))] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        output.write_bytes(orjson.dumps([[stack, count] for stack, count in seen.items()]))


def _waits(frame: FrameType) -> bool:
    return frame.f_code.co_filename.endswith(WAITING)


def _stack(frame: FrameType | None) -> Iterator[Place]:
    """From the function that runs outwards."""
    for _ in range(DEEPEST):
        if frame is None:
            return
        code: Any = frame.f_code
        yield code.co_filename, frame.f_lineno, code.co_qualname, code.co_firstlineno
        frame = frame.f_back
