"""Which of the source's documents a JSON value is, and its rows."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from resolvers.refusals import InputRefusal, Invalid, Refused
from resolvers.sources.receipts import content_hash
from resolvers.sources.rows import BadRow, Format, ImportContext, Row
from resolvers.sources.surpass_scheduler.bodies import (
    Body,
    read_book,
    read_cancel_many,
    read_cancel_one,
    read_cancelled,
    read_move,
    read_result,
)
from resolvers.sources.surpass_scheduler.body_rows import ImportBody, import_bodies
from resolvers.sources.surpass_scheduler.student_rows import ImportStudent, import_students
from resolvers.sources.surpass_scheduler.students import Student, read_booked, read_eligible

STUDENTS: Mapping[str, Callable[[Any], Student]] = {
    "bookedStudents": read_booked,
    "eligibleStudents": read_eligible,
}

CANCELLED = frozenset(
    {"cancelledOnBehalf", "enrolmentResource", "enrolmentPaymentRef", "resourceIndex"}
)
"""The members that only an answer to cancelling has."""

RESULT = frozenset({"enrolmentId", "enrolmentResultTypeId"})

BODIES: tuple[tuple[Callable[[str], bool], Callable[[Any], Body]], ...] = (
    (lambda name: name.startswith("moveModel["), read_move),
    (lambda name: name.startswith("enrolment[") or name.endswith("Ids[]"), read_cancel_many),
    (lambda name: name in CANCELLED, read_cancelled),
    (lambda name: name.startswith("cancellation") or name == "bookingResource", read_cancel_one),
    (
        lambda name: name in {"eventId", "moduleId", "roomId", "isOnline", "onDemandBookingTime"},
        read_book,
    ),
)
"""By a member that only that body has: how a body is read."""

Rows = Iterator[Row | BadRow]


class NotADocument(InputRefusal):
    """This is none of the documents of booking management [000]."""


def rows(document: Any, importing: ImportContext) -> Rows:
    """The rows of a document, or of each of an array of documents, in their order."""
    if isinstance(document, list) and not _assigns_results(document):
        for n, element in enumerate(document):
            yield from _rows_of(element, importing, str(n))
    else:
        yield from _rows_of(document, importing)


SURPASS_SCHEDULER = Format("surpass-scheduler", rows, names_rooms=True)


def _assigns_results(elements: list[Any]) -> bool:
    """Whether an array is the document that assigns results, and not an array of documents."""
    if any(isinstance(element, list) or _is_document(element) for element in elements):
        return False
    return any(isinstance(element, dict) and RESULT & element.keys() for element in elements)


def _is_document(element: Any) -> bool:
    if not isinstance(element, dict):
        return False
    return bool(STUDENTS.keys() & element.keys()) or _reader(element) is not None


def _is_answer(elements: list[Any]) -> bool:
    """Whether an array is the answer to cancelling several."""
    return any(isinstance(element, dict) and CANCELLED & element.keys() for element in elements)


def _reader(members: Mapping[str, Any]) -> Callable[[Any], Body] | None:
    return next((read for marks, read in BODIES if any(map(marks, members))), None)


def _rows_of(document: Any, importing: ImportContext, *path: str) -> Rows:
    if isinstance(document, list) and _is_answer(document):
        for n, element in enumerate(document):
            yield from _rows_of(element, importing, *path, str(n))
    elif isinstance(document, list):
        yield from _results(document, importing, *path)
    elif isinstance(document, dict) and STUDENTS.keys() & document.keys():
        yield from _students(document, importing, *path)
    elif isinstance(document, dict) and (read := _reader(document)) is not None:
        yield _body(read, document, document, importing, *path)
    else:
        yield BadRow(path, Refused([NotADocument()]))


def _students(document: Mapping[str, Any], importing: ImportContext, *path: str) -> Rows:
    for name in document:
        if name not in STUDENTS:
            rule = "is not a member of this document"
            yield BadRow(path, Refused([Invalid(name, rule=rule)]))
    for name, read in STUDENTS.items():
        students = document.get(name, [])
        if not isinstance(students, list):
            yield BadRow(path, Refused([Invalid(name, rule="must be an array")]))
            continue
        for n, value in enumerate(students):
            yield _student(read, value, importing, *path, name, str(n))


def _student(
    read: Callable[[Any], Student], value: Any, importing: ImportContext, *path: str
) -> Row | BadRow:
    try:
        return Row(path, import_students, ImportStudent(importing, read(value)))
    except Refused as refused:
        return BadRow(path, refused)


def _results(document: list[Any], importing: ImportContext, *path: str) -> Rows:
    """A row for each result; the whole body and its place in it are what it is known by."""
    whole = content_hash(document)
    for n, value in enumerate(document):
        yield _body(read_result, value, [whole, n], importing, *path, str(n))


def _body(
    read: Callable[[Any], Body], value: Any, content: Any, importing: ImportContext, *path: str
) -> Row | BadRow:
    try:
        command = ImportBody(importing, read(value), content_hash(content))
    except Refused as refused:
        return BadRow(path, refused)
    return Row(path, import_bodies, command)
