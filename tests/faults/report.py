"""The table of `make faults`: one line for each fault, with the bars that it must keep."""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.faults.load import DONE, FULL
from tests.faults.measuring import Measured

OTHERS_P99_SECONDS: Final = 1.0
HEALTH_SECONDS: Final = 0.1
RECOVERY_SECONDS: Final = 5.0

HEAD: Final = (
    "fault",
    "database",
    "failures that clients saw",
    "answered",
    "outcome unknown",
    "neighbour p50, p99 before, ms",
    "p50, ms",
    f"p99, ms (bar {OTHERS_P99_SECONDS * 1000:.0f})",
    "max, ms",
    f"/health/live max, ms (bar {HEALTH_SECONDS * 1000:.0f})",
    f"recovery, s (bar {RECOVERY_SECONDS:.0f})",
    "lost",
    "duplicated",
    "broken",
    "log lines, tracebacks",
)


def head() -> str:
    return f"{_row(HEAD)}\n{_row(['---'] * len(HEAD))}"


def line(measured: Measured) -> str:
    """The line of a fault; values beyond their bar are in bold."""
    fault, findings = measured.fault, measured.findings
    p99 = quantile(measured.waits, 0.99)
    worst = measured.health[-1] if measured.health else 0.0
    recovery = "none" if measured.recovery is None else f"{measured.recovery:.1f}"
    return _row(
        [
            fault.name,
            fault.database,
            _failures(measured),
            str(sum(n for answer, n in measured.answers.items() if not _is_failure(answer))),
            str(measured.unknown),
            ", ".join(_milliseconds(quantile(measured.waits_before, part)) for part in (0.5, 0.99)),
            _milliseconds(quantile(measured.waits, 0.5)),
            _bold(_milliseconds(p99), misses_p99(measured)),
            _milliseconds(measured.waits[-1] if measured.waits else 0.0),
            _bold(_milliseconds(worst), misses_health(measured)),
            _bold(recovery, misses_recovery(measured)),
            *(
                _bold(str(len(found)), bool(found))
                for found in (findings.lost, findings.duplicated, findings.broken)
            ),
            f"{measured.log_lines}, {measured.tracebacks}",
        ]
    )


def details(measured: Measured) -> Iterator[str]:
    """What the line does not say, in a few lines."""
    findings = measured.findings
    for word, found in (
        ("lost", findings.lost),
        ("duplicated", findings.duplicated),
        ("broken", findings.broken),
    ):
        yield from (f"  {word}: {text}" for text in found[:5])
    yield from (f"  {note}" for note in measured.notes)
    if measured.late > HEALTH_SECONDS:
        yield f"  the load's own process was late by up to {measured.late:.2f} s"


def is_good(measured: Measured) -> bool:
    """Whether a fault kept every bar, and lost, duplicated and broke nothing."""
    missed = misses_p99(measured) or misses_health(measured) or misses_recovery(measured)
    return measured.findings.good and not missed


def misses_p99(measured: Measured) -> bool:
    return measured.fault.spares_others and quantile(measured.waits, 0.99) > OTHERS_P99_SECONDS


def misses_health(measured: Measured) -> bool:
    worst = measured.health[-1] if measured.health else 0.0
    return measured.fault.spares_health and worst > HEALTH_SECONDS


def misses_recovery(measured: Measured) -> bool:
    return measured.recovery is None or measured.recovery > RECOVERY_SECONDS


def quantile(ordered: Sequence[float], part: float) -> float:
    """The value that a part of ordered values does not exceed; 0 of none."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _failures(measured: Measured) -> str:
    failures = {answer: n for answer, n in measured.answers.items() if _is_failure(answer)}
    return "; ".join(f"{answer} ({n})" for answer, n in sorted(failures.items())) or "none"


def _is_failure(answer: str) -> bool:
    return answer.partition(": ")[2] not in {DONE, *FULL}


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
