"""`booking-gateway import` and `demo`: what they print, and with which code they end."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from resolvers.sources.formats import FORMATS
from tests.gateway.test_command_line import CommandLine

FORMAT = "surpass-scheduler"
DOCUMENTS = Path(__file__).parents[1] / "resolvers" / "sources" / "documents"
STUDENTS = str(DOCUMENTS / "students.json")
REQUEST = DOCUMENTS.parent / "shift_iq" / "documents" / "request.json"
PUT = DOCUMENTS.parent / "ec_english" / "documents" / "booking"


@pytest.fixture
def ready(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sqlite_template: Path,
) -> CommandLine:
    """With a migrated database and one organization."""
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "gateway.db")
    command_line = CommandLine(tmp_path, monkeypatch, capsys)
    add(command_line, "Northfield")
    return command_line


def add(command_line: CommandLine, name: str) -> None:
    zone = ("--time-zone", "Europe/London", "--currency", "GBP")
    assert command_line.run("organization", name, *zone).returncode == 0


def written(folder: Path, value: Any) -> str:
    file = folder / "document.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(file)


def test_an_import_says_what_became_of_the_rows(ready: CommandLine) -> None:
    """Made at first, unchanged after that; both are a success."""
    first = ready.run("import", FORMAT, STUDENTS)
    again = ready.run("import", FORMAT, STUDENTS)

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == "2 made, 0 changed, 0 unchanged, 0 refused\n"
    assert (again.returncode, again.stdout) == (0, "0 made, 0 changed, 2 unchanged, 0 refused\n")


def test_xml_is_read_where_the_source_has_it(ready: CommandLine, tmp_path: Path) -> None:
    """A body of TestSchedule in XML is a row; the same file is nothing to other formats."""
    body = "<TestSchedule><Test><reference>T1</reference></Test></TestSchedule>"
    file = written(tmp_path, body)

    schedule = ready.run("import", "surpass-test-schedule", file, "--auto-sync-centre-subject")
    other = ready.run("import", FORMAT, file)

    assert schedule.returncode == 1
    assert schedule.stdout.startswith("0 made, 0 changed, 0 unchanged, 1 refused\n")
    assert "row 1, $.Candidate: 'Candidate' is required (REQUIRED)" in schedule.stdout
    assert other.returncode == 2


def test_a_booking_of_an_agency_is_read_in_json_and_in_xml(
    ready: CommandLine, tmp_path: Path
) -> None:
    """The same in both; what is malformed is told in the source's words, all of it."""
    json_file, xml_file = PUT.with_suffix(".json"), PUT.with_suffix(".xml")
    put = json.loads(json_file.read_text())
    put["Booking"]["Student"] |= {"FirstNames": "B" * 101, "DateOfBirth": "20/02/1993"}

    first = ready.run("import", "ec-english", str(json_file))
    again = ready.run("import", "ec-english", str(xml_file))
    wrong = ready.run("import", "ec-english", written(tmp_path, put))

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == "1 made, 0 changed, 0 unchanged, 0 refused\n"
    assert (again.returncode, again.stdout) == (0, "0 made, 0 changed, 1 unchanged, 0 refused\n")
    assert wrong.returncode == 1
    assert set(wrong.stdout.splitlines()) == {
        "0 made, 0 changed, 0 unchanged, 1 refused",
        "row 1, $.Booking.Student.DateOfBirth: 'DateOfBirth' is not a valid date (INVALID_DATE)",
        "row 1, $.Booking.Student.FirstNames: "
        "'FirstNames' must be between 0 and 100 characters (STRING_LENGTH)",
    }


def test_refused_rows_are_listed(ready: CommandLine, tmp_path: Path) -> None:
    """Each with its number, place and reason; the code is 1, and the others are imported."""
    students = json.loads(Path(STUDENTS).read_text())
    students["bookedStudents"][0]["surname"] = ""

    result = ready.run("import", FORMAT, written(tmp_path, students))

    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "1 made, 0 changed, 0 unchanged, 1 refused",
        "row 1, $.bookedStudents[0].surname: "
        "'surname' must be between 1 and 200 characters (STRING_LENGTH)",
    ]


