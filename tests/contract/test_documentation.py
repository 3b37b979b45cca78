"""The documentation is correct: examples run, and commands, settings and links exist."""

import asyncio
import hmac
import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from demo.organization import NAME
from gateway.__main__ import cli
from gateway.auth import make_token
from gateway.settings import Settings, names
from resolvers.notifications.messages import signature
from resolvers.organizations.reads import organization_named
from resolvers.sources.ec_english.documents import EC_ENGLISH
from resolvers.sources.importing import importer
from resolvers.sources.rows import ImportContext, Row
from resolvers.sources.shift_iq.bodies import READERS
from resolvers.sources.shift_iq.documents import SHIFT_IQ
from schema import build_schema
from tests.conftest import DEMO_AT
from tests.end_to_end.clients import Client, Socket, client_of, socket_to
from tests.end_to_end.servers import SECRET, Server, serving
from tests.patience import PATIENCE
from tests.streaming import EVENTS, streaming

ROOT = Path(__file__).parents[2]
PAGES = {
    file: file.read_text(encoding="utf-8")
    for file in [*sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    if file.name != "CHANGELOG.md"
}
README, DOCUMENTATION = PAGES[ROOT / "README.md"], "\n".join(PAGES.values())
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENTATION, re.MULTILINE | re.DOTALL)
BOOK = """
    mutation ($candidate: String!) {
        bookEnrolment(input: {
            candidate: {reference: $candidate}
            event: {external: {system: GATEWAY, kind: "event", value: "demo-event-2"}}
        }) { errors { code } }
    }
"""


def examples() -> list[tuple[str, dict[str, Any]]]:
    """The GraphQL documents in order, each with the variables of a JSON object right behind it."""
    following = [*BLOCKS[1:], ("", "")]
    return [
        (document, json.loads(text) if language == "json" and text.startswith("{") else {})
        for (kind, document), (language, text) in zip(BLOCKS, following, strict=True)
        if kind == "graphql"
    ]


@pytest.fixture
async def server(demo_template: Path, tmp_path: Path) -> AsyncIterator[Server]:
    """A server on a copy of the demo, at the time when it was made."""
    copy = shutil.copy(demo_template, tmp_path)
    async with serving(f"sqlite:///{copy}", build_schema(), clock=lambda: DEMO_AT) as started:
        yield started


@pytest.fixture
async def token(server: Server) -> str:
    """The token of an administrator of the demo organization."""
    [organization] = await server.app.state.storage.read(organization_named(NAME))
    return make_token(
        secret=SECRET, organization_id=organization.id, role="admin", now=DEMO_AT, hours=1
    )


async def test_the_examples_run_in_their_order(server: Server, token: str):
    """No example returns an error or an empty list, and each subscription has a first result."""
    async with client_of(server.host, token) as client, socket_to(server.host, token) as socket:
        for document, variables in examples():
            if document.lstrip().startswith("subscription"):
                assert await first_result(socket, client, document, variables)
                continue
            value = await client.ask(document, **variables)
            assert value, document
            if isinstance(value, dict):
                assert value.get("nodes") != []
                assert value.get("errors", []) == [], document


async def first_result(
    socket: Socket, client: Client, document: str, variables: dict[str, Any]
) -> Any:
    """The first result of a subscription. Candidates book until it arrives."""
    await socket.subscribe(document, operation=document, **variables)
    told = asyncio.create_task(socket.next(document))
    for n in range(1, 100):
        if told.done():
            break
        await client.ask(BOOK, candidate=f"demo-candidate-{n}")
    async with asyncio.timeout(PATIENCE):
        return await told


async def test_the_example_for_curl_is_answered(server: Server, token: str):
    """The request of the example succeeds."""
    [body] = re.findall(r"-d '(\{.*?\})'", README)
    async with client_of(server.host, token) as client:
        answer = (await client.http.post("/graphql", json=json.loads(body))).json()
    assert answer["data"]["viewer"]["organization"] == {"name": NAME}


async def test_the_example_of_a_stream_for_curl_begins(server: Server, token: str):
    """The stream of the example starts with the delay for reconnects."""
    [query] = re.findall(r"curl -N -G .*?'query=(.*?)'", DOCUMENTATION, re.DOTALL)
    async with streaming(server.host, token, query, method="GET") as stream:
        assert stream.response.headers["content-type"].startswith(EVENTS)
        assert (await stream.until(b"\n\n")).startswith(b"retry: ")


def test_readme_starts_with_running_and_testing():
    """The first two commands are all that a newcomer needs after cloning."""
    [shell, *_] = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    commands = [line.partition("#")[0].strip() for line in shell.splitlines()]
    assert commands[:2] == ["make run", "make test"]


