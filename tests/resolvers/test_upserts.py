"""What all upserts promise, shown on the plainest of them: departments, modules and centres."""

import asyncio
from dataclasses import replace

import pytest

from resolvers.candidates.commands import UpsertDepartment, upsert_departments
from resolvers.candidates.reads import DEPARTMENTS_BY_NAME, departments_page
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.centres.reads import centres_by_id
from resolvers.notifications import outbox
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.storage import storage_at
from resolvers.storage.paging import page_request
from resolvers.tests.commands import UpsertModule, upsert_modules
from resolvers.tests.reads import modules_by_id
from resolvers.viewer import PERMISSIONS
from resolvers.vocabulary import Role

pytestmark = pytest.mark.both_databases


class Counted:
    """A unit of work that counts what is asked of it."""

    def __init__(self, work):
        self._work, self.calls = work, 0

    def __getattr__(self, name):
        self.calls += name != "now"
        return getattr(self._work, name)


async def every_department(storage, viewer):
    page = page_request(DEPARTMENTS_BY_NAME, first=100, after=None, last=None, before=None)
    return [row.name for row in await storage.read(departments_page(viewer, page, None))]


async def test_first_creates_then_updates(storage, viewer):
    """The same reference again is the same object; saying the same again changes nothing."""
    first = UpsertModule(viewer=viewer, reference="M1", name="Reading")

    [created] = await storage.write(upsert_modules, [first])
    [repeated] = await storage.write(upsert_modules, [first])
    [renamed] = await storage.write(upsert_modules, [replace(first, name="Writing")])

    assert created == Outcome(created.subject, created=True, changed=True)
    assert repeated == Outcome(created.subject, created=False, changed=False)
    assert renamed == Outcome(created.subject, created=False, changed=True)
    [row] = await storage.read(modules_by_id(viewer, [created.subject]))
    assert row.name == "Writing"


async def test_same_new_reference_twice_in_a_batch(storage, viewer):
    """Two commands of a batch that name the same new reference make one row."""
    commands = [UpsertModule(viewer=viewer, reference="M1", name=name) for name in ("A", "B")]

    first, second = await storage.write(upsert_modules, commands)

    assert first.created
    assert not second.created
    assert second.changed
    assert first.subject == second.subject
    assert [r.name for r in await storage.read(modules_by_id(viewer, [first.subject]))] == ["B"]


async def test_refused_command_touches_nobody(storage, viewer):
    """A refused command leaves nothing, and its neighbours in the batch are carried out."""
    commands = [UpsertDepartment(viewer=viewer, name=name) for name in ("Arts", "", "Music")]

    outcomes = await storage.write(upsert_departments, commands)

    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False]
    assert await every_department(storage, viewer) == ["Arts", "Music"]


async def test_refused_update_leaves_the_earlier_one(storage, viewer):
    """A command that is refused does not undo what an earlier one of its batch did to the row."""
    centre = UpsertCentre(viewer=viewer, reference="C1", name="Old", time_zone="Europe/London")

    made, refused = await storage.write(
        upsert_centres, [centre, replace(centre, name="New", subject_ids=(ByReference("none"),))]
    )
    [again] = await storage.write(upsert_centres, [centre])

    assert made.created
    assert isinstance(refused, Refused)
    assert not again.changed


async def test_permission(viewer, refusals):
    """Without its permission a command is FORBIDDEN, and references are not looked up."""
    staff = replace(viewer, role=Role.CENTRE_STAFF, permissions=PERMISSIONS[Role.CENTRE_STAFF])
    room = UpsertRoom(viewer=staff, centre=ByReference("nowhere"), name="1", capacity=0)

    assert await refusals(upsert_rooms, room) == [("FORBIDDEN", "")]


async def test_everything_wrong_is_said_at_once(viewer, refusals):
    """Fields and references are refused together; an element of a list is named by its index."""
    centre = UpsertCentre(
        viewer=viewer,
        reference=" ",
        name="x" * 201,
        time_zone="Europe/Atlantis",
        subject_ids=(Unreadable("?", "is not a global id"), ByReference("none")),
    )

    assert await refusals(upsert_centres, centre) == [
        ("STRING_LENGTH", "reference"),
        ("STRING_LENGTH", "name"),
        ("INVALID_VALUE", "time_zone"),
        ("INVALID_VALUE", "subject_ids.0"),
        ("NOT_FOUND", "subject_ids.1"),
    ]


async def test_organizations_do_not_meet(storage, viewer, refusals, make):
    """The same reference is another object in another organization; keys are not found there."""
    other = MakeOrganization(name="Other", time_zone="Europe/Paris", currency="EUR")
    stranger = replace(viewer, organization_id=await make(make_organization, other))
    centre = UpsertCentre(viewer=viewer, reference="C1", name="One", time_zone="Europe/London")

    ours, theirs = await storage.write(upsert_centres, [centre, replace(centre, viewer=stranger)])
    room = UpsertRoom(viewer=stranger, centre=ByKey(ours.subject), name="1", capacity=1)

    assert theirs.created
    assert ours.subject != theirs.subject
    assert await refusals(upsert_rooms, room) == [("NOT_FOUND", "centre")]
    assert await storage.read(centres_by_id(stranger, [ours.subject])) == []


async def test_statements_do_not_grow_with_the_batch(storage, viewer):
    """Fifty commands take as many statements as two."""
    calls = []

    def counting(work, commands):
        counted = Counted(work)
        results = upsert_departments(counted, commands)
        calls.append(counted.calls)
        return results

    for name, size in (("few", 2), ("many", 50)):
        batch = [UpsertDepartment(viewer=viewer, name=f"{name} {n}") for n in range(size)]
        await storage.write(counting, batch)

    assert calls[0] == calls[1]


async def test_two_processes_make_one_row(storage, database_url, clock, viewer):
    """Of two processes that make the same reference, one creates it and the other finds it."""
    other = storage_at(database_url, outbox.fill, clock=clock)
    await other.open()
    commands = [[UpsertDepartment(viewer=viewer, name=f"D{n}")] for n in range(20)]

    try:
        pairs = await asyncio.gather(
            *(
                asyncio.gather(*(s.write(upsert_departments, c) for s in (storage, other)))
                for c in commands
            )
        )
    finally:
        await other.close()

    for [ours], [theirs] in pairs:
        assert ours.subject == theirs.subject
        assert ours.created != theirs.created
    assert len(await every_department(storage, viewer)) == len(commands)
