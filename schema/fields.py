"""Fields that are declared by what they need of a row, not by code that fetches it.

    reference: str = column(…)                                a column of the type's row
    status: EventStatus = computed("start_at", …, by=rule)    follows from columns and the context
    candidate: Candidate = relation("candidate_by_id", key="candidate_id")
    result: Result | None = column(through="enrolment_of_booking")    of a row that completes it
    rooms: list[Room] = relation("rooms_of_centre")           rows of another type, by a loader

The declaration is the only source: from it comes the resolver that graphql-core calls, and whatever
else executes documents can read it with `source_of`. `through` names a loader that completes the
row.
"""

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import strawberry
from strawberry.types.base import StrawberryContainer, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from resolvers.identity import global_id
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission
from schema.context import Context

T = TypeVar("T")


@frozen
class Column:
    """A column's value; null for viewers without the permission that `mask` names."""

    name: str | None
    mask: Permission | None = None
    convert: Callable[[Any], Any] | None = None
    through: str | None = None


@frozen
class Computed:
    """A pure function of the row, of which it reads the columns in `needs`, and of the context."""

    needs: tuple[str, ...]
    by: Callable[[Any, Context], Any]
    through: str | None = None


@frozen
class Derived:
    """A pure function of columns alone, which it is given in their order."""

    needs: tuple[str, ...]
    by: Callable[..., Any]
    through: str | None = None


@frozen
class Relation:
    """Rows of another type, by the column `key`, through the loader of that name.

    With `pick` only that column of each. Null for viewers to whom `shown_to` does not show it; it
    depends on nothing but the permissions and on whether the scope is everything. With
    `hidden_when`, a column and a value, null for rows that have the value in the column.
    """

    loader: str
    key: str
    through: str | None = None
    pick: str | None = None
    shown_to: Callable[[Viewer], bool] | None = None
    hidden_when: tuple[str, str] | None = None


@frozen
class Identity:
    """The row's key as a global id of the object's type."""

    through: str | None = None


@frozen
class Fixed:
    """A value that does not depend on the row."""

    value: Any


@frozen
class Embedded:
    """An object of another type that is thin over the same row; null where `present` is null.

    `names` says which column stands for one that the other type names, or what does instead.
    """

    names: "tuple[tuple[str, str | Computed | Fixed], ...]" = ()
    present: str | None = None
    through: str | None = None


Source = Column | Computed | Derived | Relation | Identity | Embedded


class Renamed:
    """A row under the names of another type."""

    __slots__ = ("_context", "_names", "_row")

    def __init__(self, row: Any, names: Mapping[str, Any], context: Context) -> None:
        self._row, self._names, self._context = row, names, context

    def __getattr__(self, name: str) -> Any:
        match self._names.get(name, name):
            case Fixed(value):
                return value
            case Computed(_, by):
                return by(self._row, self._context)
            case column:
                return getattr(self._row, column)


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


class RowField(LateField):
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
        through = self.source.through
        if isinstance(self.source, Identity):
            return global_id(type_name(type(source)), source.row.id)
        if through is None:
            return self._value(source.row, info.context)
        return self._value_through(through, source.row, info.context)

    async def _value_through(self, through: str, row: Any, context: Context) -> Any:
        completing = await context.loaders.load(through, row.id)
        value = None if completing is None else self._value(completing, context)
        return await value if inspect.isawaitable(value) else value

    def _value(self, row: Any, context: Context) -> Awaitable[Any] | Any:
        match self.source:
            case Column(name, mask, convert):
                if mask is not None and not context.viewer.may(mask):
                    return None
                value = getattr(row, name or self.python_name)
                return value if convert is None or value is None else convert(value)
            case Computed(_, by):
                return by(row, context)
            case Derived(needs, of):
                return of(*(getattr(row, name) for name in needs))
            case Relation(loader, key, _, pick, shown_to, hidden):
                if shown_to is not None and not shown_to(context.viewer):
                    return None
                if hidden is not None and getattr(row, hidden[0]) == hidden[1]:
                    return None
                value = getattr(row, key)
                return None if value is None else self._related(context, loader, value, pick)
            case Embedded(names, present):
                if present is not None and getattr(row, present) is None:
                    return None
                seen = Renamed(row, dict(names), context) if names else row
                return self.target.of(seen)
        raise TypeError(self.source)

    async def _related(self, context: Context, loader: str, key: Any, pick: str | None) -> Any:
        found = await context.loaders.load(loader, key)
        if pick is not None:
            return [getattr(row, pick) for row in found]
        target = self.target
        if isinstance(found, list):
            return [target.of(row) for row in found]
        return None if found is None else target.of(found)


def source_of(field: StrawberryField) -> Source | None:
    """What a field is declared by; None for one that has a resolver of its own."""
    return field.source if isinstance(field, RowField) else None


def target_of(kind: Any) -> Any:
    """The class behind a field's type, without its list and its nullability."""
    while isinstance(kind, StrawberryContainer):
        kind = kind.of_type
    return kind.resolve_type() if isinstance(kind, LazyType) else kind


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


def column(
    name: str | None = None,
    *,
    description: str,
    mask: Permission | None = None,
    convert: Callable[[Any], Any] | None = None,
    through: str | None = None,
    graphql_name: str | None = None,
) -> Any:
    """A column of the row, of the field's own name unless another is given."""
    return _field(Column(name, mask, convert, through), description, graphql_name)


def computed(
    *needs: str,
    by: Callable[[Any, Context], Any],
    description: str,
    through: str | None = None,
    graphql_name: str | None = None,
) -> Any:
    """A value that follows from columns of the row."""
    return _field(Computed(needs, by, through), description, graphql_name)


def derived(
    *needs: str, by: Callable[..., Any], description: str, through: str | None = None
) -> Any:
    """A value that follows from columns and from nothing else."""
    return _field(Derived(needs, by, through), description, None)


def relation(
    loader: str,
    *,
    key: str = "id",
    description: str,
    through: str | None = None,
    pick: str | None = None,
    hidden_when: tuple[str, str] | None = None,
    graphql_name: str | None = None,
    shown_to: Callable[[Viewer], bool] | None = None,
) -> Any:
    """Rows of another type; the loader's name says what comes out and what goes in.

    With `pick` the values of one column of many rows. With `shown_to` null for other viewers.
    `hidden_when` is a column and the value of it for which the field is null.
    """
    source = Relation(loader, key, through, pick, shown_to, hidden_when)
    return _field(source, description, graphql_name)


def identity(*, description: str) -> Any:
    """The global id."""
    return _field(Identity(), description, None)


def embedded(
    *,
    description: str,
    present: str | None = None,
    through: str | None = None,
    **names: "str | Computed | Fixed",
) -> Any:
    """An object over the same row; `names` are what the row calls the other type's columns."""
    return _field(Embedded(tuple(names.items()), present, through), description, None)


def _field(source: Source, description: str, graphql_name: str | None) -> Any:
    return RowField(graphql_name=graphql_name, description=description, metadata={"source": source})


def type_name(kind: type) -> str:
    """The GraphQL name of a type."""
    definition = get_object_definition(kind, strict=True)
    return definition.name


def described(description: str, **options: Any) -> Any:
    """An argument or an input's field with its description; left out unless given."""
    return LateField(description=description, default=strawberry.UNSET, **options)


def attribute(
    *, description: str, default: Any = dataclasses.MISSING, name: str | None = None
) -> Any:
    """A value that the object or the input holds itself."""
    return LateField(description=description, default=default, graphql_name=name)
