"""The token check of the references.

What the gateway's `Authenticator` does, no more and no less.
"""

import time
from uuid import UUID

import jwt
from starlette.exceptions import HTTPException

from gateway.auth import ALGORITHM


class Tokens:
    """Verifies a token once, and then knows it until it expires."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._known: dict[str, tuple[UUID, float]] = {}

    def organization(self, authorization: str | None) -> UUID:
        """Whose data the caller may see. Raises: HTTPException."""
        if authorization is None:
            raise HTTPException(401)
        known = self._known.get(authorization)
        if known is None:
            known = self._known[authorization] = self._verified(authorization)
        organization_id, expires_at = known
        if expires_at <= time.time():
            del self._known[authorization]
            raise HTTPException(401)
        return organization_id

    def _verified(self, authorization: str) -> tuple[UUID, float]:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM])
            return UUID(claims["org"]), float(claims["exp"])
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise HTTPException(401) from None
