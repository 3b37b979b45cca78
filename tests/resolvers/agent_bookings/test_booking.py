"""Submissions create bookings and revisions: visibility, and the revision in force."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.reads import agent_bookings_named
from resolvers.agent_bookings.transitions import TRANSITIONS
from resolvers.bookings.actions import ActionContext, allowed
from resolvers.bookings.reads import bookings_by_id
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.enrolments.booking import book as book_enrolment
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.storage import storage_at
from resolvers.storage.rows import changed
from resolvers.storage.tables import (
    AgentBooking,
    AgentBookingItem,
    AgentBookingRevision,
    Booking,
    Candidate,
    Organization,
)
from resolvers.viewer import NOTHING, Scope
from resolvers.vocabulary import (
    AgentBookingStatus,
    BookingStatus,
    CancellationReason,
    ProductKind,
    Role,
)
from resolvers.vocabulary import BookingAction as A
from tests.resolvers.agent_bookings.conftest import SAMPLE, student
from tests.resolvers.agent_bookings.validated import validated
from tests.resolvers.asking import Statements, cancelling, granting, in_role, places, revoking
from tests.resolvers.world import all_codes, codes

LATER = replace(
    SAMPLE, courses=(replace(SAMPLE.courses[0], date_from=date(2027, 3, 22)),), lodging=()
)


async def test_received(world, school, office):
    """The sample of [004] is stored as revision 1, with dates in the school's time zone."""
    key = await world.booked()

    row, detail = await world.row(key), await world.detail(key)
    assert (row.reference, row.status, row.version) == ("X8347848", BookingStatus.PENDING, 1)
    assert (row.centre_id, row.agent_office_id, row.event_id) == (school, office, None)
    assert row.time_zone == "Europe/London"
    assert (row.local_start, row.local_end) == (datetime(2027, 3, 14), datetime(2027, 4, 5))
    # summer time begins on 28 March
    assert row.start_at == datetime(2027, 3, 14, tzinfo=UTC)
    assert row.end_at == row.busy_until_at == datetime(2027, 4, 4, 23, tzinfo=UTC)
    assert (detail.status, detail.revision) == (AgentBookingStatus.RECEIVED, 1)
    assert (detail.confirmed_revision, detail.agent_office_id) == (None, office)
    [revision] = await world.rows(AgentBookingRevision, "booking_id", key)
    assert revision.content == detail.content
    assert revision.content["student"]["dateOfBirth"] == "1993-02-20"
    items = await world.rows(AgentBookingItem, "booking_id", key)
    assert {(item.kind, item.code, item.quantity) for item in items} == {
        (ProductKind.COURSE, "C92", None),
        (ProductKind.LODGING, "A78", None),
        (ProductKind.OPTIONAL_EXTRA, "E33", 1),
        (ProductKind.AIRPORT_TRANSFER, "TRN88", None),
    }


async def test_malformed_is_not_stored(world, school, office):
    """All errors are returned at once, a missing permission alone, and nothing is stored."""
    wrong = replace(
        student(first_names="x" * 101, date_of_birth=None), agent_booking_id="\0", courses=()
    )
    nobody = in_role(world, Role.MARKER)

    assert places(await world.put(wrong, viewer=nobody)) == [("FORBIDDEN", "")]
    assert places(await world.put(wrong, expected_revision=-1)) == [
        ("INVALID_VALUE", "agent_booking_id"),
        ("STRING_LENGTH", "student.first_names"),
        ("REQUIRED", "student.date_of_birth"),
        ("REQUIRED", "courses"),
        ("OUT_OF_RANGE", "expected_revision"),
    ]
    for model in (Booking, AgentBooking, Candidate):
        assert await world.rows(model, "organization_id", world.viewer.organization_id) == []


async def test_codes_are_not_looked_at_yet(world):
    """An unknown office, school or product does not prevent a submission."""
    key = await world.booked()

    row, detail = await world.row(key), await world.detail(key)
    assert (row.centre_id, row.agent_office_id, row.time_zone) == (None, None, "Europe/London")
    assert detail.agent_office_id is None


