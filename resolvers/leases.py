"""Which worker holds what: nobody while both columns are null."""

from datetime import datetime, timedelta
from typing import Any, Final

from resolvers.storage.columns import new_key

NOT_LEASED: Final[dict[str, Any]] = {"lease": None, "leased_until": None}


def leased(now: datetime, seconds: float) -> dict[str, Any]:
    """The columns of what a worker holds for some seconds from now, under a lease of its own."""
    return {"lease": new_key(), "leased_until": now + timedelta(seconds=seconds)}
