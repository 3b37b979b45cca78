"""Authentication: turns a signed token into a Viewer. No other module reads credentials."""

import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import jwt

from gateway.roles import OF_USERS, ROLE_NAMES
from resolvers.organizations import reads
from resolvers.storage import Clock, Storage
from resolvers.viewer import PERMISSIONS, Viewer, scope_of
from resolvers.vocabulary import Role

ALGORITHM: Final = "HS256"
KEPT_TOKENS: Final = 10_000
TEXT_LENGTH: Final = 200
"""A viewer's key contains `sub` or `jti`, and the column for it has 250 characters."""

LEEWAY: Final = timedelta(minutes=1)
"""The tolerance for an issuer's clock that is ahead of the gateway's."""


class Unauthenticated(Exception):
    """The request has no valid token. The message is for the caller, who may retry with a new
    token."""


class TokenRefused(Unauthenticated):
    """This token will never be accepted."""


class TokenMissing(Unauthenticated):
    """The request has no token."""

    def __init__(self) -> None:
        super().__init__("A token is required: send the header 'Authorization: Bearer TOKEN'.")


class TokenExpired(Unauthenticated):
    """The token has expired."""

    def __init__(self) -> None:
        super().__init__("The token has expired.")


class TokenNotYetValid(Unauthenticated):
    """The token is not valid yet."""

    def __init__(self, claim: str, at: datetime, now: datetime) -> None:
        super().__init__(
            f"The token is not valid yet: its claim '{claim}' is {_instant(at)},"
            f" and the gateway's clock shows {_instant(now)}."
        )


@dataclass(frozen=True)
class Claims:
    """The claims of a token that the gateway signed.

    `key` distinguishes the tokens of one organization that have no user.
    """

    organization_id: UUID
    role: Role
    subject: str
    user_id: UUID | None
    expires_at: datetime
    key: str = ""
    issued_at: datetime | None = None
    not_before: datetime | None = None

    @cached_property
    def viewer(self) -> Viewer:
        """The viewer of a token without a user."""
        return Viewer(
            organization_id=self.organization_id,
            role=self.role,
            name=self.subject,
            key=self.key,
            permissions=PERMISSIONS[self.role],
        )


def make_token(
    *,
    secret: str,
    organization_id: UUID,
    role: str,
    now: datetime,
    hours: float,
    subject: str | None = None,
    user_id: UUID | None = None,
) -> str:
    """A token for one of ROLE_NAMES in an organization, optionally for a user."""
    claims: dict[str, Any] = {
        "org": str(organization_id),
        "role": role,
        "sub": subject or role,
        "jti": secrets.token_hex(16),
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=hours)).timestamp()),
    }
    if user_id is not None:
        claims["user"] = str(user_id)
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


class Authenticator:
    """Turns an Authorization header into a Viewer."""

    def __init__(self, storage: Storage, secret: str, clock: Clock) -> None:
        self._storage = storage
        self._secret = secret
        self._clock = clock
        self._known: OrderedDict[str, Claims] = OrderedDict()

    async def viewer(self, authorization: str | None) -> Viewer:
        """The caller. The permissions of the token's user are read at every call, because they may
        change.

        Raises: Unauthenticated.
        """
        claims = self._known_claims(_bearer_token(authorization))
        if claims is None:
            claims = await self.claims(authorization)
        return claims.viewer if claims.user_id is None else await self.viewer_of(claims)

    async def viewer_of(self, claims: Claims) -> Viewer:
        """The current viewer of these claims.

        Raises: Unauthenticated, if the user does not exist or is deactivated.
        """
        if claims.user_id is not None:
            return await self._viewer_of_user(claims, claims.user_id)
        return claims.viewer

    async def viewer_now(self, claims: Claims) -> Viewer:
        """Whom claims speak for by now. Raises: Unauthenticated."""
        if claims.expires_at <= self._clock():
            raise TokenExpired
        return await self.viewer_of(claims)

    async def viewers_now(
        self, claims: Collection[Claims]
    ) -> dict[Claims, "Viewer | Unauthenticated"]:
        """The current viewers of claims of one organization, or the errors; reads one statement."""
        now = self._clock()
        users = {each.user_id for each in claims if each.user_id is not None}
        known: dict[UUID, Viewer | Unauthenticated] = {}
        if users:
            organization_id = next(iter(claims)).organization_id
            rows = await self._storage.read(reads.users_with_scope(organization_id, sorted(users)))
            of_user: dict[UUID, list[Any]] = {user: [] for user in users}
            for row in rows:
                of_user[row.user_id].append(row)
            known = {user: _user_now(organization_id, user, rows) for user, rows in of_user.items()}
        found: dict[Claims, Viewer | Unauthenticated] = {}
        for each in claims:
            if each.expires_at <= now:
                found[each] = TokenExpired()
            else:
                found[each] = each.viewer if each.user_id is None else known[each.user_id]
        return found

    async def claims(self, authorization: str | None) -> Claims:
        """The claims of the token. They are verified once and cached until the token expires.

        Raises: Unauthenticated.
        """
        token = _bearer_token(authorization)
        claims = self._known_claims(token)
        if claims is None:
            claims = _verified(token, self._secret)
            self._require_valid_now(token, claims)
            await self._require_organization(claims.organization_id)
            self._keep(token, claims)
        return claims

    def _known_claims(self, token: str) -> Claims | None:
        """The claims of a token that was verified before. Raises: Unauthenticated."""
        claims = self._known.get(token)
        if claims is not None:
            self._require_valid_now(token, claims)
            self._known.move_to_end(token)
        return claims

    def _keep(self, token: str, claims: Claims) -> None:
        self._known[token] = claims
        while len(self._known) > KEPT_TOKENS:
            self._known.popitem(last=False)

    def _require_valid_now(self, token: str, claims: Claims) -> None:
        """Raises: TokenExpired, TokenNotYetValid."""
        now = self._clock()
        if claims.expires_at <= now:
            self._known.pop(token, None)
            raise TokenExpired
        for claim, at in (("nbf", claims.not_before), ("iat", claims.issued_at)):
            if at is not None and at > now + LEEWAY:
                raise TokenNotYetValid(claim, at, now)

    async def _require_organization(self, organization_id: UUID) -> None:
        if not await self._storage.read(reads.organization_by_id(organization_id)):
            raise TokenRefused("The token's organization does not exist.")

    async def _viewer_of_user(self, claims: Claims, user_id: UUID) -> Viewer:
        """The viewer of a user. The user's role overrides the token's role. Reads one statement."""
        rows = await self._storage.read(reads.user_with_scope(claims.organization_id, user_id))
        return _viewer_of(claims.organization_id, user_id, rows)


