"""One server in a process of its own: `python -m benchmarks.serve NAME URL FD [--core N]`.

It listens at a socket that its parent opened, so that whoever connects early waits. Every server
runs as `booking-gateway serve` does: one worker of uvicorn on uvloop and httptools, without an
access log, its garbage collector settled.
"""

import argparse
import os
import signal
import socket
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import uvicorn

from benchmarks.sampler import sampling
from gateway.incoming.limits import Limits
from gateway.incoming.processes import run_processes
from gateway.incoming.server import Config, Server
from gateway.memory import settle
from resolvers.caching import BUDGET, MIB

SECRET: Final = "known to every benchmark, and to nobody else's gateway"  # noqa: S105
SERVERS: Final = {
    "gateway": "benchmarks.gateway_itself",
    "hand-written": "benchmarks.references.hand_written",
    "stock": "benchmarks.references.stock_strawberry",
    "stock executor": "benchmarks.references.stock_executor",
}
BOOKING_SERVERS: Final = {
    "gateway": SERVERS["gateway"],
    "fair": "benchmarks.references.fair_booking",
    "simple": "benchmarks.references.simple_booking",
}
"""The module that makes each server; the others' modules are not in its process.

SERVERS answer the queries of `reads`, BOOKING_SERVERS the mutation of `books`.
"""


WATCHED_SERVERS: Final = {
    "gateway": SERVERS["gateway"],
    "broadcast": "benchmarks.references.bare_broadcast",
}
"""The servers of `subscribers`."""

CONNECTIONS: Final = 20_000
MODULES: Final = {**SERVERS, **BOOKING_SERVERS, **WATCHED_SERVERS}

LIMITS: Final = Limits(connections=CONNECTIONS, connections_per_address=CONNECTIONS)
"""All clients of a benchmark come from one address."""

TWO_PROCESSES: Final = "two_processes"
"""The gateway as `serve --processes 2` runs it."""

OPTIONS: Final[dict[str, Any]] = {
    "proxy_headers": False,
    "loop": "uvloop",
    "access_log": False,
    "log_level": "warning",
}


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("name", choices=[*MODULES, TWO_PROCESSES])
    given.add_argument("url")
    given.add_argument("fd", type=int)
    given.add_argument("--core", type=int)
    given.add_argument("--cache-mib", type=int)
    given.add_argument("--samples", type=Path)
    asked = given.parse_args()
    if asked.name == TWO_PROCESSES:
        _serve_in_processes(asked.url, asked.fd)
        return
    if asked.core is not None:
        os.sched_setaffinity(0, {asked.core})
    app = import_module(MODULES[asked.name]).create(asked.url, SECRET)
    if asked.cache_mib is not None:
        BUDGET.resize(asked.cache_mib * MIB)
    settle()
    if asked.name == "gateway":
        server: uvicorn.Server = Server(Config(app, LIMITS, finish_seconds=1, **OPTIONS))
    else:
        limit = {"http": "httptools", "timeout_graceful_shutdown": 1}
        server = uvicorn.Server(uvicorn.Config(app, **limit, **OPTIONS))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn sends it once more at its end
    with socket.socket(fileno=asked.fd) as listening, sampling(asked.samples):
        server.run(sockets=[listening])


def _serve_in_processes(url: str, fd: int) -> None:
    with socket.socket(fileno=fd) as listening:
        app = partial(_settled_gateway, url)
        options = {"factory": True, "workers": 2, **OPTIONS}
        run_processes(Config(app, LIMITS, finish_seconds=1, **options), listening)


def _settled_gateway(url: str) -> Any:
    app = import_module(SERVERS["gateway"]).create(url, SECRET)
    settle()
    return app


if __name__ == "__main__":
    main()
