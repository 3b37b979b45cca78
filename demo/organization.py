"""The demo organization: a realistic month of bookings around today, made with real commands.

The clock of the storage is set to each day in turn, so times in the data are consistent.
"""

from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Final
from uuid import UUID

from demo.agents import DemoAgents
from demo.college import make_college
from demo.enrolments import DemoEnrolments, candidate_reference
from demo.imports import demo_document, import_all
from demo.people import people
from demo.places import ONLINE, PAPERS, PLACES, ROOMS, SUBJECTS, WALK_IN, WORKERS, Worker
from demo.plan import CANDIDATES, FIRST_DAY, place_of, plan
from demo.registrations import DemoRegistrations
from demo.schools import make_schools
from demo.storage import Calendar, carry_out
from demo.term import term
from demo.test_schedules import DemoSchedules
from gateway.wakeups import NoWakeups, Wakeups, announcing
from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.notifications import outbox
from resolvers.organizations import reads
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.references import ByReference
from resolvers.storage import Storage, one_row, storage_at
from resolvers.tests.commands import UpsertSubject, UpsertTest, upsert_subjects, upsert_tests
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role

NAME: Final = "Demo Exams"
TIME_ZONE, CURRENCY = "Europe/London", "GBP"

DOCUMENTS: Final = ("students", "assign-results", "book", "move", "cancel-many")
"""The documents of [000] in an order in which they could have happened.

Not `cancel-one`: as printed it cancels enrolment 1, which `assign-results` has completed.
"""


async def make_demo(database_url: str, now: datetime, wakeups: Wakeups | None = None) -> bool:
    """Fill the organization "Demo Exams". Returns False if it already has data.

    An organization with a log of changes is not changed. Raises: DemoRefused.
    """
    calendar = Calendar(now)
    storage = storage_at(database_url, outbox.fill, clock=calendar)
    try:
        await storage.open()
        async with announcing(storage, NoWakeups() if wakeups is None else wakeups):
            return await _fill(storage, calendar, now)
    finally:
        await storage.close()


async def _fill(storage: Storage, calendar: Calendar, now: datetime) -> bool:
    calendar.turn_to(FIRST_DAY)
    organization_id = await _empty_organization(storage)
    if organization_id is None:
        return False
    viewer = await _administrator(storage, organization_id)
    await _make_places(storage, viewer)
    await _make_candidates(storage, viewer)
    await make_schools(storage, viewer, now)
    await _make_users(storage, viewer)
    await _import_documents(storage, organization_id)
    enrolments, trades = DemoEnrolments(storage, viewer, plan(now)), term(now)
    registrations = DemoRegistrations(storage, viewer, trades)
    schedules, agents = DemoSchedules(storage, viewer, now), DemoAgents(storage, viewer, now)
    await enrolments.make_events()
    await make_college(storage, viewer, trades)
    for day in range(FIRST_DAY, 1):
        calendar.turn_to(day)
        await enrolments.run_day(day)
        await registrations.run_day(day)
        await schedules.run_day(day)
        await agents.run_day(day)
    await storage.gather_statistics()
    return True


async def _empty_organization(storage: Storage) -> UUID | None:
    """The id of the organization, created if it does not exist; None if it already has data."""
    found = one_row(await storage.read(reads.organization_named(NAME)))
    if found is None:
        command = MakeOrganization(name=NAME, time_zone=TIME_ZONE, currency=CURRENCY)
        [made] = await carry_out(storage, make_organization, [command])
        return made.subject
    [log] = await storage.read(reads.log_positions([found.id]))
    return found.id if log.position == 0 else None


async def _administrator(storage: Storage, organization_id: UUID) -> Viewer:
    """The demo's first user, who carries out all commands."""
    first = WORKERS[0]
    viewer = Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name=first.name,
        key=f"user:{first.reference}",
        permissions=PERMISSIONS[Role.ADMIN],
    )
    [user] = await carry_out(storage, upsert_users, [_user(viewer, first)])
    return replace(viewer, user_id=user.subject)


async def _make_places(storage: Storage, viewer: Viewer) -> None:
    subjects = [
        UpsertSubject(viewer=viewer, reference=reference, name=name)
        for reference, name in SUBJECTS.items()
    ]
    centres = [
        UpsertCentre(
            viewer=viewer,
            reference=place.reference,
            name=place.name,
            time_zone=place.time_zone,
            city=place.city,
            country=place.country,
            subject_ids=_refs(*SUBJECTS),
        )
        for place in PLACES
    ]
    rooms = [
        UpsertRoom(viewer=viewer, centre=ByReference(place.reference), name=name, capacity=seats)
        for place in PLACES
        for name, seats in ROOMS.items()
    ]
    tests = [
        UpsertTest(
            viewer=viewer,
            reference=paper.reference,
            name=paper.name,
            subject=ByReference(paper.subject),
            duration_minutes=paper.minutes,
            requires_invigilation=paper is not ONLINE,
        )
        for paper in (*PAPERS, WALK_IN, ONLINE)
    ]
    await carry_out(storage, upsert_subjects, subjects)
    await carry_out(storage, upsert_centres, centres)
    await carry_out(storage, upsert_rooms, rooms)
    await carry_out(storage, upsert_tests, tests)


async def _make_candidates(storage: Storage, viewer: Viewer) -> None:
    commands = []
    for n, person in enumerate(people(CANDIDATES, Random(2024))):  # noqa: S311 - no secret
        reference = candidate_reference(n)
        command = UpsertCandidate(
            viewer=viewer,
            reference=reference,
            first_names=person.first_names,
            last_name=person.last_name,
            email=f"{reference}@example.com",
            date_of_birth=person.born_on,
            nationality=person.country,
            centre_ids=_refs(place_of(n).reference),
            subject_ids=_refs(*SUBJECTS),
        )
        commands.append(command)
    await carry_out(storage, upsert_candidates, commands)


async def _make_users(storage: Storage, viewer: Viewer) -> None:
    await carry_out(storage, upsert_users, [_user(viewer, worker) for worker in WORKERS])


def _user(viewer: Viewer, worker: Worker) -> UpsertUser:
    candidate = worker.candidate
    return UpsertUser(
        viewer=viewer,
        reference=worker.reference,
        name=worker.name,
        email=f"{worker.reference}@example.com",
        role=worker.role,
        may_mark=worker.role is Role.MARKER,
        centre_ids=_refs(*worker.centres),
        subject_ids=_refs(*worker.subjects),
        agent_office_ids=_refs(*worker.offices),
        candidate=None if candidate is None else ByReference(candidate),
    )


async def _import_documents(storage: Storage, organization_id: UUID) -> None:
    """Raises: DemoRefused."""
    for name in DOCUMENTS:
        document, centre = demo_document(name), PLACES[0].reference
        await import_all(storage, "surpass-scheduler", document, organization_id, centre=centre)


def _refs(*references: str) -> tuple[ByReference, ...]:
    return tuple(ByReference(reference) for reference in references)
