"""The formats of files: names, media types and writers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from resolvers.exports.calendar import CalendarFile
from resolvers.exports.fields import ExportField
from resolvers.exports.tables import CsvFile, JsonFile, Rows
from resolvers.exports.workbook import WorkbookFile
from resolvers.values import frozen
from resolvers.vocabulary import ExportFormat


class FileWriter(Protocol):
    """Writes one file in constant memory, step by step."""

    def begin(self) -> bytes:
        """The start of the file."""

    def add(self, rows: Rows) -> bytes:
        """The bytes for these rows; empty if the format needs all rows first."""

    def end(self) -> Iterator[bytes]:
        """The rest of the file, in pieces."""

    def close(self) -> None:
        """Release the resources of the writer, also for an incomplete file."""


@frozen
class FileFormat:
    """A format; `write` starts a file with the fields."""

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
