"""Which worker holds what: nobody while both columns are null."""

from typing import Any, Final

NOT_LEASED: Final[dict[str, Any]] = {"lease": None, "leased_until": None}
