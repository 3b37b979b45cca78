"""The line of a fault names what clients saw, and every bar can be missed."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checking import Findings
from tests.faults.measuring import Fault, Measured
from tests.faults.report import HEAD, is_good, line, quantile

FAULT = Fault(name="nothing happens", database="sqlite", inject=lambda _: nullcontext())
GOOD = Measured(
    fault=FAULT,
    answers=Counter({"neighbour: done": 100, "victim: EVENT_FULL": 3, "victim: OVERLOADED": 2}),
    unknown=0,
    waits_before=[0.01],
    waits=[0.02] * 100,
    health=[0.01, 0.09],
    recovery=0.5,
    findings=Findings(),
    log_lines=1,
    tracebacks=0,
    late=0.0,
    notes=[],
)


def test_a_line_has_the_failures_apart_from_the_answers():
    cells = [cell.strip() for cell in line(GOOD).strip("|").split("|")]

    assert len(cells) == len(HEAD)
    assert cells[2:4] == ["victim: OVERLOADED (2)", "103"]
    assert is_good(GOOD)


@pytest.mark.parametrize(
    "missed",
    [
        {"waits": [0.02] * 98 + [1.1, 1.1]},
        {"health": [0.01, 0.11]},
        {"recovery": 5.1},
        {"recovery": None},
        {"findings": Findings(lost=["a booking"])},
        {"findings": Findings(duplicated=["a booking"])},
        {"findings": Findings(broken=["an invariant"])},
    ],
)
def test_a_missed_bar_is_bold_and_not_good(missed: dict[str, Any]):
    measured = replace(GOOD, **missed)

    assert not is_good(measured)
    assert line(measured).count("**") == 2


def test_a_fault_of_the_whole_database_has_no_bar_for_others():
    whole = replace(FAULT, spares_others=False, spares_health=False)

    assert is_good(replace(GOOD, fault=whole, waits=[9.0], health=[9.0]))


def test_a_quantile_is_a_value_of_those_measured():
    assert quantile([], 0.99) == 0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 1) == 4.0
