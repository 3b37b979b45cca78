"""Columns that follow from other columns of the same row; the storage fills them in on each write.

A text that is unique or searched has a folded form beside it, and a list for people has a sort key
(`resolvers.texts`), so both databases compare and sort alike and indexes serve both.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlmodel import SQLModel

from resolvers.storage.tables.candidates import Candidate, Department
from resolvers.storage.tables.centres import Centre, Room
from resolvers.storage.tables.events import FOLDED_TEXTS, Event, EventVersion
from resolvers.storage.tables.organizations import User
from resolvers.storage.tables.products import AgentOffice, Product
from resolvers.storage.tables.tests import Module, Subject, Test, TestForm
from resolvers.texts import folded, sort_key

Values = Mapping[str, Any]
Derive = Callable[[Values | None, Values], Any]
"""Makes a column's value of the row as it was, None for a new one, and as it will be."""


def _unique(name: str) -> Derive:
    """The folded form of a unique text.

    A row whose text had the form of another one before there were forms keeps its own text here;
    see the migrations 0007 and 0011.
    """

    def derive(before: Values | None, after: Values) -> Any:
        if after[name] is None:
            return None
        form = folded(after[name])
        if before is not None and folded(before[name]) == form:
            return before[f"{name}_folded"] or form
        return form

    return derive


def _folded(*names: str) -> Derive:
    """The folded form of texts with a blank between them; None if there is none."""

    def derive(_: Values | None, after: Values) -> Any:
        texts = [after[name] for name in names]
        return None if None in texts else folded(" ".join(texts))

    return derive


def _sorted(*names: str) -> Derive:
    """The sort key of texts; None if one of them is None."""

    def derive(_: Values | None, after: Values) -> Any:
        texts = [after[name] for name in names]
        return None if None in texts else sort_key(*texts)

    return derive


def _folded_texts(_: Values | None, after: Values) -> dict[str, str]:
    """The folded forms of an event's texts that are not in that form themselves."""
    texts = {name: after[name] for name in FOLDED_TEXTS if after[name] is not None}
    forms = {name: folded(text) for name, text in texts.items()}
    return {name: form for name, form in forms.items() if form != texts[name]}


_OF_EVENT: Final = {"folded_texts": _folded_texts, "sort_key": _sorted("title")}
_OF_NAMED: Final = {"reference_folded": _unique("reference"), "sort_key": _sorted("name")}
_OF_CODED: Final = {"code_folded": _unique("code"), "sort_key": _sorted("name")}
_OF_PLACE: Final = {"name_folded": _unique("name"), "sort_key": _sorted("name")}

DERIVED: Final[Mapping[type[SQLModel], Mapping[str, Derive]]] = {
    AgentOffice: _OF_CODED,
    Candidate: {
        "reference_folded": _unique("reference"),
        "name_folded": _folded("first_names", "last_name"),
        "email_folded": _folded("email"),
        "sort_key": _sorted("last_name", "first_names"),
    },
    Centre: _OF_NAMED,
    Department: _OF_PLACE,
    Event: _OF_EVENT,
    EventVersion: _OF_EVENT,
    Module: _OF_NAMED,
    Product: _OF_CODED,
    Room: _OF_PLACE,
    Subject: _OF_NAMED,
    Test: _OF_NAMED,
    TestForm: {"code_folded": _unique("code")},
    User: {**_OF_NAMED, "name_folded": _folded("name")},
}


def derived(model: type[SQLModel], before: Values | None, after: Values) -> dict[str, Any]:
    """The columns of a row that follow from the others."""
    columns = DERIVED.get(model)
    return {} if columns is None else {n: make(before, after) for n, make in columns.items()}
