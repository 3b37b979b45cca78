"""Requests and counts: accepted, and said to leave nothing here."""

import pytest

from tests.resolvers.sources.conftest import Snapshot, fates
from tests.resolvers.sources.shift_iq.conftest import ImportShift, document, notes

KEPT_NOTHING = "NOT_KEPT"


@pytest.mark.parametrize("name", ["request", "search-registrations", "count"])
async def test_a_request_leaves_nothing(
    imports: ImportShift, snapshot: Snapshot, name: str
) -> None:
    """It is read whole, changes no row, and the report says so."""
    before = await snapshot()

    report = await imports(name)

    assert fates(report) == ["unchanged"]
    assert notes(report)[0] == ("$", KEPT_NOTHING)
    assert await snapshot() == before


async def test_texts_are_reported(imports: ImportShift) -> None:
    """The free texts of a request have no place here: they are told, where there are any."""
    given = document("request")

    with_texts = await imports([given])
    without = await imports({**given, "Texts": {}})

    assert notes(with_texts) == [("$[0]", KEPT_NOTHING), ("$[0].Texts", KEPT_NOTHING)]
    assert notes(without) == [("$", KEPT_NOTHING)]
    assert with_texts.rows[0].warnings[1].message == "'Texts' is not allowed here."


async def test_every_part_may_be_missing(imports: ImportShift) -> None:
    """All that a request has is optional [003]."""
    for given in ({"Filter": None}, {"Origin": {}}, {"Texts": None}, {"Identifier": None}):
        assert fates(await imports(given)) == ["unchanged"]
