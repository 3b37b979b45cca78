"""Which hosts are answered for, and who gets the page with a token."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.app import create_app
from gateway.hosts import Hosts, host_of, is_local
from gateway.settings import Settings
from gateway.socket_messages import SUBPROTOCOL
from tests.gateway.conftest import SCHEMA, SECRET
from tests.patience import UNHURRIED

HTML = {"accept": "text/html"}
TOKEN = "aaa.bbb.ccc"
SETTINGS = Settings(
    database_url="sqlite:///unused.db",
    jwt_secret=SECRET,
    graphiql_token=TOKEN,
    allowed_hosts=("bookings.example", "*.exams.example"),
)


def scope(*hosts: str, server: str | None = "10.0.0.7", **headers: str) -> dict[str, object]:
    """A request with these `Host` headers, and others, to a server at an address."""
    named = [("host", host) for host in hosts]
    named += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return {
        "type": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named],
        "server": server if server is None else (server, 8000),
    }


@pytest.fixture
def hosts() -> Hosts:
    """A gateway that listens at all addresses, and has two hosts in its settings."""
    return Hosts([*SETTINGS.allowed_hosts, host_of("0.0.0.0")])


@pytest.fixture
async def page() -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine; its connection arrives at a loopback address."""
    transport = httpx.ASGITransport(create_app(SETTINGS, SCHEMA, host="0.0.0.0"))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8000", headers=HTML
    ) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LocalHost.:65535",
        "127.0.0.1",
        "127.1.2.3:80",
        "[::1]",
        "[0:0:0:0:0:0:0:1]:8000",
        "[::ffff:127.0.0.1]",
        "bookings.example",
        "BOOKINGS.example.:443",
        "bookings.example:",
        "north.exams.example",
        "a.b.exams.example:8443",
        "0.0.0.0:8000",
        "10.0.0.7:8000",
    ],
)
def test_a_host_that_is_ours_is_served(hosts: Hosts, host: str):
    """In any case, with any port, and the address that the connection came in at."""
    assert hosts.refusal(scope(host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8000",
        "exams.example",
        "evilexams.example",
        "bookings.example.attacker.example",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "127.1",
        "10.0.0.8",
        "[::2]:8000",
        "[::ffff:10.0.0.8]",
    ],
)
def test_another_host_is_refused_and_the_setting_is_named(hosts: Hosts, host: str):
    refusal = hosts.refusal(scope(host))

    assert refusal is not None
    assert refusal.status_code == 421
    assert b"setting GATEWAY_ALLOWED_HOSTS" in bytes(refusal.body)


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("localhost", "localhost"),
        ("bookings.example", "attacker.example"),
        ("",),
        ("localhost:http",),
        ("localhost:8000:8000",),
        ("user@localhost",),
        ("localhost/path",),
        ("localhost, attacker.example",),
        ("[::1",),
        ("[localhost]",),
        ("::1",),
        ("büro.example",),
        ("a..example",),
        ("a" * 254,),
    ],
)
def test_a_host_that_is_missing_repeated_or_malformed_is_refused(
    hosts: Hosts, given: tuple[str, ...]
):
    refusal = hosts.refusal(scope(*given))

    assert refusal is not None
    assert refusal.status_code == 400
    assert b"'Host'" in bytes(refusal.body)


def test_a_forwarded_host_counts_for_nothing(hosts: Hosts):
    given = scope("attacker.example", x_forwarded_host="localhost", forwarded="host=localhost")

    assert hosts.refusal(given) is not None


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST."])
def test_a_browser_on_this_machine_is_local(server: str, host: str):
    assert is_local(scope(host, server=server))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        scope("bookings.example", server="127.0.0.1"),
        scope("0.0.0.0", server="127.0.0.1"),
        scope("localhost", server="10.0.0.7"),
        scope("localhost", server="::ffff:10.0.0.7"),
        scope("localhost", server="/run/gateway.sock"),
        scope("localhost", server=None),
        scope("127.0.0.1:8000", server="127.0.0.1", x_forwarded_for="192.0.2.1"),
        scope("127.0.0.1:8000", server="127.0.0.1", via="1.1 proxy"),
    ],
)
def test_anybody_else_is_not(given: dict[str, object]):
    """Not by another name, not at another address, and not through a proxy on this machine."""
    assert not is_local(given)


async def test_the_page_has_the_token_only_on_this_machine(page: httpx.AsyncClient):
    async def token_at(host: str) -> bool:
        response = await page.get("/graphql", headers={"host": host})
        assert (response.status_code, "graphiql" in response.text) == (200, True)
        return TOKEN in response.text

    assert await token_at("localhost:8000")
    assert not await token_at("bookings.example")
    assert not await token_at("0.0.0.0:8000")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/graphql"),
        ("POST", "/graphql"),
        ("OPTIONS", "/graphql"),
        ("GET", "/graphql/assets/main.js"),
        ("GET", "/health"),
        ("GET", "/exports/x"),
        ("GET", "/nothing"),
    ],
)
async def test_nothing_is_answered_for_another_host(
    page: httpx.AsyncClient, method: str, path: str
):
    response = await page.request(method, path, headers={"host": "attacker.example"})

    [error] = response.json()["errors"]
    assert response.status_code == 421
    assert error["extensions"] == {"code": "HOST_NOT_ALLOWED"}
    assert "'attacker.example'" in error["message"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_no_websocket_is_opened_for_another_host(app: Starlette, address: str):
    """The handshake fails, with the same answer."""
    host, _, port = address.partition(":")
    options = {"subprotocols": [SUBPROTOCOL], "host": host, "port": int(port), **UNHURRIED}

    async with connect("ws://gateway/graphql", **options) as opened:  # type: ignore[arg-type]
        assert opened.subprotocol == SUBPROTOCOL
    with pytest.raises(InvalidStatus) as refused:
        await connect("ws://attacker.example/graphql", **options)  # type: ignore[arg-type]

    assert refused.value.response.status_code == 421
    assert b"GATEWAY_ALLOWED_HOSTS" in refused.value.response.body


async def test_the_host_that_is_listened_at_is_served():
    app = create_app(SETTINGS.model_copy(update={"allowed_hosts": ()}), SCHEMA, host="Lab-7.")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lab-7:8000") as client:
        assert (await client.get("/graphql", headers=HTML)).status_code == 200
        response = await client.get("/graphql", headers={**HTML, "host": "lab-8"})

    assert response.status_code == 421
