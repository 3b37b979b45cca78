"""Endpoints: registration, key rotation, removal and visibility."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers import checks
from resolvers.notifications.delivering import claim
from resolvers.notifications.endpoints import KEY, register
from resolvers.notifications.reads import (
    deliveries_by_id,
    endpoints_by_id,
    notification_endpoints,
)
from resolvers.outcomes import Outcome
from resolvers.refusals import PermissionRefusal
from resolvers.storage.tables import LogPosition
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic, Role
from tests.resolvers.asking import in_role, places
from tests.resolvers.notifications.conftest import URL, Listening

EMAIL = {"channel": NotificationChannel.HTML_EMAIL, "email": "staff@example.org"}
T = NotificationTopic


async def test_registered(world: Listening):
    """What was given is kept, doubled topics once; the key is in the outcome, and is long."""
    topics = (T.BOOKING_MOVED, T.BOOKING_CREATED, T.BOOKING_MOVED)
    outcome = await world.one(register, world.registering(topics=topics, email="a@example.org"))

    assert isinstance(outcome, Outcome)
    row = await world.endpoint(outcome.subject)
    assert (row.topics, row.url, row.email) == (
        ["BOOKING_MOVED", "BOOKING_CREATED"],
        URL,
        "a@example.org",
    )
    assert (row.active, row.disabled_reason, row.removed_at, row.user_id) == (
        True,
        None,
        None,
        None,
    )
    assert row.current_key == outcome.facts[KEY]
    assert len(row.current_key) == 43
    [log] = await world.rows(LogPosition, "organization_id", world.viewer.organization_id)
    assert log.notifies


async def test_an_identical_endpoint_is_registered_once(world: Listening):
    """Registering an identical endpoint returns the first one without its key; any difference
    creates another.
    """
    topics = (T.BOOKING_MOVED, T.BOOKING_CREATED)
    first = await world.registered(topics=topics)

    again, twice = await world.storage.write(
        register, [world.registering(topics=(*reversed(topics), T.BOOKING_MOVED))] * 2
    )
    others = [
        await world.registered(topics=topics[:1]),
        await world.registered(topics=topics, email="a@example.org"),
        await world.registered(topics=topics, url=f"{URL}/2"),
    ]
    await world.removed(first)
    anew = await world.registered(topics=topics)

    for outcome in (again, twice):
        assert isinstance(outcome, Outcome)
        assert (outcome.subject, outcome.created, outcome.changed) == (first, False, False)
        assert KEY not in outcome.facts
    assert len({first, anew, *others}) == 5


async def test_spellings_of_one_url_are_one_endpoint(world: Listening):
    """The row keeps the URL as it was first written."""
    first = await world.registered(url="HTTPS://Agency.Example:443/Told")

    again = await world.one(register, world.registering(url="https://agency.example/Told"))
    other = await world.registered(url="https://agency.example/told")

    assert isinstance(again, Outcome)
    assert (again.subject, again.created) == (first, False)
    assert other != first
    assert (await world.endpoint(first)).url == "HTTPS://Agency.Example:443/Told"


WRONG: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"topics": ()}, [("OUT_OF_RANGE", "topics")]),
    ({"url": None}, [("REQUIRED", "url")]),
    ({"url": "http://agency.example/"}, [("INVALID_VALUE", "url")]),
    ({"url": "https://10.0.0.1/"}, [("INVALID_VALUE", "url")]),
    ({"url": "https://localhost/"}, [("INVALID_VALUE", "url")]),
    ({"url": "http://agency.example/", "local": True}, [("INVALID_VALUE", "url")]),
    ({"url": "https://example.org/" + "x" * 2000}, [("INVALID_VALUE", "url")]),
    ({"email": "nobody"}, [("INVALID_EMAIL", "email")]),
    ({"email": "a" * 255 + "@example.org"}, [("STRING_LENGTH", "email")]),
    ({"channel": EMAIL["channel"]}, [("REQUIRED", "email")]),
    ({**EMAIL, "url": URL}, [("INVALID_VALUE", "url")]),
    (
        {"topics": (), "url": None, "email": ""},
        [
            ("OUT_OF_RANGE", "topics"),
            ("REQUIRED", "url"),
            ("INVALID_EMAIL", "email"),
        ],
    ),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
async def test_what_is_wrong_is_told_together(world: Listening, number: int):
    """All errors are reported at their fields, and nothing is registered."""
    values, expected = WRONG[number]

    assert places(await world.one(register, world.registering(**values))) == expected

    assert await world.storage.read(notification_endpoints(world.viewer)) == []


@pytest.mark.parametrize(
    "values", [{"url": "http://127.0.0.1:9/told", "local": True}, {"url": None, **EMAIL}]
)
async def test_what_else_can_be_registered(world: Listening, values: dict[str, Any]):
    """For development this machine without TLS; an address for email."""
    row = await world.endpoint(await world.registered(**values))

    assert (row.url, row.email) == (values["url"], values.get("email"))


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.CENTRE_STAFF, Role.CANDIDATE, Role.MARKER])
async def test_who_may_not(world: Listening, role: Role):
    """Registering requires MANAGE_NOTIFICATIONS."""
    command = world.registering(viewer=in_role(world, role))

    assert places(await world.one(register, command)) == [("FORBIDDEN", "")]


async def test_a_confined_viewer_without_a_user_registers_nothing(world: Listening):
    """The user restricts an endpoint; without one, it would receive everything."""
    viewer = in_role(world, Role.AGENT, Scope(agent_offices=frozenset([UUID(int=1)])))

    result = await world.one(register, world.registering(viewer=viewer))

    assert places(result) == [("FORBIDDEN", "")]


async def test_an_organization_has_at_most_500(world: Listening, others: Listening):
    """In one batch or in several; one that is removed makes room, and others have their own."""
    urls = (f"{URL}/{n}" for n in range(checks.PLAIN_LIST + 1))
    many = [world.registering(url=next(urls)) for _ in range(checks.PLAIN_LIST - 1)]
    results = await world.storage.write(register, many)
    assert all(isinstance(result, Outcome) for result in results)

    two = [world.registering(url=url) for url in urls]
    last, refused = await world.storage.write(register, two)
    assert places(refused) == [("OUT_OF_RANGE", "")]
    await others.registered()
    assert isinstance(last, Outcome)
    await world.removed(last.subject)
    await world.registered()


async def users(world: Listening) -> tuple[Viewer, Viewer, Viewer]:
    """Two agents of one office, and an administrator who is a user."""
    office = await world.office("2983", "Study Abroad")
    return (
        await world.user(Role.AGENT, office, reference="ONE"),
        await world.user(Role.AGENT, office, reference="TWO"),
        await world.user(Role.ADMIN, reference="ADMIN"),
    )


async def test_everybody_sees_their_own(world: Listening, others: Listening, booked: UUID):
    """An administrator sees the organization's endpoints; a viewer without the permission is
    refused.
    """
    one, two, admin = await users(world)
    [first, second, third] = [await world.registered(viewer=v) for v in (one, two, admin)]

    async def seen(viewer: Viewer) -> list[UUID]:
        return [row.id for row in await world.storage.read(notification_endpoints(viewer))]

    assert await seen(one) == [first]
    assert await seen(two) == [second]
    assert await seen(admin) == await seen(world.viewer) == [first, second, third]
    assert await seen(others.viewer) == []
    with pytest.raises(PermissionRefusal):
        notification_endpoints(in_role(world, Role.SCHEDULER))


async def test_a_foreign_one_is_not_there(world: Listening, others: Listening, event: UUID):
    """Another user's endpoint and its deliveries are not found by reads or commands."""
    one, two, _ = await users(world)
    endpoint = await world.registered(viewer=one, topics=(T.EVENT_CREATED,))
    await world.event()
    [delivery] = await world.deliveries(endpoint)
    strangers = [two, others.viewer, replace(two, user_id=None), in_role(world, Role.SCHEDULER)]

    for viewer in strangers:
        assert await world.storage.read(endpoints_by_id(viewer, [endpoint])) == []
        assert await world.storage.read(deliveries_by_id(viewer, [delivery.id])) == []
        refused = [("FORBIDDEN", "")] if viewer is strangers[-1] else None
        told = refused or [("NOT_FOUND", "endpoint")]
        assert places(await world.rotated(endpoint, viewer=viewer)) == told
        assert places(await world.removed(endpoint, viewer=viewer)) == told
        told = refused or [("NOT_FOUND", "delivery")]
        assert places(await world.redelivered(delivery.id, viewer=viewer)) == told
    for viewer in (one, world.viewer):
        assert len(await world.storage.read(endpoints_by_id(viewer, [endpoint]))) == 1
        assert len(await world.storage.read(deliveries_by_id(viewer, [delivery.id]))) == 1