async def test_again(world, school, office):
    """Identical content changes nothing; different content is the next revision of the same
    booking.
    """
    key = await world.booked()

    same = await world.put()
    other = await world.put(LATER)

    assert (same.subject, same.changed, same.created) == (key, False, False)
    assert (other.subject, other.changed, other.created) == (key, True, False)
    row, detail = await world.row(key), await world.detail(key)
    assert (row.version, detail.revision, row.local_start) == (2, 2, datetime(2027, 3, 22))
    revisions = await world.rows(AgentBookingRevision, "booking_id", key)
    assert {(r.revision, len(r.content["lodging"])) for r in revisions} == {(1, 1), (2, 0)}
    assert await world.booking_changes() == ["CREATED", "RESUBMITTED"]
    [_, change] = await world.changes()
    assert {"revision", "courses", "lodging", "times"} <= set(change.changed_fields)
    assert "student" not in change.changed_fields
    assert (change.before["revision"], change.after["revision"]) == (1, 2)


async def test_one_batch_is_as_good_as_several(world, school, office):
    """Submissions of one id in one batch apply in order."""
    results = await world.storage.write(
        book, [world.asking(), world.asking(), world.asking(LATER), world.asking()]
    )

    assert [result.changed for result in results] == [True, False, True, True]
    [key] = {result.subject for result in results}
    assert (await world.detail(key)).revision == 3
    assert len(await world.rows(AgentBookingRevision, "booking_id", key)) == 3
    assert len(await world.rows(Candidate, "reference_generated", True)) == 1


@pytest.mark.parametrize(
    ("known", "expected", "refused"),
    [
        (False, 0, False),
        (False, 1, True),
        (True, 0, True),
        (True, 1, False),
        (True, 2, True),
    ],
)
async def test_expected_revision(world, school, office, known, expected, refused):
    """0 requires a new booking, n a booking at revision n."""
    if known:
        await world.booked()

    result = await world.put(LATER, expected_revision=expected)

    stale = [("STALE_BOOKING", "expected_revision")]
    assert places(result) == (stale if refused else [])
    if refused:
        [refusal] = result.refusals
        actions = ("CANCEL", "GRANT_ACCOMMODATION", "RESUBMIT")
        assert refusal.status == (BookingStatus.PENDING if known else None)
        assert refusal.allowed == (actions if known else ())


async def test_a_confirmed_revision_stays_in_force(world, possible):
    """A confirmed revision is in force until the next one is confirmed; the newest one is shown."""
    key = await world.booked()
    await validated(world)

    await world.put(LATER)

    detail = await world.detail(key)
    assert (detail.status, detail.revision) == (AgentBookingStatus.RECEIVED, 2)
    assert detail.confirmed_revision == 1
    assert (await world.row(key)).status is BookingStatus.PENDING


async def test_cancelled_and_reopened(world, possible, clock):
    """A cancelled booking has no revision in force; the same content reopens it until its first
    day.
    """
    key = await world.booked()
    await validated(world)

    await world.made(cancel, cancelling(world, key))

    row, detail = await world.row(key), await world.detail(key)
    assert row.status is BookingStatus.CANCELLED
    assert (detail.status, detail.confirmed_revision) == (AgentBookingStatus.CANCELLED, None)
    change = (await world.changes())[-1]
    assert change.after["agentBookingStatus"] == "CANCELLED"
    assert (change.before["confirmedRevision"], change.after["confirmedRevision"]) == (1, None)
    assert not (await world.one(cancel, cancelling(world, key))).changed

    again = await world.put()
    row, detail = await world.row(key), await world.detail(key)
    assert (again.subject, again.changed, detail.revision) == (key, True, 2)
    assert (row.status, row.cancel_reason) == (BookingStatus.PENDING, None)

    await world.made(cancel, cancelling(world, key))
    clock.now = datetime(2027, 3, 14, tzinfo=UTC)
    assert places(await world.put(LATER)) == [("ILLEGAL_STATE", "agent_booking_id")]
    assert isinstance(await world.put(LATER, imported=True), Outcome)


LIVE = {A.CANCEL, A.GRANT_ACCOMMODATION, A.RESUBMIT}


