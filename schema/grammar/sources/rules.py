"""Values that a rule computes from a row."""

from collections import namedtuple
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from resolvers.values import frozen
from schema.grammar.sources.fields import Rule, Shown

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


@frozen
class Derived:
    """A pure function of columns, passed in this order."""

    needs: tuple[str, ...]
    by: Callable[..., Any]
    through: str | None = None

    def show(self, of: Shown) -> Any:
        return self.by(*(of.column(name) for name in self.needs))

    def compile(self, at: "SelectedField") -> str:
        return at.leaf(f"{at.name(self.by)}({', '.join(map(at.column, self.needs))})")


@frozen
class Computed:
    """A pure function of the row, limited to the columns in `needs`, and of the context."""

    needs: tuple[str, ...]
    by: Rule
    through: str | None = None

    def show(self, of: Shown) -> Any:
        return self.by(of.row, of.context)

    def instead(self, row: Any, context: Any) -> Any:
        """Return the value that replaces a column of another type."""
        return self.by(row, context)

    def compile(self, at: "SelectedField") -> str:
        slots = [at.column(name) for name in self.needs]
        if iscoroutinefunction(self.by):
            if not at.is_leaf:
                at.refuse("an awaited object")
            return at.leaf(f"{at.child('awaited', slots[0], self, slots)}[id(r)]")
        given = f"{at.name(given_to(self))}(({''.join(f'{slot}, ' for slot in slots)}))"
        value = f"{at.name(self.by)}({given}, context)"
        return at.leaf(value) if at.is_leaf else at.made(value)


def given_to(source: Computed) -> Callable[[Any], Any]:
    """Return a function that makes the rule's argument: the needed columns, by name."""
    make_type: Any = namedtuple  # mypy requires literal field names
    make: Callable[[Any], Any] = make_type("Given", source.needs)._make
    return make
