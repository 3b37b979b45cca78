"""Several server processes that accept connections at one socket; uvicorn starts and watches them.

uvicorn replaces a process that has died or does not respond, and stops all of them with SIGTERM.
Its processes run uvicorn's own server, and it has no option for another one.
"""

import logging
import socket
import sys
from typing import Final

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from gateway.incoming.server import Config, Server
from gateway.memory import expect_many_objects

RESPONSE_SECONDS: Final = 20
"""A process that does not respond for so long is replaced. Its imports take the first seconds."""

# A process that is started here imports this module first, and then what serves.
expect_many_objects()


class ServerProcess(multiprocess.Process):
    """A process that runs the gateway's server instead of uvicorn's."""

    config: Config

    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = Server(self.config)
        assert isinstance(self._server, Server)
        return self._server


def run_processes(config: Config, listening: socket.socket | None = None) -> None:
    """Run `config.workers` processes until a signal stops them; exit with 3 if one cannot start.

    The application of the configuration must be a factory that can be pickled: each process makes
    its own. They accept at the socket, or at one that is bound as the configuration says.
    """
    multiprocess.Process = ServerProcess  # type: ignore[misc]
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # also that a process has died
    config.timeout_worker_healthcheck = RESPONSE_SECONDS
    supervisor = multiprocess.Multiprocess(config, [listening or config.bind_socket()])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)
