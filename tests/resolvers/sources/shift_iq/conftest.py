"""Ways to import Shift iQ's documents, and to find what they name."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resolvers.references import ByExternalId, Lookup
from resolvers.sources.formats import FORMATS
from resolvers.sources.importing import import_document
from resolvers.sources.json_text import parse_json, read_json
from resolvers.sources.report import Report
from resolvers.storage import Storage
from resolvers.vocabulary import SourceSystem

DOCUMENTS = Path(__file__).with_name("documents")

EVENT = "5e1d7c52-3f0a-4c1b-8f57-2a9d4f6b0001"
VENUE = "7f2b9a10-64de-4d3c-9e21-c4a8b7d50001"
ORGANIZATION = "9c0d2e44-7a31-4f7e-b0a1-5e8f3d210001"
"""What `event.json` names."""

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


def notes(report: Report) -> list[tuple[str, str]]:
    """Where there is something worth knowing, and with which code."""
    return [(note.path, note.code) for row in report.rows for note in row.warnings]


@pytest.fixture
def imports(storage: Storage, organization_id: UUID) -> ImportShift:
    """Import a document, or the one with that name."""

    async def run(given: Any) -> Report:
        value = document(given) if isinstance(given, str) else parse_json(_written(given).encode())
        return await import_document(
            storage, FORMATS["shift-iq"], value, organization_id=organization_id
        )

    return run


@pytest.fixture
def find(storage: Storage, organization_id: UUID) -> FindShift:
    """The row of a model that the source's UUID of a kind means, or None."""

    async def found(
        model: Any, kind: str, value: str, system: SourceSystem = SourceSystem.SHIFT_IQ_V2
    ) -> Any:
        ref = ByExternalId(system, kind, value)
        lookup: Lookup[Any] = Lookup(model, [(organization_id, ref)])
        lookup.found([row for read in lookup.reads() for row in await storage.read(read)])
        return lookup.first(organization_id, ref)

    return found


def _written(value: Any) -> str:
    """As JSON; a Decimal as the number that it was read from."""
    return json.dumps(value, default=float)
