"""The command line: what it prints, and how it says in one line what is wrong."""

import gc
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt
import pytest

from gateway.__main__ import FORMAT_NAMES, main
from gateway.incoming.server import Server
from resolvers.sources.formats import FORMATS
from tests.processes import Ended, running

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    returncode: int | str | None
    stdout: str
    stderr: str


class CommandLine:
    """The program, in this process, on a database of its own."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.environment = {"GATEWAY_DATABASE_URL": f"sqlite:///{folder}/data/gateway.db"}
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def run(self, *arguments: str, **settings: str) -> Result:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        given = {**kept, **self.environment, **settings}
        with self._monkeypatch.context() as patched:
            patched.setattr(os, "environ", given)
            patched.setattr(sys, "argv", ["booking-gateway", *arguments])
            with pytest.raises(SystemExit) as exit_:
                main()
        return Result(exit_.value.code, *self._capsys.readouterr())


@pytest.fixture
def command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)


def with_database(command_line: CommandLine, template: Path, folder: Path) -> CommandLine:
    (folder / "data").mkdir()
    shutil.copy(template, folder / "data" / "gateway.db")
    return command_line


@pytest.fixture
def ready(command_line: CommandLine, tmp_path: Path, sqlite_template: Path) -> CommandLine:
    """With a migrated database and one organization."""
    with_database(command_line, sqlite_template, tmp_path)
    made = command_line.run(
        "organization", "Northfield", "--time-zone", "Europe/London", "--currency", "GBP"
    )
    assert made == Result(0, "", "")
    return command_line


def test_a_token_is_printed_and_nothing_else(ready: CommandLine, tmp_path: Path):
    result = ready.run("token", "--role", "scheduler", "--organization", "Northfield")

    assert (result.returncode, result.stderr) == (0, "")
    [line] = result.stdout.splitlines()
    secret = (tmp_path / "data" / "jwt-secret").read_text()
    claims = jwt.decode(line, secret, algorithms=["HS256"])
    assert (claims["role"], claims["sub"]) == ("scheduler", "scheduler")
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert abs(claims["iat"] - datetime.now(UTC).timestamp()) < 60


def test_a_token_of_a_user_has_the_role_of_the_user(
    command_line: CommandLine, demo_template: Path, tmp_path: Path
):
    ready = with_database(command_line, demo_template, tmp_path)
    asked = ("token", "--organization", "Demo Exams", "--user", "scheduler")

    result = ready.run(*asked, GATEWAY_JWT_SECRET="s" * 32)
    refused = ready.run(*asked, "--role", "admin")

    claims = jwt.decode(result.stdout.strip(), "s" * 32, algorithms=["HS256"])
    assert (claims["role"], claims["sub"], "user" in claims) == ("scheduler", "scheduler", True)
    assert refused.returncode == 1
    assert "the user 'scheduler' is scheduler, not admin" in refused.stderr


def test_the_doctor_finds_and_corrects_counters_of_seats(
    command_line: CommandLine, demo_template: Path, tmp_path: Path
):
    """The demo's are right; the exit code says whether a difference remains."""
    ready = with_database(command_line, demo_template, tmp_path)
    right = Result(0, "All seat counters are correct.\n", "")
    assert ready.run("doctor") == right
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as connection:
        connection.execute("UPDATE event_seats SET taken = taken + 3 WHERE rowid <= 2")
        connection.execute(
            "DELETE FROM room_seats"
            " WHERE rowid = (SELECT min(rowid) FROM room_seats WHERE taken > 0)"
        )
        connection.commit()

    found = ready.run("doctor")
    repaired = ready.run("doctor", "--repair")

    *differences, advice = found.stdout.splitlines()
    assert found.returncode == 1
    assert [line.split(" ")[:5] for line in differences] == [
        *[["Demo", "Exams:", "seats", "taken", "at"]] * 2,
        ["Demo", "Exams:", "seats", "taken", "in"],
    ]
    assert advice == "Run `booking-gateway doctor --repair` to correct them."
    assert repaired.returncode == 0
    assert repaired.stdout.splitlines() == [*differences, "Corrected counters: 3."]
    assert ready.run("doctor") == right


