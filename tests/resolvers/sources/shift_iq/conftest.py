"""Ways to import Shift iQ's documents, and to find what they name."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.references import ByExternalId, Lookup
from resolvers.sources.formats import FORMATS
from resolvers.sources.json_text import parse_json, read_json
from resolvers.sources.report import Report
from resolvers.storage import Storage
from resolvers.tests.commands import UpsertTest, upsert_tests
from resolvers.tests.forms import Form
from resolvers.viewer import Viewer
from resolvers.vocabulary import SourceSystem
from tests.resolvers.sources.pointing import imported
from tests.resolvers.world import World

DOCUMENTS = Path(__file__).with_name("documents")

EVENT = "5e1d7c52-3f0a-4c1b-8f57-2a9d4f6b0001"
VENUE = "7f2b9a10-64de-4d3c-9e21-c4a8b7d50001"
ORGANIZATION = "9c0d2e44-7a31-4f7e-b0a1-5e8f3d210001"
"""What `event.json` names."""

V1 = SourceSystem.SHIFT_IQ_V1
LEARNER = "c4d81e72-5b06-4f3a-9d8c-0e6a2b7f0001"
REGISTRATION = "e83b6c05-1d4f-4a92-8b7e-f50c9a260001"
ADDED = "5e1d7c52-3f0a-4c1b-8f57-2a9d4f6b0021"
"""What the bodies name."""

OTHER = "e83b6c05-1d4f-4a92-8b7e-f50c9a260002"
"""What none of the documents names."""

IN_ORDER = [
    "register-lax",
    "grant-accommodation",
    "revoke-accommodation",
    "change-assessment",
    "transfer-lax",
    "cancel-registration",
    "delete-registration",
]
"""The bodies about the registration as they can have happened."""

ImportShift = Callable[[Any], Awaitable[Report]]
FindShift = Callable[..., Awaitable[Any]]


def document(name: str) -> Any:
    """One of the documents of [002] and [003], with values of our own."""
    return read_json(DOCUMENTS / f"{name}.json")


def event(**values: Any) -> dict[str, Any]:
    """An event with little more than a place and a time, and other values."""
    return {
        "EventIdentifier": EVENT,
        "VenueLocationIdentifier": VENUE,
        "EventTitle": "Carpenter, Level 1",
        "EventScheduledStart": "2027-02-01T13:00:00Z",
        **values,
    }


def body(name: str, **values: Any) -> dict[str, Any]:
    """The document with that name, with other values in its body; None leaves one out."""
    made: dict[str, Any] = copy.deepcopy(document(name))
    given = {**made.get("body", {}), **values}
    return {**made, "body": {name: value for name, value in given.items() if value is not None}}


async def learner(world: World, value: str = LEARNER, reference: str = "C1") -> UUID:
    command = UpsertCandidate(
        viewer=world.viewer,
        reference=reference,
        first_names="Ada",
        last_name="Lovelace",
        external_ids=(ByExternalId(V1, "learner", value),),
    )
    return await world.made(upsert_candidates, command)


def notes(report: Report) -> list[tuple[str, str]]:
    """Where there is something worth knowing, and with which code."""
    return [(note.path, note.code) for row in report.rows for note in row.warnings]


@pytest.fixture
def imports(storage: Storage, organization_id: UUID) -> ImportShift:
    """Import a document, or the one with that name."""

    async def run(given: Any) -> Report:
        value = document(given) if isinstance(given, str) else parse_json(_written(given).encode())
        return await imported(storage, FORMATS["shift-iq"], value, organization_id=organization_id)

    return run


@pytest.fixture
def find(storage: Storage, viewer: Viewer) -> FindShift:
    """The row of a model that the source's UUID of a kind means, or None."""

    async def found(
        model: Any, kind: str, value: str, system: SourceSystem = SourceSystem.SHIFT_IQ_V2
    ) -> Any:
        ref = ByExternalId(system, kind, value)
        lookup: Lookup[Any] = Lookup(model, [(viewer, ref)])
        lookup.found(
            [(group, row) for group, read in lookup.reads() for row in await storage.read(read)]
        )
        return lookup.first(viewer, ref)

    return found


@pytest.fixture
async def known(world: World) -> UUID:
    """The centre, the learner and the two forms that the bodies name; the learner's key."""
    venue = ByExternalId(V1, "venue", VENUE)
    centre = UpsertCentre(
        viewer=world.viewer,
        reference="VAN",
        name="Vancouver",
        time_zone="America/Vancouver",
        external_ids=(venue,),
    )
    await world.made(upsert_centres, centre)
    forms = tuple(Form(code=f"CARP-1-{letter}", name=letter) for letter in "AB")
    test = UpsertTest(
        viewer=world.viewer, reference="CARP-1", name="Carpenter", duration_minutes=90, forms=forms
    )
    await world.made(upsert_tests, test)
    return await learner(world)


def _written(value: Any) -> str:
    """As JSON; a Decimal as the number that it was read from."""
    return json.dumps(value, default=float)
