"""The formats of files: what each is called, and what writes it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from resolvers.exports.calendar import CalendarFile
from resolvers.exports.fields import ExportField
from resolvers.exports.tables import CsvFile, JsonFile, Rows
from resolvers.exports.workbook import WorkbookFile
from resolvers.values import frozen
from resolvers.vocabulary import ExportFormat


class FileWriter(Protocol):
    """Writes one file, in constant memory; its steps are taken one after the other."""

    def begin(self) -> bytes:
        """What stands before all rows."""

    def add(self, rows: Rows) -> bytes:
        """What these rows become; nothing where the format cannot tell yet."""

    def end(self) -> Iterator[bytes]:
        """All that is left, in pieces."""

    def close(self) -> None:
        """Let go of what the writing needed, also of a file that was given up."""


@frozen
class FileFormat:
    """A format; `write` begins a file that has the fields."""

    suffix: str
    content_type: str
    write: Callable[[Sequence[ExportField]], FileWriter]


FORMATS: Mapping[ExportFormat, FileFormat] = {
    ExportFormat.CSV: FileFormat("csv", "text/csv; charset=utf-8", CsvFile),
    ExportFormat.JSON: FileFormat("json", "application/json", JsonFile),
    ExportFormat.XLSX: FileFormat(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", WorkbookFile
    ),
    ExportFormat.ICS: FileFormat("ics", "text/calendar; charset=utf-8", CalendarFile),
}
