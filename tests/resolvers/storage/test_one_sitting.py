"""Lax calls for one new sitting make one event, from however many processes; domain.md, 8.4.9."""

import asyncio
from uuid import UUID, uuid4

import pytest

from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.registrations.booking import book
from resolvers.registrations.commands import BookRegistration, LaxEvent
from resolvers.storage.tables import Event
from resolvers.tests.forms import Form
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Opening
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

TIMES = 10


@pytest.mark.parametrize("processes", [1, 3])
async def test_fifty_requests_make_one_event(
    world: World, centre: UUID, opened: Opening, processes: int
) -> None:
    """One of them has made it, all have their seat there; ten sittings, one after the other."""
    await world.test(forms=(Form(code="F1", name="Form one"),))
    storages = [world.storage, *[await opened() for _ in range(processes - 1)]]
    candidates = await world.candidates(50)

    for hour in range(TIMES):
        target = LaxEvent(
            centre=centre,
            start=world.tomorrow(2 * hour).isoformat(),
            exam_type="Written",
            exam_format="Paper",
            billing_code="B1",
        )
        calls = [
            storages[n % processes].write(
                book,
                [
                    BookRegistration(
                        viewer=world.viewer,
                        registration=uuid4(),
                        target=target,
                        candidate=ByKey(candidate),
                        test_form="F1",
                    )
                ],
            )
            for n, candidate in enumerate(candidates)
        ]
        results = [result for [result] in await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)]
        outcomes = [result for result in results if isinstance(result, Outcome)]
        assert len(outcomes) == 50
        assert [outcome.facts["eventCreated"] for outcome in outcomes].count(True) == 1
        assert len({outcome.facts["event"] for outcome in outcomes}) == 1

    assert len(await world.rows(Event, "venue_id", centre)) == TIMES
