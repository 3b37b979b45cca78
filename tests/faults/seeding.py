"""Two organizations with events to book at, made before the gateway starts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from gateway.auth import make_token
from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.identity import global_id
from resolvers.notifications import outbox
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

TITLE: Final = "An event with a long title " * 5
TOGETHER: Final = 500

TOKEN_AGE: Final = timedelta(hours=3)
"""Tokens are older than any jump of a clock in these tests."""


async def seeded(database_url: str, hosts: Sequence[str], *, events: int = 0) -> list[Organization]:
    """The victim, whose clients use the first host, and its neighbour, whose use the last.

    The victim has further events, which the load does not use.
    """
    storage = storage_at(database_url, outbox.fill)
    await storage.open()
    try:
        victim = await _organization(storage, VICTIM, hosts[0])
        neighbour = await _organization(storage, NEIGHBOUR, hosts[-1])
        await _further_events(World(storage, administrator(victim.id)), events)
        return [victim, neighbour]
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
            centre=centre,
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


async def _further_events(world: World, count: int) -> None:
    values = {"start_at": world.tomorrow(12), "exam_duration_in_minutes": 60, "title": TITLE}
    commands = [CreateEvent(world.viewer, values)] * count
    for begin in range(0, count, TOGETHER):
        results = await world.storage.write(create_events, commands[begin : begin + TOGETHER])
        assert all(isinstance(result, Outcome) for result in results), results[0]


def administrator(organization_id: UUID) -> Viewer:
    return Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )
