"""Rows of other types, by a column of the row."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from resolvers.values import frozen
from resolvers.viewer import Viewer
from schema.grammar.relations import RELATIONS, Assembled, Many
from schema.grammar.sources.fields import Shown

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


@frozen
class Relation:
    """Rows of another type, by the column `key`, through the loader of that name.

    With `pick`, only that column of each row. With `shown_to`, null for viewers for whom it is
    false; it may depend only on the permissions and on whether the scope is everything. With
    `hidden_when`, a column and a value, null for rows that have the value in the column.
    """

    loader: str
    key: str
    through: str | None = None
    pick: str | None = None
    shown_to: Callable[[Viewer], bool] | None = None
    hidden_when: tuple[str, str] | None = None

    def show(self, of: Shown) -> Any:
        if self.shown_to is not None and not self.shown_to(of.context.viewer):
            return None
        if self.hidden_when is not None and of.column(self.hidden_when[0]) == self.hidden_when[1]:
            return None
        key = of.column(self.key)
        return None if key is None else self._load(of, key)

    async def _load(self, of: Shown, key: Any) -> Any:
        found = await of.context.loaders.load(self.loader, key)
        if self.pick is not None:
            return [getattr(row, self.pick) for row in found]
        if isinstance(found, list):
            return [of.object(row) for row in found]
        return None if found is None else of.object(found)

    def compile(self, at: "SelectedField") -> str:
        if self.shown_to is not None and not self.shown_to(at.viewer):
            return "None"
        answer = self._compile(at)
        if self.hidden_when is None:
            return answer
        column, value = self.hidden_when
        return f"(None if {at.column(column, plain=True)} == {value!r} else {answer})"

    def _compile(self, at: "SelectedField") -> str:
        """Return the expression of a join in the same statement, or else of a child place."""
        joined = at.joined(self.loader, self.key)
        if joined is not None:
            answer = at.object(joined)
            return f"({answer} if {joined.never_null()} is not None else {at.nothing})"
        relation, key = RELATIONS[self.loader], at.column(self.key)
        if isinstance(relation, Many):
            if self.pick is None:
                place = at.place(relation.key)
            else:
                place = at.place_of_column(self.pick, relation.key)
            return f"({at.child('many', key, relation, place)}.get({key}) or [])"
        if isinstance(relation, Assembled):
            child = at.child("assembled", key, relation, at.place(joins=False))
            if relation.many:
                return f"({child}.get({key}) or [])"
        else:
            child = at.child("one", key, relation, at.place(relation.key))
        found = f"{child}.get({key})"
        return f"(v if (v := {found}) is not None else {at.nothing})" if at.is_required else found
