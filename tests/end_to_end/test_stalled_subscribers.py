"""Clients that ask for a long backlog and do not read it delay others only a little."""

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest

from gateway.auth import Authenticator, Claims
from resolvers.changes import GATEWAY
from resolvers.identity import parse_global_id
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.vocabulary import EventChangeType
from tests.end_to_end.clients import Client, socket_to
from tests.end_to_end.servers import Server
from tests.end_to_end.watching import EVENT_CHANGED, Place, end_of_log, renamed
from tests.patience import eventually

pytestmark = pytest.mark.both_databases

STALLED = 50
BACKLOG = 1_000
MOST_MEANWHILE = 250
"""Of all subscribers together. It was 1,900 when each read as many as its client took."""


@pytest.fixture
async def backlog(storage: Storage, organization_id: UUID, place: Place) -> str:
    """A log with many changes of one event; the cursor before them."""
    before = await end_of_log(place)
    parsed = parse_global_id(place.events[0])
    assert parsed is not None
    event = parsed[1]

    def record(work: UnitOfWork, titles: Sequence[str]) -> list[Outcome | Refused]:
        for version, _ in enumerate(titles, 2):
            work.record(
                organization_id,
                id=new_key(),
                at=work.now,
                actor_name=GATEWAY,
                changed_fields=["title"],
                version=version,
                event_type=EventChangeType.UPDATED,
                event_id=event,
            )
        return [Outcome(event) for _ in titles]

    for _ in range(BACKLOG // 100):
        await storage.write(record, ["title"] * 100)
    return before


async def test_stalled_readers_of_the_backlog_let_mutations_pass(
    client: Client,
    server: Server,
    token: str,
    place: Place,
    backlog: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """While a mutation is answered, few of their changes are read, whatever the machine's load."""
    read = 0
    viewers_now = Authenticator.viewers_now

    async def counted(authenticator: Authenticator, claims: Collection[Claims]) -> Any:
        nonlocal read
        read += 1
        return await viewers_now(authenticator, claims)

    monkeypatch.setattr(Authenticator, "viewers_now", counted)

    async def all_begun() -> bool:
        return read > STALLED

    async with AsyncExitStack() as stack:
        for _ in range(STALLED):
            one = await stack.enter_async_context(socket_to(server.host, token))
            stack.callback(one.connection.transport.abort)  # or closing would read everything
            await one.subscribe(EVENT_CHANGED, after=backlog)
        await eventually(all_begun)

        meanwhile = []
        for n in range(5):
            before = read
            await renamed(client, place.events[1], f"Renamed {n}")
            meanwhile.append(read - before)

    assert max(meanwhile) < MOST_MEANWHILE
    assert read < STALLED * BACKLOG, "the mutations must be answered during the backlog"
