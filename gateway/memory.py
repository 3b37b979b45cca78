"""How the garbage collector treats a server."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 20_000
"""Objects before a collection.

The default of 700 collects several times in the answer to one list.
"""

MIDDLE: Final = 50
"""Collections of young objects before one of the objects that survived a collection."""

OLD: Final = 10
"""Collections of the middle generation before a full one.

A full collection takes 0.1 s if the caches are full. Only a full collection frees objects in cycles
that were dropped from a cache; with 100 in place of 10, there was one in hours.
"""


def expect_many_objects() -> None:
    """Collect seldom: what a start or a request makes is not garbage yet."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


@contextmanager
def starting() -> Iterator[None]:
    """Collect nothing until `settle`: a start makes 230,000 objects and drops 1,000 in cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Leave what was made at the start out of every collection to come; it lives as long as we do.

    The schema alone is some hundred thousand objects, which a full collection would look at again
    and again: a third of the CPU of a list of lists. There is no collection before: it takes 0.15 s
    of CPU and finds almost nothing.
    """
    gc.freeze()
    expect_many_objects()
    gc.enable()
