"""Rooms with more bookings than seats, as shown to staff, by plans and by graphql-core."""

from typing import Any
from uuid import UUID

import orjson
import pytest
import strawberry

from resolvers.every_kind.accommodations import grant
from resolvers.identity import global_id
from resolvers.storage import Storage
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document
from tests.plan.failing import statements
from tests.resolvers.asking import granting, in_role
from tests.resolvers.world import World as Bookings

pytestmark = pytest.mark.both_databases

CONFLICTS = "roomConflicts { start end capacity taken room { name } }"
BOOKING = f"query ($id: ID!) {{ booking(id: $id) {{ {CONFLICTS} event {{ {CONFLICTS} }} }} }}"
HISTORY = """query ($id: ID!) { booking(id: $id) { history(last: 1) { nodes {
  type warnings { code message path } } } } }"""
LIST = f"query ($n: Int) {{ events(first: $n) {{ nodes {{ title {CONFLICTS} }} }} }}"

HALF_AN_HOUR = {
    "start": "2027-01-12T11:00:00Z",
    "end": "2027-01-12T11:30:00Z",
    "capacity": 1,
    "taken": 2,
    "room": {"name": "Cell"},
}


@pytest.fixture
def both(schema: strawberry.Schema, storage: Storage) -> BothWays:
    return BothWays(schema, storage)


@pytest.fixture
def bookings(storage: Storage, viewer: Viewer) -> Bookings:
    return Bookings(storage, viewer)


async def told(both: BothWays, text: str, viewer: Viewer, **variables: Any) -> Any:
    """Return the data of a query; a plan and graphql-core must agree."""
    document, answered = Document(text, variables), both.planner.counts.answered
    planned = await both.by_plans(document, viewer)
    assert both.planner.counts.answered == answered + 1
    assert planned.agrees(await both.by_core(document, viewer))
    assert planned.errors == {}
    assert planned.data is not None
    return orjson.loads(planned.data)


@pytest.fixture
async def overfull(bookings: Bookings) -> UUID:
    """A booking extended by half an hour, into a time when its room is full."""
    centre = await bookings.centre()
    cell = await bookings.room(centre, "Cell", capacity=1)
    first = await bookings.event(centre=centre, room=cell, title="First")
    second = await bookings.event(
        centre=centre, room=cell, title="Second", start_at=bookings.tomorrow(11)
    )
    one, other = await bookings.candidates(2)
    booked = await bookings.booked(one, first)
    await bookings.booked(other, second)
    await bookings.one(grant, granting(bookings, booked, time_extension_minutes=30))
    return booked


async def test_a_conflict_is_shown_by_bookings_and_events_of_both_sides(
    both: BothWays, bookings: Bookings, viewer: Viewer, overfull: UUID
) -> None:
    """The extended booking, the conflicting one and both events show the conflict."""
    id = global_id("Enrolment", overfull)

    assert (await told(both, BOOKING, viewer, id=id))["booking"] == {
        "roomConflicts": [HALF_AN_HOUR],
        "event": {"roomConflicts": [HALF_AN_HOUR]},
    }
    assert (await told(both, LIST, viewer, n=5))["events"]["nodes"] == [
        {"title": title, "roomConflicts": [HALF_AN_HOUR]} for title in ("First", "Second")
    ]


async def test_without_the_extra_time_there_is_no_conflict(
    both: BothWays, bookings: Bookings, viewer: Viewer, overfull: UUID
) -> None:
    """Conflicts are computed from the current bookings."""
    await bookings.one(grant, granting(bookings, overfull, time_extension_minutes=0))

    shown = await told(both, BOOKING, viewer, id=global_id("Enrolment", overfull))

    assert shown["booking"] == {"roomConflicts": [], "event": {"roomConflicts": []}}


async def test_the_change_has_its_warning(both: BothWays, viewer: Viewer, overfull: UUID) -> None:
    """The history has a warning that the grant exceeds the room's capacity."""
    shown = await told(both, HISTORY, viewer, id=global_id("Enrolment", overfull))

    [change] = shown["booking"]["history"]["nodes"]
    assert change["type"] == "ACCOMMODATION_GRANTED"
    assert [warning["code"] for warning in change["warnings"]] == ["ROOM_FULL"]


@pytest.mark.parametrize("role", Role)
async def test_only_staff_see_conflicts_and_warnings(
    both: BothWays, bookings: Bookings, overfull: UUID, role: Role
) -> None:
    """Both are null for agents and candidates, who cannot see other bookings."""
    assert PERMISSIONS[role]
    viewer, id = in_role(bookings, role), global_id("Enrolment", overfull)

    shown = (await told(both, BOOKING, viewer, id=id))["booking"]
    [change] = (await told(both, HISTORY, viewer, id=id))["booking"]["history"]["nodes"]

    is_staff = role not in {Role.AGENT, Role.CANDIDATE}
    assert (shown["roomConflicts"] is not None) == is_staff
    assert (shown["event"]["roomConflicts"] is not None) == is_staff
    assert (change["warnings"] is not None) == is_staff


async def test_conflicts_cost_one_statement_for_all_rows(
    both: BothWays, bookings: Bookings, viewer: Viewer, overfull: UUID
) -> None:
    """Two events take as many statements as twenty; the room names take one more."""
    centre = await bookings.centre("YRK")
    for n in range(18):
        room = await bookings.room(centre, f"Room {n}")
        await bookings.event(centre=centre, room=room)

    counts = []
    for n in (2, 20):
        with statements(both.storage) as found:
            await both.by_plans(Document(LIST, {"n": n}), viewer)
        counts.append(len(found))

    assert counts == [3, 3]
