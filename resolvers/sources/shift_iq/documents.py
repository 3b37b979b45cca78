"""Which of the source's documents a JSON value is, and its rows."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from resolvers.refusals import InputRefusal, Refused
from resolvers.sources.receipts import content_hash
from resolvers.sources.rows import BadRow, Format, ImportContext, Row
from resolvers.sources.shift_iq.bodies import BODY, COMMAND, EVENT, REGISTRATION, read_command
from resolvers.sources.shift_iq.body_rows import ImportBody, import_bodies
from resolvers.sources.shift_iq.event_members import EVENT_MEMBERS
from resolvers.sources.shift_iq.event_rows import ImportEvent, import_events
from resolvers.sources.shift_iq.events import read_event
from resolvers.sources.shift_iq.requests import (
    UnstoredDocument,
    hear,
    read_count,
    read_registration_request,
    read_request,
)

Rows = Iterator[Row | BadRow]
Reader = Callable[[Mapping[str, Any], ImportContext, tuple[str, ...]], Row]


class NotADocument(InputRefusal):
    """This is none of the documents of events and registrations [002], [003]."""


def rows(document: Any, importing: ImportContext) -> Rows:
    """The rows of a document, or of each of an array of documents, in their order."""
    if not isinstance(document, list):
        yield _row(document, importing)
        return
    for n, element in enumerate(document):
        # an array of events is a document too
        if isinstance(element, list):
            for k, each in enumerate(element):
                yield _row(each, importing, str(n), str(k))
        else:
            yield _row(element, importing, str(n))


SHIFT_IQ = Format("shift-iq", rows)


def _event(value: Mapping[str, Any], importing: ImportContext, path: tuple[str, ...]) -> Row:
    return Row(path, import_events, ImportEvent(importing, read_event(value)))


def _command(value: Mapping[str, Any], importing: ImportContext, path: tuple[str, ...]) -> Row:
    command = ImportBody(importing, read_command(value), content_hash(value))
    return Row(path, import_bodies, command)


def _heard(read: Callable[[Any], Any]) -> Reader:
    def row(value: Mapping[str, Any], importing: ImportContext, path: tuple[str, ...]) -> Row:
        return Row(path, hear, UnstoredDocument(importing, read(value)))

    return row


READERS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({EVENT, REGISTRATION, COMMAND, BODY}), _command),
    (frozenset({"Identifier", "Origin", "Filter", "Texts"}), _heard(read_request)),
    (EVENT_MEMBERS, _event),
    (
        frozenset({"Name", "Email", "Code", "LastChangeTimeSince", "LastChangeTimeBefore"}),
        _heard(read_registration_request),
    ),
    (frozenset({"Count"}), _heard(read_count)),
)
"""By members that make a document this one: how it is read. The first that fits counts."""


def _row(document: Any, importing: ImportContext, *path: str) -> Row | BadRow:
    if not isinstance(document, dict):
        return BadRow(path, Refused([NotADocument()]))
    reader = next((read for marks, read in READERS if marks & document.keys()), None)
    if reader is None:
        return BadRow(path, Refused([NotADocument()]))
    try:
        return reader(document, importing, path)
    except Refused as refused:
        return BadRow(path, refused)