def test_make_targets_exist():
    """Every `make …` on a page is a target of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(
        re.findall(
            r"(?:^|`|\s)make (?=[a-z])(\w+)(?=`|\s+#| [A-Z]+=|$)", DOCUMENTATION, re.MULTILINE
        )
    )
    assert {"run", "test"} <= named <= set(targets)


def helped(*command: str) -> str:
    """The help of the command line, or of one command."""
    wide = {"COLUMNS": "200", "NO_COLOR": "1"}
    return CliRunner(env=wide).invoke(cli, [*command, "--help"]).stdout


def test_commands_and_their_options_exist():
    """Every `booking-gateway …` on a page is a command with the options that are shown."""
    shown: dict[str, set[str]] = {}
    for command, rest in re.findall(r"booking-gateway ([a-z][\w-]*)([^`\n]*)", DOCUMENTATION):
        shown.setdefault(command, set()).update(re.findall(r"--[\w-]+", rest))
    assert "serve" in shown
    known = helped()
    for command, options in shown.items():
        assert re.search(rf"^\W*{command}\b", known, re.MULTILINE), command
        text = helped(command) if options else ""
        assert {option for option in options if option not in text} == set(), command


def test_commands_of_shift_iq_can_be_imported():
    """The bodies in the example are valid, and the page names every command of the format."""
    [text] = [text for language, text in BLOCKS if language == "json" and '"command"' in text]
    viewer = importer(UUID(int=1), SHIFT_IQ.name)
    rows = list(SHIFT_IQ.rows(json.loads(text), ImportContext(SHIFT_IQ.name, viewer)))
    assert len(rows) == 2
    assert all(isinstance(row, Row) for row in rows)
    assert all(
        f"`{command}`" in DOCUMENTATION for commands in READERS.values() for command in commands
    )


def test_booking_of_an_agency_can_be_imported():
    """The body in the example is valid."""
    [text] = [text for language, text in BLOCKS if language == "json" and "AgentBookingId" in text]
    viewer = importer(UUID(int=1), EC_ENGLISH.name)
    [row] = EC_ENGLISH.rows(json.loads(text), ImportContext(EC_ENGLISH.name, viewer))
    assert isinstance(row, Row)


def test_settings_are_complete():
    """Every setting has one row, and every row names a setting."""
    rows = re.findall(r"^\| `(GATEWAY_\w+)`", DOCUMENTATION, re.MULTILINE)
    assert sorted(rows) == sorted(names())


def test_defaults_of_settings_are_correct():
    """A setting with its documented default has the same effect as no setting."""
    rows = re.findall(
        r"^\| `(GATEWAY_\w+)` \| (?:`([^`]+)`|(\d+) MiB) \|", DOCUMENTATION, re.MULTILINE
    )
    assert len(rows) >= len(names()) / 2
    for name, value, mebibytes in rows:
        given = value or str(int(mebibytes) * 1024 * 1024)
        assert Settings.read({name: given}) == Settings.read({}), name


def test_signature_check_is_correct():
    """The example accepts the gateway's messages and rejects changed ones."""
    [text] = [text for language, text in BLOCKS if language == "python"]
    known: dict[str, Any] = {"Mapping": Mapping, "hmac": hmac}
    exec(text, known)
    made = {"X-Booking-Timestamp": "17", "X-Booking-Signature": signature("k", "17", b"{}")}

    assert known["is_ours"]("k", made, b"{}")
    assert not known["is_ours"]("other", made, b"{}")
    assert not known["is_ours"]("k", made, b"{ }")
    assert not known["is_ours"]("k", {**made, "X-Booking-Timestamp": "18"}, b"{}")


def test_links_between_pages_work():
    """Every relative link leads to a file, and every anchor to a heading of that file."""
    for page, text in PAGES.items():
        for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#)?([^)]*)\)", text):
            file = (page.parent / target).resolve() if target else page
            assert file.is_file(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(file.read_text()), f"{page.name}: #{anchor}"


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_glossary_has_words_of_the_schema():
    """Each of our words is a type, field, argument or value of the contract."""
    rows = re.findall(r"^\|.*\| (.*) \|$", PAGES[ROOT / "docs" / "glossary.md"], re.MULTILINE)
    ours = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    printed = re.sub(r'"""(?:.|\n)*?"""', "", (ROOT / "schema" / "schema.graphql").read_text())

    assert ours - set(re.findall(r"\w+", printed)) == set()
    assert {"centre", "candidate", "testForm", "deliveryMode", "timing"} <= ours
