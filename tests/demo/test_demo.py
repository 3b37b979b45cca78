"""The demo: what it promises to readers of the README and of the examples."""

import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo.agents import IMPOSSIBLE, SAMPLE, STUDENTS, TripOutcome, request_for, trips
from demo.imports import demo_document
from demo.organization import DOCUMENTS, NAME, make_demo
from demo.plan import BOOKINGS, CANDIDATES, EVENTS, plan
from demo.schools import OFFICES, SAMPLE_STARTS_ON, SCHOOLS, WARES
from demo.term import (
    CALLED_OFF,
    COLLEGE,
    EXTRA,
    EXTRA_LEARNERS,
    FULL,
    LATER,
    LEARNERS,
    REGISTERED,
    VENUE,
    RegistrationOutcome,
    term,
)
from demo.test_schedules import SCHEDULES
from gateway.graphiql import EXAMPLES
from resolvers.bookings.seats import SeatLimits, Seats
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import BookEnrolment, MoveEnrolment
from resolvers.enrolments.moving import move
from resolvers.events.rules import EventStatus, status
from resolvers.notifications import outbox
from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey, ByReference
from resolvers.storage import Read, Storage, storage_at
from resolvers.storage.tables import (
    Accommodation,
    AgentBooking,
    AgentOffice,
    Booking,
    Candidate,
    Centre,
    Enrolment,
    Event,
    ExternalId,
    Payment,
    Product,
    ProductOffer,
    Registration,
    RegistrationTransfer,
    Room,
    TestForm,
    TestSchedule,
    User,
    UserAgentOffice,
    metadata,
    table,
)
from resolvers.test_schedules.transitions import schedule_status
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import (
    AgentBookingStatus,
    BookingKind,
    BookingStatus,
    CancellationReason,
    EnrolmentResult,
    PaymentStatus,
    Role,
    SourceSystem,
    TestScheduleStatus,
)
from tests.conftest import DEMO_AT
from tests.resolvers.recorded import untold_events

NOW = DEMO_AT


@pytest.fixture
def demo_url(demo_template: Path, tmp_path: Path) -> str:
    """The address of a copy of the demo."""
    return f"sqlite:///{shutil.copy(demo_template, tmp_path)}"


@pytest.fixture
async def demo(demo_url: str) -> AsyncIterator[Storage]:
    """A copy of the demo, which a test can change."""
    storage = storage_at(demo_url, outbox.fill, clock=lambda: NOW)
    await storage.open()
    yield storage
    await storage.close()


async def rows(storage: Storage, model: Any) -> list[Any]:
    return await storage.read(Read(("all", model), lambda _: sa.select(table(model))))


async def snapshot(storage: Storage) -> dict[str, list[str]]:
    """Every row of every table."""
    return {
        one.name: sorted(
            map(str, await storage.read(Read(("all", one.name), lambda _, one=one: sa.select(one))))
        )
        for one in metadata.sorted_tables
    }


async def admin(storage: Storage) -> Viewer:
    [organization] = await storage.read(reads.organization_named(NAME))
    permissions = PERMISSIONS[Role.ADMIN]
    return Viewer(organization.id, Role.ADMIN, "admin", "admin:admin", permissions)


async def test_it_is_as_large_as_promised(demo: Storage) -> None:
    """Four centres in as many zones, 12 rooms, 40 events, 300 candidates and 600 bookings."""
    references = [c.reference for c in await rows(demo, Candidate)]
    events = {row.object_id for row in await rows(demo, ExternalId) if row.system == "GATEWAY"}
    zones = {centre.time_zone for centre in await rows(demo, Centre)}

    assert len([r for r in references if r.startswith("demo-candidate-")]) == CANDIDATES == 300
    assert len(events) == EVENTS == 40
    assert len([b for b in await rows(demo, Booking) if b.event_id in events]) == BOOKINGS == 600
    assert {"Europe/London", "America/New_York", "Asia/Singapore"} <= zones
    assert len(await rows(demo, Room)) >= 12
    assert len({c.nationality for c in await rows(demo, Candidate)} - {None}) >= 20


