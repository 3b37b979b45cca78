"""Stage 2 in the database: each revision is claimed and validated once, and the newest wins."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.validating import validate
from resolvers.bookings.reads import bookings_order, bookings_page
from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.every_kind.cancelling import cancel
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId
from resolvers.storage import storage_at
from resolvers.storage.filters import Condition, Operator
from resolvers.storage.paging import PageRequest
from resolvers.storage.tables import ExternalId, OfferPlace
from resolvers.vocabulary import AgentBookingStatus, BookingStatus, SourceSystem
from tests.resolvers.agent_bookings.conftest import MONDAYS, SAMPLE, School
from tests.resolvers.agent_bookings.validated import taken_up, validated
from tests.resolvers.asking import Statements, cancelling

COURSE = SAMPLE.courses[0]
NEVER = replace(SAMPLE, courses=(replace(COURSE, date_from=date(2027, 3, 16)),))
LATER = replace(SAMPLE, courses=(replace(COURSE, date_from=MONDAYS[1]),), lodging=())


def numbered(submission, n):
    """Return the same submission for another student and another id."""
    theirs = replace(submission.student, first_names=f"Student {n}", passport_number=f"P{n}")
    return replace(submission, agent_booking_id=f"X{n}", student=theirs)


async def statuses(world, key):
    return (await world.row(key)).status, (await world.detail(key)).status


async def test_confirmed(world, possible, course):
    """A confirmed booking has back-end numbers, a place on its start date and a log entry."""
    key = await world.booked()

    [outcome] = await validated(world)

    row, detail = await world.row(key), await world.detail(key)
    assert (outcome.subject, outcome.changed) == (key, True)
    assert (row.status, detail.status) == (BookingStatus.CONFIRMED, AgentBookingStatus.CONFIRMED)
    assert (detail.confirmed_revision, detail.validation_messages) == (1, [])
    assert (detail.lease, detail.leased_until) == (None, None)
    [of_booking] = await world.rows(ExternalId, "object_id", key)
    [of_student] = await world.rows(ExternalId, "object_id", row.candidate_id)
    assert (of_booking.system, of_booking.kind) == (SourceSystem.EC_ENGLISH, "booking")
    assert of_booking.value == str(detail.backend_booking_id)
    assert of_student.value == str(detail.backend_student_id)
    [place] = await world.rows(OfferPlace, "booking_id", key)
    assert place.starts_on == MONDAYS[0]
    changes = [change for change in await world.changes() if change.booking_id == key]
    assert [change.booking_type for change in changes] == ["CREATED", "UPDATED", "CONFIRMED"]
    assert [change.after["agentBookingStatus"] for change in changes] == [
        "RECEIVED",
        "VALIDATING",
        "CONFIRMED",
    ]
    assert [change.version for change in changes] == [1, 2, row.version]
    assert changes[-1].actor_name == "Booking gateway"


async def test_not_possible(world, possible):
    """A failed booking takes no place; its correction is a new revision, which is confirmed."""
    key = await world.booked(NEVER)
    await validated(world)

    assert await statuses(world, key) == (BookingStatus.INVALID, AgentBookingStatus.INVALID)
    detail = await world.detail(key)
    [message] = detail.validation_messages
    assert message == {
        "message": "2027-03-16 isn't a valid start date for 'General English' in 'Brighton'",
        "rule": "START_DATE",
        "path": ["input", "courses", "0", "dateFrom"],
    }
    assert detail.backend_booking_id is None
    assert await world.rows(OfferPlace, "booking_id", key) == []
    assert (await world.changes())[-1].booking_type == "INVALIDATED"

    await world.put()
    await validated(world)

    detail = await world.detail(key)
    assert (detail.status, detail.revision) == (AgentBookingStatus.CONFIRMED, 2)
    assert (detail.confirmed_revision, detail.validation_messages) == (2, [])


async def test_an_update_that_fails_destroys_nothing(world, possible):
    """If an update fails, the confirmed revision keeps its place and stays in force."""
    key = await world.booked()
    await validated(world)
    numbers = (await world.detail(key)).backend_booking_id

    await world.put(NEVER)
    await validated(world)
    detail = await world.detail(key)
    assert (detail.status, detail.confirmed_revision) == (AgentBookingStatus.INVALID, 1)
    assert [p.starts_on for p in await world.rows(OfferPlace, "booking_id", key)] == [MONDAYS[0]]

    await world.put(LATER)
    await validated(world)
    detail = await world.detail(key)
    assert (detail.status, detail.confirmed_revision) == (AgentBookingStatus.CONFIRMED, 3)
    assert detail.backend_booking_id == numbers
    assert [p.starts_on for p in await world.rows(OfferPlace, "booking_id", key)] == [MONDAYS[1]]


async def test_the_newest_revision_wins(world, possible):
    """The result of a replaced revision is discarded."""
    key = await world.booked(NEVER)
    [old] = await taken_up(world)
    await world.put()

    [outcome] = await world.storage.write(validate, [old])

    assert not outcome.changed
    assert (await world.detail(key)).status is AgentBookingStatus.RECEIVED
    await validated(world)
    assert (await world.detail(key)).confirmed_revision == 2


async def test_cancelled_while_it_was_judged(world, possible):
    """A booking cancelled during validation stays cancelled and is not claimed again."""
    key = await world.booked()
    [held] = await taken_up(world)
    await world.made(cancel, cancelling(world, key))

    [outcome] = await world.storage.write(validate, [held])

    assert not outcome.changed
    assert await statuses(world, key) == (BookingStatus.CANCELLED, AgentBookingStatus.CANCELLED)
    assert await taken_up(world) == []


async def test_who_dies_is_followed(world, possible, clock):
    """An expired lease passes to another worker, and the first worker's result is discarded."""
    key = await world.booked()
    [dead] = await taken_up(world, lease_seconds=60)
    clock.now += timedelta(seconds=59)
    assert await taken_up(world) == []
    version = (await world.row(key)).version

    clock.now += timedelta(seconds=1)
    [next_one] = await taken_up(world)

    assert (next_one.booking_id, (await world.row(key)).version) == (key, version)
    [late] = await world.storage.write(validate, [dead])
    assert not late.changed
    [done] = await world.storage.write(validate, [next_one])
    assert done.changed
    [again] = await world.storage.write(validate, [next_one])
    assert not again.changed


