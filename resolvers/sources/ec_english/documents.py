"""The rows of a document: a PutBookingRequest `[004]`, or several of them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.outcomes import Outcome
from resolvers.refusals import InputRefusal, Refused, attempt, renamed
from resolvers.sources.ec_english.bodies import BOOKING, ID, Body, read_body
from resolvers.sources.receipts import content_hash, is_received, receive
from resolvers.sources.rows import BadRow, Format, ImportContext, Row, each_document
from resolvers.sources.xml_text import Shape, parse_body
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

XML: Final = Shape(
    body="PutBookingRequest",
    deepest=6,
    lists=frozenset({"Courses", "Accommodation", "OptionalExtras", "Transfers"}),
    example="<Courses><BookingCourse><CourseCode>…</CourseCode></BookingCourse></Courses>",
    numbers=frozenset({"NumberOfWeeks", "Quantity"}),
    flags=frozenset({"VegetarianMeals"}),
)


class NotADocument(InputRefusal):
    """This is no body of a booking [004]."""


@frozen
class ImportBody:
    """A body into an organization; known by the hash of what it says, in whichever format."""

    importing: ImportContext
    body: Body
    content: str


def rows(document: Any, importing: ImportContext) -> Iterator[Row | BadRow]:
    """The row of a body, or of each of an array of them, in their order."""
    return each_document(document, importing, _row)


EC_ENGLISH = Format("ec-english", rows, parse=partial(parse_body, shape=XML))


def _row(document: Any, importing: ImportContext, *path: str) -> Row | BadRow:
    if not isinstance(document, dict) or not {BOOKING, ID} & document.keys():
        return BadRow(path, Refused([NotADocument()]))
    try:
        body = read_body(document)
    except Refused as refused:
        return BadRow(path, refused)
    content = content_hash(asdict(body.submission))
    return Row(path, import_bodies, ImportBody(importing, body, content))


def import_bodies(work: UnitOfWork, commands: Sequence[ImportBody]) -> list[Outcome | Refused]:
    """Import each body; a refused one must be undone by the storage (`all_or_nothing`).

    One that was imported before changes nothing, whatever became of its booking since. Refusals: as
    `book`, at the body's own members.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportBody) -> Outcome:
    importing, body = command.importing, command.body
    if is_received(work, importing, command.content):
        return Outcome(importing.organization_id, changed=False)
    asked = BookAgentBooking(viewer=importing.viewer, submission=body.submission, imported=True)
    [result] = book(work, [asked])
    if isinstance(result, Refused):
        raise renamed(result, body.at_source)
    receive(work, importing, command.content)
    assert isinstance(result, Outcome)
    return result.renamed(body.at_source)
