"""Values of one column, and the global id."""

from binascii import b2a_base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from resolvers.identity import global_id
from resolvers.values import frozen
from resolvers.vocabulary import Permission
from schema.grammar.sources.fields import Shown, type_name

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


@frozen
class Column:
    """A column's value; null for viewers without the permission that `mask` names."""

    name: str | None
    mask: Permission | None = None
    convert: Callable[[Any], Any] | None = None
    through: str | None = None

    def show(self, of: Shown) -> Any:
        if self.mask is not None and not of.context.viewer.may(self.mask):
            return None
        value = of.column(self.name)
        return value if self.convert is None or value is None else self.convert(value)

    def compile(self, at: "SelectedField") -> str:
        if self.mask is not None and not at.viewer.may(self.mask):
            return "None"
        name = self.name or at.field_name
        stand_in = at.scope.names.get(name)
        if stand_in is not None and not isinstance(stand_in, str):
            return stand_in.compile(at.on(at.scope.under_its_own_names()))
        value = at.column(name, plain=self.convert is None and at.is_enum)
        if self.convert is not None:
            value = f"(None if {value} is None else {at.name(self.convert)}({value}))"
        return at.leaf(value) if at.is_leaf else at.made(value)


@frozen
class Identity:
    """The row's key as a global id of the object's type."""

    through: str | None = None

    def show(self, of: Shown) -> str:
        return global_id(type_name(of.kind), of.row.id)

    def compile(self, at: "SelectedField") -> str:
        """Write what `resolvers.identity` computes, without its function calls."""
        encode, prefix = at.name(b2a_base64), f"{at.kind.name}:".encode()
        return f"{encode}({prefix!r} + {at.column('id')}.hex.encode(), newline=False).decode()"