async def test_what_became_of_its_events_is_in_the_log(demo: Storage) -> None:
    """So whoever watches them from the beginning is told of each as it is."""
    assert await untold_events(demo) == []


async def test_bookings_are_in_every_state(demo: Storage) -> None:
    """There are some of every status, result, reason of cancellation and payment."""
    bookings = await rows(demo, Booking)
    statuses = Counter(booking.status for booking in bookings)

    for one in ("PENDING", "CONFIRMED", "COMPLETED", "NO_SHOW", "CANCELLED", "EXPIRED"):
        assert statuses[BookingStatus(one)] >= 10, one
    assert {b.cancel_reason for b in bookings} - {None} == set(CancellationReason)
    results = {row.result for row in await rows(demo, Enrolment)}
    assert results == {None, EnrolmentResult.PASS, EnrolmentResult.FAIL}
    paid = {row.status for row in await rows(demo, Payment)}
    assert paid >= {
        PaymentStatus.PENDING,
        PaymentStatus.PAID,
        PaymentStatus.REFUNDED,
        PaymentStatus.WAIVED,
    }
    assert len({row.type for row in await rows(demo, Accommodation)}) == 3


async def test_test_schedules_are_in_every_state(demo: Storage) -> None:
    """By the clock and by what happened; each has a PIN where it can still be sat."""
    bookings = {row.id: row for row in await rows(demo, Booking)}
    schedules = await rows(demo, TestSchedule)
    states = Counter(
        schedule_status(
            bookings[row.id].status,
            bookings[row.id].opens_at,
            bookings[row.id].closes_at,
            NOW,
            marked_externally=row.marked_externally,
        )
        for row in schedules
    )

    assert set(states) == set(TestScheduleStatus)
    assert states.total() == SCHEDULES
    assert all(row.pin for row in schedules if bookings[row.id].status != "DELETED")


async def test_events_are_of_every_sort(demo: Storage) -> None:
    """Over and ahead, on demand and not, cancelled, limited and full."""
    events = await rows(demo, Event)
    known = {row.object_id for row in await rows(demo, ExternalId) if row.system == "GATEWAY"}
    taken = Counter(
        b.event_id
        for b in await rows(demo, Booking)
        if b.status in {BookingStatus.PENDING, BookingStatus.CONFIRMED}
    )
    own = [event for event in events if event.id in known]

    states = {status(event, NOW) for event in own}
    assert {EventStatus.SCHEDULED, EventStatus.COMPLETED, EventStatus.CANCELLED} <= states
    assert len([event for event in own if event.on_demand]) == 5
    full = [e for e in own if e.capacity_maximum and taken[e.id] >= e.capacity_maximum]
    assert len(full) >= 3
    assert all(event.title.startswith("Demo ") for event in own)


async def test_nothing_is_overbooked(demo: Storage) -> None:
    """No event and no room has more bookings than seats, at any time."""
    events = {row.id: row for row in await rows(demo, Event)}
    rooms = {row.id: row for row in await rows(demo, Room)}
    seats = Seats()

    for booking in await rows(demo, Booking):
        if booking.event_id and booking.status in {BookingStatus.PENDING, BookingStatus.CONFIRMED}:
            limits = SeatLimits(events[booking.event_id], rooms.get(booking.room_id))
            seats.require_free(booking, limits)
            seats.take(booking)


async def test_everything_happened_when_it_says(demo: Storage) -> None:
    """No booking was made after its start, and nothing is from the future."""
    imported = {row.object_id for row in await rows(demo, ExternalId) if row.kind == "event"}
    assert imported
    for booking in await rows(demo, Booking):
        assert NOW - timedelta(days=30) <= booking.created_at <= booking.updated_at <= NOW
        if booking.start_at > NOW - timedelta(days=30):
            assert booking.created_at < booking.start_at


async def test_there_is_a_user_for_each_role(demo: Storage) -> None:
    """A user's reference is the role as the command line writes it."""
    users = {user.reference: user.role for user in await rows(demo, User)}

    assert users == {role.lower().replace("_", "-"): role for role in Role}


