"""Claiming deliveries and recording their results: retry, failure, disabled endpoints."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.events.creating import create_events
from resolvers.every_kind.accommodations import grant
from resolvers.notifications.delivering import claim, due_endpoints, finish
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.rows import changed
from resolvers.storage.tables import ChangeLog, NotificationDelivery
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic
from tests.resolvers.asking import Statements, granting
from tests.resolvers.notifications.conftest import URL, Listening
from tests.resolvers.storage.conftest import Opening

pytestmark = pytest.mark.both_databases

T = NotificationTopic
EMAIL = "staff@example.org"


@pytest.fixture
async def endpoint(world: Listening, event: UUID) -> UUID:
    """Somebody at a URL, with an email for what cannot be delivered; told nothing yet."""
    return await world.registered(email=EMAIL)


@pytest.fixture
async def three(world: Listening, endpoint: UUID, event: UUID) -> list[UUID]:
    """Three bookings that are to be told."""
    return [await world.booked(candidate, event) for candidate in await world.candidates(3)]


async def states(world: Listening, endpoint: UUID) -> list[tuple[str, int]]:
    return [(row.status.value, row.attempts) for row in await world.deliveries(endpoint)]


async def test_due_endpoints_of_all_organizations(
    world: Listening, others: Listening, event: UUID, clock: Any
):
    """Longest due first; not who has nothing, or only what is held or is not due yet."""
    [idle, first] = [
        await world.registered(topics=(t,)) for t in (T.BOOKING_MOVED, T.EVENT_CREATED)
    ]
    theirs = await others.registered()
    await world.event()
    clock.now += timedelta(seconds=1)
    await others.event()

    assert await world.due() == [first, theirs]
    [row, _] = await world.storage.read(due_endpoints(clock.now))
    assert row.organization_id == world.viewer.organization_id
    assert row.due_since == clock.now - timedelta(seconds=1)
    [taken] = await world.claimed(first)
    assert await world.due() == [theirs]
    await world.finished(first, [taken], status=503)
    assert await world.due() == [theirs]
    clock.now += timedelta(seconds=10)
    assert await world.due() == [theirs, first]
    assert idle not in await world.due()


async def test_claimed_in_the_order_of_the_log(world: Listening, endpoint: UUID, three: list[UUID]):
    """As many as are wanted, with all that sending needs, under one new lease; none twice."""
    outcome = await world.one(claim, world.claiming(endpoint, most=2))
    again = await world.one(claim, world.claiming(endpoint))

    assert isinstance(outcome, Outcome)
    assert isinstance(again, Outcome)
    assert (outcome.subject, outcome.changed, again.changed) == (endpoint, True, True)
    rows = await world.deliveries(endpoint)
    row = await world.endpoint(endpoint)
    assert outcome.facts["url"] == URL
    assert outcome.facts["email"] == EMAIL
    assert outcome.facts["keys"] == [row.current_key]
    taken = outcome.facts["deliveries"]
    assert [one["id"] for one in taken] == [row.id.hex for row in rows[:2]]
    assert [one["id"] for one in again.facts["deliveries"]] == [rows[2].id.hex]
    assert taken[0] == {
        "id": rows[0].id.hex,
        "lease": rows[0].lease.hex,
        "topic": "BOOKING_CREATED",
        "channel": "HTTP_JSON",
        "content": rows[0].content,
        "attempts": 0,
    }
    assert len({one["lease"] for one in taken}) == 1
    assert await world.claimed(endpoint) == []
    assert Outcome.from_json(outcome.to_json()).facts == outcome.facts


async def test_what_a_dead_worker_held_is_taken_again(
    world: Listening, endpoint: UUID, three: list[UUID], clock: Any
):
    """After the lease expires, another worker claims the delivery, and the first one's result is
    discarded.
    """
    held = await world.claimed(endpoint, lease_seconds=30)
    clock.now += timedelta(seconds=29)
    assert await world.claimed(endpoint) == []
    clock.now += timedelta(seconds=1)

    again = await world.claimed(endpoint)

    assert [one["id"] for one in again] == [one["id"] for one in held]
    assert await world.finished(endpoint, held, status=500) == [(False, "QUEUED")] * 3
    assert await states(world, endpoint) == [("QUEUED", 0)] * 3
    assert await world.finished(endpoint, again, status=200) == [(True, "DELIVERED")] * 3
    assert await world.finished(endpoint, again, status=500) == [(False, "DELIVERED")] * 3


async def test_a_lease_that_is_over_and_nobody_elses_still_counts(
    world: Listening, endpoint: UUID, three: list[UUID], clock: Any
):
    """The result counts if no other worker has claimed the delivery."""
    held = await world.claimed(endpoint, lease_seconds=30)
    clock.now += timedelta(minutes=5)

    assert await world.finished(endpoint, held, status=200) == [(True, "DELIVERED")] * 3


async def test_a_booking_is_told_in_order_also_after_failures(
    world: Listening, endpoint: UUID, event: UUID, clock: Any
):
    """Later deliveries of a booking wait for its retry; other bookings do not."""
    one, two = [await world.booked(c, event) for c in await world.candidates(2)]
    for booking in (one, two):
        await world.made(grant, granting(world, booking))
    subjects = {row.id.hex: row.subject_id for row in await world.deliveries(endpoint)}
    told = []
    for waits_seconds, status in [(0, 500), (0, 200), (10, 500), (40, 200), (0, 200), (0, 200)]:
        clock.now += timedelta(seconds=waits_seconds)
        for taken in await world.claimed(endpoint):
            of = subjects[taken["id"]]
            answered = status if of == one else 200
            await world.finished(endpoint, [taken], status=answered)
            told += [(of, taken["topic"], answered)]

    created, granted = T.BOOKING_CREATED, T.BOOKING_ACCOMMODATION_CHANGED
    assert [each for each in told if each[0] == two] == [(two, created, 200), (two, granted, 200)]
    assert [each for each in told if each[0] == one] == [
        (one, created, 500),
        (one, created, 500),
        (one, created, 200),
        (one, granted, 200),
    ]


async def test_who_only_waits_for_another_is_not_due(
    world: Listening, endpoint: UUID, event: UUID, clock: Any
):
    """Otherwise a worker would query it repeatedly while it waits."""
    booking = await world.booked(await world.candidate(), event)
    await world.made(grant, granting(world, booking))
    await world.finished(endpoint, await world.claimed(endpoint), status=500)
    first, second = await world.deliveries(endpoint)

    assert await world.claimed(endpoint) == []

    assert await world.due() == []
    assert await world.claimed(endpoint) == []
    assert (await world.deliveries(endpoint))[1].next_attempt_at == first.next_attempt_at
    await world.redelivered(first.id)
    assert (await world.deliveries(endpoint))[1].next_attempt_at == clock.now
    [taken] = await world.claimed(endpoint)
    assert taken["id"] == first.id.hex
    await world.finished(endpoint, [taken], status=200)
    assert [one["id"] for one in await world.claimed(endpoint)] == [second.id.hex]


async def test_what_waits_for_a_delivery_of_another_worker_is_put_off(
    world: Listening, endpoint: UUID, event: UUID, clock: Any
):
    """For a second: until then the other may have made it."""
    booking = await world.booked(await world.candidate(), event)
    await world.made(grant, granting(world, booking))
    held = await world.claimed(endpoint)

    assert await world.claimed(endpoint) == []

    assert await world.due() == []
    await world.finished(endpoint, held, status=200)
    clock.now += timedelta(seconds=1)
    [taken] = await world.claimed(endpoint)
    assert taken["topic"] == T.BOOKING_ACCOMMODATION_CHANGED


async def test_delivered(world: Listening, endpoint: UUID, three: list[UUID], clock: Any):
    """The status and time are stored, the endpoint's failures are reset, and the log does not
    change.
    """
    changes = await world.changes()
    first, second, third = await world.claimed(endpoint)
    await world.finished(endpoint, [first], status=500)
    assert (await world.endpoint(endpoint)).failing_since == clock.now

    assert await world.finished(endpoint, [second], status=200) == [(True, "DELIVERED")]

    row = (await world.deliveries(endpoint))[1]
    assert (row.attempts, row.last_http_status, row.last_error) == (1, 200, None)
    assert (row.delivered_at, row.next_attempt_at, row.lease) == (clock.now, None, None)
    assert (await world.endpoint(endpoint)).failing_since is None
    await world.finished(endpoint, [third], status=200)
    assert await world.changes() == changes
    assert await world.rows(ChangeLog, "id", row.id) == []


async def test_tried_again(world: Listening, endpoint: UUID, three: list[UUID], clock: Any):
    """Each retry is later and stores the error; none is after the final deadline."""
    [first, *_] = await world.claimed(endpoint)
    await world.finished(endpoint, [first], error="hung up" * 100, chance=1)

    row = (await world.deliveries(endpoint))[0]
    assert (row.status, row.attempts, row.last_http_status) == ("RETRYING", 1, None)
    assert row.last_error == ("hung up" * 100)[:500]
    assert row.next_attempt_at == clock.now + timedelta(seconds=11)
    clock.now = row.give_up_at - timedelta(seconds=3)
    [again] = [one for one in await world.claimed(endpoint) if one["id"] == first["id"]]
    assert again["attempts"] == 1
    await world.finished(endpoint, [again], status=302)
    row = (await world.deliveries(endpoint))[0]
    assert (row.attempts, row.last_http_status, row.last_error) == (
        2,
        302,
        "answered 302 instead of 200",
    )
    assert row.next_attempt_at == row.give_up_at


async def test_given_up_after_two_days_and_emailed(
    world: Listening, endpoint: UUID, three: list[UUID], clock: Any
):
    """One email has the message and the reason, and the booking's next delivery can proceed."""
    [first, *_] = await world.claimed(endpoint)
    clock.now += timedelta(hours=48)

    assert await world.finished(endpoint, [first], status=500) == [(True, "FAILED")]

    rows = await world.deliveries(endpoint)
    [email] = [row for row in rows if row.channel is NotificationChannel.HTML_EMAIL]
    failed = next(row for row in rows if row.id.hex == first["id"])
    assert (failed.status, failed.next_attempt_at) == (DeliveryStatus.FAILED, None)
    assert (email.status, email.topic, email.position) == ("QUEUED", failed.topic, failed.position)
    assert email.content == {
        **failed.content,
        "failedBecause": "answered 500 instead of 200",
        "failedUrl": URL,
    }
    assert email.give_up_at == clock.now + timedelta(hours=48)
    taken = [one for one in await world.claimed(endpoint) if one["channel"] == "HTML_EMAIL"]
    assert [one["id"] for one in taken] == [email.id.hex]
    assert await world.finished(endpoint, taken) == [(True, "DELIVERED")]


