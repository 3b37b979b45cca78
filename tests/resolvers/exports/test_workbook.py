"""XLSX as openpyxl opens it."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from resolvers.exports.fields import FIELDS
from resolvers.exports.workbook import MOST_CHARACTERS, WorkbookFile, fitting
from tests.resolvers.exports.sittings import fields, row, written

SOME = fields("EventTitle", "EventNumber", "WaitlistEnabled", "EventScheduledStart")


def sheets(content: bytes) -> list[list[tuple[Any, ...]]]:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    return [list(sheet.iter_rows()) for sheet in workbook.worksheets]


def test_a_workbook_has_the_source_s_names_and_types() -> None:
    [[header, cells]] = sheets(written(WorkbookFile(FIELDS), [row()]))

    assert [cell.value for cell in header] == [field.name for field in FIELDS]
    told = {name.value: cell for name, cell in zip(header, cells, strict=True)}
    assert told["EventIdentifier"].value == "123e4567-e89b-12d3-a456-426614174000"
    assert told["WaitlistEnabled"].value is True
    assert (told["EventNumber"].value, told["EventNumber"].data_type) == (1, "n")
    assert told["LastChangeTime"].value == "2025-08-29T22:13:52.542Z"


def test_a_null_is_an_empty_cell_and_awkward_texts_stay_whole() -> None:
    title = 'Zoë & <b>"50%"</b>\n試験 \x0b'

    [[_, cells]] = sheets(
        written(WorkbookFile(SOME), [row(SOME, EventTitle=title, EventNumber=None)])
    )

    assert cells[0].value.replace("_x000B_", "\x0b") == title
    assert cells[1].value is None


@pytest.mark.parametrize("given", ["a\r\nb", "a\rb", "a\nb"])
def test_line_breaks_are_line_feeds(given: str) -> None:
    """A carriage return would be read as the text _x000D_."""
    [[_, cells]] = sheets(written(WorkbookFile(SOME), [row(SOME, EventTitle=given)]))

    assert cells[0].value == "a\nb"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "  ="])
def test_texts_are_no_formulas(sign: str) -> None:
    title = f"{sign}1+1"

    [[_, cells]] = sheets(written(WorkbookFile(SOME), [row(SOME, EventTitle=title)]))

    assert (cells[0].value, cells[0].data_type) == (f"'{title}", "s")


def test_numbers_stay_numbers() -> None:
    numbers = fields("EventNumber", "CreditHours")

    [[_, cells]] = sheets(written(WorkbookFile(numbers), [(-5, -0.5)]))

    assert [(cell.value, cell.data_type) for cell in cells] == [(-5, "n"), (-0.5, "n")]


def test_texts_that_look_like_something_else_stay_texts() -> None:
    """A text does not become a number or a link."""
    texts = ["007", "https://example.org", "1e9", "TRUE"]

    [[_, *rows]] = sheets(written(WorkbookFile(fields("EventTitle")), [(text,) for text in texts]))

    assert [(cell.value, cell.data_type) for [cell] in rows] == [(text, "s") for text in texts]


def test_what_one_sheet_cannot_hold_goes_on_to_the_next() -> None:
    numbers = fields("EventNumber")

    told = sheets(written(WorkbookFile(numbers, most_rows=3), [(n,) for n in range(5)]))

    assert [[cell.value for [cell] in sheet] for sheet in told] == [
        ["EventNumber", 0, 1],
        ["EventNumber", 2, 3],
        ["EventNumber", 4],
    ]


def test_what_a_cell_cannot_hold_is_cut_between_characters() -> None:
    assert fitting("é" * 20_000) == "é" * 20_000
    assert fitting("😀" * 20_000) == "😀" * (MOST_CHARACTERS // 2)
    assert fitting("a\uffffb") == "a\ufffdb"


def test_nothing_stays_on_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a finished file nor an abandoned one leaves temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    written(WorkbookFile(SOME), [row(SOME)])
    given_up = WorkbookFile(SOME)
    given_up.begin()
    given_up.add([row(SOME)])
    assert list(tmp_path.iterdir())
    given_up.close()

    assert not list(tmp_path.iterdir())