async def test_the_documents_of_the_source_are_in_it(demo: Storage) -> None:
    """Student 1 failed and has booked a resit; enrolment 2 was moved and then cancelled."""
    ids = {
        (row.kind, row.value): row.object_id
        for row in await rows(demo, ExternalId)
        if row.system == SourceSystem.SURPASS_SCHEDULER
    }
    bookings = {row.id: row for row in await rows(demo, Booking)}
    enrolments = {row.id: row for row in await rows(demo, Enrolment)}

    first, second = ids["enrolment", "1"], ids["enrolment", "2"]
    assert enrolments[first].result is EnrolmentResult.FAIL
    assert bookings[second].status is BookingStatus.CANCELLED
    [resit] = [e for e in enrolments.values() if e.previous_attempt_id == first]
    assert resit.attempt_number == 2


async def test_the_examples_can_be_run(demo: Storage) -> None:
    """The candidate of the examples gets a seat at demo-event-1, and moves to demo-event-2."""
    viewer = await admin(demo)
    first, second = (ByExternalId(SourceSystem.GATEWAY, "event", f"demo-event-{n}") for n in (1, 2))

    for candidate in ("demo-candidate-1", "demo-candidate-2"):
        command = BookEnrolment(viewer=viewer, candidate=ByReference(candidate), event=first)
        [booked] = await demo.write(book, [command])
        assert isinstance(booked, Outcome), booked
        moving = MoveEnrolment(viewer=viewer, enrolment=ByKey(booked.subject), to_event=second)
        [moved] = await demo.write(move, [moving])
        assert isinstance(moved, Outcome), moved

    [again] = await demo.write(book, [command])
    assert not isinstance(again, Outcome)


async def test_the_examples_name_what_there_is(demo: Storage) -> None:
    """Every reference and outside key in the examples is one of the demo's."""
    text = "\n".join(example.query for example in EXAMPLES)
    references = {candidate.reference for candidate in await rows(demo, Candidate)}
    values = {row.value for row in await rows(demo, ExternalId)}

    codes = {form.code for form in await rows(demo, TestForm)}
    people = set(re.findall(r'"(demo-(?:candidate|apprentice)-\d+)"', text))
    [centre] = re.findall(r'centre: "([^"]+)"', text)
    [form] = re.findall(r'testForm: "([^"]+)"', text)

    assert len(people) > 1
    assert people <= references
    assert set(re.findall(r'"(demo-event-\d+)"', text)) | {centre} <= values
    assert form in codes


async def test_there_is_a_term_of_registrations(demo: Storage) -> None:
    """A college with its sittings, known by Shift iQ's ids, and what became of who registered."""
    planned = term(NOW)
    [college] = [c for c in await rows(demo, Centre) if c.reference == COLLEGE.reference]
    events = {e.identifier: e for e in await rows(demo, Event) if e.venue_id == college.id}
    bookings = [b for b in await rows(demo, Booking) if b.kind is BookingKind.REGISTRATION]
    statuses = Counter(booking.status for booking in bookings)
    ids = {(row.kind, row.value): row.object_id for row in await rows(demo, ExternalId)}
    sittings = [events.get(sitting.identifier) for sitting in planned.sittings]

    assert ids["venue", str(VENUE)] == college.id
    assert all(ids["event", str(e.identifier)] == e.id for e in sittings if e is not None)
    assert [n for n, e in enumerate(sittings) if e is None] == [EXTRA]
    assert len(bookings) == EXTRA * REGISTERED + EXTRA_LEARNERS
    assert statuses[BookingStatus.CONFIRMED] > statuses[BookingStatus.CANCELLED] > REGISTERED
    assert statuses[BookingStatus.DELETED] == 1
    reassessed = [
        one for one in planned.registrations if one.turn is RegistrationOutcome.REASSESSED
    ]
    forms = {row.id: row.code for row in await rows(demo, TestForm)}
    codes = Counter(forms[row.test_form_id][-1] for row in await rows(demo, Registration))
    assert codes["B"] == len(reassessed) > 3
    assert len({b.candidate_id for b in bookings if b.accommodation_count}) > 10


