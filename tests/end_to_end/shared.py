"""One server for all tests of a process that only read, or whose requests are all refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import strawberry
from anyio.from_thread import start_blocking_portal

from demo.organization import NAME
from gateway.auth import make_token
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.reads import organization_named
from resolvers.outcomes import Outcome
from resolvers.storage import utc_now
from tests.end_to_end.clients import client_of
from tests.end_to_end.inputs import Examples
from tests.end_to_end.servers import SECRET, Server, serving


@dataclass(frozen=True)
class SharedServer:
    """A server on the demo, with the examples in an organization of their own."""

    server: Server
    demo_id: UUID
    organization_id: UUID
    examples: Examples

    def token(self, organization_id: UUID | None = None) -> str:
        """A token of an administrator, for the organization of the examples by default."""
        return _token(organization_id or self.organization_id)


def _token(organization_id: UUID) -> str:
    return make_token(
        secret=SECRET, organization_id=organization_id, role="admin", now=utc_now(), hours=12
    )


@contextmanager
def shared_server(demo: Path, schema: strawberry.Schema) -> Iterator[SharedServer]:
    """The server listens in a thread of its own, because each test has its own event loop."""
    options = {"use_uvloop": True}
    with (
        start_blocking_portal("asyncio", options) as portal,
        portal.wrap_async_context_manager(serving(f"sqlite:///{demo}", schema)) as server,
    ):
        yield portal.call(_prepared, server)


async def _prepared(server: Server) -> SharedServer:
    storage = server.app.state.storage
    [demo] = await storage.read(organization_named(NAME))
    command = MakeOrganization(name="Examples", time_zone="Europe/London", currency="GBP")
    [made] = await storage.write(make_organization, [command])
    assert isinstance(made, Outcome)
    async with client_of(server.host, _token(made.subject)) as client:
        examples = await Examples.made(client)
    return SharedServer(server, demo.id, made.subject, examples)