async def test_oldest_first_and_at_most_so_many(world, possible):
    keys = [await world.booked(numbered(SAMPLE, n)) for n in range(3)]

    assert [held.booking_id for held in await taken_up(world, most=2)] == keys[:2]
    assert [held.booking_id for held in await taken_up(world, most=2)] == keys[2:]


async def test_two_bookings_of_a_student(world, possible):
    """Two bookings of a student share the student's number and have their own booking numbers."""
    first = await world.booked()
    second = await world.booked(replace(LATER, agent_booking_id="X2"))
    await validated(world)

    one, other = await world.detail(first), await world.detail(second)
    assert one.backend_student_id == other.backend_student_id
    assert one.backend_booking_id != other.backend_booking_id


async def test_codes_that_became_known_later(world, office, course):
    """A booking without a known school belongs to it once it is confirmed."""
    key = await world.booked(
        replace(SAMPLE, school_code="LATER", lodging=(), optional_extras=(), airport_transfers=())
    )
    assert (await world.row(key)).centre_id is None
    school = await world.school("LATER", "Asia/Tokyo")
    await world.offer(course, school, *MONDAYS)

    await validated(world)

    row = await world.row(key)
    assert (row.status, row.centre_id) == (BookingStatus.CONFIRMED, school)
    assert (row.time_zone, row.start_at) == ("Asia/Tokyo", datetime(2027, 3, 14, 15, tzinfo=UTC))
    assert row.busy_until_at == row.end_at


@pytest.mark.parametrize("code", ["4000", "NOBODY"])
async def test_an_office_of_others_is_as_if_unknown(world, possible, office, code):
    """For an agent, another agency's office is unknown at submission and in stage 2."""
    await world.office("4000", "Others")
    agent = world.agent(office)

    key = await world.booked(replace(SAMPLE, agent_office_code=code), viewer=agent)
    await validated(world)

    row, detail = await world.row(key), await world.detail(key)
    assert (row.status, row.agent_office_id) == (BookingStatus.INVALID, office)
    assert detail.agent_office_id is None
    [message] = detail.validation_messages
    assert message["message"] == f"Agent office '{code}' isn't known"


async def test_an_office_that_became_known_later(world, possible):
    """Staff can name an office before it exists."""
    key = await world.booked(replace(SAMPLE, agent_office_code="5000"))
    office = await world.office("5000", "Study Abroad")

    await validated(world)

    assert (await world.detail(key)).agent_office_id == office


