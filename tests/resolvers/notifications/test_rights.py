"""The current rights of an endpoint's user apply at each delivery attempt."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.notifications.rights import (
    INACTIVE,
    NOT_PERMITTED,
    OUT_OF_SCOPE,
    Suppression,
    rights_to,
    withheld_because,
)
from resolvers.vocabulary import NotificationChannel, NotificationTopic, Role
from tests.resolvers.notifications.conftest import Listening
from tests.resolvers.world import codes

T = NotificationTopic
BOOKING = (T.BOOKING_CREATED,)


@pytest.fixture
async def elsewhere(world: Listening) -> UUID:
    """Another office of the agency."""
    return await world.office("11", "Study Abroad")


async def withheld(world: Listening, endpoint: UUID) -> list[Suppression | None]:
    """Return why each message to an endpoint would be withheld now."""
    of = world.viewer.organization_id
    return [
        withheld_because(await world.storage.read(rights_to(of, row.id)))
        for row in await world.deliveries(endpoint)
    ]


LOST: list[tuple[Role, dict[str, Any], Suppression | None]] = [
    (Role.AGENT, {}, None),
    (Role.AGENT, {"active": False}, Suppression(INACTIVE, disables=True)),
    (Role.CENTRE_STAFF, {}, Suppression(NOT_PERMITTED, disables=True)),
    (Role.ADMIN, {}, None),
]


@pytest.mark.both_databases
@pytest.mark.parametrize(("role", "values", "expected"), LOST)
async def test_a_user_who_has_lost_a_right_is_sent_nothing_that_waits(
    world: Listening, school: UUID, office: UUID, role: Role, values: Any, expected: Any
):
    """A message queued before the user lost the right is not sent."""
    endpoint = await world.registered(viewer=await world.user(Role.AGENT, office), topics=BOOKING)
    await world.submitted()

    await world.user(role, office, **values)

    assert await withheld(world, endpoint) == [expected]


@pytest.mark.both_databases
async def test_a_booking_that_left_the_scope_is_not_sent(
    world: Listening, school: UUID, office: UUID, elsewhere: UUID
):
    """Without the office, messages about its bookings are withheld; those about events are not."""
    agent = await world.user(Role.AGENT, office, elsewhere)
    endpoint = await world.registered(viewer=agent, topics=(*BOOKING, T.EVENT_CREATED))
    await world.submitted()
    await world.event()

    await world.user(Role.AGENT, elsewhere)

    assert await withheld(world, endpoint) == [Suppression(OUT_OF_SCOPE), None]


async def test_an_endpoint_without_a_user_is_not_restricted(
    world: Listening, school: UUID, office: UUID
):
    """It was registered for the organization, and receives everything."""
    endpoint = await world.registered(topics=BOOKING)
    await world.submitted()

    assert await withheld(world, endpoint) == [None]


async def test_withheld_for_an_inactive_user(world: Listening, office: UUID, clock: Any):
    """Everything that waits fails with the reason; the endpoint stays disabled, with no email."""
    agent = await world.user(Role.AGENT, office)
    endpoint = await world.registered(
        viewer=agent, topics=(T.EVENT_CREATED,), email="agent@example.org"
    )
    for _ in range(3):
        await world.event()
    taken = await world.claimed(endpoint, most=2)

    why = Suppression(INACTIVE, disables=True)
    done = await world.finished(endpoint, taken[:1], withheld=why)
    late = await world.finished(endpoint, taken[1:], withheld=why)

    assert (done, late) == ([(True, "FAILED")], [(False, "FAILED")])
    rows = await world.deliveries(endpoint)
    assert [(row.status, row.attempts, row.last_error) for row in rows] == [
        ("FAILED", 0, INACTIVE)
    ] * 3
    kept = await world.endpoint(endpoint)
    assert (kept.active, kept.disabled_reason, kept.failing_since) == (False, INACTIVE, None)
    await world.user(Role.AGENT, office, active=True)
    assert not (await world.endpoint(endpoint)).active
    assert codes(await world.redelivered(rows[0].id)) == ["ILLEGAL_STATE"]


async def test_withheld_for_one_booking(world: Listening, office: UUID):
    """Only that message fails; the endpoint and the rest of its messages are left alone."""
    endpoint = await world.registered(topics=(T.EVENT_CREATED,))
    for _ in range(2):
        await world.event()
    [first] = await world.claimed(endpoint, most=1)

    assert await world.finished(endpoint, [first], withheld=Suppression(OUT_OF_SCOPE)) == [
        (True, "FAILED")
    ]

    rows = await world.deliveries(endpoint)
    assert [row.status.value for row in rows] == ["FAILED", "QUEUED"]
    assert rows[0].last_error == OUT_OF_SCOPE
    assert (await world.endpoint(endpoint)).active


async def test_an_email_about_a_failure_is_withheld_as_well(
    world: Listening, office: UUID, clock: Any
):
    """The address is the user's, like the URL."""
    agent = await world.user(Role.AGENT, office)
    endpoint = await world.registered(
        viewer=agent, topics=(T.EVENT_CREATED,), email="agent@example.org"
    )
    await world.event()
    [row] = await world.deliveries(endpoint)
    clock.now = row.give_up_at
    await world.finished(endpoint, await world.claimed(endpoint), status=500)
    [_, email] = await world.deliveries(endpoint)
    assert email.channel is NotificationChannel.HTML_EMAIL

    await world.user(Role.AGENT, office, active=False)

    of = world.viewer.organization_id
    found = await world.storage.read(rights_to(of, email.id))
    assert withheld_because(found) == Suppression(INACTIVE, disables=True)
