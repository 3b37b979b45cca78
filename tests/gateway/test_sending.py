"""Deliveries over HTTP: whatever a receiver does, there is an answer in time, and nothing else.

The receivers are real servers on this machine; where an address must be public, the network is one
that leads every address to them.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from gateway.outgoing.answers import Answer
from gateway.outgoing.attempts import MOST_BYTES
from gateway.outgoing.http import MOST_CONNECTIONS, HttpSender
from gateway.outgoing.resolving import Resolve
from gateway.outgoing.unreached import UnreachedReceivers
from tests.gateway.receiving import (
    Behaviour,
    Internet,
    Names,
    Receiving,
    answering,
    certificate,
    cut_off_after,
    receiving,
    silent_after,
    trickling,
)
from tests.patience import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
PUBLIC = "93.184.216.34"
NEVER_SECONDS = 0.4
"""The limit of an attempt that never ends; a slow machine makes no difference."""

ENOUGH_SECONDS = 1.0
"""The limit of an attempt whose beginning arrives in time and whose end never does."""

USUAL = ssl.create_default_context()
"""Made once: it takes longer than most of these tests."""

LATE = f"could not be reached, or did not answer within {NEVER_SECONDS} s"
UNREACHED = f"could not be reached, or did not answer within {PATIENCE} s"


@asynccontextmanager
async def sending(
    *,
    local: bool = True,
    ports: frozenset[int] = frozenset(),
    tls: ssl.SSLContext | None = USUAL,
    resolve: Resolve | None = None,
    network: Internet | None = None,
    seconds: float = PATIENCE,
) -> AsyncIterator[HttpSender]:
    sender = HttpSender(
        local=local, ports=ports, tls=tls, resolve=resolve, network=network, seconds=seconds
    )
    try:
        yield sender
    finally:
        await sender.aclose()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"), "receiver.example", "127.0.0.1")


async def outcome(behaviour: Behaviour, seconds: float = PATIENCE) -> Answer:
    async with receiving(behaviour) as up, sending(seconds=seconds) as sender:
        return await sender.send(up.url, {}, b"{}")


async def test_a_message_arrives_as_it_was_given():
    """[004] POST, with the host, the length, and the headers in their order."""
    async with receiving(answering(OK)) as up, sending() as sender:
        answer = await sender.send(up.url, {"Content-Type": "a/b", "X-Key": "secret"}, b'{"a":1}')

    assert answer == Answer(status=200)
    assert up.requests == [
        (
            "POST /hooks?token=x HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{up.port}\r\n"
            "User-Agent: booking-gateway\r\n"
            "Content-Type: a/b\r\n"
            "X-Key: secret\r\n"
            'Content-Length: 7\r\n\r\n{"a":1}'
        ).encode()
    ]


async def test_a_connection_is_kept_for_the_next_message():
    async with receiving(answering(OK)) as up, sending() as sender:
        for _ in range(3):
            assert (await sender.send(up.url, {}, b"{}")).status == 200

    assert (len(up.requests), up.connections) == (3, 1)


async def test_a_kept_connection_that_was_closed_is_not_used_again():
    """A receiver that closes after each answer is still reached the next time."""
    async with receiving(cut_off_after(OK)) as up, sending() as sender:
        answers = [await sender.send(up.url, {}, b"{}") for _ in range(3)]

    assert answers == [Answer(status=200)] * 3
    assert up.connections == 3


@pytest.mark.parametrize("status", [201, 204, 400, 403, 410, 429, 500, 503])
async def test_every_status_is_an_answer(status: int):
    raw = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode()

    assert await outcome(answering(raw)) == Answer(status=status)


async def test_a_redirect_is_not_followed():
    async with receiving(answering(OK)) as other, sending() as sender:
        away = f"HTTP/1.1 307 Away\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n"
        async with receiving(answering(away.encode())) as up:
            answer = await sender.send(up.url, {}, b"{}")

    assert answer == Answer(status=307)
    assert other.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [
        silent_after(b""),
        silent_after(b"HTTP/1.1 200 OK\r\nContent-"),
        trickling(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", seconds=0.01),
        trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.01),
    ],
)
async def test_a_receiver_that_does_not_answer_is_left(behaviour: Behaviour):
    """Also one that always says a little more, which no limit between two bytes would notice."""
    assert await outcome(behaviour, NEVER_SECONDS) == Answer(error=LATE)


@pytest.mark.parametrize(
    ("behaviour", "seconds"),
    [
        (silent_after(HEAD), ENOUGH_SECONDS),
        (trickling(HEAD, b"x", seconds=0.05), ENOUGH_SECONDS),
        (cut_off_after(HEAD + b"half"), PATIENCE),
        (cut_off_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"), PATIENCE),
        (
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"),
            PATIENCE,
        ),
        (cut_off_after(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"), PATIENCE),
    ],
)
async def test_a_status_counts_whatever_becomes_of_its_body(behaviour: Behaviour, seconds: float):
    """The receiver has said that it has the message: asking again would send it twice."""
    async with asyncio.timeout(PATIENCE):
        assert await outcome(behaviour, seconds) == Answer(status=200)


async def test_no_more_of_an_answer_is_read_than_is_bounded():
    """And the connection is not kept, since the rest of the answer is still in it."""
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            writer.write(b"x" * 8_192)
            await writer.drain()
            sent += 8_192

    async with receiving(endless) as up, sending() as sender:
        answers = [await sender.send(up.url, {}, b"{}") for _ in range(2)]

    assert answers == [Answer(status=200)] * 2
    assert up.connections == 2
    # what was not read lies in the buffers of both ends
    assert sent < 2 * MOST_BYTES + 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (cut_off_after(b""), "hung up"),
        (cut_off_after(b"HTTP/1.1 200"), "hung up"),
        (cut_off_after(b"HTTP/1.1 200 OK\r\nContent-Le"), "hung up"),
        (answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "did not answer in HTTP"),
        (answering(b"HTTP/1.1 2000 OK\r\n\r\n"), "did not answer in HTTP"),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "did not answer in HTTP"),
    ],
)
async def test_what_is_no_answer_is_told_in_plain_words(behaviour: Behaviour, error: str):
    assert await outcome(behaviour) == Answer(error=error)


async def test_a_receiver_that_is_down_is_told():
    async with receiving(answering(OK)) as up:
        pass
    async with sending() as sender:
        assert await sender.send(up.url, {}, b"") == Answer(error=UNREACHED)


async def test_why_a_receiver_is_not_reached_is_in_the_log_only(caplog: pytest.LogCaptureFixture):
    """Its owner cannot tell a closed port, a silent one, a private address or an unknown name."""
    async with receiving(answering(OK)) as up:
        pass
    errors = []
    for url, names in (
        (f"http://127.0.0.1:{up.port}/?token=x", None),
        ("https://private.example/", Names(["10.0.0.1"])),
        ("https://unknown.example/", Names([])),
    ):
        async with sending(resolve=names, seconds=NEVER_SECONDS) as sender:
            errors.append((await sender.send(url, {}, b"")).error)
    errors.append((await outcome(silent_after(b""), NEVER_SECONDS)).error)

    assert errors == [LATE] * 4
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "refused the connection",
        "the address is not public",
        "the name does not resolve",
        "no answer in time",
    ]
    assert "token" not in caplog.text


async def test_a_silent_receiver_has_one_line_in_the_log_each_minute(
    caplog: pytest.LogCaptureFixture,
):
    async with receiving(silent_after(b"")) as up, sending(seconds=NEVER_SECONDS) as sender:
        await asyncio.gather(*(sender.send(up.url, {}, b"{}") for _ in range(20)))

    [line] = [record.getMessage() for record in caplog.records]
    assert line == f"No answer from 127.0.0.1:{up.port}: no answer in time"


def test_each_receiver_is_logged_again_after_a_minute(caplog: pytest.LogCaptureFixture):
    now = [0.0]
    unreached = UnreachedReceivers(lambda: now[0])

    for now[0] in (0.0, 1.0, 59.9, 60.0, 61.0):
        for receiver in ("a.example", "b.example"):
            unreached.failed(receiver, "no answer in time")

    of_a = [one.getMessage() for one in caplog.records if "a.example" in one.getMessage()]
    assert of_a == [
        "No answer from a.example: no answer in time",
        "No answer from a.example: no answer in time (2 more attempts failed)",
    ]
    assert len(caplog.records) == 4


async def test_a_url_that_breaks_the_rule_is_not_asked():
    """Rules may have changed since it was registered, or the setting."""
    async with receiving(answering(OK)) as up, sending(local=False) as sender:
        answer = await sender.send(up.url, {}, b"")

    assert answer == Answer(error="the URL must not name a private or special address")
    assert up.connections == 0


async def test_an_attempt_that_is_cancelled_ends_at_once():
    """When the gateway stops; nothing stays open."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with receiving(silent) as up, sending() as sender:
        attempt = asyncio.create_task(sender.send(up.url, {}, b""))
        await arrived.wait()
        attempt.cancel()

        with pytest.raises(asyncio.CancelledError):
            await attempt


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    """A proxy would look up names by itself, and reach what we may not."""
    async with receiving(answering(OK)) as proxy, receiving(answering(OK)) as up:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        async with sending() as sender:
            answer = await sender.send(up.url, {}, b"")

    assert answer == Answer(status=200)
    assert (proxy.connections, up.connections) == (0, 1)


