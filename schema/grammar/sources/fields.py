"""Fields whose values come from a source, and the types that are thin over a row."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import strawberry
from strawberry.types.base import StrawberryContainer, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from resolvers.values import frozen
from schema.grammar.context import Context

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField


DEFINITION = "strawberry-definition"
"""The extension of a field of GraphQL that has its declaration."""


class PlannedField(StrawberryField):
    """A field that a plan can answer; every other field is left to graphql-core."""

    def compile(self, at: "SelectedField") -> str:
        """The expression of the field's answer, where it is selected. Raises: NotPlanned."""
        raise NotImplementedError


def is_planned(field: Any) -> bool:
    """Whether a plan can answer a field of GraphQL, other than a root field."""
    return isinstance(field.extensions[DEFINITION], PlannedField)


class Source(Protocol):
    """What a field shows of a row."""

    @property
    def through(self) -> str | None:
        """The loader of the row that completes the object's row and has the value instead."""

    def show(self, of: "Shown") -> Any:
        """The value for one row; may be awaitable."""

    def compile(self, at: "SelectedField") -> str:
        """The expression of the value's answer. Raises: NotPlanned."""


@frozen
class Shown:
    """A field of one object: the row that it is shown of, and what shows it."""

    row: Any
    context: Context
    field: "RowField"
    kind: type

    def column(self, name: str | None) -> Any:
        """A column of the row; without a name, the one that is called as the field is."""
        return getattr(self.row, name or self.field.python_name)

    def object(self, row: Any) -> Any:
        """The object of the field's type that shows a row."""
        return self.field.target.of(row)


class LateField(StrawberryField):
    """A field whose type is not resolved before its class is complete.

    While a class is made, `dataclasses` asks twice whether the type of each field is a text.
    Strawberry then resolves it, and has to again once the class is there.
    """

    @property
    def type(self) -> Any:
        return super().type if self.origin is not None else None

    @type.setter
    def type(self, type_: Any) -> None:
        StrawberryField.type.fset(self, type_)  # type: ignore[attr-defined]


class RowField(LateField, PlannedField):
    """A field of a type that is thin over a row. Its `Source` travels in the metadata."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.init = self.repr = self.compare = False

    @property
    def is_basic_field(self) -> bool:
        return False

    @property
    def source(self) -> Source:
        source: Source = self.metadata["source"]
        return source

    @cached_property
    def target(self) -> Any:
        """The class of what the field shows; finding a lazy one looks at files."""
        return target_of(self.type)

    def get_result(
        self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> Awaitable[Any] | Any:
        shown = Shown(source.row, info.context, self, type(source))
        if self.source.through is None:
            return self.source.show(shown)
        return self._show_through(self.source.through, shown)

    async def _show_through(self, through: str, of: Shown) -> Any:
        row = await of.context.loaders.load(through, of.row.id)
        value = None if row is None else self.source.show(Shown(row, of.context, self, of.kind))
        return await value if inspect.isawaitable(value) else value

    def compile(self, at: "SelectedField") -> str:
        through = self.source.through
        if through is not None:
            joined = at.joined(through, "id")
            if joined is None:
                at.refuse(f"{through} is not joined")
            at = at.on(joined)
        return self.source.compile(at)


def target_of(kind: Any) -> Any:
    """The class behind a field's type, without its list and its nullability."""
    while isinstance(kind, StrawberryContainer):
        kind = kind.of_type
    return kind.resolve_type() if isinstance(kind, LazyType) else kind


def type_name(kind: type) -> str:
    """The GraphQL name of a type."""
    definition = get_object_definition(kind, strict=True)
    return definition.name


class OverRow:
    """A type that is thin over a row; mixed into every such type.

    An interface says in `told_by` which column tells the types apart, and which value means which.
    """

    row: strawberry.Private[Any]
    told_by: ClassVar[tuple[str, Mapping[Any, Any]] | None] = None

    @classmethod
    def of(cls, row: Any) -> Any:
        """The object that shows a row."""
        return cls(row=row)  # type: ignore[call-arg]


Rule = Callable[[Any, Context], Any]
"""A pure function of a row and of the context."""
