"""Deliveries are created in the transaction of the change, from committed data."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.agent_bookings.facts import agent_booking_facts
from resolvers.changes import THE_CLOCK, record_booking
from resolvers.enrolments.booking import book
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.identity import global_id
from resolvers.notifications.endpoints import register
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.rows import changed
from resolvers.storage.tables import Event, LogPosition
from resolvers.vocabulary import ChangeType, DeliveryStatus, NotificationTopic, Role
from tests.resolvers.asking import Statements, cancelling, granting, resulting, revoking
from tests.resolvers.notifications.conftest import Listening
from tests.resolvers.storage.conftest import Opening

pytestmark = pytest.mark.both_databases

T = NotificationTopic


async def test_a_booking_is_told_in_the_order_of_the_log(world: Listening, event: UUID):
    """One delivery for each change that has a topic, with what [8.7] says and nothing personal."""
    endpoint = await world.registered()

    enrolment = await world.booked(await world.candidate(), event)
    await world.made(grant, granting(world, enrolment))
    await world.made(revoke, revoking(world, enrolment))
    await world.made(assign_results, resulting(world, enrolment))

    assert await world.topics(endpoint) == [
        T.BOOKING_CREATED,
        T.BOOKING_ACCOMMODATION_CHANGED,
        T.BOOKING_ACCOMMODATION_CHANGED,
        T.BOOKING_RESULT_ASSIGNED,
    ]
    first = (await world.deliveries(endpoint))[0]
    row, now = await world.row(enrolment), world.storage.clock()
    assert first.content == {
        "kind": "ENROLMENT",
        "reference": row.reference,
        "id": global_id("Enrolment", enrolment),
        "version": 1,
        "at": "2027-01-11T12:00:00Z",
    }
    changes = {change.position for change in await world.changes()}
    assert {row.position for row in await world.deliveries(endpoint)} <= changes
    assert (first.status, first.attempts, first.subject_id) == (DeliveryStatus.QUEUED, 0, enrolment)
    assert first.next_attempt_at == first.created_at == now
    assert first.give_up_at == now + timedelta(hours=48)


async def test_what_has_no_topic_is_not_told(world: Listening, centre: UUID, event: UUID):
    """A lapsed booking or a topic without an endpoint creates no delivery."""
    [silent, created] = [
        await world.registered(topics=(topic,)) for topic in (T.BOOKING_MOVED, T.BOOKING_CREATED)
    ]

    enrolment = await world.booked(await world.candidate(), event)
    await world.made(cancel, cancelling(world, enrolment))
    await world.one(expire_due, ExpireDue())

    assert await world.topics(silent) == []
    assert await world.topics(created) == [T.BOOKING_CREATED]


async def test_events_are_told_by_their_identifier(world: Listening, centre: UUID):
    """Made, changed, called off; its bookings are told with it."""
    endpoint = await world.registered(topics=(T.EVENT_CREATED, T.EVENT_CANCELLED))

    event = await world.event(centre=centre)

    [told] = await world.deliveries(endpoint)
    [row] = await world.rows(Event, "id", event)
    assert told.subject_id == event
    assert told.content == {
        "kind": "EVENT",
        "reference": str(row.identifier),
        "id": global_id("Event", event),
        "version": 1,
        "at": "2027-01-11T12:00:00Z",
    }


async def test_only_a_commit_with_deliveries_wakes_their_work(world: Listening, event: UUID):
    """A booking without deliveries does not wake the background work."""
    woken: list[Any] = []
    world.storage.when_queued.append(woken.append)

    await world.booked(await world.candidate(), event)
    assert woken == []

    await world.registered(topics=(T.BOOKING_CREATED,))
    await world.booked(await world.candidate("C2"), event)
    assert [[*changed] for changed in woken] == [[world.viewer.organization_id]]


FOUND: dict[ChangeType, tuple[NotificationTopic, dict[str, Any]]] = {
    ChangeType.INVALIDATED: (
        T.AGENT_BOOKING_INVALID,
        {
            "validation_messages": [
                {"message": "The course is not offered.", "rule": "offer", "path": ["courses"]},
                {"message": "The school is closed.", "rule": "closed", "path": []},
            ]
        },
    ),
    ChangeType.CONFIRMED: (
        T.AGENT_BOOKING_SUCCESS,
        {"backend_booking_id": 12, "backend_student_id": 7},
    ),
}


def found_out(world: Listening, key: UUID, type: ChangeType) -> Any:
    """A command that records what was found out about an agent booking."""

    def run(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome | Refused]:
        for booking, detail in commands:
            after = changed(booking, version=booking.version + 1)
            record_booking(
                work,
                type,
                THE_CLOCK,
                before=booking,
                after=after,
                facts_before=agent_booking_facts(booking, detail),
                facts_after=agent_booking_facts(after, changed(detail, **FOUND[type][1])),
            )
        return [Outcome(key) for _ in commands]

    return run


@pytest.mark.parametrize("type", FOUND)
async def test_agencies_are_told_in_the_words_of_the_source(
    world: Listening, school: UUID, office: UUID, type: ChangeType
):
    """The two topics of [004] have their ids and messages, and the revision; all of the facts."""
    key = await world.submitted()
    topic, _ = FOUND[type]
    endpoint = await world.registered(topics=(topic,))

    given = (await world.row(key), await world.detail(key))
    await world.storage.write(found_out(world, key, type), [given])

    [told] = await world.deliveries(endpoint)
    confirmed = type is ChangeType.CONFIRMED
    messages = ["The course is not offered.", "The school is closed."]
    assert told.topic is topic
    assert told.content == {
        "agentBookingId": "X8347848",
        "validationMessages": [] if confirmed else messages,
        "bookingId": 12 if confirmed else None,
        "studentId": 7 if confirmed else None,
        "revision": 1,
    }


async def test_an_agent_is_told_of_its_offices(world: Listening, school: UUID, office: UUID):
    """An agent does not receive bookings of other offices or of none; it receives events."""
    other = await world.office("11", "Others")
    agents = [
        await world.user(Role.AGENT, one, reference=f"U{n}")
        for n, one in enumerate([office, other])
    ]
    ours, theirs = [await world.registered(viewer=agent) for agent in agents]
    all_of_it = await world.registered()

    await world.submitted()
    centre = await world.centre()
    event = await world.event(centre=centre, room=await world.room(centre))
    await world.booked(await world.candidate(), event)

    assert await world.topics(ours) == [T.BOOKING_CREATED, T.EVENT_CREATED]
    assert await world.topics(theirs) == [T.EVENT_CREATED]
    assert await world.topics(all_of_it) == [T.BOOKING_CREATED, T.EVENT_CREATED, T.BOOKING_CREATED]


async def test_who_is_left_is_told_that_it_left(world: Listening, school: UUID, office: UUID):
    """A change is sent if the booking is in scope before or after it."""
    other = await world.office("11", "Others")
    agent = await world.user(Role.AGENT, office)
    endpoint = await world.registered(viewer=agent, topics=(T.BOOKING_CANCELLED,))
    key = await world.submitted()

    def leave(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome | Refused]:
        for booking in commands:
            after = changed(booking, agent_office_id=other)
            record_booking(
                work,
                ChangeType.CANCELLED,
                THE_CLOCK,
                before=booking,
                after=after,
                facts_before=None,
                facts_after={},
            )
        return [Outcome(key) for _ in commands]

    booking = await world.row(key)
    await world.storage.write(leave, [booking])
    await world.storage.write(leave, [changed(booking, agent_office_id=other)])

    assert await world.topics(endpoint) == [T.BOOKING_CANCELLED]


@pytest.mark.parametrize(
    ("role", "active", "told"),
    [
        (Role.ADMIN, True, 1),
        (Role.ADMIN, False, 0),
        (Role.SCHEDULER, True, 0),
        (Role.CENTRE_STAFF, True, 0),
        (Role.AGENT, True, 0),
    ],
)
async def test_what_a_user_may_be_told_is_asked_at_each_change(
    world: Listening, event: UUID, role: Role, active: bool, told: int
):
    """A user who has lost the permission or was deactivated receives nothing more."""
    admin = await world.user(Role.ADMIN)
    endpoint = await world.registered(viewer=admin, topics=(T.BOOKING_CREATED,))
    await world.user(role, active=active)

    await world.booked(await world.candidate(), event)

    assert len(await world.deliveries(endpoint)) == told


async def test_other_organizations_are_told_nothing(
    world: Listening, others: Listening, event: UUID
):
    """An endpoint belongs to one organization."""
    endpoint = await others.registered()

    await world.booked(await world.candidate(), event)

    assert await others.topics(endpoint) == []


async def test_removed_endpoints_are_told_nothing(world: Listening, event: UUID):
    """A removed endpoint gets no deliveries; others still do."""
    gone, stays = await world.registered(), await world.registered(url="https://other.example/")
    await world.removed(gone)

    await world.booked(await world.candidate(), event)

    assert await world.topics(gone) == []
    assert await world.topics(stays) == [T.BOOKING_CREATED]


async def test_what_is_undone_is_told_to_nobody(world: Listening, event: UUID):
    """A refused all-or-nothing request creates no deliveries; other requests in the transaction
    do.
    """
    endpoint = await world.registered()
    one, two = await world.candidate("C1"), await world.candidate("C2")
    twice = [world.booking(one, event), world.booking(one, event)]

    undone, done = await asyncio.gather(
        world.storage.write(book, twice, all_or_nothing=True),
        world.storage.write(book, [world.booking(two, event)]),
    )

    assert isinstance(undone[0], Refused)
    [outcome] = done
    assert isinstance(outcome, Outcome)
    assert [row.subject_id for row in await world.deliveries(endpoint)] == [outcome.subject]


async def test_a_registration_that_is_undone_notifies_nobody(world: Listening):
    """The organization's flag belongs to its part of the transaction."""
    wrong = replace(world.registering(), topics=())

    await world.storage.write(register, [world.registering(), wrong], all_or_nothing=True)

    [log] = await world.rows(LogPosition, "organization_id", world.viewer.organization_id)
    assert not log.notifies


