"""An address says what was asked, is nobody else's to make, and is good for nothing else."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import jwt
import pytest

from gateway.auth import Authenticator, TokenRefused, make_token
from gateway.export_addresses import (
    LONGEST,
    PATH,
    VALID,
    AddressExpired,
    AddressRefused,
    ExportAddresses,
)
from resolvers.exports.asked import EventExport
from resolvers.refusals import OutOfRange
from resolvers.storage import Storage
from resolvers.storage.columns import new_key
from resolvers.storage.filters import NO_FILTER, Condition, Operator
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import ExportFormat, Role
from tests.conftest import SettableClock

SECRET = "a secret of thirty-two bytes, or more"
CSV = EventExport(NO_FILTER, (), ExportFormat.CSV)


@pytest.fixture
def addresses(clock: SettableClock) -> ExportAddresses:
    return ExportAddresses(SECRET, clock)


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(
        organization_id=UUID(int=5),
        role=Role.CENTRE_STAFF,
        name="Cleo",
        key="key",
        permissions=PERMISSIONS[Role.CENTRE_STAFF],
        user_id=UUID(int=6),
    )


def address_of(url: str) -> str:
    assert url.startswith(f"{PATH}/")
    return url.removeprefix(f"{PATH}/")


def test_an_address_says_who_asked_for_what(
    addresses: ExportAddresses, viewer: Viewer, clock: SettableClock
) -> None:
    """For whom, so that the rights can be looked up when it is fetched."""
    file = addresses.file(viewer, CSV)

    asked = addresses.asked(address_of(file.url))

    assert asked.export == CSV
    assert asked.claims.organization_id == viewer.organization_id
    assert (asked.claims.role, asked.claims.user_id) == (Role.CENTRE_STAFF, UUID(int=6))
    assert asked.file_name == file.file_name == "events-2027-01-11.csv"
    assert asked.claims.expires_at == file.expires_at == clock.now + VALID


def test_it_is_good_until_it_expires(
    addresses: ExportAddresses, viewer: Viewer, clock: SettableClock
) -> None:
    file = addresses.file(viewer, CSV)

    clock.now = file.expires_at - timedelta(microseconds=1)
    assert addresses.asked(address_of(file.url)).export == CSV

    clock.now = file.expires_at
    with pytest.raises(AddressExpired):
        addresses.asked(address_of(file.url))


def test_a_changed_address_is_refused(addresses: ExportAddresses, viewer: Viewer) -> None:
    """Wherever a character of it is changed; the last one holds bits that mean nothing."""
    address = address_of(addresses.file(viewer, CSV).url)
    for place in range(0, len(address) - 1, 7):
        other = "A" if address[place] != "A" else "B"

        with pytest.raises(AddressRefused):
            addresses.asked(address[:place] + other + address[place + 1 :])


@pytest.mark.parametrize("address", ["", "x", "a.b.c", "..", "é", "a" * 100_000])
def test_what_is_no_address_is_refused(addresses: ExportAddresses, address: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.asked(address)


def test_another_gateway_s_address_is_refused(
    addresses: ExportAddresses, viewer: Viewer, clock: SettableClock
) -> None:
    other = ExportAddresses("another secret of thirty-two bytes", clock)

    with pytest.raises(AddressRefused):
        addresses.asked(address_of(other.file(viewer, CSV).url))


def test_a_token_is_no_address(addresses: ExportAddresses, clock: SettableClock) -> None:
    token = make_token(
        secret=SECRET, organization_id=UUID(int=5), role="admin", now=clock.now, hours=1
    )

    with pytest.raises(AddressRefused):
        addresses.asked(token)


async def test_an_address_is_no_token(
    addresses: ExportAddresses, viewer: Viewer, storage: Storage, clock: SettableClock
) -> None:
    address = address_of(addresses.file(viewer, CSV).url)

    with pytest.raises(TokenRefused, match="not signed by this gateway"):
        await Authenticator(storage, SECRET, clock).viewer(f"Bearer {address}")


def test_what_another_version_has_signed_is_refused(
    addresses: ExportAddresses, viewer: Viewer
) -> None:
    """Signed by us and still unknown: a newer gateway's format, for example."""
    signed = jwt.api_jws.encode(b"unknown", addresses._key, "HS256")

    with pytest.raises(AddressRefused):
        addresses.asked(signed)


def test_a_filter_that_no_address_can_hold_is_refused(
    addresses: ExportAddresses, viewer: Viewer
) -> None:
    """Proxies refuse longer request lines; some hundred keys do fit."""
    few = tuple(new_key() for _ in range(200))
    many = tuple(new_key() for _ in range(1_000))

    fits = addresses.file(viewer, replace(CSV, filter=Condition("identifier", Operator.IN, few)))
    assert len(fits.url) <= LONGEST
    with pytest.raises(OutOfRange) as told:
        addresses.file(viewer, replace(CSV, filter=Condition("identifier", Operator.IN, many)))

    assert told.value.path == ("filter",)
