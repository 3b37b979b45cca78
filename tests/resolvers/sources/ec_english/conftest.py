"""Ways to import EC English's documents, and to change the sample."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resolvers.sources.formats import FORMATS
from resolvers.sources.report import Report
from resolvers.storage import Storage
from tests.resolvers.sources.pointing import imported

DOCUMENTS = Path(__file__).with_name("documents")

LEFT_OUT = object()
"""A member that is not there."""

ImportBookings = Callable[[Any], Awaitable[Report]]


def text_of(name: str) -> str:
    """One of the documents."""
    return (DOCUMENTS / name).read_text()


def body(**values: Any) -> dict[str, Any]:
    """The sample of [004] with other values: `Booking__Courses__0__CourseCode` is one inside."""
    made: dict[str, Any] = json.loads(text_of("booking.json"))
    for path, value in values.items():
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        inside: Any = made
        for step in steps:
            inside = inside[step]
        if value is LEFT_OUT:
            del inside[last]
        else:
            inside[last] = copy.deepcopy(value)
    return made


def changed(**values: Any) -> str:
    """The text of such a body."""
    return json.dumps(body(**values))


@pytest.fixture
def imports(storage: Storage, organization_id: UUID) -> ImportBookings:
    """Import the text of a file, or a value."""

    async def run(given: Any) -> Report:
        format = FORMATS["ec-english"]
        text = given if isinstance(given, str) else json.dumps(given)
        document = format.parse(text.encode())
        return await imported(storage, format, document, organization_id=organization_id)

    return run
