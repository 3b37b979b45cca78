"""What became of an import, row by row."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.sources.paths import json_path
from resolvers.values import frozen


class Fate(StrEnum):
    """What became of a row."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@frozen
class Reason:
    """Why a row was refused, or what is worth knowing about one that was not.

    Where in the document, the code of the rule, and the rule in words.
    """

    path: str
    code: str
    message: str


@frozen
class RowReport:
    """A row, counted from 1, and what became of it.

    Only a refused one has reasons, and only one that was not has warnings.
    """

    number: int
    path: str
    fate: Fate
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()


@frozen
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
        reasons = tuple(
            Reason(_place(path, refusal.path), refusal.code.value, refusal.message)
            for refusal in result.refusals
        )
        return RowReport(number, at, Fate.REFUSED, reasons)
    warnings = tuple(
        Reason(_place(path, warning.path), str(warning.code), warning.message)
        for warning in result.warnings
    )
    return RowReport(number, at, _fate(result), warnings=warnings)


def _fate(outcome: Outcome) -> Fate:
    if not outcome.changed:
        return Fate.UNCHANGED
    return Fate.MADE if outcome.created else Fate.CHANGED


def _place(row: Sequence[str], path: tuple[str, ...]) -> str:
    """A path of a row's, in the document."""
    return json_path((*row, *path))