def test_a_token_may_last_longer(ready: CommandLine):
    settings = {"GATEWAY_JWT_SECRET": "s" * 32}

    result = ready.run(
        "token", "--role", "admin", "--organization", "Northfield", "--hours", "1.5", **settings
    )

    claims = jwt.decode(result.stdout.strip(), "s" * 32, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 5400


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["token", "--role", "admin", "--organization", "X"], 1, "there is no organization 'X'"),
        (
            ["token", "--role", "admin", "--organization", "Northfield", "--user", "U"],
            1,
            "'Northfield' has no user 'U'",
        ),
        (["token", "--organization", "Northfield"], 2, "--role or --user is required"),
        (
            ["token", "--role", "boss", "--organization", "Northfield"],
            2,
            "--role must be one of admin, scheduler, centre-staff",
        ),
        (
            ["token", "--role", "agent", "--organization", "Northfield"],
            2,
            "--role agent requires --user",
        ),
        (
            ["token", "--role", "candidate", "--organization", "Northfield"],
            2,
            "--role candidate requires --user",
        ),
        (
            ["organization", "Northfield", "--time-zone", "Europe/London", "--currency", "GBP"],
            1,
            "This key already belongs to another object.",
        ),
        (
            ["organization", "South", "--time-zone", "Mars", "--currency", "XXL"],
            1,
            "'--time-zone' must be an IANA time zone, such as Europe/London; '--currency' must be",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    ready: CommandLine, arguments: list[str], code: int, told: str
):
    result = ready.run(*arguments)

    assert result.returncode == code
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith(f"booking-gateway: {told}")


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"GATEWAY_DATABSE_URL": "x"}, 2, "GATEWAY_DATABSE_URL is not a setting of the gateway"),
        ({"GATEWAY_GRAPHIQL": "maybe"}, 2, "GATEWAY_GRAPHIQL must be on or off"),
        ({"GATEWAY_JWT_SECRET": "short"}, 2, "GATEWAY_JWT_SECRET must have at least 32 bytes"),
        ({}, 1, "the database's tables are not up to date: run `booking-gateway migrate`"),
        (
            {"GATEWAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"},
            1,
            "the database cannot be used: ",
        ),
    ],
)
def test_a_start_that_fails_says_why_in_one_line(
    command_line: CommandLine, settings: dict[str, str], code: int, told: str
):
    result = command_line.run("serve", **settings)

    assert result.returncode == code, result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith(f"booking-gateway: {told}")


def test_serve_names_a_host_that_is_none(ready: CommandLine):
    result = ready.run("serve", "--host", "http://x")

    assert result.returncode == 2
    assert "--host must be a host name or an IP address, not 'http://x'" in result.stderr


