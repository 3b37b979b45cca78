"""How the garbage collector treats a server."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 20_000
"""Objects before a collection.

With the default of 700, one response with a list causes several collections.
"""

MIDDLE: Final = 50
"""Collections of young objects before one of the objects that survived a collection."""

OLD: Final = 10
"""Collections of the middle generation before a full one.

A full collection takes 0.1 s if the caches are full. Only a full collection frees objects in cycles
that were dropped from a cache; with 100 in place of 10, there was one in hours.
"""


def expect_many_objects() -> None:
    """Collect rarely: the objects of a start or a request are not garbage yet."""
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
    """Exclude the objects of the start from all later collections; they live as long as the
    process.

    The schema alone has some hundred thousand objects. Full collections would visit them again and
    again, which takes a third of the CPU of a list of lists. No collection precedes this, because
    it takes 0.15 s of CPU and finds almost nothing.
    """
    gc.freeze()
    expect_many_objects()
    gc.enable()
