"""CSV and JSON: each batch of rows becomes bytes at once."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from resolvers.exports import values
from resolvers.exports.fields import ExportField, Kind

Rows = Sequence[Sequence[Any]]

IN_CSV: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.IDENTIFIER: values.harmless_identifier,
    Kind.FLAG: values.flag,
    Kind.TEXT: values.harmless,
    Kind.NUMBER: lambda number: number,
    Kind.INSTANT: values.instant,
}
IN_JSON: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.IDENTIFIER: values.identifier,
    Kind.INSTANT: values.instant,
}


class CsvFile:
    """RFC 4180 in UTF-8 without a byte order mark; a null is an empty field."""

    def __init__(self, fields: Sequence[ExportField]) -> None:
        self._names = [field.name for field in fields]
        self._convert = [IN_CSV[field.kind] for field in fields]

    def begin(self) -> bytes:
        return _lines([self._names])

    def add(self, rows: Rows) -> bytes:
        convert = self._convert
        return _lines(
            [
                [
                    None if value is None else to(value)
                    for to, value in zip(convert, row, strict=True)
                ]
                for row in rows
            ]
        )

    def end(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


class JsonFile:
    """An array with an object for each event, one to a line."""

    def __init__(self, fields: Sequence[ExportField]) -> None:
        self._names = [field.name for field in fields]
        self._convert = [
            (place, IN_JSON[field.kind])
            for place, field in enumerate(fields)
            if field.kind in IN_JSON
        ]
        self._some = False

    def begin(self) -> bytes:
        return b"["

    def add(self, rows: Rows) -> bytes:
        written = bytearray()
        for row in rows:
            written += b",\n" if self._some else b"\n"
            self._some = True
            written += orjson.dumps(self._object(row))
        return bytes(written)

    def _object(self, row: Sequence[Any]) -> dict[str, Any]:
        changed = list(row)
        for place, to in self._convert:
            if changed[place] is not None:
                changed[place] = to(changed[place])
        return dict(zip(self._names, changed, strict=True))

    def end(self) -> Iterator[bytes]:
        return iter((b"\n]\n",))

    def close(self) -> None:
        """Nothing is open."""
