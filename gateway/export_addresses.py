"""Addresses of exported files. An address contains the request, the caller and the expiry, signed.

The gateway stores nothing, so any process can serve any address. The signing key is derived from
the gateway's secret, so an address cannot be used as a token, or a token as an address.
"""

import hmac
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
import orjson

from gateway.auth import ALGORITHM, Claims
from resolvers.exports.asked import EventExport, ExportedFile
from resolvers.exports.files import FORMATS
from resolvers.refusals import OutOfRange
from resolvers.storage import Clock
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import Role

PATH: Final = "/exports"
PURPOSE: Final = b"booking-gateway: addresses of exported files"
VALID: Final = timedelta(minutes=5)
LONGEST: Final = 8_000
"""The longest address, in characters. Most proxies accept request lines of at most 8 KiB."""


class AddressRefused(Exception):
    """This address is invalid or was changed."""


class AddressExpired(Exception):
    """This address has expired. Request a new one with exportEvents."""


@frozen
class ExportRequest:
    """The content of an address: the file, and the caller."""

    claims: Claims
    export: EventExport
    file_name: str


class ExportAddresses:
    """Creates and reads addresses."""

    def __init__(self, secret: str, clock: Clock) -> None:
        key = secret.encode(errors="surrogateescape")
        self._key = hmac.digest(key, PURPOSE, "sha256")
        self._clock = clock

    def file(self, viewer: Viewer, export: EventExport) -> ExportedFile:
        """The address of a file, for `VALID` from now.

        Raises: OutOfRange, for a filter that makes the address longer than LONGEST.
        """
        now = self._clock()
        expires_at = (now + VALID).replace(microsecond=0)
        written = FORMATS[export.format]
        file_name = f"events-{now.astimezone(UTC):%Y-%m-%d}.{written.suffix}"
        url = f"{PATH}/{self._signed(_packed(viewer, export, file_name, expires_at))}"
        if len(url) > LONGEST:
            raise OutOfRange(
                "filter", rule=f"makes an address of more than {LONGEST} characters; ask for less"
            )
        return ExportedFile(url, file_name, written.content_type, expires_at)

    def asked(self, address: str) -> ExportRequest:
        """The request in an address, given the part after PATH.

        Raises: AddressRefused, AddressExpired.
        """
        try:
            packed = jwt.api_jws.decode(address, self._key, algorithms=[ALGORITHM])
            asked = _unpacked(orjson.loads(zlib.decompress(packed)))
        except (jwt.InvalidTokenError, zlib.error, LookupError, ValueError, TypeError):
            raise AddressRefused from None
        if asked.claims.expires_at <= self._clock():
            raise AddressExpired
        return asked

    def _signed(self, said: dict[str, Any]) -> str:
        packed = zlib.compress(orjson.dumps(said), 9)
        return jwt.api_jws.encode(packed, self._key, ALGORITHM, {"typ": "export"})


def _packed(
    viewer: Viewer, export: EventExport, file_name: str, expires_at: datetime
) -> dict[str, Any]:
    return {
        "organization": viewer.organization_id.hex,
        "role": viewer.role,
        "subject": viewer.name,
        "key": viewer.key,
        "user": None if viewer.user_id is None else viewer.user_id.hex,
        "expires": int(expires_at.timestamp()),
        "file": file_name,
        "export": export.packed(),
    }


def _unpacked(said: dict[str, Any]) -> ExportRequest:
    claims = Claims(
        organization_id=UUID(hex=said["organization"]),
        role=Role(said["role"]),
        subject=said["subject"],
        user_id=None if said["user"] is None else UUID(hex=said["user"]),
        expires_at=datetime.fromtimestamp(said["expires"], UTC),
        key=said["key"],
    )
    return ExportRequest(claims, EventExport.unpacked(said["export"]), said["file"])