async def test_no_more_connections_are_open_than_are_bounded():
    """Whoever waits for one has all its time before it when it gets one."""
    open_now, most = 0, 0
    going = asyncio.Event()

    async def counted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == MOST_CONNECTIONS:
            going.set()
        await going.wait()
        open_now -= 1
        writer.write(OK)

    async with receiving(counted) as up, sending() as sender:

        async def sent_in_turn() -> Answer:
            async with sender.turns.of(uuid4()):
                return await sender.send(up.url, {}, b"")

        answers = await asyncio.gather(*(sent_in_turn() for _ in range(2 * MOST_CONNECTIONS)))

    assert answers == [Answer(status=200)] * (2 * MOST_CONNECTIONS)
    assert most == MOST_CONNECTIONS


# ---------------------------------------------------------------- addresses


async def test_a_name_is_resolved_once_and_its_checked_address_is_dialled(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    """A name that is public when it is checked and private afterwards gains nothing by it."""
    server, client = tls
    names = Names([PUBLIC], ["127.0.0.1"])

    async with receiving(answering(OK), server) as up:
        internet = Internet(up.port)
        async with sending(
            local=False, ports=frozenset({8443}), tls=client, resolve=names, network=internet
        ) as sender:
            answer = await sender.send("https://receiver.example:8443/", {}, b"")

    assert answer == Answer(status=200)
    assert names.asked == [("receiver.example", 8443)]
    assert internet.dialled == [(PUBLIC, 8443)]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, "::ffff:169.254.169.254"],
        [PUBLIC] * 10 + ["fd00:ec2::254"],
        ["fe80::1%eth0"],
        ["64:ff9b::7f00:1"],
    ],
)
async def test_one_address_that_is_not_public_is_enough(addresses: Sequence[str]):
    """Of several addresses any may be the one that is used, now or the next time."""
    internet = Internet(0)
    async with sending(local=False, resolve=Names(addresses), network=internet) as sender:
        answer = await sender.send("https://receiver.example/", {}, b"")

    assert answer == Answer(error=UNREACHED)
    assert internet.dialled == []


