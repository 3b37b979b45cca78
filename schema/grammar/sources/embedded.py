"""Objects of another type that wrap the same row, or a part of its document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from resolvers.values import frozen
from schema.grammar.context import Context
from schema.grammar.sources.fields import Shown
from schema.grammar.sources.rules import Computed

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


@frozen
class Fixed:
    """A constant that replaces a column of another type."""

    value: Any

    def instead(self, row: Any, context: Context) -> Any:
        return self.value

    def compile(self, at: "SelectedField") -> str:
        return repr(self.value)


Instead = str | Computed | Fixed
"""The replacement for a column of another type: another column, or a value."""


@frozen
class Embedded:
    """An object of another type that wraps the same row; null where `present` is null.

    `names` maps columns of the other type to their replacements.
    """

    names: tuple[tuple[str, Instead], ...] = ()
    present: str | None = None
    through: str | None = None

    def show(self, of: Shown) -> Any:
        if self.present is not None and of.column(self.present) is None:
            return None
        row = Renamed(of.row, dict(self.names), of.context) if self.names else of.row
        return of.object(row)

    def compile(self, at: "SelectedField") -> str:
        answer = at.object(at.scope.renamed(self.names))
        if self.present is None:
            return answer
        return f"(None if {at.column(self.present)} is None else {answer})"


class Renamed:
    """A row under the column names of another type."""

    __slots__ = ("_context", "_names", "_row")

    def __init__(self, row: Any, names: Mapping[str, Instead], context: Context) -> None:
        self._row, self._names, self._context = row, names, context

    def __getattr__(self, name: str) -> Any:
        instead = self._names.get(name, name)
        if isinstance(instead, str):
            return getattr(self._row, instead)
        return instead.instead(self._row, self._context)


@frozen
class DocumentPart:
    """An object of another type over a part of the document in a column.

    Null where the document has null.
    """

    column: str
    part: str
    through: str | None = None

    def show(self, of: Shown) -> Any:
        values = of.column(self.column)[self.part]
        return None if values is None else of.object(Kept(values))

    def compile(self, at: "SelectedField") -> str:
        part = at.variable()
        answer = at.object(at.scope.of_document(part))
        value = f"{at.column(self.column)}[{self.part!r}]"
        return f"({at.nothing} if ({part} := {value}) is None else {answer})"


class Kept:
    """A part of a document, with its values as attributes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return self._values[name]
