"""Two organizations with events to book at, made before the gateway starts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from gateway.auth import make_token
from resolvers.identity import global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, storage_at, utc_now
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role
from tests.end_to_end.servers import SECRET
from tests.faults.load import Organization
from tests.resolvers.world import World

VICTIM: Final = "victim"
NEIGHBOUR: Final = "neighbour"
EVENTS: Final = 6
SEATS: Final = 6
CANDIDATES: Final = 48
"""More than there are seats: full events are part of the load."""

TOKEN_AGE: Final = timedelta(hours=3)
"""Tokens are older than any jump of a clock in these tests."""


async def seeded(database_url: str, hosts: Sequence[str]) -> list[Organization]:
    """The victim, whose clients use the first host, and its neighbour, whose use the last."""
    storage = storage_at(database_url)
    await storage.open()
    try:
        return [
            await _organization(storage, name, host)
            for name, host in ((VICTIM, hosts[0]), (NEIGHBOUR, hosts[-1]))
        ]
    finally:
        await storage.close()


async def _organization(storage: Storage, name: str, host: str) -> Organization:
    command = MakeOrganization(name=name, time_zone="Europe/London", currency="GBP")
    [made] = await storage.write(make_organization, [command])
    assert isinstance(made, Outcome)
    world = World(storage, administrator(made.subject))
    centre = await world.centre()
    room = await world.room(centre, "Hall", capacity=1000)
    events = [
        await world.event(
            venue=centre,
            room=room,
            start_at=world.tomorrow(10) + timedelta(days=day),
            capacity_maximum=SEATS,
        )
        for day in range(EVENTS + 1)
    ]
    candidates = await world.candidates(CANDIDATES + 1)
    token = make_token(
        secret=SECRET,
        organization_id=made.subject,
        role="admin",
        now=utc_now() - TOKEN_AGE,
        hours=24,
    )
    return Organization(
        id=made.subject,
        name=name,
        host=host,
        token=token,
        events=[global_id("Event", key) for key in events[1:]],
        candidates=[global_id("Candidate", key) for key in candidates[1:]],
        spare_event=global_id("Event", events[0]),
        spare_candidate=global_id("Candidate", candidates[0]),
    )


def administrator(organization_id: UUID) -> Viewer:
    return Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )
