"""What a start costs: the CPU time of a new process until its first answers.

The database and the compiled modules are there already. What else the machine does makes a start
dearer, never cheaper, so the least of the rounds is shown beside the median. The references are
started in turn with the gateway, by uvicorn's own command.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from benchmarks.data import Size
from benchmarks.reads import token
from benchmarks.serve import SECRET
from benchmarks.servers import ROOT, Server, stop

SIZE: Final = Size(candidates=10, events=10, enrolments=20, centres=1, rooms=1, tests=1)
ROUNDS: Final = 7
PATIENCE_SECONDS: Final = 60
POLL_SECONDS: Final = 0.005
NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
"""With it, every start would compile all modules, which takes half a second of CPU."""

GATEWAY: Final = "gateway"
REFERENCES: Final = {
    "Starlette alone": "bare",
    "the gateway's libraries": "libraries",
    "the gateway's schema in Strawberry's view": "stock_view",
}
"""The module of each application in `benchmarks.references`."""

QUERIES: Final = {GATEWAY: "{ viewer { role organization { name } } }"}
ANY_QUERY: Final = "{ __typename }"


class DidNotStart(Exception):
    """A server has ended, or has answered with something else. The message says which."""


@dataclass(frozen=True, slots=True)
class Start:
    """CPU seconds, user and system, of a server's process until its first answers."""

    kind: str
    server: str
    until_live: float
    until_query: float


def measure(kind: str, url: str, rounds: int = ROUNDS) -> list[Start]:
    """Every server, once in each round; a round before them compiles the modules.

    Raises: DidNotStart.
    """
    servers = (GATEWAY, *REFERENCES)
    for name in servers:
        _started(kind, url, name)
    return [_started(kind, url, name) for _ in range(rounds) for name in servers]


def _started(kind: str, url: str, name: str) -> Start:
    with _running(url, name) as server:
        _asked(server, "GET", "/health/live")
        until_live = server.cpu_seconds()
        query = orjson.dumps({"query": QUERIES.get(name, ANY_QUERY)})
        answer = _asked(server, "POST", "/graphql", query)
        until_query = server.cpu_seconds()
        if orjson.loads(answer).keys() != {"data"}:
            raise DidNotStart(f"{name} answered {answer!r}")
        return Start(kind, name, until_live, until_query)


@contextmanager
def _running(url: str, name: str) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, *_command(name), "--port", str(port)],
        cwd=ROOT,
        env=environment(os.environ, url),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_listening(process, port)
        yield Server(name, port, process.pid)
    finally:
        stop(process)


def environment(of: Mapping[str, str], url: str) -> dict[str, str]:
    """The environment of a server. The first start writes the bytecode that the others read."""
    kept = {k: v for k, v in of.items() if not k.startswith("GATEWAY_") and k != NO_BYTECODE}
    return {**kept, "GATEWAY_DATABASE_URL": url, "GATEWAY_JWT_SECRET": SECRET}


def _command(name: str) -> list[str]:
    if name == GATEWAY:
        return ["-m", "gateway", "serve"]
    application = f"benchmarks.references.{REFERENCES[name]}:app"
    return ["-m", "uvicorn", application, "--log-level", "warning", "--no-access-log"]


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    latest = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > latest:
                raise DidNotStart(f"{process.args} does not listen") from None
            time.sleep(POLL_SECONDS)
        else:
            return


def _asked(server: Server, method: str, path: str, body: bytes | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise DidNotStart(f"{server.name} answered with {response.status}")
    return answer


def markdown(measured: Sequence[Start]) -> str:
    """A table of everything: the least of the rounds, and the median."""
    lines = [
        "| database | server | until live, s of CPU | until the first query is answered |",
        "|---|---|--:|--:|",
    ]
    for kind, server in dict.fromkeys((one.kind, one.server) for one in measured):
        starts = [one for one in measured if (one.kind, one.server) == (kind, server)]
        live = _least_and_median([one.until_live for one in starts])
        query = _least_and_median([one.until_query for one in starts])
        lines.append(f"| {kind} | {server} | {live} | {query} |")
    return "\n".join(lines) + "\n"


def _least_and_median(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.2f} / {median(seconds):.2f}"


def write_json(file: Path, measured: Sequence[Start]) -> None:
    file.write_bytes(orjson.dumps([asdict(one) for one in measured], option=orjson.OPT_INDENT_2))
