"""CSV and JSON as read by other programs."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from resolvers.exports.fields import FIELDS, LOCAL_FIELDS
from resolvers.exports.tables import CsvFile, JsonFile
from tests.resolvers.exports.sittings import KEY, fields, row, written

SOME = fields("EventTitle", "EventNumber", "WaitlistEnabled", "EventScheduledStart")


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_csv_has_the_source_s_names_and_forms() -> None:
    header, values = read(written(CsvFile(FIELDS), [row()]))

    assert header == [field.name for field in FIELDS]
    told = dict(zip(header, values, strict=True))
    assert told["EventIdentifier"] == "123e4567-e89b-12d3-a456-426614174000"
    assert told["WaitlistEnabled"] == "true"
    assert told["EventNumber"] == "1"
    assert told["LastChangeTime"] == "2025-08-29T22:13:52.542Z"


def test_csv_without_events_has_its_header() -> None:
    assert written(CsvFile(SOME)) == (
        b'"EventTitle","EventNumber","WaitlistEnabled","EventScheduledStart"\r\n'
    )


def test_csv_keeps_awkward_texts_whole() -> None:
    title = 'Zoë said "50%", and\nleft; 試験'

    _, values = read(written(CsvFile(SOME), [row(SOME, EventTitle=title)]))

    assert values[0] == title


def test_csv_lines_end_as_rfc_4180_has_them_and_a_null_is_nothing() -> None:
    none = row(SOME, EventNumber=None, EventScheduledStart=None)

    assert written(CsvFile(SOME), [none], [none]).endswith(
        b'\r\n"text",,true,\r\n"text",,true,\r\n'
    )


def test_csv_quotes_every_string() -> None:
    """Numbers and flags are not strings; a quote inside a string is doubled."""
    content = written(CsvFile(SOME), [row(SOME, EventTitle='"A"')])

    assert content.splitlines()[1] == b'"""A""",1,true,"2025-08-29T22:13:52.542Z"'


@pytest.mark.parametrize("given", ["a\r\nb", "a\rb", "a\nb"])
def test_line_breaks_in_csv_texts_are_line_feeds(given: str) -> None:
    _, values = read(written(CsvFile(SOME), [row(SOME, EventTitle=given)]))

    assert values[0] == "a\nb"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a;=1", "a;'=1"),
        ("a, \u3000@SUM(A1)", "a, \u3000'@SUM(A1)"),
        ("a\t+1|-1", "a\t'+1|'-1"),
        ("a\r\n=1", "a\n'=1"),
        ('a;"=1"', 'a;"\'=1"'),
        ("  =1", "'  =1"),
        ("\ufeff=1;=1", "'\ufeff=1;'=1"),
        ("a=1, 2-3, b - c", "a=1, 2-3, b - c"),
        ("Bring pencil; no phone", "Bring pencil; no phone"),
    ],
)
def test_csv_texts_are_no_formulas_after_a_separator(given: str, told: str) -> None:
    """A spreadsheet can split a line at its own separator, and blanks do not protect against a
    formula.
    """
    _, values = read(written(CsvFile(SOME), [row(SOME, EventTitle=given)]))

    assert values[0] == told


def test_a_long_run_of_separators_is_written_quickly() -> None:
    """The time grows with the length of a text, not with its square."""
    title = ";" * 10_000 + "-;" * 5_000 + " " * 20_000 + "="

    _, values = read(written(CsvFile(SOME), [row(SOME, EventTitle=title)]))

    assert values[0].count("'") == 5_001


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\n", "\uff1d"])
def test_csv_texts_are_no_formulas(sign: str) -> None:
    """A spreadsheet shows a text after an apostrophe and does not evaluate it."""
    title = f"{sign}HYPERLINK(1)"

    _, values = read(written(CsvFile(SOME), [row(SOME, EventTitle=title)]))

    assert values[0] == f"'{title}"


def test_a_source_s_own_key_is_no_formula_either() -> None:
    centre = fields("VenueLocationIdentifier")

    [_, [told], [known]] = read(written(CsvFile(centre), [("=1",), (KEY.hex.upper(),)]))

    assert told == "'=1"
    assert known == str(KEY)


def test_csv_numbers_stay_numbers() -> None:
    numbers = fields("EventNumber", "CreditHours")

    assert written(CsvFile(numbers), [(-5, -0.5)]).endswith(b"\r\n-5,-0.5\r\n")


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01T00:00:00.000Z"),
        (datetime(2027, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), "2027-01-01T00:00:00.999Z"),
    ],
)
def test_an_instant_has_the_three_decimals_of_the_source(at: datetime, told: str) -> None:
    """Finer digits are truncated, so that no instant is later than the stored one."""
    given = [row(SOME, EventScheduledStart=at)]

    assert read(written(CsvFile(SOME), given))[1][3] == told
    assert json.loads(written(JsonFile(SOME), given))[0]["EventScheduledStart"] == told


def test_local_times_and_zones_are_written_as_they_are() -> None:
    local = (datetime(2027, 7, 1, 9, 30), "Europe/London")

    assert read(written(CsvFile(LOCAL_FIELDS), [local]))[1] == [
        "2027-07-01T09:30:00",
        "Europe/London",
    ]
    assert json.loads(written(JsonFile(LOCAL_FIELDS), [local])) == [
        {"EventScheduledStartLocal": "2027-07-01T09:30:00", "VenueTimeZone": "Europe/London"}
    ]


def test_json_is_an_array_of_objects_with_the_source_s_types() -> None:
    [told] = json.loads(written(JsonFile(FIELDS), [row()]))

    assert list(told) == [field.name for field in FIELDS]
    assert told["EventIdentifier"] == "123e4567-e89b-12d3-a456-426614174000"
    assert told["WaitlistEnabled"] is True
    assert told["EventNumber"] == 1
    assert told["LastChangeTime"] == "2025-08-29T22:13:52.542Z"


def test_json_texts_are_as_they_are() -> None:
    told = json.loads(written(JsonFile(SOME), [row(SOME, EventTitle="=1", EventNumber=None)]))

    assert told[0]["EventTitle"] == "=1"
    assert told[0]["EventNumber"] is None


@pytest.mark.parametrize("batches", [[], [1], [2, 3]])
def test_json_of_any_number_of_batches_is_one_array(batches: list[int]) -> None:
    content = written(JsonFile(SOME), *([row(SOME)] * size for size in batches))

    assert len(json.loads(content)) == sum(batches)