async def test_both_keys_are_valid_for_an_hour(world: Listening, clock: Any):
    """The new one first; the one before the last is forgotten at once."""
    endpoint = await world.registered()
    first = (await world.endpoint(endpoint)).current_key

    keys = [(await world.rotated(endpoint)).facts[KEY] for _ in range(2)]  # type: ignore[union-attr]

    row = await world.endpoint(endpoint)
    assert len({first, *keys}) == 3
    assert (row.current_key, row.previous_key) == (keys[1], keys[0])
    assert row.previous_key_until == clock.now + timedelta(hours=1)
    for minutes, valid in [(59, keys[::-1]), (1, keys[1:])]:
        clock.now += timedelta(minutes=minutes)
        outcome = await world.one(claim, world.claiming(endpoint))
        assert isinstance(outcome, Outcome)
        assert outcome.facts["keys"] == valid


async def test_what_waits_is_given_up(world: Listening, event: UUID):
    """Also what a worker holds; what was told stays as it was. Again: nothing changes."""
    endpoint = await world.registered()
    for candidate in await world.candidates(3):
        await world.booked(candidate, event)
    told, held, _ = await world.claimed(endpoint)
    await world.finished(endpoint, [told], status=200)

    first, again = await world.removed(endpoint), await world.removed(endpoint)

    assert [(o.subject, o.changed) for o in (first, again) if isinstance(o, Outcome)] == [
        (endpoint, True),
        (endpoint, False),
    ]
    assert [(row.status, row.last_error) for row in await world.deliveries(endpoint)] == [
        (DeliveryStatus.DELIVERED, None),
        (DeliveryStatus.FAILED, "The endpoint was removed."),
        (DeliveryStatus.FAILED, "The endpoint was removed."),
    ]
    assert await world.finished(endpoint, [held], status=200) == [(False, "FAILED")]
    assert await world.storage.read(notification_endpoints(world.viewer)) == []
    assert places(await world.rotated(endpoint)) == [("NOT_FOUND", "endpoint")]
    [key, *_] = [row.id for row in await world.deliveries(endpoint)]
    assert places(await world.redelivered(key)) == [("NOT_FOUND", "delivery")]


