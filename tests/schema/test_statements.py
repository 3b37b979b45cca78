"""The number of a query's statements does not grow with its rows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.both_databases

CANDIDATES = """query ($n: Int) { candidates(first: $n) { totalCount nodes {
  externalIds { value } departments { name externalIds { value } } centres { rooms { name } }
  subjects { name centres { name } } modules { reference } groupIdentifiers
  bookings(first: 2) { nodes { id } totalCount }
} } }"""

EVENTS = """query ($n: Int) { events(first: $n) { totalCount nodes {
  externalIds { value } organization { name } modules { name } centre { subjects { name } }
  room { name centre { name } } test { subject { name } forms { code } modules { name } }
  seats { taken free state } bookings(first: 2) { nodes { id } totalCount }
  enrolments(last: 1) { nodes { id } } candidates(includeEligible: true) {
    booked { totalCount nodes { id } } eligible(first: 1) { totalCount nodes { id } }
  }
  cancellation { cancelledBy { user { name } } }
} } }"""

CENTRES = """query ($n: Int) { centres(first: $n) { nodes {
  rooms { name } subjects { name } externalIds { value }
  events(first: 3, filter: {title: {startsWith: "E"}}) { totalCount nodes { seats { taken } } }
} } }"""


@contextmanager
def counted(storage: object) -> Iterator[list[object]]:
    """Collect the reads inside the block."""
    shapes: list[object] = []
    read = storage.read

    async def noted(asked):
        shapes.append(asked.shape)
        return await read(asked)

    storage.read = noted
    try:
        yield shapes
    finally:
        del storage.read


@pytest.fixture
async def crowd(client, world):
    """A hundred candidates, centres and events."""

    async def many(mutation, kind, inputs):
        calls = (
            f"m{n}: {mutation}(input: {{{given}}}) {{ errors {{ code message }} }}"
            for n, given in enumerate(inputs)
        )
        result = await client.run(f"mutation {{ {' '.join(calls)} }}")
        assert result.errors is None
        assert all(payload["errors"] == [] for payload in result.data.values())

    lists = (
        f'centreIds: ["{world.centre}"], subjectIds: ["{world.subject}"], '
        f'departmentIds: ["{world.department}"], moduleIds: ["{world.module}"]'
    )
    await many(
        "upsertCandidate",
        "candidate",
        [f'reference: "C{n}", firstNames: "A", lastName: "B", {lists}' for n in range(100)],
    )
    await many(
        "upsertCentre",
        "centre",
        [
            f'reference: "X{n}", name: "A", timeZone: "Europe/London", '
            f'subjectIds: ["{world.subject}"]'
            for n in range(100)
        ],
    )
    await many(
        "createEvent",
        "event",
        [
            f'title: "E{n}", start: "2027-03-01T09:00:00Z", room: {{id: "{world.room}"}}, '
            f'test: {{reference: "T1"}}, eligibilityConfigured: true'
            for n in range(100)
        ],
    )


async def test_statements_do_not_grow(client, storage, crowd):
    """A query of a hundred rows takes as many statements as a query of two."""
    for document in (CANDIDATES, EVENTS, CENTRES):
        taken = []
        for size in (2, 100):
            with counted(storage) as shapes:
                found = await client.of(document, n=size)
            assert len(found["nodes"]) == size
            taken.append(len(shapes))

        assert taken[0] == taken[1], document
        assert taken[0] > 5
