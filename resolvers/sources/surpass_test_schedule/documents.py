"""The rows of a document: a body of POST TestSchedule, or several of them."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from resolvers.outcomes import Outcome
from resolvers.refusals import InputRefusal, Refused, attempt, renamed
from resolvers.sources.receipts import content_hash, is_received, receive
from resolvers.sources.rows import BadRow, Format, ImportContext, Row, each_document
from resolvers.sources.surpass_test_schedule.bodies import read_body
from resolvers.sources.xml_text import Shape, parse_body
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules.booking import book
from resolvers.test_schedules.commands import BookTestSchedule
from resolvers.values import frozen

SOURCE_NAMES: Final = {
    "test": ("Test",),
    "centre": ("Centre",),
    "candidate": ("Candidate",),
    "test_form": ("TestForm",),
    "subject": ("Subject",),
    "break_adjustments": ("breakReasonableAdjustments",),
    "unscheduled_break_minutes": ("unscheduledBreak", "extraTimeMin"),
    "extra_time_minutes": ("extraTimeMin",),
    "extra_breaks_per_section": ("numberOfExtraBreaksPerSection",),
    "associate": ("autoSyncCentreSubject",),
}
"""Where the source has what a command calls otherwise; all else has the same name in camel case."""

XML: Final = Shape(
    body="TestSchedule",
    deepest=4,
    lists=frozenset({"testTags"}),
    example="<testTags><string>…</string></testTags>",
)


class NotADocument(InputRefusal):
    """This is no body of a test schedule [001]."""


@frozen
class ImportBody:
    """A body into an organization; known by its content's hash."""

    importing: ImportContext
    body: BookTestSchedule
    content: str


def rows(document: Any, importing: ImportContext) -> Iterator[Row | BadRow]:
    """The row of a body, or of each of an array of them, in their order."""
    return each_document(document, importing, _row)


SURPASS_TEST_SCHEDULE = Format(
    "surpass-test-schedule", rows, associates=True, parse=partial(parse_body, shape=XML)
)


def _row(document: Any, importing: ImportContext, *path: str) -> Row | BadRow:
    if not isinstance(document, dict):
        return BadRow(path, Refused([NotADocument()]))
    try:
        body = read_body(document, importing)
    except Refused as refused:
        return BadRow(path, refused)
    return Row(path, import_bodies, ImportBody(importing, body, content_hash(document)))


def import_bodies(work: UnitOfWork, commands: Sequence[ImportBody]) -> list[Outcome | Refused]:
    """Import each body; a refused one must be undone by the storage (`all_or_nothing`).

    One that was imported before changes nothing, whatever became of it since. Refusals: as `book`,
    at the body's own members.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportBody) -> Outcome:
    importing = command.importing
    if is_received(work, importing, command.content):
        return Outcome(importing.organization_id, changed=False)
    [result] = book(work, [command.body])
    if isinstance(result, Refused):
        raise renamed(result, _at_source)
    receive(work, importing, command.content)
    return result.renamed(_at_source)


def _at_source(path: Sequence[str]) -> tuple[str, ...]:
    """Where the body has what the command has at a path."""
    return tuple(step for name in path for step in SOURCE_NAMES.get(name) or (_camel_case(name),))


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
