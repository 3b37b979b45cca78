"""Candidates of other parties are neither shown, changed nor revealed to an agency."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from resolvers.agent_bookings.booking import book
from resolvers.candidates.duplicates import record_duplicates
from resolvers.candidates.reads import (
    CANDIDATES_BY_NAME,
    candidates_by_id,
    candidates_count,
    candidates_page,
    duplicates_of_candidates,
)
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.storage import storage_at
from resolvers.storage.paging import page_request
from resolvers.storage.rows import as_dict
from resolvers.storage.tables import Candidate, CandidateDuplicate
from resolvers.viewer import Scope
from resolvers.vocabulary import Role
from tests.resolvers.agent_bookings.conftest import SAMPLE, student
from tests.resolvers.asking import in_role

PASSPORT = {"passport_number": "4823 909 9838", "passport_issuing_country": "ES"}
PERSON = {"date_of_birth": date(1993, 2, 20), "nationality": "ES"}
KNOWN = {"first_names": "Bobby", "last_name": "Smith"}
THEIRS = replace(SAMPLE, agent_office_code="11", agent_booking_id="OTHERS")
"""The same student, booked by another agency."""


@pytest.fixture
async def others(world):
    """An office of another agency."""
    return await world.office("11", "Others")


async def candidate_of(world, viewer, submission=SAMPLE):
    """Create a booking as this viewer; return its candidate."""
    row = await world.row(await world.booked(submission, viewer=viewer))
    [candidate] = await world.rows(Candidate, "id", row.candidate_id)
    return candidate


async def candidates(world):
    rows = await world.rows(Candidate, "organization_id", world.viewer.organization_id)
    return {row.id: as_dict(row) for row in rows}


async def duplicates(world, key, viewer=None):
    rows = await world.storage.read(duplicates_of_candidates(viewer or world.viewer, [key]))
    return [row.id for row in rows]


@pytest.mark.parametrize("known", [PASSPORT, PERSON])
async def test_a_candidate_of_staff_is_neither_shown_nor_written(world, school, office, known):
    """A passport number or a date of birth gives an agent no access to a candidate of staff."""
    victim = await world.candidate("P1", **KNOWN, **known)
    before = (await candidates(world))[victim]
    agent = world.agent(office)

    made = await candidate_of(world, agent)

    assert made.id != victim
    assert made.reference_generated
    assert (made.email, made.agency_key) == ("bobby@example.com", "agency:Study Abroad")
    assert (await candidates(world))[victim] == before
    seen = await world.storage.read(candidates_by_id(agent, [victim, made.id]))
    assert [row.id for row in seen] == [made.id]
    [count] = await world.storage.read(candidates_count(agent, None))
    assert count.total == 1
    page = page_request(CANDIDATES_BY_NAME, first=10, after=None, last=None, before=None)
    listed = await world.storage.read(candidates_page(agent, page, "smith"))
    assert [row.id for row in listed] == [made.id]


async def test_a_candidate_of_another_agency_is_neither_shown_nor_written(
    world, school, office, others
):
    """Each agency has its own candidate for a student, and later bookings reuse it."""
    first = await candidate_of(world, world.agent(others), THEIRS)
    before = (await candidates(world))[first.id]

    second = await candidate_of(world, world.agent(office))
    again = replace(SAMPLE, agent_booking_id="X2")
    third = await candidate_of(world, world.agent(office), again)
    fourth = await candidate_of(world, world.agent(others), replace(THEIRS, agent_booking_id="X3"))

    assert second.id == third.id != first.id == fourth.id
    assert (await candidates(world))[first.id] == before


@pytest.mark.both_databases
async def test_a_possible_duplicate_is_recorded_for_staff(world, school, office, others):
    """A duplicate is recorded once, for both candidates, and only staff with access to the
    organization see it.
    """
    victim = await world.candidate("P1", **KNOWN, **PASSPORT)
    agent = world.agent(office)

    made = (await candidate_of(world, agent)).id
    await candidate_of(world, agent, replace(SAMPLE, language_level="Beginner"))
    other = (await candidate_of(world, world.agent(others), THEIRS)).id

    assert await duplicates(world, made) == [victim, other]
    assert await duplicates(world, victim) == [made, other]
    assert len(await world.rows(CandidateDuplicate, "candidate_id", made)) == 2
    centre = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({school})))
    marker = in_role(world, Role.MARKER)
    for viewer in (agent, world.agent(others), centre, marker):
        assert await duplicates(world, made, viewer) == []


async def test_a_booking_tells_an_agent_nothing_of_a_duplicate(world, school, office):
    """The outcome, booking and log are the same with or without a duplicate."""
    agent = world.agent(office)
    unknown = student(passport_number="unknown", last_name="Nobody")
    await world.candidate("P1", **KNOWN, **PASSPORT)

    [one] = await world.storage.write(book, [world.asking(unknown, viewer=agent)])
    known = replace(SAMPLE, agent_booking_id="X2")
    [two] = await world.storage.write(book, [world.asking(known, viewer=agent)])

    assert isinstance(one, Outcome)
    assert replace(one, subject=two.subject) == two
    first, second = await world.changes()
    assert first.changed_fields == second.changed_fields
    assert set(first.after) == set(second.after)
    keys = {
        row.candidate_id for row in (await world.row(one.subject), await world.row(two.subject))
    }
    assert not any(str(key) in str(second.after) for key in set(await candidates(world)) - keys)


@pytest.mark.both_databases
async def test_a_student_whom_staff_booked_for_the_agency_is_known_to_it(world, school, office):
    """An agency can use, but not change, a candidate that staff booked for it."""
    staffs = await world.candidate("P1", **KNOWN, **PASSPORT)
    assert (await candidate_of(world, world.viewer)).id == staffs
    before = (await candidates(world))[staffs]

    again = replace(SAMPLE, agent_booking_id="X2")
    assert (await candidate_of(world, world.agent(office), again)).id == staffs
    elsewhere = await world.office("12", "Study Abroad")
    again = replace(SAMPLE, agent_booking_id="X3", agent_office_code="12")
    assert (await candidate_of(world, world.agent(elsewhere), again)).id == staffs

    assert (await candidates(world))[staffs] == before


async def test_staff_and_imports_match_among_all_and_write_to_none_of_others(
    world, school, office, others
):
    """A viewer of the complete organization matches candidates of any party, and does not change
    them.
    """
    made = await candidate_of(
        world, world.agent(others), replace(THEIRS, student=replace(THEIRS.student, email=None))
    )
    before = await candidates(world)

    assert (await candidate_of(world, world.viewer)).id == made.id
    imported = world.asking(replace(SAMPLE, agent_booking_id="X2"), imported=True)
    key = await world.made(book, replace(imported, viewer=world.agent(office)))

    assert (await world.row(key)).candidate_id == made.id
    assert await candidates(world) == before
    assert await duplicates(world, made.id) == []


async def test_staff_of_a_centre_match_what_they_see(world, school, office):
    """A viewer restricted to centres matches no candidate of another centre, even of the same
    agency.
    """
    malta = await world.school("S2", "Europe/Malta")
    made = await candidate_of(world, world.agent(office))
    here, there = (
        in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset({key})))
        for key in (school, malta)
    )

    again = replace(SAMPLE, agent_booking_id="X2")
    assert (await candidate_of(world, here, again)).id == made.id
    again = replace(SAMPLE, agent_booking_id="X3", school_code="S2")
    assert (await candidate_of(world, there, again)).id != made.id


async def test_a_refused_submission_makes_and_records_nothing(world, school, office):
    """A refused submission creates no candidate and no duplicate."""
    await world.candidate("P1", **KNOWN, **PASSPORT)
    before = await candidates(world)

    for submission in (replace(SAMPLE, courses=()), student(date_of_birth=None)):
        refused = await world.put(submission, viewer=world.agent(office))
        assert not isinstance(refused, Outcome)

    assert await candidates(world) == before
    organization_id = world.viewer.organization_id
    assert await world.rows(CandidateDuplicate, "organization_id", organization_id) == []


async def test_staff_who_submit_again_keep_the_agencys_candidate(world, school, office):
    """Staff resubmissions keep the agency's candidate, so that the agency sees no other party's."""
    await world.candidate("P1", **KNOWN, **PASSPORT)
    own = await candidate_of(world, world.agent(office))

    corrected = replace(SAMPLE, language_level="Beginner")
    assert (await candidate_of(world, world.viewer, corrected)).id == own.id
    imported = world.asking(replace(SAMPLE, language_level="Advanced"), imported=True)
    key = await world.made(book, imported)

    assert (await world.row(key)).candidate_id == own.id


@pytest.mark.both_databases
async def test_students_of_two_agencies_in_one_batch(world, school, office, others):
    """A candidate that an earlier command of the batch creates is hidden from other agencies
    too.
    """
    victim = await world.candidate("P1", **KNOWN, **PASSPORT)
    asked = [
        world.asking(viewer=world.agent(office)),
        world.asking(THEIRS, viewer=world.agent(others)),
        world.asking(replace(SAMPLE, agent_booking_id="X2"), viewer=world.agent(office)),
        world.asking(replace(SAMPLE, agent_booking_id="X3")),
    ]

    outcomes = await world.storage.write(book, asked)

    found = [(await world.row(outcome.subject)).candidate_id for outcome in outcomes]
    assert found[0] == found[2] == found[3]
    assert len({found[0], found[1], victim}) == 3
    assert set(await duplicates(world, found[0])) <= {victim, found[1]}
    assert await duplicates(world, found[1]) == sorted([victim, found[0]])


@pytest.mark.both_databases
async def test_an_agency_makes_one_candidate_at_the_same_time(
    world, school, office, database_url, clock
):
    """Two processes that book a new student known to another party create one candidate."""
    victim = await world.candidate("P1", **KNOWN, **PASSPORT)
    agent = world.agent(office)
    other = storage_at(database_url, outbox.fill, clock=clock, lock_patience_seconds=30)
    await other.open()
    try:
        outcomes = await asyncio.gather(
            *(
                storage.write(book, [world.asking(of, viewer=agent)])
                for n in range(10)
                for storage in (world.storage, other)
                if (of := replace(SAMPLE, agent_booking_id=f"{n}{storage is other}"))
            )
        )
    finally:
        await other.close()

    found = {(await world.row(one.subject)).candidate_id for [one] in outcomes}
    [made] = found
    assert made != victim
    assert await duplicates(world, made) == [victim]


async def test_duplicates_are_bounded(world, insert):
    """A candidate has at most 500 possible duplicates; further ones are not recorded."""
    names = {"first_names": "A", "last_name": "B", "search_text": "a b"}
    rows = [await insert(Candidate, reference=f"P{n}", **names) for n in range(502)]
    organization_id, first = rows[0].organization_id, rows[0].id

    def record(work, commands):
        record_duplicates(work, [(organization_id, first, row.id) for row in commands])
        return [Outcome(row.id) for row in commands]

    await world.storage.write(record, rows[1:400])
    await world.storage.write(record, rows[1:])

    assert len(await duplicates(world, first)) == 500
    assert await duplicates(world, rows[501].id) == []