async def test_the_sittings_of_the_term_differ(demo: Storage) -> None:
    """One is full, one is called off, one takes whom another gave, one nobody had planned."""
    planned = term(NOW)
    events = {event.identifier: event for event in await rows(demo, Event)}
    taken = Counter(
        b.event_id for b in await rows(demo, Booking) if b.status is BookingStatus.CONFIRMED
    )
    full, called_off, later = (
        events[planned.sittings[n].identifier] for n in (FULL, CALLED_OFF, LATER)
    )
    [extra] = [event for event in events.values() if event.created_automatically]
    transfers = await rows(demo, RegistrationTransfer)

    assert taken[full.id] == full.capacity_maximum
    assert (status(called_off, NOW), taken[called_off.id]) == (EventStatus.CANCELLED, 0)
    assert {transfer.to_event_id for transfer in transfers} == {later.id}
    assert len(transfers) >= 2
    assert (taken[extra.id], extra.capacity_maximum) == (EXTRA_LEARNERS, None)


async def test_agencies_have_booked(demo: Storage) -> None:
    """The sample of [004] and others like it: most are confirmed, some are not possible.

    One is cancelled, two were corrected, and of each that is not possible one thing is said.
    """
    planned = trips(NOW)
    bookings = {b.id: b for b in await rows(demo, Booking) if b.kind is BookingKind.AGENT_BOOKING}
    details = {row.agent_booking_id: row for row in await rows(demo, AgentBooking)}
    turns = Counter(trip.turn for trip in planned)
    impossible = {trip.agent_booking_id for trip in planned if trip.turn in IMPOSSIBLE}

    assert details.keys() == {"X8347848", *(trip.agent_booking_id for trip in planned)}
    assert Counter(row.status for row in details.values()) == {
        AgentBookingStatus.INVALID: len(impossible),
        AgentBookingStatus.CANCELLED: turns[TripOutcome.CANCELLED],
        AgentBookingStatus.CONFIRMED: STUDENTS + 1 - len(impossible) - turns[TripOutcome.CANCELLED],
    }
    told = {
        key: [message["rule"] for message in row.validation_messages]
        for key, row in details.items()
        if row.status is AgentBookingStatus.INVALID
    }
    assert told.keys() == impossible
    assert sorted(told.values()) == [["OFFER"], ["START_DATE"], ["START_DATE"], ["WEEKS"]]
    assert details["X8347848"].status is AgentBookingStatus.CONFIRMED
    assert Counter(row.revision for row in details.values())[2] == turns[TripOutcome.CORRECTED] == 2
    assert all(row.centre_id and row.agent_office_id for row in bookings.values())
    assert len({row.candidate_id for row in bookings.values()}) == STUDENTS + 1


async def test_schools_offer_what_there_is(demo: Storage) -> None:
    """Every product is sold somewhere, and not all of them everywhere."""
    products = {row.id for row in await rows(demo, Product)}
    schools = [row for row in await rows(demo, Centre) if row.is_school]
    sold = Counter(row.product_id for row in await rows(demo, ProductOffer))

    assert (len(schools), len(products)) == (len(SCHOOLS), len(WARES))
    assert set(sold) == products
    assert min(sold.values()) < len(schools)


async def test_its_agent_has_offices(demo: Storage) -> None:
    """Those of one agency, which have booked; other agencies have others."""
    [agent] = [user for user in await rows(demo, User) if user.role is Role.AGENT]
    own = {row.agent_office_id for row in await rows(demo, UserAgentOffice)}
    offices = {row.id: row for row in await rows(demo, AgentOffice)}
    booked = {row.agent_office_id for row in await rows(demo, AgentBooking)}

    assert agent.name == "Luis Ferreira"
    assert len(offices) == len(OFFICES)
    assert {offices[key].agency for key in own} == {"Agent Company"}
    assert own < booked == set(offices)


