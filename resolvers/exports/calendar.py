"""iCalendar (RFC 5545): an event for each sitting that has a start, in UTC."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from resolvers.exports.fields import ExportField
from resolvers.exports.tables import Rows

MOST_OCTETS = 75
"""The longest line in octets, without its end."""

BEGIN = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//booking-gateway//events//EN\r\n"
    b"CALSCALE:GREGORIAN\r\n"
)
END = b"END:VCALENDAR\r\n"

_LINE_ENDS = re.compile(r"\r\n?|\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPED = re.compile(r"[\\;,]")


class _Sitting(NamedTuple):
    identifier: UUID
    start_at: datetime
    end_at: datetime | None
    title: str
    summary: str | None
    description: str | None
    centre_name: str | None
    room_name: str | None
    cancelled_at: datetime | None
    last_change_time: datetime
    version: int


COLUMNS: tuple[str, ...] = _Sitting._fields


class CalendarFile:
    """Writes a calendar. UID, DTSTAMP, DTSTART, SEQUENCE and STATUS are always included.

    SUMMARY, DESCRIPTION, LOCATION and DTEND depend on the fields; other fields are not included.
    """

    def __init__(self, fields: Sequence[ExportField]) -> None:
        self._names = {field.name for field in fields}

    def begin(self) -> bytes:
        return BEGIN

    def add(self, rows: Rows) -> bytes:
        lines = [line for row in rows for line in self._lines(_Sitting(*row))]
        return "".join(f"{folded(line)}\r\n" for line in lines).encode()

    def end(self) -> Iterator[bytes]:
        return iter((END,))

    def close(self) -> None:
        """Nothing to release."""

    def _lines(self, sitting: _Sitting) -> Iterator[str]:
        changed = _instant(sitting.last_change_time)
        yield "BEGIN:VEVENT"
        yield f"UID:{sitting.identifier}"
        # without a METHOD this is when the event was last changed, not when the file was made
        yield f"DTSTAMP:{changed}"
        yield f"LAST-MODIFIED:{changed}"
        yield f"SEQUENCE:{sitting.version - 1}"
        yield f"DTSTART:{_instant(sitting.start_at)}"
        yield f"STATUS:{'CONFIRMED' if sitting.cancelled_at is None else 'CANCELLED'}"
        yield from self._chosen(sitting)
        yield "END:VEVENT"

    def _chosen(self, sitting: _Sitting) -> Iterator[str]:
        start, end = _instant(sitting.start_at), sitting.end_at
        # an end that is not later than the start is not allowed
        if "EventScheduledEnd" in self._names and end is not None and _instant(end) > start:
            yield f"DTEND:{_instant(end)}"
        if "EventTitle" in self._names:
            yield f"SUMMARY:{escaped(sitting.title)}"
        described = [
            text
            for name, text in (
                ("EventSummary", sitting.summary),
                ("EventDescription", sitting.description),
            )
            if text and name in self._names
        ]
        if described:
            yield f"DESCRIPTION:{escaped(chr(10).join(described))}"
        places = [
            text
            for name, text in (
                ("VenueRoom", sitting.room_name),
                ("VenueLocationIdentifier", sitting.centre_name),
            )
            if text and name in self._names
        ]
        if places:
            yield f"LOCATION:{escaped(', '.join(places))}"


def escaped(text: str) -> str:
    """A text as the value of a property, without control characters."""
    text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    return _ESCAPED.sub(r"\\\g<0>", text).replace("\n", "\\n")


def folded(line: str) -> str:
    """A line folded to at most 75 octets, without splitting a character."""
    octets = line.encode()
    if len(octets) <= MOST_OCTETS:
        return line
    pieces, start, room = [], 0, MOST_OCTETS
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end].decode())
        start, room = end, MOST_OCTETS - 1
    return "\r\n ".join(pieces)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
