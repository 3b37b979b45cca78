"""The columns of a worker's lease on a row; both are null while the row is not leased."""

from datetime import datetime, timedelta
from typing import Any, Final

from resolvers.storage.columns import new_key

NOT_LEASED: Final[dict[str, Any]] = {"lease": None, "leased_until": None}


def leased(now: datetime, seconds: float) -> dict[str, Any]:
    """Return the columns of a new lease that ends after some seconds."""
    return {"lease": new_key(), "leased_until": now + timedelta(seconds=seconds)}