@pytest.mark.parametrize("arguments", [["serve", "--port", "0x"], ["fly"], ["token"]])
def test_a_wrong_use_is_told_without_a_traceback(command_line: CommandLine, arguments: list[str]):
    result = command_line.run(*arguments)

    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_the_schema_is_printed_without_any_database(command_line: CommandLine):
    result = command_line.run("schema", GATEWAY_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")

    assert result.returncode == 0
    assert re.search(r"^type Query", result.stdout, re.MULTILINE)


def test_a_database_of_a_newer_gateway_is_left_alone(ready: CommandLine, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for command in ("migrate", "serve"):
        result = ready.run(command)

        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        assert "9999" in line


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_tables_that_differ_from_the_migrations_are_named(
    ready: CommandLine, tmp_path: Path, command: str
):
    """The tables of a step that was edited after it had run, for example."""
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as connection, connection:
        connection.execute("ALTER TABLE room RENAME COLUMN capacity TO seats")

    result = ready.run(command)

    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert line == (
        "booking-gateway: the database's tables are not those that the migrations make: "
        "the column room.capacity is missing"
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["fly"], ["token", "--organization", "X"]]
)
def test_help_and_mistyped_arguments_do_not_wait_for_imports(arguments: list[str]):
    code = f"import sys; from gateway.__main__ import main; sys.argv[1:] = {arguments!r}; main()"
    loaded = modules_after(code)

    assert loaded.isdisjoint({"sqlalchemy", "strawberry", "graphql", "uvicorn", "gateway.settings"})
    assert "gateway.__main__" in loaded


STARTED_AND_STOPPED = """
    import asyncio, sys, uvicorn
    from gateway.__main__ import main

    async def start_and_stop(app):
        async with app.router.lifespan_context(app):
            pass

    def run(server):
        asyncio.run(start_and_stop(server.config.app))
        server.started = True

    uvicorn.Server.run = run
    sys.argv[1:] = ["serve"]
    main()
"""

NOT_FOR_A_START = {
    "aiosmtplib",
    "alembic",
    "email_validator",
    "gateway.commands",
    "demo.organization",
    "gateway.outgoing.attempts",
    "gateway.outgoing.mail",
    "httpcore",
    "iso4217",
    "mako",
    "pycountry",
    "resolvers.sources.formats",
    "resolvers.storage.migrate",
    "rich",
    "xlsxwriter",
}
"""What other commands use, and what a server uses only when it is asked for."""


def test_serve_imports_only_what_it_uses(ready: CommandLine):
    """From the command line to the end of the application's own start, worker included."""
    loaded = modules_after(STARTED_AND_STOPPED, **ready.environment)

    assert loaded.isdisjoint(NOT_FOR_A_START)
    assert {"gateway.app", "gateway.worker", "schema"} <= loaded


def modules_after(code: str, **environment: str) -> set[str]:
    """The modules that a new interpreter has loaded after running some code."""
    script = f"""
try:
    {code.strip()}
except SystemExit:
    pass
import sys
print(*sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.splitlines()[-1].split())


def test_every_format_can_be_named():
    """The command line lists the names itself, since the formats take long to import."""
    assert set(FORMAT_NAMES) == set(FORMATS)


def test_several_processes_require_postgresql(ready: CommandLine):
    """Nothing is started, and the error says why."""
    assert ready.run("serve", "--processes", "2") == Result(
        2,
        "",
        "booking-gateway: --processes requires PostgreSQL;"
        " a SQLite database is served by one process\n",
    )


def test_migrating_twice_is_no_mistake(command_line: CommandLine):
    assert command_line.run("migrate") == Result(0, "", "")
    assert command_line.run("migrate") == Result(0, "", "")


def test_idle_connections_outlive_those_of_load_balancers(
    ready: CommandLine, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise a client sends its next request into a connection that is being closed."""
    servers: list[Server] = []
    monkeypatch.setattr(Server, "run", lambda server: servers.append(server))
    for name in ("freeze", "set_threshold"):  # the tests' own objects shall still be collected
        monkeypatch.setattr(gc, name, lambda *_: None)

    assert ready.run("serve").returncode == 3  # it has not started

    [server] = servers
    assert server.config.timeout_keep_alive > 60


def test_serve_answers_until_it_is_told_to_stop(ready: CommandLine, free_port: int):
    token = ready.run("token", "--role", "admin", "--organization", "Northfield").stdout.strip()
    address = f"http://127.0.0.1:{free_port}/graphql"
    settings = {"GATEWAY_GRAPHIQL_TOKEN": token, "PYTHONUNBUFFERED": "1"}
    with running(
        *(sys.executable, "-m", "gateway", "serve", "--port", str(free_port)),
        environment={**ready.environment, **settings},
    ) as server:
        assert server.line("") == f"GraphQL at {address}\n"
        assert "On this machine, the page opens with the token" in server.line("")

        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            answer = client.post(
                address,
                json={"query": "{ __typename }"},
                headers={"authorization": f"Bearer {token}"},
            )
            page = client.get(address, headers={"accept": "text/html"})
        ended = server.end()

    assert answer.json() == {"data": {"__typename": "Query"}}
    assert token in page.text
    assert ended.stderr == ""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_works_until_it_is_told_to_stop(ready: CommandLine, told: signal.Signals):
    """It says that it is up, and ends in good order."""
    with running(
        sys.executable, "-m", "gateway", "worker", environment=ready.environment
    ) as worker:
        assert worker.line("") == "Working.\n"

        assert worker.end(told) == Ended(0, "", "")
