"""A headless Chromium that reaches this machine only, driven through its DevTools protocol."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.patience import PATIENCE, UNHURRIED, eventually
from tests.processes import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which needs more than a container gives
    "--disable-gpu",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1500,1400",
)


class Page:
    """A page, with every address that it or one of its workers has asked for."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._session: str | None = None
        self.requests: list[str] = []
        self.faults: list[str] = []  # exceptions, and what the page's policy forbade

    async def listen(self) -> None:
        """Take in what the browser says, until the connection ends."""
        async for text in self._messages():
            message = json.loads(text)
            if "id" in message:
                answer = self._answers.pop(message["id"], None)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            else:
                await self._happened(message["method"], message["params"])

    async def _messages(self) -> AsyncIterator[str | bytes]:
        with suppress(ConnectionClosed):  # a browser does not say goodbye
            async for text in self._connection:
                yield text

    async def _happened(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(params["url"])
            case "Runtime.exceptionThrown":
                self.faults.append(json.dumps(params["exceptionDetails"])[:1000])
            case "Log.entryAdded" if params["entry"]["source"] == "security":
                self.faults.append(json.dumps(params["entry"])[:1000])
            case "Target.attachedToTarget":  # a worker, which waits until it is watched
                session = params["sessionId"]
                await self._send("Network.enable", session)
                await self._send("Runtime.runIfWaitingForDebugger", session)

    async def _send(self, method: str, session: str | None = None, **params: Any) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        await self._connection.send(json.dumps(message))
        return number

    async def call(self, method: str, **params: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[await self._send(method, self._session, **params)] = answer
        async with asyncio.timeout(PATIENCE):
            message = await answer
        assert "error" not in message, (method, message)
        return message["result"]

    async def open(self, url: str) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        watch = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        await self.call("Target.setAutoAttach", **watch)
        await self.call("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """What a script comes to."""
        given = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = await self.call("Runtime.evaluate", **given)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until a script comes to something that is true; what it came to."""
        return await eventually(lambda: self.value(script))


@asynccontextmanager
async def page(folder: Path, url: str) -> AsyncIterator[Page]:
    """A page in a browser of its own, which is closed at the end."""
    assert CHROMIUM is not None
    with running(CHROMIUM, *OPTIONS, f"--user-data-dir={folder}") as browser:
        ready = "DevTools listening on "
        address = (await asyncio.to_thread(browser.line, ready, of="stderr")).split(ready)[1]
        async with connect(address.strip(), max_size=None, **UNHURRIED) as connection:
            opened = Page(connection)
            listening = asyncio.create_task(opened.listen())
            await opened.open(url)
            yield opened
            await opened._send("Browser.close")
            await listening
