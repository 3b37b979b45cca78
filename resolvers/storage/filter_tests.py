"""Filters as functions: whether values that are at hand match, as the SQL of the filter decides.

A comparison with an unknown value is false, and `not` of it is true, as in `filters.sql`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any, Final

from resolvers.storage.columns import LAST_OF_ROWS
from resolvers.storage.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from resolvers.texts import folded

Values = Mapping[str, Any]
Test = Callable[[Values], bool]
MakeTest = Callable[[Operator, Any], Test]
"""Makes the test of one field, for an operator and the value to compare with."""

_COMPARE: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.GTE: ge,
    Operator.GT: gt,
    Operator.LTE: le,
    Operator.LT: lt,
}


def matches_all(_: Values) -> bool:
    return True


def test_of(condition: Filter, fields: Mapping[str, MakeTest]) -> Test:
    """The test of a filter. Raises: KeyError, for a condition on a field that has none."""
    match condition:
        case AllOf(parts):
            return _all([test_of(part, fields) for part in parts])
        case AnyOf(parts):
            return _any([test_of(part, fields) for part in parts])
        case Not(part):
            inner = test_of(part, fields)
            return lambda values: not inner(values)
        case Condition(field, operator, value):
            return fields[field](operator, value)


def _all(tests: list[Test]) -> Test:
    match [test for test in tests if test is not matches_all]:
        case []:
            return matches_all
        case [one]:
            return one
        case [one, other]:
            return lambda values: one(values) and other(values)
        case several:
            return lambda values: all(test(values) for test in several)


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda values: any(test(values) for test in tests)


def plain_test(name: str) -> MakeTest:
    """As `filters.plain`."""

    def make(operator: Operator, value: Any) -> Test:
        if operator is Operator.IS_NULL:
            return (lambda v: v[name] is None) if value else (lambda v: v[name] is not None)
        if operator is Operator.EQ:
            return lambda values: values[name] == value
        if operator is Operator.IN:
            wanted = frozenset(value)
            return lambda values: values[name] in wanted
        compare = _COMPARE[operator]
        return lambda values: (found := values[name]) is not None and compare(found, value)

    return make


def second_test(name: str) -> MakeTest:
    """As `filters.to_the_second`."""
    plain = plain_test(name)

    def make(operator: Operator, value: Any) -> Test:
        if operator is not Operator.EQ:
            return plain(operator, value)
        assert isinstance(value, datetime)
        first = value.replace(microsecond=0)
        last = min(value.replace(microsecond=999_999), LAST_OF_ROWS)
        return lambda values: (found := values[name]) is not None and first <= found <= last

    return make


def text_test(
    find: Callable[[Values], str | None], form: Callable[[str], str] = folded
) -> MakeTest:
    """As `filters.in_folded_form`, for a text that `find` returns in this form."""

    def make(operator: Operator, value: Any) -> Test:
        match operator:
            case Operator.IS_NULL:
                return lambda values: (find(values) is None) == value
            case Operator.IN:
                wanted = frozenset(form(each) for each in value)
                return lambda values: find(values) in wanted
            case Operator.EQ:
                whole = form(value)
                return lambda values: find(values) == whole
            case Operator.CONTAINS:
                part = form(value)
                return lambda values: (text := find(values)) is not None and part in text
            case Operator.STARTS_WITH:
                start = form(value)
                return lambda values: (text := find(values)) is not None and text.startswith(start)
        raise ValueError(operator)

    return make
