"""Two reads that share a shape by mistake fail the test that runs the second of them.

The cache of statements knows a statement by its shape. A read whose shape omits a part of its
condition would run with another read's statement: with too few rows, or with rows that the viewer
may not see. So in tests a use of a shape builds the statement again, and compares it with the first
one that had the shape: each of the first uses in a process, and then one in ten. Comparing at every
use took a quarter of the time of the tests of storage and plans.

Comparing what SQLAlchemy would cache the statements by takes a fifth of the time of compiling them;
only statements that differ in this are compiled.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from resolvers.storage.read import DIALECTS, Statements

_first: dict[tuple[str, Hashable], tuple[Any, Any]] = {}
"""The first statement with each shape, and what SQLAlchemy would cache it by."""

FIRST_USES, ONE_IN = 5, 10
_uses: Counter[tuple[str, Hashable]] = Counter()

MOST = 2_000
"""Shapes that are kept. Without a limit, the statements of all tests took 1 GB in a process."""

_shared: list[str] = []


def check(dialect: str, shape: Hashable, build: Callable[[str], sa.Executable]) -> None:
    """Raises: AssertionError. A plan that fails falls back, so the test fails at its end, too."""
    if len(_first) > MOST:
        _first.clear()
        _uses.clear()
    _uses[dialect, shape] += 1
    if (used := _uses[dialect, shape]) > FIRST_USES and used % ONE_IN:
        return
    built = build(dialect)
    key = _key(built)
    kept, kept_key = _first.setdefault((dialect, shape), (built, key))
    if key is not None and key == kept_key:
        return
    first, second = _compiled(kept, dialect), _compiled(built, dialect)
    if first != second:
        _shared.append(f"Two statements share {shape!r}:\n{first}\n{second}")
        raise AssertionError(_shared[-1])


def _key(statement: Any) -> Any:
    made = statement._generate_cache_key()
    if made is None:
        return None
    values = [parameter.value for parameter in made.bindparams]
    return made.key, values, _alone(statement)


def _compiled(statement: Any, dialect: str) -> Any:
    made = statement.compile(
        dialect=DIALECTS[dialect], compile_kwargs={"alone": _alone(statement) or ()}
    )
    values = [(name, made.binds[name].value) for name in made.positiontup]
    selected = [column.key for column in getattr(statement, "exported_columns", ())]
    return str(made), values, selected


def _alone(statement: Any) -> Any:
    return statement.get_execution_options().get("alone")


def shared() -> list[str]:
    """What was found since the last call."""
    found = _shared[:]
    _shared.clear()
    return found


@contextmanager
def unchecked() -> Iterator[None]:
    """Build each statement once, as a server does."""
    Statements.checks.remove(check)
    try:
        yield
    finally:
        Statements.checks.append(check)