@pytest.mark.parametrize("by_email", [True, False])
async def test_given_up_without_anybody_to_tell(
    world: Listening, event: UUID, clock: Any, by_email: bool
):
    """Without an email address, or for an email, nothing more is sent."""
    channel = {"channel": NotificationChannel.HTML_EMAIL, "email": EMAIL} if by_email else {}
    endpoint = await world.registered(**channel)
    await world.booked(await world.candidate(), event)
    taken = await world.claimed(endpoint)
    clock.now += timedelta(hours=48)

    assert await world.finished(endpoint, taken, error="hung up") == [(True, "FAILED")]

    assert await states(world, endpoint) == [("FAILED", 1)]


async def test_an_email_that_fails_says_nothing_of_the_endpoint(
    world: Listening, endpoint: UUID, three: list[UUID], clock: Any
):
    """A failed email is retried, and the endpoint does not change, since the mail server is
    separate.
    """
    [first, *_] = await world.claimed(endpoint)
    clock.now += timedelta(hours=48)
    await world.finished(endpoint, [first], status=500)
    since = (await world.endpoint(endpoint)).failing_since
    clock.now += timedelta(hours=40)
    emails = [one for one in await world.claimed(endpoint) if one["channel"] == "HTML_EMAIL"]

    clock.now += timedelta(hours=40)
    assert await world.finished(endpoint, emails, error="refused") == [(True, "FAILED")]

    row = await world.endpoint(endpoint)
    assert (row.active, row.failing_since) == (True, since)