async def test_in_development_only_loopback_is_reached_besides():
    internet = Internet(0)
    names = Names(["127.0.0.1", "192.168.0.1"])
    async with sending(local=True, resolve=names, network=internet) as sender:
        answer = await sender.send("https://receiver.example/", {}, b"")

    assert answer == Answer(error=UNREACHED)
    assert internet.dialled == []


async def test_the_system_resolves_names():
    async with receiving(answering(OK)) as up, sending() as sender:
        local = await sender.send(f"http://localhost:{up.port}/", {}, b"")
        unknown = await sender.send("https://no-such-name.invalid/", {}, b"")

    assert local == Answer(status=200)
    assert unknown == Answer(error=UNREACHED)


@pytest.mark.parametrize("answer", [[], ["no address"]])
async def test_a_name_without_an_address_is_told(answer: Sequence[str]):
    async with sending(resolve=Names(answer)) as sender:
        told = await sender.send("https://receiver.example/", {}, b"")

    assert told == Answer(error=UNREACHED)


async def test_a_name_that_takes_too_long_is_told():
    async def silent(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with sending(resolve=silent, seconds=NEVER_SECONDS) as sender:
        told = await sender.send("https://receiver.example/", {}, b"")

    assert told == Answer(error=LATE)


async def test_the_next_address_is_tried_when_one_is_down():
    """On this machine ::1 has no server, as so often in the world."""
    async with (
        receiving(answering(OK)) as up,
        sending(resolve=Names(["::1", "127.0.0.1"])) as sender,
    ):
        assert await sender.send(f"http://localhost:{up.port}/", {}, b"") == Answer(status=200)


async def test_an_address_that_is_silent_leaves_time_for_the_next(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    """Each of several addresses has its share of the attempt."""
    silent = "93.184.216.33"
    async with receiving(answering(OK), tls[0]) as up:
        internet = Internet(up.port, silent=silent)
        names = Names([silent, PUBLIC])
        async with sending(
            local=False, tls=tls[1], resolve=names, network=internet, seconds=2 * ENOUGH_SECONDS
        ) as sender:
            answer = await sender.send("https://receiver.example/", {}, b"")

    assert answer == Answer(status=200)
    assert internet.dialled == [(silent, 443), (PUBLIC, 443)]


# ---------------------------------------------------------------- TLS


async def over_tls(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], host: str, trusted: ssl.SSLContext | None
) -> tuple[Answer, Receiving]:
    async with (
        receiving(answering(OK), tls[0]) as up,
        sending(
            local=False, tls=trusted, resolve=Names([PUBLIC]), network=Internet(up.port)
        ) as sender,
    ):
        return await sender.send(f"https://{host}/", {}, b""), up


async def test_a_certificate_must_be_for_the_name(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    """For the name that was registered, whatever address it has."""
    right, _ = await over_tls(tls, "receiver.example", tls[1])
    wrong, up = await over_tls(tls, "other.example", tls[1])

    assert right == Answer(status=200)
    assert wrong.status is None
    assert (wrong.error or "").startswith("its certificate is not trusted: Hostname mismatch")
    assert up.requests == []


async def test_a_certificate_must_be_signed_by_somebody_trusted(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    answer, up = await over_tls(tls, "receiver.example", None)

    assert answer == Answer(error="its certificate is not trusted: self-signed certificate")
    assert up.requests == []


async def test_who_does_not_speak_tls_is_told():
    greeting = b"220 mail.example ESMTP\r\n"
    async with plain(greeting) as port, sending() as sender:
        told = await sender.send(f"https://127.0.0.1:{port}/", {}, b"")

    assert told == Answer(error="does not speak TLS as we do")


async def test_who_never_finishes_the_handshake_is_left():
    """Nothing stays open: this suite makes an error of a connection that nobody closes."""
    async with plain(b"") as port, sending(seconds=NEVER_SECONDS) as sender:
        told = await sender.send(f"https://127.0.0.1:{port}/", {}, b"")

    assert told == Answer(error=LATE)


@asynccontextmanager
async def plain(greeting: bytes) -> AsyncIterator[int]:
    """A server that says something at once, and then reads whatever comes; its port."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
