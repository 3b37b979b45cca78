"""The fields of a file: the 62 of [003], by either name, in any case."""

from collections import Counter

import pytest

from resolvers.exports.fields import BY_NAME, FIELDS, LOCAL_FIELDS, MOST_NAMES, ValueKind, chosen
from resolvers.refusals import Invalid, OutOfRange, Refused


def names(includes: list[str] | None, excludes: list[str] | None) -> list[str]:
    return [field.name for field in chosen(includes, excludes)]


def test_there_are_as_many_fields_of_each_kind_as_the_source_has() -> None:
    """8 UUIDs, 7 booleans, 28 texts, 6 integers and a double, 12 date-times [003]."""
    counted = Counter(field.kind for field in FIELDS)

    assert counted == {
        ValueKind.IDENTIFIER: 8,
        ValueKind.FLAG: 7,
        ValueKind.TEXT: 28,
        ValueKind.NUMBER: 7,
        ValueKind.INSTANT: 12,
    }


def test_no_name_means_two_fields() -> None:
    """The source's names and the schema's can be mixed, in any case."""
    meant: dict[str, set[str]] = {}
    for field in BY_NAME.values():
        for name in (field.name, field.contract_name):
            meant.setdefault(name.lower(), set()).add(field.name)

    assert all(len(those) == 1 for those in meant.values())


@pytest.mark.parametrize("nothing", [None, []])
def test_all_fields_unless_any_are_included(nothing: list[str] | None) -> None:
    assert chosen(nothing, nothing) == FIELDS


def test_what_is_included_comes_in_its_own_order_and_once() -> None:
    asked = ["EventTitle", "start", "EVENTTITLE", "eventnumber"]

    assert names(asked, None) == ["EventTitle", "EventScheduledStart", "EventNumber"]


def test_local_times_are_there_only_if_they_are_included() -> None:
    local = [field.name for field in LOCAL_FIELDS]

    assert names([*local, "EventTitle"], None) == [*local, "EventTitle"]
    assert names(["LocalStart", "timezone"], None) == local
    assert not set(local) & set(names(None, None))


def test_what_is_excluded_is_left_out() -> None:
    assert names(["EventTitle", "EventNumber"], ["number"]) == ["EventTitle"]
    assert names(None, [field.name for field in FIELDS[1:]]) == [FIELDS[0].name]


def test_an_unknown_name_is_told_with_its_argument_and_index() -> None:
    with pytest.raises(Refused) as told:
        chosen(["EventTitle", "EventTitel"], ["x" * 1000])

    first, second = told.value.refusals
    assert (first.path, second.path) == (("includes", "1"), ("excludes", "0"))
    assert "'includes' has 'EventTitel' at index 1" in first.message
    assert first.message.endswith("did you mean EventTitle?")
    assert len(second.message) < 300


def test_no_field_left_is_refused() -> None:
    with pytest.raises(Invalid) as told:
        chosen(["EventTitle"], ["title"])

    assert told.value.path == ("excludes",)


def test_too_many_names_are_refused() -> None:
    with pytest.raises(OutOfRange) as told:
        chosen(["EventTitle"] * (MOST_NAMES + 1), None)

    assert told.value.path == ("includes",)
