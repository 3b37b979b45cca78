"""Files of JSON are read strictly, and what cannot be read says where."""

from decimal import Decimal
from pathlib import Path

import pytest

from resolvers.sources.json_text import MOST_BYTES, Unreadable, parse_json, read_json
from resolvers.sources.paths import json_path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "line 1, column 1: "),
        (b'{"a": 1,\n "b": }', "line 2, column 7: "),
        (b"[1] [2]", "line 1, column 5: "),
        (b'{"a": 1, "a": 2}', "an object has the member 'a' twice"),
        (b'[{"enrolmentIds[]": 1, "x": 2, "enrolmentIds[]": 2}]', "'enrolmentIds[]' twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b'"\xff"', "is not UTF-8: byte 2"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"Test":' * 101 + b"1" + b"}" * 101, "is nested too deeply"),
        (b"1" * 5_000, "has a number with too many digits"),
    ],
)
def test_what_is_no_json_says_where(text: bytes, told: str) -> None:
    """The message has the line and the column, or the reason where there is none."""
    with pytest.raises(Unreadable) as unreadable:
        parse_json(text)

    assert told in str(unreadable.value)


def test_amounts_are_exact() -> None:
    """A number with a fraction is the decimal that is written; a byte order mark is no mistake."""
    assert parse_json(b"\xef\xbb\xbf[0.10, 1]") == [Decimal("0.10"), 1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message begins with the file."""
    with pytest.raises(Unreadable, match=r"gone\.json: No such file"):
        read_json(tmp_path / "gone.json")


def test_a_file_is_at_most_64_mib(tmp_path: Path) -> None:
    """A larger one is not read at all."""
    file = tmp_path / "large.json"
    with file.open("wb") as opened:
        opened.truncate(MOST_BYTES + 1)

    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read_json(file)


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ((), "$"),
        (("bookedStudents", "1", "id"), "$.bookedStudents[1].id"),
        (("enrolmentIds[]", "0"), '$["enrolmentIds[]"][0]'),
        (('a"b',), '$["a\\"b"]'),
    ],
)
def test_paths_are_written_as_jsonpath(steps: tuple[str, ...], path: str) -> None:
    """Names by a dot where they can be, else quoted; indexes in brackets."""
    assert json_path(steps) == path
