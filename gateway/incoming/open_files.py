"""The files that the process may open: each connection is one of them."""

import logging
import resource
from typing import Final

logger = logging.getLogger(__name__)

RESERVED: Final = 128
"""Files for everything else: the database's connections, exports, notifications, listeners."""


def connections_that_fit(wanted: int, *, setting: str) -> int:
    """As many connections as are wanted, or as the process may open files for.

    The soft limit of open files is raised as far as needed and permitted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    fitting = max(soft - RESERVED, soft // 2, 1)
    logger.warning(
        "The process may open %d files, so at most %d connections are accepted instead of %d"
        " (%s): raise the limit with `ulimit -n %d`",
        soft,
        fitting,
        wanted,
        setting,
        needed,
    )
    return fitting
