"""Lists: from a connection's arguments to a description of what to read.

The resolver of a list returns a `Listing` and reads nothing. `Connection` reads the list when its
elements are needed; a plan reads only the columns that the operation selects.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import field, fields
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry import UNSET
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.storage.paging import Ordering, PageRequest, page_request
from resolvers.storage.read import Read
from resolvers.values import frozen
from resolvers.viewer import Viewer
from schema.grammar.connections import SEARCH, Connection
from schema.grammar.context import Context
from schema.grammar.inputs import given
from schema.grammar.relations import ReadKeys
from schema.grammar.sources.fields import PlannedField

if TYPE_CHECKING:
    from schema.plan.selected import SelectedField

FIRST = Annotated[
    int | None,
    strawberry.argument(
        description="Number of elements to return from the start of the list, 20 by "
        "default, at most 100."
    ),
]
AFTER = Annotated[
    str | None, strawberry.argument(description="Returns only elements after this cursor.")
]
LAST = Annotated[
    int | None,
    strawberry.argument(
        description="Number of elements to return from the end of the list, at most 100."
    ),
]
BEFORE = Annotated[
    str | None, strawberry.argument(description="Returns only elements before this cursor.")
]


@frozen
class PageArguments:
    """The arguments of a connection; an omitted one is UNSET."""

    first: FIRST = UNSET
    after: AFTER = UNSET
    last: LAST = UNSET
    before: BEFORE = UNSET

    def request(self, ordering: Ordering) -> PageRequest:
        """Return the page of a list in this order. Raises: Invalid, OutOfRange."""
        return page_request(
            ordering,
            first=given(self.first),
            after=given(self.after),
            last=given(self.last),
            before=given(self.before),
        )


@frozen
class Listing:
    """A requested page of a list.

    `shape` identifies the list, by all its arguments except the page. `rows` and `count` read it
    for the keys of its parents, which are in the rows' column `key`; a root's list has no parent,
    and its reads ignore the keys. The count's rows have `total` and, for parents, `parent_id`.
    Without `rows`, the list is empty. `show` makes objects of rows. `check` is called after a page
    was read, and raises if its cursor does not belong to the list.
    """

    page: PageRequest
    shape: Hashable
    show: Callable[[Any], Any] = field(compare=False)
    rows: ReadKeys | None = field(default=None, compare=False)
    count: ReadKeys | None = field(default=None, compare=False)
    key: str | None = None
    check: Callable[[Context], Awaitable[None]] | None = field(default=None, compare=False)

    def counted(self, viewer: Viewer, keys: Sequence[Any], most: int) -> Read[Any]:
        """Return the read of the count, which stops at `most` + 1."""
        assert self.count is not None, "an empty list is not counted"
        count = self.count(viewer, keys)
        assert count.up_to is not None, "a list has a count that can stop"
        return count.up_to(most + 1)


def listing(
    page: PageRequest,
    shape: Hashable,
    show: Callable[[Any], Any],
    rows: ReadKeys | None = None,
    count: ReadKeys | None = None,
    *,
    key: str | None = None,
    check: Callable[[Context], Awaitable[None]] | None = None,
) -> Connection[Any]:
    """Return a `Listing`, typed as the connection that a field makes of it."""
    made: Any = Listing(page, shape, show, rows, count, key, check)
    return cast(Connection[Any], made)


def connection_of(context: Context, listing: Any, parent: Any = None) -> Connection[Any]:
    """Return the connection of a list, for one of its parents."""
    return Connection(listing=listing, parent=parent, context=context)


PAGE_ARGUMENTS = [
    Parameter(each.name, Parameter.POSITIONAL_OR_KEYWORD, default=UNSET, annotation=each.type)
    for each in fields(PageArguments)
]


def with_page_arguments(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Replace a resolver's parameter `page` with the arguments of a connection."""

    @wraps(resolver)
    def resolve(
        *args: Any,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
        **others: Any,
    ) -> Any:
        return resolver(*args, page=PageArguments(first, after, last, before), **others)

    declared = signature(resolver)
    parameters = list(declared.parameters.values())
    place = list(declared.parameters).index("page")
    parameters[place : place + 1] = PAGE_ARGUMENTS
    made: Any = resolve
    made.__signature__ = declared.replace(parameters=parameters)
    made.__annotations__ = {each.name: each.annotation for each in parameters}
    made.__annotations__["return"] = declared.return_annotation
    return resolve


class ListField(PlannedField):
    """A field whose resolver returns a `Listing`, and does not use the object."""

    @property
    def parent(self) -> str | None:
        """The column of the object's row that is the key of its list; None for a root's list."""
        parent: str | None = self.metadata["parent"]
        return parent

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        listing: Any = super().get_result(source, info, args, kwargs)
        parent = None if self.parent is None else getattr(source.row, self.parent)
        return connection_of(info.context, listing, parent)

    def compile(self, at: "SelectedField") -> str:
        if self.parent is None:
            at.refuse("a root's list on an object")
        key = at.column(self.parent)
        return f"{at.child('list', key, at)}[{key}]"


def listed(
    parent: str | None = None, *, description: str, name: str | None = None
) -> Callable[[Any], Any]:
    """Declare a list by a method that returns a `Listing`.

    `parent` is the column with its key. The arguments of a connection replace the method's
    parameter `page`.
    """

    def field_of(resolver: Any) -> Any:
        return ListField(
            graphql_name=name,
            description=description,
            base_resolver=StrawberryResolver(with_page_arguments(resolver)),
            metadata={"parent": parent},
        )

    return field_of


def searchable(
    ordering: Ordering,
    kind: type[Any],
    rows: Callable[[Viewer, PageRequest, str | None], Read[Any]],
    count: Callable[[Viewer, str | None], Read[Any]],
    *,
    description: str,
    name: str | None = None,
) -> Any:
    """A root's list of the objects of a type, with a search by name."""

    def resolve(page: PageArguments, search: SEARCH = UNSET) -> Any:
        request, text = page.request(ordering), given(search)
        return listing(
            request,
            (ordering.name, text),
            kind.of,
            lambda viewer, _: rows(viewer, request, text),
            lambda viewer, _: count(viewer, text),
        )

    resolve.__annotations__["return"] = Connection[kind] | None  # type: ignore[valid-type]
    return listed(description=description, name=name)(resolve)


class PartField(PlannedField):
    """A field whose resolver returns a part of its object that has lists of the same row.

    The resolver may only pass the row on: a plan calls it without one.
    """

    def compile(self, at: "SelectedField") -> str:
        return at.object(at.scope.of_part(at.arguments()))


def part(*, description: str) -> Callable[[Any], Any]:
    """Declare a `PartField` by a method."""

    def field_of(resolver: Any) -> Any:
        return PartField(description=description, base_resolver=StrawberryResolver(resolver))

    return field_of
