"""Rows as values.

Named tuples with a table's columns, typed as the table, never changed in place.
"""

from collections import namedtuple
from functools import lru_cache, partial
from typing import Any, TypeVar, cast

from sqlmodel import SQLModel

from resolvers.storage.tables import columns

Model = TypeVar("Model", bound=SQLModel)


@lru_cache(maxsize=256)
def _row_type(model: type[SQLModel]) -> Any:
    return namedtuple("Row", [column.name for column in columns(model)])


class _Maker:
    """Makes rows of a table."""

    def __init__(self, model: type[SQLModel]) -> None:
        fields = model.model_fields
        names = [column.name for column in columns(model)]
        self.defaults = {
            name: None if fields[name].is_required() else fields[name].get_default()
            for name in names
        }
        self.made_anew = {
            name: partial(fields[name].get_default, call_default_factory=True)
            for name in names
            if fields[name].default_factory is not None
            or isinstance(fields[name].default, dict | list | set)
        }
        self.make = partial(tuple.__new__, _row_type(model))  # without the check that _make does


@lru_cache(maxsize=256)
def _maker(model: type[SQLModel]) -> _Maker:
    return _Maker(model)


def new_row(model: type[Model], **values: Any) -> Model:
    """A row that is not in the database yet; what is left out has its default, or is None."""
    maker = _maker(model)
    complete = {**maker.defaults, **values}
    if len(complete) > len(maker.defaults):
        unknown = [name for name in values if name not in maker.defaults]
        raise TypeError(f"{model.__name__} has no {', '.join(unknown)}")
    for name, make in maker.made_anew.items():
        if name not in values:
            complete[name] = make()
    return cast(Model, maker.make(complete.values()))


def changed(row: Model, **values: Any) -> Model:
    """The same row with other values."""
    return cast(Model, cast(Any, row)._replace(**values))


def as_dict(row: SQLModel) -> dict[str, Any]:
    """A row's values by column."""
    return cast(dict[str, Any], cast(Any, row)._asdict())


def difference(before: SQLModel, after: SQLModel) -> dict[str, Any]:
    """The columns in which two versions of a row differ, with the later values."""
    old = as_dict(before)
    return {name: value for name, value in as_dict(after).items() if value != old[name]}