@pytest.mark.parametrize(
    ("status", "hours", "reason"),
    [
        (410, 0, "It answered 410 Gone."),
        (500, 72, "Every attempt has failed for 3 days."),
        (500, 71, None),
    ],
)
async def test_disabled(
    world: Listening,
    endpoint: UUID,
    three: list[UUID],
    clock: Any,
    status: int,
    hours: int,
    reason: str | None,
):
    """After 410 Gone or three days of failures only, all waiting deliveries fail with the
    reason.
    """
    [first, *_] = await world.claimed(endpoint, most=1)
    await world.finished(endpoint, [first], status=500)
    clock.now += timedelta(hours=hours)
    for row in await world.deliveries(endpoint):
        await world.redelivered(row.id)
    taken = await world.claimed(endpoint, most=2)

    await world.finished(endpoint, taken[:1], status=status)

    row = await world.endpoint(endpoint)
    assert (row.active, row.disabled_reason) == (reason is None, reason)
    failed, *others = [r for r in await world.deliveries(endpoint) if r.channel == "HTTP_JSON"]
    if reason is None:
        assert {one.status for one in others} == {DeliveryStatus.QUEUED}
        return
    assert failed.status is DeliveryStatus.FAILED
    assert [(one.status, one.last_error) for one in others] == [("FAILED", reason)] * 2
    assert await world.finished(endpoint, taken[1:], status=200) == [(False, "FAILED")]