async def test_a_delivery_is_made_again_under_its_own_id(world: Listening, event: UUID, clock: Any):
    """Whether it was delivered or given up: from the start, for another 48 hours."""
    endpoint = await world.registered(topics=(T.BOOKING_CREATED,))
    for candidate in await world.candidates(2):
        await world.booked(candidate, event)
    delivered, failed = await world.claimed(endpoint)
    await world.finished(endpoint, [delivered], status=200)
    clock.now += timedelta(hours=48)
    assert await world.finished(endpoint, [failed], status=500) == [(True, "FAILED")]

    for one in (delivered, failed):
        outcome = await world.redelivered(UUID(one["id"]))
        assert isinstance(outcome, Outcome)
        assert (outcome.subject.hex, outcome.changed) == (one["id"], True)

    rows = await world.deliveries(endpoint)
    assert [row.id.hex for row in rows] == [delivered["id"], failed["id"]]
    for row in rows:
        assert (row.status, row.attempts, row.last_error) == (DeliveryStatus.QUEUED, 0, None)
        assert (row.next_attempt_at, row.give_up_at) == (clock.now, clock.now + timedelta(hours=48))
        assert (row.last_http_status, row.delivered_at, row.lease) == (None, None, None)
    assert len(await world.claimed(endpoint)) == 2


async def test_one_that_waits_is_due_now(world: Listening, event: UUID, clock: Any):
    """It keeps its attempts and its end; who holds it goes on."""
    endpoint = await world.registered()
    await world.booked(await world.candidate(), event)
    await world.finished(endpoint, await world.claimed(endpoint), status=500)
    assert await world.due() == []

    clock.now += timedelta(seconds=1)
    [row] = await world.deliveries(endpoint)
    await world.redelivered(row.id)

    [now] = await world.deliveries(endpoint)
    assert (now.status, now.attempts, now.next_attempt_at) == ("RETRYING", 1, clock.now)
    assert now.give_up_at == row.give_up_at
    assert await world.due() == [endpoint]
    [held] = await world.claimed(endpoint)
    await world.redelivered(row.id)
    assert await world.finished(endpoint, [held], status=200) == [(True, "DELIVERED")]


async def test_nothing_is_sent_again_to_one_that_is_disabled(world: Listening, event: UUID):
    """A disabled endpoint must be registered again."""
    endpoint = await world.registered()
    await world.booked(await world.candidate(), event)
    [taken] = await world.claimed(endpoint)
    await world.finished(endpoint, [taken], status=410)

    result = await world.redelivered(UUID(taken["id"]))

    assert places(result) == [("ILLEGAL_STATE", "delivery")]
