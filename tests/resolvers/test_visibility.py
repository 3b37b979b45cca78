"""References are resolved within the scope of the viewer who gives them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.outcomes import Outcome
from resolvers.references import NAMES, ByKey, look_up
from resolvers.storage import Storage
from resolvers.storage.tables import Booking, Candidate
from resolvers.viewer import Scope, Viewer
from resolvers.visibility import BY_ROW, NARROWED, OPEN
from resolvers.vocabulary import Role
from tests.resolvers.asking import in_role
from tests.resolvers.world import World


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


def test_every_table_of_references_says_who_sees_its_rows() -> None:
    """A new table is entered in one of the three; otherwise a scope cannot be applied to it."""
    tables = [*OPEN, *NARROWED, *BY_ROW]

    assert sorted(table.__name__ for table in tables) == sorted(table.__name__ for table in NAMES)


async def test_each_viewer_of_a_batch_finds_what_it_sees(world: World) -> None:
    """The same name finds a row for one viewer and none for another, whoever asks first."""
    centre = await world.centre()
    room = await world.room(centre, "Hall", capacity=10)
    event = await world.event(centre=centre, room=room)
    candidate = await world.candidate("P1")
    booking = await world.booked(candidate, event)
    here = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset({centre})))
    there = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset({uuid4()})))
    found: list[tuple[list[UUID], list[bool]]] = []

    def look(work: Any, commands: Any) -> list[Outcome]:
        for model, key in ((Booking, booking), (Candidate, candidate)):
            for viewers in ((here, there, world.viewer), (there, here, world.viewer), (there,)):
                lookup = look_up(work, model, [(viewer, ByKey(key)) for viewer in viewers])
                seen = [lookup.first(viewer, ByKey(key)) is not None for viewer in viewers]
                found.append(([row.id for row in lookup.rows()], seen))
        return [Outcome(booking) for _ in commands]

    await world.storage.write(look, [None])

    assert found == [
        ([booking], [True, False, True]),
        ([booking], [False, True, True]),
        ([], [False]),
        ([candidate], [True, False, True]),
        ([candidate], [False, True, True]),
        ([], [False]),
    ]


@pytest.mark.parametrize("type_name", ["TestSchedule", "Registration", "AgentBooking"])
async def test_a_booking_is_of_the_type_that_its_id_says(world: World, type_name: str) -> None:
    """A key under another type is the id of nothing, as `node` says, too."""
    centre = await world.centre()
    event = await world.event(centre=centre, room=await world.room(centre, "Hall", capacity=1))
    booking = await world.booked(await world.candidate("P1"), event)
    found: list[bool] = []

    def look(work: Any, commands: Any) -> list[Outcome]:
        refs = [ByKey(booking), ByKey(booking, "Enrolment"), ByKey(booking, type_name)]
        lookup = look_up(work, Booking, [(world.viewer, ref) for ref in refs])
        found.extend(lookup.first(world.viewer, ref) is not None for ref in refs)
        return [Outcome(booking) for _ in commands]

    await world.storage.write(look, [None])

    assert found == [True, True, False]
