"""CSV and JSON: each batch of rows becomes bytes at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from resolvers.exports import values
from resolvers.exports.fields import ExportField, ValueKind

Rows = Sequence[Sequence[Any]]


def _quoted(text: str) -> str:
    """A text as a CSV field that every reader treats as text."""
    text = values.harmless_in_fields(values.with_line_feeds(text))
    return '"' + text.replace('"', '""') + '"'


IN_CSV: Mapping[ValueKind, Callable[[Any], str]] = {
    ValueKind.IDENTIFIER: lambda value: _quoted(values.identifier(value)),
    ValueKind.FLAG: values.flag,
    ValueKind.TEXT: _quoted,
    ValueKind.NUMBER: str,
    ValueKind.INSTANT: lambda value: f'"{values.instant(value)}"',
    ValueKind.WALL_TIME: lambda value: f'"{values.wall_time(value)}"',
}
IN_JSON: Mapping[ValueKind, Callable[[Any], Any]] = {
    ValueKind.IDENTIFIER: values.identifier,
    ValueKind.INSTANT: values.instant,
    ValueKind.WALL_TIME: values.wall_time,
}


class CsvFile:
    """RFC 4180 in UTF-8 without a byte order mark.

    Strings are quoted; numbers, flags and nulls (empty fields) are not. Records end with CR LF, and
    line breaks in a text are LF.
    """

    def __init__(self, fields: Sequence[ExportField]) -> None:
        self._names = [field.name for field in fields]
        self._convert = [IN_CSV[field.kind] for field in fields]

    def begin(self) -> bytes:
        return _record(map(_quoted, self._names))

    def add(self, rows: Rows) -> bytes:
        convert = self._convert
        return b"".join(
            _record(
                "" if value is None else to(value) for to, value in zip(convert, row, strict=True)
            )
            for row in rows
        )

    def end(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Nothing to release."""


def _record(fields: Iterable[str]) -> bytes:
    return f"{','.join(fields)}\r\n".encode()


class JsonFile:
    """An array with an object for each event, one per line."""

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
        """Nothing to release."""
