"""The page at /graphql, in a real browser that can reach nothing but this machine."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.graphiql import EXAMPLES
from resolvers.identity import global_id
from tests.end_to_end import browser
from tests.end_to_end.browser import CHROMIUM, Page
from tests.end_to_end.clients import Client
from tests.end_to_end.conftest import Serve, ids
from tests.end_to_end.inputs import mutation
from tests.end_to_end.servers import Server
from tests.patience import eventually
from tests.resolvers.world import World

REQUIRED = os.environ.get("GATEWAY_TEST_CHROMIUM") == "required"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not REQUIRED,
    reason="there is no chromium here; GATEWAY_TEST_CHROMIUM=required makes that a failure",
)


@pytest.fixture
async def server(serve: Serve, token: str) -> Server:
    return await serve(graphiql_token=token)


@pytest.fixture
async def page(server: Server, tmp_path: Path) -> AsyncIterator[Page]:
    async with browser.page(tmp_path / "profile", f"http://{server.host}/graphql") as opened:
        yield opened


def text_of(selector: str) -> str:
    """A script for all text in some elements, with the editor's spaces as spaces."""
    found = f"[...document.querySelectorAll({selector!r})]"
    return f"{found}.map(e => e.innerText.replaceAll('\\u00a0', ' ')).join('\\n')"


def click(selector: str, text: str = "") -> str:
    """A script that presses the button with this text; it comes to whether there was one."""
    found = f"[...document.querySelectorAll({selector!r})].find(e => e.innerText == {text!r})"
    return f"(button => button && (button.click(), true))({found})"


def others(page: Page, server: Server) -> list[str]:
    """What the page has asked of anybody but its own server."""
    own = (f"http://{server.host}/", f"ws://{server.host}/")
    return [url for url in page.requests if not url.startswith(own)]


async def test_the_page_opens_with_examples_and_runs_them(
    page: Page, server: Server, client: Client, world: World, token: str
):
    """It has five tabs, the token in the headers, and the documentation.

    A query is answered, and a subscription shows a change as it is committed. Everything comes
    from this server alone.
    """
    await shows_examples_token_and_schema(page, server, token)
    centre = await world.centre()
    room = await world.room(centre, capacity=200)
    event = await world.event(centre=centre, room=room, title="Demo sitting")
    people = ids("Candidate", await world.candidates(200))

    await page.until(click(".graphiql-tab-button", "Roster"))
    await page.until(click(".graphiql-execute-button"))
    await page.until(text_of(".graphiql-response") + ".includes('Demo sitting')")

    await page.until(click(".graphiql-tab-button", "Live"))
    await page.until(text_of(".graphiql-query-editor .view-lines") + ".includes('bookingChanged')")
    await listen(page, f"ws://{server.host}/graphql")
    shown = text_of(".graphiql-response") + ".includes('CREATED')"
    for candidate in people:
        booked = {"candidate": {"id": candidate}, "event": {"id": global_id("Event", event)}}
        assert (await client.ask(mutation("bookEnrolment"), input=booked))["errors"] == []
        if await page.value(shown):  # what was committed before it had begun is not
            break
    await page.until(shown)

    assert f"http://{server.host}/graphql/assets/main.js" in page.requests
    assert others(page, server) == []
    assert page.faults == []


async def shows_examples_token_and_schema(page: Page, server: Server, token: str) -> None:
    await page.until(click("button[aria-label='Show Documentation Explorer']"))
    await page.until(text_of(".graphiql-doc-explorer") + ".includes('query: Query')")

    tabs = (await page.value(text_of(".graphiql-tab-button"))).split("\n")
    assert tabs == [example.title for example in EXAMPLES]
    written = await page.until(text_of(".graphiql-editor-tool .view-lines"))
    assert f'"Authorization":"Bearer{token}"' in "".join(written.split())


async def listen(page: Page, address: str) -> None:
    """Press the button until there is a WebSocket.

    For a moment after a tab was opened GraphiQL runs the operation of the one before.
    """

    async def connected() -> bool:
        await page.value(click(".graphiql-execute-button[aria-label^=Execute]"))
        return address in page.requests

    await eventually(connected)
