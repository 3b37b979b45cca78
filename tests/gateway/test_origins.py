"""Which pages may open WebSockets: a browser says where they come from."""

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.origins import Origins, WrongOrigin, origin_of
from gateway.settings import Settings
from gateway.socket_messages import SUBPROTOCOL
from tests.patience import UNHURRIED

ALLOWED = ("https://app.example", "https://*.exams.example:8443", "capacitor://localhost")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"allowed_origins": tuple(map(origin_of, ALLOWED))})


def is_allowed(host: str, *origins: str) -> bool:
    headers = [(b"host", host.encode()), *((b"origin", each.encode()) for each in origins)]
    refusal = Origins(map(origin_of, ALLOWED)).refusal({"type": "websocket", "headers": headers})
    assert refusal is None or refusal.status_code == 403
    return refusal is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "https://APP.example:443",
        "https://north.exams.example:8443",
        "capacitor://localhost",
        "https://gateway.example",
        "http://gateway.example:3000",
    ],
)
def test_a_listed_origin_and_the_own_host_may_connect(origin: str):
    """A proxy may change the scheme and the port of the own host."""
    assert is_allowed("Gateway.example:8000", origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://exams.example:8443",
        "https://north.exams.example",
        "https://app.example.evil.example",
        "https://gateway.example.evil.example",
        "http://localhost:3000",
        "null",
        "",
        "https://app.example/",
        "https://user@app.example",
    ],
)
def test_another_origin_may_not_connect(origin: str):
    assert not is_allowed("gateway.example", origin)


def test_two_origins_are_none():
    assert not is_allowed("gateway.example", "https://app.example", "https://app.example")


def test_a_client_without_an_origin_is_no_browser():
    assert is_allowed("gateway.example")


def test_pages_of_this_machine_may_connect_to_it():
    """A developer's page has another port, and another of the machine's names."""
    assert is_allowed("127.0.0.1:8000", "http://localhost:5173")
    assert is_allowed("[::1]:8000", "http://127.0.0.1:5173")


@pytest.mark.parametrize(
    "text", ["", "app.example", "https://", "https://a b", "https://*", "https://a:999999"]
)
def test_an_origin_has_a_scheme_and_a_host(text: str):
    with pytest.raises(WrongOrigin):
        origin_of(text)


async def test_the_handshake_of_another_site_is_refused(address: str):
    options = {"subprotocols": [SUBPROTOCOL], **UNHURRIED}

    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{address}/graphql", origin="https://evil.example", **options):
            pass
    async with connect(f"ws://{address}/graphql", origin="https://app.example", **options):
        pass

    response = refused.value.response
    assert response.status_code == 403
    assert b'"code":"ORIGIN_NOT_ALLOWED"' in response.body
    assert b"GATEWAY_ALLOWED_ORIGINS" in response.body
