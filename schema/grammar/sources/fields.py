"""Fields with a source, and the types that wrap a row."""

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
"""The extension of a GraphQL field that holds its declaration."""


class PlannedField(StrawberryField):
    """A field that a plan can resolve; graphql-core resolves all others."""

    def compile(self, at: "SelectedField") -> str:
        """Return the expression of the selected field's answer. Raises: NotPlanned."""
        raise NotImplementedError


def is_planned(field: Any) -> bool:
    """Whether a plan can resolve a GraphQL field, other than a root field."""
    return isinstance(field.extensions[DEFINITION], PlannedField)


class Source(Protocol):
    """The source of a field's value for a row."""

    @property
    def through(self) -> str | None:
        """The loader of the row that completes the object's row and has the value instead."""

    def show(self, of: "Shown") -> Any:
        """Return the value for one row; may be awaitable."""

    def compile(self, at: "SelectedField") -> str:
        """Return the expression of the value's answer. Raises: NotPlanned."""


@frozen
class Shown:
    """A field of one object, with its row and the context."""

    row: Any
    context: Context
    field: "RowField"
    kind: type

    def column(self, name: str | None) -> Any:
        """Return a column of the row; its name defaults to the field's."""
        return getattr(self.row, name or self.field.python_name)

    def object(self, row: Any) -> Any:
        """Return the object of the field's type over a row."""
        return self.field.target.of(row)


class LateField(StrawberryField):
    """A field whose type is not resolved before its class is complete.

    While a class is made, `dataclasses` checks twice whether the type of each field is a string.
    Strawberry would resolve the type each time, and again once the class is complete.
    """

    @property
    def type(self) -> Any:
        return super().type if self.origin is not None else None

    @type.setter
    def type(self, type_: Any) -> None:
        StrawberryField.type.fset(self, type_)  # type: ignore[attr-defined]


class RowField(LateField, PlannedField):
    """A field of a type that wraps a row. Its `Source` is in the metadata."""

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
        """The class of the field's value; cached, because resolving a lazy type reads files."""
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
    """Return the class of a field's type, without list and nullability."""
    while isinstance(kind, StrawberryContainer):
        kind = kind.of_type
    return kind.resolve_type() if isinstance(kind, LazyType) else kind


def type_name(kind: type) -> str:
    """Return the GraphQL name of a type."""
    definition = get_object_definition(kind, strict=True)
    return definition.name


class OverRow:
    """A mixin of every type that wraps a row.

    An interface sets `told_by`: the column that distinguishes the types, and the type of each
    value.
    """

    row: strawberry.Private[Any]
    told_by: ClassVar[tuple[str, Mapping[Any, Any]] | None] = None

    @classmethod
    def of(cls, row: Any) -> Any:
        """Return the object over a row."""
        return cls(row=row)  # type: ignore[call-arg]


Rule = Callable[[Any, Context], Any]
"""A pure function of a row and of the context."""