def _user_now(
    organization_id: UUID, user_id: UUID, rows: Sequence[Any]
) -> "Viewer | Unauthenticated":
    try:
        return _viewer_of(organization_id, user_id, rows)
    except Unauthenticated as no:
        return no


def _viewer_of(organization_id: UUID, user_id: UUID, rows: Sequence[Any]) -> Viewer:
    """The viewer of a user, from the rows of `reads.users_with_scope`. Raises: TokenRefused."""
    user = next((row for row in rows if row.key is None), None)
    if user is None:
        raise TokenRefused("The token's user does not exist.")
    if not user.active:
        raise TokenRefused("The token's user is not active.")
    scope = scope_of(
        user.role,
        centres=frozenset(row.key for row in rows if row.of == "centre_id"),
        subjects=frozenset(row.key for row in rows if row.of == "subject_id"),
        agent_offices=frozenset(row.key for row in rows if row.of == "agent_office_id"),
        candidate=user.candidate_id,
        user=user_id,
    )
    return Viewer(
        organization_id=organization_id,
        role=user.role,
        name=user.name,
        key=user_id.hex,
        permissions=PERMISSIONS[user.role],
        user_id=user_id,
        scope=scope,
    )


def _role_name(role: Role) -> str:
    return role.name.lower().replace("_", "-")


def _bearer_token(authorization: str | None) -> str:
    """Raises: TokenMissing, TokenRefused."""
    if authorization is None or not authorization.strip():
        raise TokenMissing
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("The header 'Authorization' must be 'Bearer TOKEN'.")
    return token.strip()


def _verified(token: str, secret: str) -> Claims:
    """The claims of a token that the gateway signed. Their times are not compared with the clock
    here.

    Raises: TokenRefused.
    """
    try:
        given = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            # the storage's clock judges the times, here and once the token is known
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_jti": False,
            },
        )
    except jwt.InvalidSignatureError:
        raise TokenRefused("The token was not signed by this gateway.") from None
    except (jwt.InvalidTokenError, ValueError):
        raise TokenRefused("The token is malformed.") from None
    return _claims(given, token)


def _claims(given: Mapping[str, Any], token: str) -> Claims:
    """Raises: TokenRefused."""
    user = given.get("user")
    role = _role(given.get("role"))
    if user is None and role in OF_USERS:
        raise TokenRefused(
            f"A token with the role '{_role_name(role)}' must name a user in its claim 'user'."
        )
    return Claims(
        organization_id=_key(given, "org"),
        role=role,
        subject=_text(given, "sub"),
        user_id=None if user is None else _key(given, "user"),
        expires_at=_time(given, "exp"),
        key=_viewer_key(given, role, token),
        issued_at=_time(given, "iat") if "iat" in given else None,
        not_before=_time(given, "nbf") if "nbf" in given else None,
    )


def _viewer_key(given: Mapping[str, Any], role: Role, token: str) -> str:
    """The key of a token without a user: the subject, else `jti`, else a hash of its text.

    A subject that equals the role identifies no caller; `booking-gateway token` writes it.
    """
    name = _role_name(role)
    subject = _text(given, "sub")
    if subject != name:
        return f"{name}:{subject}"
    if "jti" in given:
        return f"{name}#jti:{_text(given, 'jti')}"
    return f"{name}#token:{sha256(token.encode()).hexdigest()}"


def _key(given: Mapping[str, Any], claim: str) -> UUID:
    try:
        return UUID(given[claim])
    except (KeyError, ValueError, AttributeError, TypeError):
        raise TokenRefused(f"The token's claim '{claim}' must be a UUID.") from None


def _role(given: object) -> Role:
    role = ROLE_NAMES.get(given) if isinstance(given, str) else None
    if role is None:
        raise TokenRefused(f"The token's claim 'role' must be one of {', '.join(ROLE_NAMES)}.")
    return role


def _text(given: Mapping[str, Any], claim: str) -> str:
    text = given.get(claim)
    if isinstance(text, str) and text.isprintable() and 1 <= len(text) <= TEXT_LENGTH:
        return text
    raise TokenRefused(
        f"The token's claim '{claim}' must be printable text of 1 to {TEXT_LENGTH} characters."
    )


def _time(given: Mapping[str, Any], claim: str) -> datetime:
    seconds = given.get(claim)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise TokenRefused(f"The token's claim '{claim}' must be a time in seconds.")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
