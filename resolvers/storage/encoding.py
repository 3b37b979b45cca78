"""Makes a driver's values of whole rows, with a function that is written once for each table.

As schema/plan/places.py does for answers: a display of tuples in a comprehension costs a part of
what a call for each value does.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage.columns import FIRST, LAST, Instant, bind_processor
from resolvers.storage.read import DIALECTS
from resolvers.storage.tables import columns

Encode = Callable[[Iterable[Sequence[Any]]], list[tuple[Any, ...]]]
"""Makes the driver's values of rows, which have all columns of their table in its order."""


@lru_cache(maxsize=512)
def names_of(model: type[SQLModel]) -> tuple[str, ...]:
    """The columns that a table is declared with, in their order."""
    return tuple(column.name for column in columns(model))


@lru_cache(maxsize=512)
def encoder(model: type[SQLModel], dialect_name: str, names: tuple[str, ...]) -> Encode:
    """What encodes rows of a table, as tuples with these columns.

    A column that the table is not declared with is None.
    """
    known: dict[str, Any] = {"FIRST": FIRST, "LAST": LAST}
    cells = {
        column.name: _cell(f"c{n}", column.type, dialect_name, known)
        for n, column in enumerate(columns(model))
    }
    row = "".join(f"c{n}, " for n in range(len(cells)))
    values = "".join(f"{cells.get(name, 'None')}, " for name in names)
    text = f"def encode(rows):\n    return [({values}) for {row}in rows]\n"
    exec(compile(text, f"<{model.__name__} rows>", "exec"), known)  # noqa: S102 - of our own names
    encode: Encode = known["encode"]
    return encode


def _cell(cell: str, kind: Any, dialect_name: str, known: dict[str, Any]) -> str:
    """The expression of a value of this type as the driver takes it."""
    native = dialect_name == "postgresql"
    if isinstance(kind, sa.Boolean):
        return cell if native else f"None if {cell} is None else int({cell})"
    if isinstance(kind, sa.Enum) and _is_text(kind.enum_class):
        return cell if native else f"None if {cell} is None else str({cell})"
    if isinstance(kind, sa.Uuid) and not native:
        return f"None if {cell} is None else '%032x' % {cell}.int"
    process = bind_processor(kind, DIALECTS[dialect_name])
    if process is None:
        return cell
    name = f"p{len(known)}"
    known[name] = process
    if native and isinstance(kind, Instant):
        return f"{cell} if {cell} is None or FIRST <= {cell} <= LAST else {name}({cell})"
    return f"None if {cell} is None else {name}({cell})"


def _is_text(choices: Any) -> bool:
    """Whether the members of an enum are the texts that a column keeps: their names."""
    return issubclass(choices, str) and all(each.name == each.value for each in choices)
