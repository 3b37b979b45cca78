"""The same again changes nothing, and arrays of documents are read in their order."""

from pathlib import Path

import pytest

from tests.resolvers.sources.conftest import (
    DOCUMENTS,
    Import,
    Snapshot,
    another,
    booked,
    document,
    fates,
    reasons,
    student,
)

IN_ORDER = ["students", "assign-results", "book", "move", "cancel-many"]
"""The documents of [000] as they can have happened."""


def test_every_document_of_the_source_is_here() -> None:
    """The five documents that [000] prints whole, and the two forms of which it prints the keys."""
    names = {Path(file).stem for file in DOCUMENTS.iterdir()}
    assert names == {*IN_ORDER, "cancel-one", "cancelled"}


async def test_twice_is_the_same_as_once(imports: Import, snapshot: Snapshot) -> None:
    """All documents, and all again: not one row of any table differs."""
    first = [fate for name in IN_ORDER for fate in fates(await imports(name))]
    once = await snapshot()

    again = [fate for name in IN_ORDER for fate in fates(await imports(name))]

    assert first == ["made", "made", "changed", "made", "changed", "changed"]
    assert again == ["unchanged"] * 6
    assert await snapshot() == once


async def test_an_array_of_documents_is_one_after_another(
    imports: Import, snapshot: Snapshot
) -> None:
    """A file with all of them does what the files do one by one, and once more does nothing."""
    file = [document(name) for name in IN_ORDER]

    report = await imports(file)
    once = await snapshot()
    again = await imports(file)

    assert [row.path for row in report.rows] == [
        "$[0].bookedStudents[0]",
        "$[0].bookedStudents[1]",
        "$[1][0]",
        "$[2]",
        "$[3]",
        "$[4]",
    ]
    assert fates(report) == ["made", "made", "changed", "made", "changed", "changed"]
    assert fates(again) == ["unchanged"] * 6
    assert await snapshot() == once


async def test_what_comes_too_early_is_done_the_next_time(imports: Import) -> None:
    """In the wrong order bodies are refused; the same file again imports them, and only them."""
    file = [document("move"), document("assign-results"), document("students")]

    assert fates(await imports(file)) == ["refused", "refused", "made", "made"]
    assert fates(await imports(file)) == ["changed", "changed", "unchanged", "unchanged"]
    assert fates(await imports(file)) == ["unchanged"] * 4


async def test_one_body_twice_in_a_file_is_one_body(imports: Import) -> None:
    """The second is the same again; how it is written does not matter."""
    await imports("students")
    body = document("cancel-one")

    report = await imports([body, dict(reversed(body.items()))])

    assert fates(report) == ["changed", "unchanged"]


@pytest.mark.parametrize("name", ["assign-results", "cancel-one"])
async def test_a_result_and_a_cancellation_exclude_each_other(imports: Import, name: str) -> None:
    """As printed, both are about enrolment 1: whichever comes second is told so."""
    await imports("students")
    other = {"assign-results": "cancel-one", "cancel-one": "assign-results"}[name]
    await imports(name)

    report = await imports(other)

    assert [code for _, code in reasons(report)] == ["ILLEGAL_STATE"]


async def test_a_file_may_have_many_rows(imports: Import) -> None:
    """Many rows of one file are imported, each in a transaction of its own."""
    report = await imports(booked(*(another(n, roomId=n % 7 + 1) for n in range(1, 121))))

    assert fates(report) == ["made"] * 120


async def test_nothing_is_a_document_too(imports: Import) -> None:
    """No students, no results and no documents are no rows."""
    for empty in (booked(), []):
        assert (await imports(empty)).rows == ()


async def test_a_row_that_was_refused_is_imported_once_it_can_be(imports: Import) -> None:
    """A refusal leaves no receipt: corrected, the file is imported as if for the first time."""
    wrong = booked(student(), another(2, surname=""))

    assert fates(await imports(wrong)) == ["made", "refused"]
    assert fates(await imports("students")) == ["unchanged", "made"]