@pytest.mark.parametrize("status", ["PENDING", "INVALID", "CONFIRMED"])
async def test_what_may_be_done(world, school, office, clock, status):
    """The actions are the same at every stage; a cancelled booking can be submitted again until its
    first day.
    """
    key = await world.booked()

    def run(work, keys):
        [booking] = work.lock(Booking, world.viewer.organization_id, keys)
        work.save(Booking, [(booking, changed(booking, status=BookingStatus(status)))])
        return [Outcome(key)]

    await world.storage.write(run, [key])

    async def may(viewer):
        [settings] = await world.rows(Organization, "id", viewer.organization_id)
        situation = ActionContext(await world.row(key), settings, clock())
        return set(allowed(TRANSITIONS, situation, viewer))

    assert await may(world.viewer) == LIVE
    assert await may(world.agent(office)) == {A.CANCEL, A.RESUBMIT}
    assert await may(world.agent(school)) == set()
    assert (await world.put(LATER)).changed
    await world.made(cancel, cancelling(world, key))
    assert await may(world.viewer) == {A.RESUBMIT}
    clock.now = (await world.row(key)).start_at
    assert await may(world.viewer) == set()


async def test_nobody_is_absent(world, school, office):
    """A course booking cannot be cancelled as ABSENT; any other reason is accepted."""
    key = await world.booked()

    absent = await world.one(cancel, cancelling(world, key, reason=CancellationReason.ABSENT))

    assert places(absent) == [("ILLEGAL_STATE", "booking")]
    await world.made(cancel, cancelling(world, key, reason=CancellationReason.WITHDRAWN))


async def test_accommodations_stay_with_the_booking(world, school, office):
    """Accommodations are granted and revoked as for any kind, and a resubmission keeps them."""
    key = await world.booked()
    await world.made(grant, granting(world, key, time_extension_minutes=30))
    await world.made(grant, granting(world, key, type="percent", extra_time_percentage=25))

    await world.put(LATER)

    row = await world.row(key)
    assert (row.accommodation_count, row.extra_time_minutes) == (2, 30)
    assert row.busy_until_at == row.end_at + timedelta(minutes=30)
    await world.made(revoke, revoking(world, key))
    assert (await world.row(key)).extra_time_minutes == 0
    assert (await world.detail(key)).revision == 2


async def test_weeks_of_a_course_are_no_conflict(world, school, office):
    """A student can sit an exam or take another course during a course."""
    key = await world.booked()
    candidate = (await world.row(key)).candidate_id
    room = await world.room(school)
    exam = await world.event(room=room, start_at=datetime(2027, 3, 20, 9, tzinfo=UTC))

    result = await world.one(book_enrolment, world.booking(candidate, exam))
    assert isinstance(result, Outcome), codes(result)
    other = await world.put(replace(SAMPLE, agent_booking_id="X2"))
    assert isinstance(other, Outcome)
    granted = await world.one(grant, granting(world, key, time_extension_minutes=30))
    assert granted.warnings == ()


async def test_an_id_is_unique_inside_an_agency(world, school, office):
    """Two agencies can use the same id; two offices of one agency identify the same booking."""
    await world.office("3000", "Study Abroad")
    await world.office("4000", "Others")
    key = await world.booked()

    same = await world.put(replace(SAMPLE, agent_office_code="3000"))
    other = await world.put(replace(SAMPLE, agent_office_code="4000"))
    unknown = await world.put(replace(SAMPLE, agent_office_code="5000"))

    assert (same.subject, same.changed, same.created) == (key, True, False)
    assert other.created
    assert unknown.created
    read = world.storage.read
    assert len(await read(agent_bookings_named(world.viewer, "X8347848", None))) == 3
    for agency, expected in [
        ("Study Abroad", key),
        ("Others", other.subject),
        ("5000", unknown.subject),
    ]:
        [row] = await read(agent_bookings_named(world.viewer, "X8347848", agency))
        assert row.id == expected


async def test_an_office_becomes_known(world, school):
    """A booking with an unknown office belongs to the office's agency once the office exists."""
    key = await world.booked()
    office = await world.office("2983", "Study Abroad")

    again = await world.put(LATER)

    assert (again.subject, again.created) == (key, False)
    assert (await world.row(key)).agent_office_id == office
    [row] = await world.storage.read(agent_bookings_named(world.viewer, "X8347848", "Study Abroad"))
    assert row.id == key