def test_what_is_worth_knowing_is_listed(ready: CommandLine) -> None:
    """A warning has its row, its place and its code, and is no failure."""
    result = ready.run("import", "shift-iq", str(REQUEST))

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "0 made, 0 changed, 1 unchanged, 0 refused",
        "row 1, $: warning: A request for events has nothing to keep. (NOT_KEPT)",
        "row 1, $.Texts: warning: 'Texts' is not allowed here. (NOT_KEPT)",
    ]


def test_what_a_file_holds_does_not_command_the_terminal(
    ready: CommandLine, tmp_path: Path
) -> None:
    """Control characters in names are shown and not sent."""
    result = ready.run("import", FORMAT, written(tmp_path, [{"eventId": 1, "\x1b[2J\n": 1}]))

    assert result.returncode == 1
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout
    assert all(line.startswith("row 1, ") for line in result.stdout.splitlines()[1:])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"bookedStudents": [}', "line 1, column 21: "),
        ('[{"a": 1,\n"a": 2}]', "an object has the member 'a' twice"),
        ("", "line 1, column 1: "),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    ready: CommandLine, tmp_path: Path, text: str, told: str
) -> None:
    """One line with the file and the place, and code 2."""
    file = written(tmp_path, text)

    result = ready.run("import", FORMAT, file)

    assert (result.returncode, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert line.startswith(f"booking-gateway: {file}: {told}")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["csv", STUDENTS], 2, f"FORMAT must be one of {', '.join(FORMATS)}, not 'csv'"),
        (
            ["shift-iq", str(REQUEST), "--centre", "X"],
            2,
            "--centre is not an option of shift-iq",
        ),
        (
            [FORMAT, STUDENTS, "--auto-sync-centre-subject"],
            2,
            f"--auto-sync-centre-subject is not an option of {FORMAT}",
        ),
        ([FORMAT, "/nowhere/x.json"], 2, "/nowhere/x.json: No such file or directory"),
        ([FORMAT, str(DOCUMENTS)], 2, f"{DOCUMENTS}: Is a directory"),
        ([FORMAT, STUDENTS, "--organization", "X"], 1, "there is no organization 'X'"),
        ([FORMAT, STUDENTS, "--centre", "X"], 1, "'Northfield' has no centre 'X'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    ready: CommandLine, arguments: list[str], code: int, told: str
) -> None:
    """A wrong use and a file that cannot be read are 2, what the database lacks is 1."""
    result = ready.run("import", *arguments)

    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr == f"booking-gateway: {told}\n"


def test_of_several_organizations_one_is_named(ready: CommandLine) -> None:
    """With two there is no guess; named, the import goes there."""
    add(ready, "Southfield")

    unnamed = ready.run("import", FORMAT, STUDENTS)
    named = ready.run("import", FORMAT, STUDENTS, "--organization", "Southfield")

    assert unnamed.returncode == 2
    assert (
        unnamed.stderr
        == "booking-gateway: --organization is required because there are several organizations\n"
    )
    assert named.returncode == 0


def test_the_demo_is_made_once(ready: CommandLine) -> None:
    """It says that it is ready, and then that it is there; its centres can be imported into."""
    first, again = ready.run("demo"), ready.run("demo")
    into = ("--organization", "Demo Exams", "--centre", "SINGAPORE")
    imported = ready.run("import", FORMAT, STUDENTS, *into)

    assert (first.returncode, first.stdout) == (0, "'Demo Exams' is ready.\n")
    assert again.stdout == "'Demo Exams' already exists; nothing changed.\n"
    assert imported.stdout == "0 made, 0 changed, 2 unchanged, 0 refused\n"
