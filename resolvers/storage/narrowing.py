"""The condition that restricts a read: what a filter finds, what a viewer may see."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import field
from typing import Any

import sqlalchemy as sa

from resolvers.values import frozen

Narrow = Callable[[], sa.ColumnElement[bool]]


@frozen
class Narrowing:
    """A condition on rows, with the shape that names it and the values that are bound in it.

    Two narrowings with equal shapes have equal conditions.
    """

    shape: Hashable
    narrow: Narrow
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def restricts(self) -> bool:
        """Whether the condition may leave out a row."""
        return self is not UNRESTRICTED

    def __and__(self, other: "Narrowing") -> "Narrowing":
        if not self.restricts:
            return other
        if not other.restricts:
            return self
        first, second = self.narrow, other.narrow
        return Narrowing(
            (self.shape, other.shape),
            lambda: sa.and_(first(), second()),
            {**self.values, **other.values},
        )


UNRESTRICTED = Narrowing((), sa.true)
"""Every row of the organization. A read with any other narrowing is restricted."""