async def test_every_change_after_a_registration_is_told(
    world: Listening, event: UUID, opened: Opening
):
    """Each registration receives every change committed after it, during concurrent bookings; 8
    runs.

    The deliveries of each are a continuous end of the log.
    """
    other = await opened()
    candidates = await world.candidates(16)
    bookings = [
        asyncio.create_task(storage.write(book, [world.booking(candidate, event)]))
        for candidate, storage in zip(candidates, [world.storage, other] * 8, strict=True)
    ]
    endpoints = []
    for _ in range(8):
        endpoints.append(await world.registered())
    await asyncio.gather(*bookings)
    last = await world.booked(await world.candidate(), event)

    log = [change.position for change in await world.changes() if change.booking_id is not None]
    for endpoint in endpoints:
        told = [row.position for row in await world.deliveries(endpoint)]
        assert told == log[len(log) - len(told) :]
        assert told
    assert (await world.deliveries(endpoints[0]))[-1].subject_id == last


async def test_without_endpoints_nothing_is_looked_for(world: Listening, event: UUID):
    """Nobody registered: a booking has as many statements as ever; else three more for any number.

    One for the endpoints, one for the offices of agents among them, one that writes.
    """
    count = Statements()
    candidates = await world.candidates(36)
    asked = [world.booking(candidate, event) for candidate in candidates]
    await world.storage.write(book, asked[-1:])  # reserves a block of numbers
    before = await count.needed(world, book, asked[:1])
    office = await world.office("2983", "Study Abroad")

    await world.registered(topics=(T.EVENT_CREATED,))
    unwanted = await count.needed(world, book, asked[1:2])
    await world.registered(viewer=await world.user(Role.AGENT, office))
    await world.registered()
    one = await count.needed(world, book, asked[2:3])
    some = await count.needed(world, book, asked[3:13])

    assert (unwanted - before, one - before, some - before) == (1, 3, 3)