async def test_a_batch_in_which_an_endpoint_is_gone(
    world: Listening, endpoint: UUID, three: list[UUID]
):
    """What was delivered beside it is delivered; what failed beside it is given up."""
    failed, gone, delivered = await world.claimed(endpoint)
    commands = [
        world.finishing(endpoint, failed, status=500),
        world.finishing(endpoint, gone, status=410),
        world.finishing(endpoint, delivered, status=200),
        world.finishing(endpoint, {**delivered, "id": uuid4().hex}, status=200),
    ]

    outcomes = await world.storage.write(finish, commands)

    told = [(o.changed, o.facts["status"]) for o in outcomes if isinstance(o, Outcome)]
    assert told == [(True, "FAILED"), (True, "FAILED"), (True, "DELIVERED"), (False, None)]
    assert [status for status, _ in await states(world, endpoint)] == [
        "FAILED",
        "FAILED",
        "DELIVERED",
    ]


async def test_what_came_too_late_for_a_disabled_endpoint_is_given_up(
    world: Listening, endpoint: UUID, three: list[UUID], event: UUID
):
    """A change that was committed beside the disabling leaves nothing that waits for ever."""
    [first, *_] = await world.claimed(endpoint)
    await world.finished(endpoint, [first], status=410)
    await world.storage.write(queue_again, await world.deliveries(endpoint))

    assert await world.due() == [endpoint]
    assert await world.claimed(endpoint) == []

    assert await world.due() == []
    assert {status for status, _ in await states(world, endpoint)} == {"FAILED"}


def queue_again(work: UnitOfWork, rows: Sequence[Any]) -> list[Outcome | Refused]:
    queued = {"status": DeliveryStatus.QUEUED, "next_attempt_at": work.now}
    work.save(NotificationDelivery, [(row, changed(row, **queued)) for row in rows])
    return [Outcome(row.id) for row in rows]


async def test_nobody_is_there(world: Listening):
    """An endpoint that does not exist has nothing to be taken."""
    outcome = await world.one(claim, world.claiming(uuid4()))

    assert isinstance(outcome, Outcome)
    assert (outcome.changed, outcome.facts) == (False, {"deliveries": []})


async def test_two_workers_never_take_the_same(
    world: Listening, endpoint: UUID, event: UUID, opened: Opening
):
    """Each delivery is claimed by one of eight concurrent claims from three processes, in 20
    runs.
    """
    storages = [world.storage, await opened(), await opened()]
    for round in range(20):
        names = [f"R{round}.{n}" for n in range(8)]
        await world.storage.write(create_events, [world.creating(name) for name in names])
        outcomes = await asyncio.gather(
            *(storages[n % 3].write(claim, [world.claiming(endpoint, most=3)]) for n in range(8))
        )
        taken = [one for [o] in outcomes for one in o.facts["deliveries"]]  # type: ignore[union-attr]
        counts = Counter(one["id"] for one in taken)
        assert set(counts.values()) <= {1}
        rest = await world.claimed(endpoint)
        assert len(taken) + len(rest) == len(names)
        finishing = await world.finished(endpoint, [*taken, *rest], status=200)
        assert finishing == [(True, "DELIVERED")] * len(names)


async def test_finishing_is_a_fixed_number_of_statements(
    world: Listening, endpoint: UUID, three: list[UUID]
):
    """Whatever the number of deliveries: lock the endpoints, lock the deliveries, write."""
    first, *rest = await world.claimed(endpoint)
    count = Statements()

    alone = await count.needed(world, finish, [world.finishing(endpoint, first, status=200)])
    many = await count.needed(
        world, finish, [world.finishing(endpoint, one, status=200) for one in rest]
    )

    assert (alone, many) == (3, 3)
