"""Receivers of messages that misbehave: real servers on this machine, one behaviour each."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What a receiver does with a connection of which it has read a request."""


@dataclass
class Receiving:
    """A server that is up, and what it was sent."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?token=x"


@contextlib.asynccontextmanager
async def receiving(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, *, port: int = 0
) -> AsyncIterator[Receiving]:
    """A server that reads requests and answers each by its behaviour, until it is left."""
    server_up = Receiving(0)
    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server_up.connections += 1
        server_up.open += 1
        try:
            while request := await read_request(reader):
                server_up.requests.append(request)
                await behaviour(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            server_up.open -= 1
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", port, ssl=tls)
    server_up.port = server.sockets[0].getsockname()[1]
    try:
        yield server_up
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request, or nothing when the sender has closed, before it or in the middle of it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        return head + await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return b""


def answering(raw: bytes) -> Behaviour:
    """The same answer to every request."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return answer


def cut_off_after(raw: bytes) -> Behaviour:
    """A beginning of an answer, and then the end of the connection."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        raise ConnectionAbortedError

    return answer


def silent_after(raw: bytes) -> Behaviour:
    """A beginning of an answer, and then nothing for as long as the connection lasts."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        await reader.read()

    return answer


def trickling(raw: bytes, drop: bytes, *, seconds: float) -> Behaviour:
    """A beginning of an answer, and then a little more of it for ever."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer


class Names:
    """A resolver whose answers are given, one for each time that it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


class Internet(httpcore.AnyIOBackend):
    """A network in which every address is a server on this machine; it keeps what was dialled."""

    def __init__(self, port: int, *, silent: str | None = None) -> None:
        self.port, self.silent = port, silent
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *more: object) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host == self.silent:
            await asyncio.Event().wait()
        return await super().connect_tcp("127.0.0.1", self.port)


def certificate(directory: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server with these names and addresses, and for a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver of a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "certificate.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
