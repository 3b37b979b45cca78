"""ICS files as read by the icalendar library."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.exports.calendar import CalendarFile
from resolvers.exports.fields import FIELDS
from tests.resolvers.exports.sittings import INSTANT, KEY, fields, sitting, written

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


def told(*rows: tuple[Any, ...], of: Any = FIELDS) -> list[Any]:
    """Return the events of a calendar."""
    calendar = icalendar.Calendar.from_ical(written(CalendarFile(of), list(rows)))
    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"]
    return list(calendar.walk("VEVENT"))


def test_an_event_has_what_a_calendar_needs() -> None:
    [event] = told(sitting(summary="In short", description="At length"))

    assert event["UID"] == str(KEY)
    assert event.decoded("DTSTAMP") == INSTANT.replace(microsecond=0)
    assert event.decoded("DTSTART") == START
    assert event.decoded("DTEND") == START + timedelta(minutes=90)
    assert event["SUMMARY"] == "Anatomy"
    assert event["DESCRIPTION"] == "In short\nAt length"
    assert event["LOCATION"] == "Hall, York"
    assert event["STATUS"] == "CONFIRMED"
    assert event["SEQUENCE"] == 2


def test_what_was_called_off_is_cancelled() -> None:
    assert told(sitting(cancelled_at=START))[0]["STATUS"] == "CANCELLED"


@pytest.mark.parametrize("end_at", [None, START])
def test_an_event_without_a_length_has_no_end(end_at: datetime | None) -> None:
    assert "DTEND" not in told(sitting(end_at=end_at))[0]


@pytest.mark.parametrize(
    ("centre", "room", "location"), [(None, "Hall", "Hall"), ("York", None, "York")]
)
def test_a_location_is_what_is_known_of_it(centre: str, room: str, location: str) -> None:
    assert told(sitting(centre_name=centre, room_name=room))[0]["LOCATION"] == location


def test_an_event_nowhere_has_no_location() -> None:
    assert "LOCATION" not in told(sitting(centre_name=None, room_name=None))[0]


def test_the_fields_choose_what_may_be_left_out() -> None:
    only = told(sitting(description="Secret"), of=fields("EventNumber", "VenueRoom"))[0]

    assert set(only) == {
        *("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "STATUS"),
        "LOCATION",
    }
    assert only["LOCATION"] == "Hall"


def test_a_calendar_without_events_is_one() -> None:
    assert told() == []


def test_lines_are_folded_between_characters() -> None:
    """Each line has at most 75 octets and is valid UTF-8, and unfolding restores the text."""
    title = "試験と" * 60

    content = written(CalendarFile(FIELDS), [sitting(title=title)])

    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() or line == b"" for line in lines)
    assert told(sitting(title=title))[0]["SUMMARY"] == title


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_text_is_read_as_it_was(title: str) -> None:
    [event] = told(sitting(title=title))

    assert str(event["SUMMARY"]) == title


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_a_text_stay_lines(end: str) -> None:
    [event] = told(sitting(description=f"one{end}two\\n;,three"))

    assert event["DESCRIPTION"] == "one\ntwo\\n;,three"


def test_no_text_makes_properties_of_its_own() -> None:
    """Control characters are removed, and a line break does not end the property."""
    title = "Anatomy\r\nATTACH:https://example.org\x00\x1b[1m"

    [event] = told(sitting(title=title))

    assert "ATTACH" not in event
    assert event["SUMMARY"] == "Anatomy\nATTACH:https://example.org[1m"
