"""Values of methods of the type, often with arguments."""

from collections import namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from strawberry.types.fields.resolver import StrawberryResolver

from schema.grammar.sources.fields import PlannedField

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


class Method(PlannedField):
    """A field whose method reads only one column of its object's row, `key`.

    The method's loads are shared by many objects. A plan calls it once for each key. Without a key,
    the object is not over a row but a value, such as a payload, which the method reads.
    """

    @property
    def key(self) -> str | None:
        key: str | None = self.metadata["key"]
        return key

    def compile(self, at: "SelectedField") -> str:
        if self.key is None:
            at.refuse("a method of a value")
        key = at.column(self.key)
        return f"{at.child('method', key, at, self)}[{key}]"

    def object_of(self, kind: Any) -> Callable[[Any], Any]:
        """Return a function that makes an object of the type that has only the key."""
        assert self.key is not None
        make_type: Any = namedtuple  # mypy requires literal field names
        row: Any = make_type("Row", [self.key])
        return lambda key: kind.of(row(key))


def method(key: str | None = None, *, description: str) -> Callable[[Any], Any]:
    """Declare a field by a method that reads only this column of its object's row, or a value."""

    def field_of(resolver: Any) -> Any:
        return Method(
            description=description,
            base_resolver=StrawberryResolver(resolver),
            metadata={"key": key},
        )

    return field_of
