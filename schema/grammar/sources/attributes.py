"""Values that an object itself holds."""

from typing import TYPE_CHECKING

from schema.grammar.sources.fields import LateField, PlannedField

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


class Attribute(LateField, PlannedField):
    """An attribute of a payload, or of an object made of a row."""

    def compile(self, at: "SelectedField") -> str:
        if at.scope.is_row:
            at.refuse("an attribute of a row")
        value = at.column(at.field_name)
        return at.leaf(value) if at.is_leaf else at.made(value)
