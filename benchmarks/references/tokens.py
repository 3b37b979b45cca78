"""The token check of the references.

What the gateway's `Authenticator` does, no more and no less.
"""

import time
from typing import NamedTuple
from uuid import UUID

import jwt
from starlette.exceptions import HTTPException

from gateway.auth import ALGORITHM


class Caller(NamedTuple):
    """Whose data the caller may see, and the name under which changes are logged."""

    organization_id: UUID
    name: str


class Tokens:
    """Verifies a token once, and then knows it until it expires."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._known: dict[str, tuple[Caller, float]] = {}

    def organization(self, authorization: str | None) -> UUID:
        """Whose data the caller may see. Raises: HTTPException."""
        return self.caller(authorization).organization_id

    def caller(self, authorization: str | None) -> Caller:
        """Who the token is for. Raises: HTTPException."""
        if authorization is None:
            raise HTTPException(401)
        known = self._known.get(authorization)
        if known is None:
            known = self._known[authorization] = self._verified(authorization)
        caller, expires_at = known
        if expires_at <= time.time():
            del self._known[authorization]
            raise HTTPException(401)
        return caller

    def _verified(self, authorization: str) -> tuple[Caller, float]:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM])
            return Caller(UUID(claims["org"]), claims["sub"]), float(claims["exp"])
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise HTTPException(401) from None