@pytest.mark.parametrize("microseconds", [-1, 0])
async def test_completed_by_the_clock(world, possible, clock, microseconds):
    """A booking is COMPLETED from its last day on, a status that is never stored; it can still be
    cancelled.
    """
    key = await world.booked()
    await validated(world)
    end = (await world.row(key)).end_at
    clock.now = end + timedelta(microseconds=microseconds)

    async def listed(status):
        page = PageRequest(bookings_order(None), 10)
        filter = Condition("status", Operator.IN, (status,))
        read = bookings_page(world.viewer, page, filter, now=clock())
        return [row.id for row in await world.storage.read(read)]

    over = microseconds == 0
    assert await listed(BookingStatus.COMPLETED) == ([key] if over else [])
    assert await listed(BookingStatus.CONFIRMED) == ([] if over else [key])
    assert await listed(BookingStatus.EXPIRED) == []
    assert await statuses(world, key) == (BookingStatus.CONFIRMED, AgentBookingStatus.CONFIRMED)
    assert (await world.one(cancel, cancelling(world, key))).changed


async def test_places_are_given_back(world, possible, course):
    """Cancelling or revising a booking frees its place; a full offer accepts no other booking."""
    await world.offer(course, possible, capacity=1)
    first = await world.booked(numbered(SAMPLE, 1))
    second = await world.booked(numbered(SAMPLE, 2))
    await validated(world)
    assert (await world.detail(first)).status is AgentBookingStatus.CONFIRMED
    [message] = (await world.detail(second)).validation_messages
    assert message["rule"] == "COURSE_FULL"

    # a booking's own place does not count against it
    changed = replace(numbered(SAMPLE, 1), language_level="Advanced")
    await world.put(changed)
    await validated(world)
    assert (await world.detail(first)).confirmed_revision == 2

    await world.made(cancel, cancelling(world, first))
    await world.put(replace(numbered(SAMPLE, 2), language_level="Advanced"))
    await validated(world)
    assert (await world.detail(second)).status is AgentBookingStatus.CONFIRMED


@pytest.mark.both_databases
@pytest.mark.parametrize("n", range(4))
async def test_a_course_is_never_overbooked(world, possible, course, database_url, clock, n):
    """With several workers, 3 of 12 bookings get a place, and each is validated once."""
    await world.offer(course, possible, capacity=3)
    commands = [world.asking(numbered(SAMPLE, n)) for n in range(12)]
    await world.storage.write(book, commands)
    workers = [
        School(storage_at(database_url, outbox.fill, clock=clock), world.viewer) for _ in range(4)
    ]
    for worker in workers:
        await worker.storage.open()

    async def work(worker):
        while held := await taken_up(worker, most=2):
            outcomes = await worker.storage.write(validate, held)
            assert all(outcome.changed for outcome in outcomes)

    await asyncio.gather(*(work(worker) for worker in workers))

    for worker in workers:
        await worker.storage.close()
    changes = [change.booking_type for change in await world.changes()]
    assert (changes.count("CONFIRMED"), changes.count("INVALIDATED")) == (3, 9)
    assert changes.count("UPDATED") == 12


async def test_numbers_that_somebody_has_brought(world, possible):
    """Numbers that upserts have used are skipped, however many there are."""
    brought = tuple(
        ByExternalId(SourceSystem.EC_ENGLISH, "student", str(number)) for number in range(1, 8)
    )
    await world.made(
        upsert_candidates,
        UpsertCandidate(
            viewer=world.viewer,
            reference="theirs",
            first_names="Ada",
            last_name="Brought",
            external_ids=brought,
        ),
    )
    key = await world.booked()
    await validated(world)

    detail = await world.detail(key)
    assert (detail.backend_booking_id, detail.backend_student_id) == (1, 8)


async def test_statements_do_not_grow(world, possible):
    """The number of statements does not grow with the bookings that a worker claims and
    validates.
    """

    async def needed(count, name):
        for n in range(count):
            await world.booked(numbered(SAMPLE, f"{name}{n}"))
        statements = Statements()
        held = await taken_up(world)
        outcomes = await world.storage.write(statements.of(validate), held)
        assert [isinstance(outcome, Outcome) for outcome in outcomes] == [True] * count
        return statements.counts[-1]

    await needed(2, "first")  # reserves a block of numbers
    assert await needed(2, "few") == await needed(20, "many")
