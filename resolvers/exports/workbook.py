"""XLSX: rows are written to disk, and the finished workbook is read from there."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resolvers.exports import values
from resolvers.exports.fields import ExportField, ValueKind
from resolvers.exports.tables import Rows

MOST_ROWS = 1_048_576
"""The most rows of a sheet, including its header. Further rows go to another sheet."""

MOST_CHARACTERS = 32_767
"""The longest text of a cell, in UTF-16 units. A longer text is cut, because Excel would reject the
file."""

PIECE_BYTES = 64 * 1024
_NOT_IN_XML = re.compile("[\ufffe\uffff]")

WRITES: Mapping[ValueKind, tuple[str, Callable[[Any], Any]]] = {
    ValueKind.IDENTIFIER: ("write_string", lambda value: values.harmless(values.identifier(value))),
    ValueKind.FLAG: ("write_boolean", bool),
    ValueKind.TEXT: ("write_string", lambda text: _cell(text)),
    ValueKind.NUMBER: ("write_number", lambda number: number),
    ValueKind.INSTANT: ("write_string", values.instant),
    ValueKind.WALL_TIME: ("write_string", values.wall_time),
}
"""The writer for each kind of value, independent of its appearance."""


class WorkbookFile:
    """Writes a workbook with a header. A null is an empty cell. Always close it.

    It keeps one row in memory. The file can be sent only after the last row is written.
    """

    def __init__(self, fields: Sequence[ExportField], *, most_rows: int = MOST_ROWS) -> None:
        self._fields = fields
        self._most_rows = most_rows
        self._folder = TemporaryDirectory(prefix="booking-gateway-")
        self._path = Path(self._folder.name) / "events.xlsx"
        import xlsxwriter  # at its first use: few processes ever write a workbook

        options = {"constant_memory": True, "tmpdir": self._folder.name}
        self._workbook = xlsxwriter.Workbook(self._path, options)
        self._header = self._workbook.add_format({"bold": True})

    def begin(self) -> bytes:
        sheet = self._sheet = self._workbook.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, field in enumerate(self._fields):
            sheet.write_string(0, column, field.name, self._header)
        self._row = 1
        self._writes = [
            (column, getattr(sheet, WRITES[field.kind][0]), WRITES[field.kind][1])
            for column, field in enumerate(self._fields)
        ]
        return b""

    def add(self, rows: Rows) -> bytes:
        for row in rows:
            if self._row == self._most_rows:
                self.begin()
            for (column, write, to), value in zip(self._writes, row, strict=True):
                if value is not None:
                    write(self._row, column, to(value))
            self._row += 1
        return b""

    def end(self) -> Iterator[bytes]:
        self._workbook.close()
        with self._path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def close(self) -> None:
        """Remove the temporary files."""
        for sheet in self._workbook.worksheets():
            sheet.row_data_fh.close()  # open still, unless the workbook was finished
        self._folder.cleanup()


def _cell(text: str) -> str:
    return fitting(values.harmless(values.with_line_feeds(text)))


def fitting(text: str) -> str:
    """A text cut to the limit of a cell."""
    if not text.isascii():
        text = _NOT_IN_XML.sub("\ufffd", text)
    if len(text) > MOST_CHARACTERS // 2:
        units = text.encode("utf-16-le")[: MOST_CHARACTERS * 2]
        text = units.decode("utf-16-le", "ignore")
    return text
