"""What became of an import, row by row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from resolvers.outcomes import Outcome
from resolvers.refusals import Refusal, Refused
from resolvers.sources.paths import json_path


class Fate(StrEnum):
    """What became of a row."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was refused: where in the document, the code of the rule, and the rule in words."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RowReport:
    """A row, counted from 1, and what became of it. Only a refused one has reasons."""

    number: int
    path: str
    fate: Fate
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Every row of a document, in its order."""

    rows: tuple[RowReport, ...]

    def count(self, fate: Fate) -> int:
        return Counter(row.fate for row in self.rows)[fate]

    @property
    def refused(self) -> list[RowReport]:
        return [row for row in self.rows if row.fate is Fate.REFUSED]


def row_report(number: int, path: Sequence[str], result: Outcome | Refused) -> RowReport:
    """What a row came to."""
    at = json_path(path)
    if isinstance(result, Refused):
        reasons = tuple(_reason(path, refusal) for refusal in result.refusals)
        return RowReport(number, at, Fate.REFUSED, reasons)
    if not result.changed:
        return RowReport(number, at, Fate.UNCHANGED)
    return RowReport(number, at, Fate.MADE if result.created else Fate.CHANGED)


def _reason(row: Sequence[str], refusal: Refusal) -> Reason:
    # a refusal without a path of its own has `input` there
    steps = refusal.path[1:] if refusal.path[:1] == ("input",) else refusal.path
    return Reason(json_path((*row, *steps)), refusal.code.value, refusal.message)
