"""A world with endpoints, their deliveries, and agents with offices."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.events.commands import CreateEvent
from resolvers.notifications.commands import (
    ClaimDeliveries,
    FinishDelivery,
    Redeliver,
    RegisterNotification,
    RemoveEndpoint,
    RotateKey,
)
from resolvers.notifications.delivering import claim, due_endpoints, finish
from resolvers.notifications.endpoints import register, remove, rotate
from resolvers.notifications.redelivering import redeliver
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.outcomes import Outcome
from resolvers.products.commands import UpsertAgentOffice, upsert_agent_offices
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import Storage
from resolvers.storage.tables import AgentBooking, NotificationDelivery, NotificationEndpoint
from resolvers.viewer import PERMISSIONS, Viewer, scope_of
from resolvers.vocabulary import NotificationChannel, NotificationTopic, Role
from tests.resolvers.agent_bookings.conftest import SAMPLE, office, school  # noqa: F401
from tests.resolvers.storage.conftest import opened  # noqa: F401 - a fixture
from tests.resolvers.world import World

URL = "https://agency.example/told"
EVERY_TOPIC = tuple(NotificationTopic)


class Listening(World):
    """Somebody registers, is told, is not reached."""

    async def submitted(self) -> UUID:
        """The sample of [004], as an agent booking."""
        return await self.made(book, BookAgentBooking(viewer=self.viewer, submission=SAMPLE))

    async def detail(self, key: UUID) -> AgentBooking:
        return (await self.rows(AgentBooking, "id", key))[0]

    async def office(self, code: str, agency: str) -> UUID:
        command = UpsertAgentOffice(viewer=self.viewer, code=code, name=code, agency=agency)
        return await self.made(upsert_agent_offices, command)

    def registering(self, **values: Any) -> RegisterNotification:
        by_email = values.get("channel") is NotificationChannel.HTML_EMAIL
        given = {
            "viewer": self.viewer,
            "topics": EVERY_TOPIC,
            "channel": NotificationChannel.HTTP_JSON,
            "url": None if by_email else URL,
            **values,
        }
        return RegisterNotification(**given)

    async def registered(self, **values: Any) -> UUID:
        return await self.made(register, self.registering(**values))

    async def rotated(self, endpoint: UUID, **values: Any) -> Outcome | Refused:
        command = RotateKey(**{"viewer": self.viewer, "endpoint": ByKey(endpoint), **values})
        return await self.one(rotate, command)

    async def removed(self, endpoint: UUID, **values: Any) -> Outcome | Refused:
        command = RemoveEndpoint(**{"viewer": self.viewer, "endpoint": ByKey(endpoint), **values})
        return await self.one(remove, command)

    async def redelivered(self, delivery: UUID, **values: Any) -> Outcome | Refused:
        command = Redeliver(**{"viewer": self.viewer, "delivery": ByKey(delivery), **values})
        return await self.one(redeliver, command)

    async def endpoint(self, key: UUID) -> NotificationEndpoint:
        return (await self.rows(NotificationEndpoint, "id", key))[0]

    async def deliveries(self, endpoint: UUID) -> list[NotificationDelivery]:
        """Return an endpoint's deliveries in log order."""
        rows = await self.rows(NotificationDelivery, "endpoint_id", endpoint)
        return sorted(rows, key=lambda row: (row.position, row.id))

    async def topics(self, endpoint: UUID) -> list[str]:
        return [row.topic.value for row in await self.deliveries(endpoint)]

    async def due(self) -> list[UUID]:
        rows = await self.storage.read(due_endpoints(self.storage.clock()))
        return [row.endpoint_id for row in rows]

    def claiming(self, endpoint: UUID, **values: Any) -> ClaimDeliveries:
        of = self.viewer.organization_id
        given = {"lease_seconds": 30.0, **values}
        return ClaimDeliveries(organization_id=of, endpoint_id=endpoint, **given)

    async def claimed(self, endpoint: UUID, **values: Any) -> list[dict[str, Any]]:
        outcome = await self.one(claim, self.claiming(endpoint, **values))
        assert isinstance(outcome, Outcome), outcome
        taken: list[dict[str, Any]] = outcome.facts["deliveries"]
        return taken

    def finishing(self, endpoint: UUID, taken: Any, **values: Any) -> FinishDelivery:
        return FinishDelivery(
            organization_id=self.viewer.organization_id,
            endpoint_id=endpoint,
            delivery_id=UUID(taken["id"]),
            lease=UUID(taken["lease"]),
            **values,
        )

    async def finished(
        self, endpoint: UUID, taken: Iterable[Any], **values: Any
    ) -> list[tuple[bool, str]]:
        """Return the result of claimed deliveries: whether it was written, and the status."""
        commands = [self.finishing(endpoint, one, **values) for one in taken]
        outcomes = await self.storage.write(finish, commands)
        return [(o.changed, o.facts["status"]) for o in outcomes if isinstance(o, Outcome)]

    def creating(self, title: str) -> CreateEvent:
        return CreateEvent(self.viewer, {"title": title})

    async def user(self, role: Role, *offices: UUID, **values: Any) -> Viewer:
        """A user with these offices, as they are when they call."""
        command = UpsertUser(
            viewer=self.viewer,
            role=role,
            agent_office_ids=tuple(ByKey(each) for each in offices),
            **{"reference": "U", "name": "Una", **values},
        )
        key = await self.made(upsert_users, command)
        return Viewer(
            organization_id=self.viewer.organization_id,
            role=role,
            name="Una",
            key=key.hex,
            permissions=PERMISSIONS[role],
            user_id=key,
            scope=scope_of(role, agent_offices=frozenset(offices), user=key),
        )


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> Listening:
    return Listening(storage, viewer)


@pytest.fixture
async def others(world: Listening) -> Listening:
    """The same storage, for an administrator of another organization."""
    command = MakeOrganization(name="Southfield", time_zone="Asia/Tokyo", currency="JPY")
    key = await world.made(make_organization, command)
    return Listening(world.storage, replace(world.viewer, organization_id=key))


@pytest.fixture
async def centre(world: Listening) -> UUID:
    return await world.centre()


@pytest.fixture
async def room(world: Listening, centre: UUID) -> UUID:
    return await world.room(centre)


@pytest.fixture
async def event(world: Listening, centre: UUID, room: UUID) -> UUID:
    """An event with many seats, created before any endpoint."""
    return await world.event(centre=centre, room=room, capacity_maximum=20)


@pytest.fixture
async def booked(world: Listening, event: UUID) -> UUID:
    """A booking of the event, created before any endpoint."""
    return await world.booked(await world.candidate(), event)
