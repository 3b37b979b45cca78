"""A PostgreSQL server of a test's own, which may be stopped, killed and started again."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.faults.gateways import free_port
from tests.patience import PATIENCE

USERS: Final = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: one of these runs it instead."""

CONFIGURATION: Final = """
    listen_addresses = '127.0.0.1'
    max_connections = 100
    shared_buffers = 32MB
    max_wal_size = 32MB
    min_wal_size = 4MB
    fsync = off
"""
"""Killed processes lose nothing that the operating system has; only a loss of power would."""


class Missing(Exception):
    """The machine cannot do what a fault needs. The message says what."""


def programs() -> Path:
    """The folder of the newest installed server's programs. Raises: Missing."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3])
    )
    if found:
        return found[-1].parent
    if (asked := shutil.which("pg_config")) is not None:
        answer = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=True)
        if (folder := Path(answer.stdout.strip())).joinpath("initdb").exists():
            return folder
    raise Missing("the programs of a PostgreSQL server (initdb, pg_ctl) are not installed")


class Cluster:
    """The server's data is in `folder`, its write-ahead log there or in `wal`."""

    def __init__(self, folder: Path, *, wal: Path | None = None) -> None:
        self._programs = programs()
        self._user = _user()
        self._folder = folder
        self._data = folder / "data"
        self._port = free_port()
        for each in filter(None, (folder, wal)):
            _hand_over(each, self._user)
        self._run(
            "initdb",
            *("--pgdata", self._data, "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1"),
            *(() if wal is None else ("--waldir", wal / "wal")),
        )
        with self._data.joinpath("postgresql.conf").open("a") as file:
            file.write(f"{CONFIGURATION}\nport = {self._port}\n")
            file.write(f"unix_socket_directories = '{folder}'\n")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server, and wait until it answers. After a kill its processes end first."""
        give_up_at = time.monotonic() + PATIENCE
        while True:
            log = self._folder / "server.log"
            if not self._ctl("start", "--wait", "--log", log, check=time.monotonic() > give_up_at):
                return
            time.sleep(0.1)

    def stop(self, mode: str = "fast") -> None:
        """End the server, if it runs; `immediate` is like a loss of power to it."""
        if self.running:
            self._ctl("stop", "--wait", "--mode", mode)

    def kill(self) -> None:
        """SIGKILL its first process; the others notice that it is gone."""
        os.kill(self._pid(), signal.SIGKILL)

    @property
    def running(self) -> bool:
        return self._ctl("status", check=False) == 0

    def _pid(self) -> int:
        return int(self._data.joinpath("postmaster.pid").read_text().splitlines()[0])

    def _ctl(self, action: str, *options: object, check: bool = True) -> int:
        return self._run("pg_ctl", action, "--pgdata", self._data, *options, check=check)

    def _run(self, program: str, *arguments: object, check: bool = True) -> int:
        done = subprocess.run(
            [self._programs / program, *map(str, arguments)],
            user=self._user,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,  # not a pipe: the server would keep it open
            stderr=subprocess.DEVNULL,
            check=check,
        )
        return done.returncode


def _user() -> str | None:
    """Who runs the server, if it must be somebody else. Raises: Missing."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in USERS:
        if name in known:
            return name
    raise Missing(f"root cannot run PostgreSQL, and there is no user {' or '.join(USERS)}")


def _hand_over(folder: Path, user: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(folder, user)