async def test_an_agent_books_for_its_offices(world, school, office):
    """An agent books for its own offices; another office is not found, and another office's id is
    taken.
    """
    theirs = await world.office("3000", "Study Abroad")
    strange = await world.office("4000", "Others")
    agent, colleague = world.agent(office), world.agent(theirs)

    key = await world.booked(viewer=agent)
    for other in (colleague, world.agent(strange)):
        assert await world.storage.read(bookings_by_id(other, [key])) == []
    assert len(await world.storage.read(bookings_by_id(agent, [key]))) == 1
    same_id = replace(SAMPLE, agent_office_code="3000")
    assert places(await world.put(same_id, viewer=colleague)) == [
        ("ALREADY_EXISTS", "agent_booking_id")
    ]
    assert places(await world.put(viewer=in_role(world, Role.AGENT, NOTHING))) == [
        ("FORBIDDEN", "")
    ]
    assert places(await world.one(cancel, cancelling(world, key, viewer=colleague))) == [
        ("NOT_FOUND", "booking")
    ]
    await world.made(cancel, cancelling(world, key, viewer=agent))


async def test_an_agent_names_an_office_that_is_not_known(world, school, office):
    """An agent keeps its booking with an unknown office; the correct code creates the next
    revision.
    """
    agent = world.agent(office)
    wrong = replace(SAMPLE, agent_office_code="9999")

    key = await world.booked(wrong, viewer=agent)

    assert (await world.detail(key)).agent_office_id is None
    assert len(await world.storage.read(bookings_by_id(agent, [key]))) == 1
    again = await world.put(viewer=agent)
    assert (again.subject, again.created) == (key, False)
    assert (await world.detail(key)).agent_office_id == office


async def test_staff_book_inside_their_centres(world, school, office):
    """A scheduler whose scope is the school books there."""
    inside = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({school})))
    other = await world.made(
        upsert_centres,
        UpsertCentre(viewer=world.viewer, reference="S2", name="Malta", time_zone="Europe/Malta"),
    )
    outside = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({other})))

    key = await world.booked(viewer=inside)

    refused = await world.put(viewer=outside)
    assert places(refused) == [("FORBIDDEN", "school_code")]
    moved = await world.put(replace(SAMPLE, school_code="S2"), viewer=outside)
    assert places(moved) == [("ALREADY_EXISTS", "agent_booking_id")]
    assert (await world.row(key)).version == 1


async def test_statements_do_not_grow(world, school, office):
    """Fifty submissions take as many statements as one, for new bookings and for revisions."""
    statements = Statements()

    def asked(first, last, submission=SAMPLE):
        return [
            world.asking(
                replace(
                    submission,
                    agent_booking_id=f"B{n}",
                    student=replace(SAMPLE.student, passport_number=f"P{n}", last_name=f"S{n}"),
                )
            )
            for n in range(first, last)
        ]

    one = await statements.needed(world, book, asked(0, 1))
    many = await statements.needed(world, book, asked(1, 51))
    again = await statements.needed(world, book, asked(0, 1, LATER))
    all_again = await statements.needed(world, book, asked(1, 51, LATER))

    assert one == many
    assert again == all_again
    assert len(await world.rows(Candidate, "reference_generated", True)) == 51


@pytest.mark.both_databases
async def test_at_the_same_time(world, school, office, database_url, clock):
    """Two processes that receive the same new id create one booking and one candidate."""
    others = [storage_at(database_url, outbox.fill, clock=clock) for _ in range(2)]
    for other in others:
        await other.open()
    try:
        results = await asyncio.gather(
            *(
                storage.write(book, [world.asking(submission)])
                for storage in others
                for submission in (SAMPLE, LATER, SAMPLE, LATER)
            )
        )
    finally:
        for other in others:
            await other.close()

    outcomes = [outcome for [outcome] in results]
    assert all_codes(outcomes) == []
    assert len({outcome.subject for outcome in outcomes}) == 1
    assert sum(outcome.created for outcome in outcomes) == 1
    assert len(await world.rows(Candidate, "reference_generated", True)) == 1
    key = outcomes[0].subject
    revisions = await world.rows(AgentBookingRevision, "booking_id", key)
    assert len(revisions) == (await world.detail(key)).revision