@pytest.mark.parametrize("days", range(0, 364, 13))
def test_trips_are_booked_in_time_on_every_day(days: int) -> None:
    """On whatever day the demo is made: before they begin, and nothing is from the future."""
    now = NOW + timedelta(days=days, hours=days % 24)

    made = trips(now)

    assert len(made) == STUDENTS
    for trip in made:
        assert -30 < trip.day < trip.turns_on < 0
        begins = trip.starts_on - timedelta(days=1)
        assert (now + timedelta(days=trip.day)).date() < begins
    assert {trip.turn for trip in made} == set(TripOutcome)
    assert len({(trip.student.first_names, trip.student.last_name) for trip in made}) == STUDENTS
    assert made == trips(now)


def test_the_sample_is_in_the_demo_as_it_is_printed() -> None:
    """Its course begins when one does; what is made of it has the same members."""
    sample = demo_document(SAMPLE)
    made = request_for(trips(NOW)[0])

    [course] = sample["Booking"]["Courses"]
    assert date.fromisoformat(course["DateFrom"]) == SAMPLE_STARTS_ON
    assert sample["Booking"].keys() <= made["Booking"].keys()
    assert sample["Booking"]["Student"].keys() == made["Booking"]["Student"].keys()


async def test_nobody_of_the_term_bears_a_candidates_name(demo: Storage) -> None:
    """Apprentices and candidates are different people, all known by name."""
    candidates = await rows(demo, Candidate)
    made = [c for c in candidates if c.reference.startswith("demo-")]

    assert len({(c.first_names, c.last_name) for c in made}) == CANDIDATES + LEARNERS


@pytest.mark.parametrize("days", range(0, 364, 13))
def test_the_term_holds_on_every_day(days: int) -> None:
    """On whatever day it is made, who registers does so in time, and nothing is from the future."""
    now = NOW + timedelta(days=days, hours=days % 24)

    made = term(now)

    assert len({sitting.start_at for sitting in made.sittings}) == len(made.sittings)
    for one in made.registrations:
        assert -30 < one.day < 0
        assert now + timedelta(days=one.day) < one.sitting.start_at - timedelta(days=2)
        assert one.turns_on is None or one.day < one.turns_on < 0
    assert {one.turn for one in made.registrations} == set(RegistrationOutcome)
    assert made == term(now)


@pytest.mark.parametrize("days", range(0, 364, 13))
def test_the_plan_holds_on_every_day(days: int) -> None:
    """On whatever day it is made there are as many events and bookings, each booked in time."""
    now = NOW + timedelta(days=days, hours=days % 24)

    made = plan(now)

    assert (len(made.sittings), len(made.claims)) == (EVENTS, BOOKINGS)
    for claim in made.claims:
        assert -30 < claim.day <= 0
        assert now + timedelta(days=claim.day) < claim.start_at
        assert claim.ends_on is None or claim.day < claim.ends_on <= 0


def test_the_same_day_has_the_same_plan() -> None:
    """Two demos of one present differ in nothing but their keys."""
    one, two = plan(NOW), plan(NOW)

    assert one == two


async def test_twice_is_the_same_as_once(demo: Storage, demo_url: str) -> None:
    """Made again, later, it changes nothing."""
    once = await snapshot(demo)

    assert not await make_demo(demo_url, NOW + timedelta(days=3))

    assert await snapshot(demo) == once


async def test_an_empty_organization_of_that_name_is_filled(database_url: str) -> None:
    """Whoever made "Demo Exams" by hand gets the demo in it."""
    storage = storage_at(database_url, outbox.fill, clock=lambda: NOW)
    await storage.open()
    command = MakeOrganization(name=NAME, time_zone="Asia/Tokyo", currency="JPY")
    await storage.write(make_organization, [command])

    assert await make_demo(database_url, NOW)

    assert len(await rows(storage, Booking)) > BOOKINGS
    await storage.close()


def test_the_documents_are_shipped() -> None:
    """Every document of [000] is in the package, that which the demo leaves out too; and [004]."""
    for name in (*DOCUMENTS, "cancel-one", SAMPLE):
        assert demo_document(name)
