"""Rows as values.

Named tuples with a table's columns, typed as the table, never changed in place.
"""

from collections import namedtuple
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlmodel import SQLModel

from resolvers.storage.tables import columns

Model = TypeVar("Model", bound=SQLModel)


@lru_cache(maxsize=256)
def _row_type(model: type[SQLModel]) -> Any:
    return namedtuple("Row", [column.name for column in columns(model)])


@lru_cache(maxsize=256)
def _defaults(model: type[SQLModel]) -> dict[str, Any]:
    return {
        name: None if field.is_required() else field for name, field in model.model_fields.items()
    }


def new_row(model: type[Model], **values: Any) -> Model:
    """A row that is not in the database yet; what is left out has its default, or is None."""
    complete = {
        name: values.pop(name)
        if name in values
        else (None if field is None else field.get_default(call_default_factory=True))
        for name, field in _defaults(model).items()
    }
    if values:
        raise TypeError(f"{model.__name__} has no {', '.join(values)}")
    return cast(Model, _row_type(model)(**complete))


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
