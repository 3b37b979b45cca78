"""Ways to import documents into an empty organization, and to see all that it then holds."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.references import ByExternalId, Lookup
from resolvers.sources.formats import FORMATS
from resolvers.sources.json_text import parse_json, read_json
from resolvers.sources.report import Report
from resolvers.storage import Read, Storage
from resolvers.storage.tables import metadata
from resolvers.viewer import Viewer
from resolvers.vocabulary import SourceSystem
from tests.resolvers.sources.pointing import imported
from tests.resolvers.world import World

DOCUMENTS = Path(__file__).with_name("documents")

Import = Callable[..., Awaitable[Report]]
Snapshot = Callable[[], Awaitable[dict[str, list[str]]]]
Find = Callable[..., Awaitable[Any]]


def document(name: str) -> Any:
    """One of the documents of [000]."""
    return read_json(DOCUMENTS / f"{name}.json")


def student(**values: Any) -> dict[str, Any]:
    """The first student of [000], with other values; `details` and `payment` are those inside."""
    made: dict[str, Any] = copy.deepcopy(document("students")["bookedStudents"][0])
    made["enrolmentDetails"]["paymentModel"].update(values.pop("payment", {}))
    made["enrolmentDetails"].update(values.pop("details", {}))
    return {**made, **values}


def another(number: int, **values: Any) -> dict[str, Any]:
    """A student with a number of its own, for everything that has one."""
    details = {
        "optimeIndex": number,
        "studentId": number,
        "onDemandBookingId": number,
        **values.pop("details", {}),
    }
    payment = {"paymentReference": str(UUID(int=number)), **values.pop("payment", {})}
    given = {"optimeIndex": number, "id": f"TestBooking{number}", **values}
    return student(details=details, payment=payment, **given)


def booked(*students: Any) -> dict[str, Any]:
    return {"bookedStudents": list(students), "eligibleStudents": []}


def reasons(report: Report) -> list[tuple[str, str]]:
    """Where and why rows were refused."""
    return [(reason.path, reason.code) for row in report.refused for reason in row.reasons]


def fates(report: Report) -> list[str]:
    return [row.fate.value for row in report.rows]


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
def imports(storage: Storage, organization_id: UUID) -> Import:
    """Import a document, or the one of [000] with that name."""

    async def run(given: Any, *, centre: str | None = None) -> Report:
        value = (
            document(given) if isinstance(given, str) else parse_json(json.dumps(given).encode())
        )
        return await imported(
            storage,
            FORMATS["surpass-scheduler"],
            value,
            organization_id=organization_id,
            centre=centre,
        )

    return run


@pytest.fixture
def snapshot(storage: Storage) -> Snapshot:
    """Every row of every table."""

    async def taken() -> dict[str, list[str]]:
        rows = {}
        for table in metadata.sorted_tables:
            read: Read[Any] = Read(
                ("snapshot", table.name), lambda _, table=table: sa.select(table)
            )
            rows[table.name] = sorted(map(str, await storage.read(read)))
        return rows

    return taken


@pytest.fixture
def find(storage: Storage, viewer: Viewer) -> Find:
    """The row of a model that the source's number of a kind means, or None."""

    async def found(model: Any, kind: str, number: int) -> Any:
        ref = ByExternalId(SourceSystem.SURPASS_SCHEDULER, kind, str(number))
        lookup: Lookup[Any] = Lookup(model, [(viewer, ref)])
        lookup.found(
            [(group, row) for group, read in lookup.reads() for row in await storage.read(read)]
        )
        return lookup.first(viewer, ref)

    return found
