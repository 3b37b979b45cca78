"""Objects by key: fields that return the key of an object, and the roots `node` and `nodes`."""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers import checks
from resolvers.identity import parse_global_id
from resolvers.refusals import Invalid, Refusal
from resolvers.values import frozen
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.node import NODES, Node, rows_of_type


@frozen
class ObjectKey:
    """The type of an object, by name, and its key. The object need not exist.

    `missing` is raised if the viewer sees no such object; without it, the field is null.
    """

    name: str
    key: UUID
    missing: Refusal | None = None

    @classmethod
    def typed(cls, name: str, key: UUID, missing: Refusal | None = None) -> Any:
        """Return an `ObjectKey`, typed as the object that a field makes of it."""
        return cls(name, key, missing)

    def told(self, shown: Any) -> Any:
        """Return the field's value for the object that was found, if any. Raises: `missing`."""
        if shown is None and self.missing is not None:
            raise self.missing
        return shown


class FoundField(StrawberryField):
    """A field whose resolver returns an `ObjectKey` or None; it reads nothing else."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return self._shown(super().get_result(source, info, args, kwargs), info)

    async def _shown(self, meant: Any, info: Any) -> Any:
        named = await meant if isawaitable(meant) else meant
        if named is None:
            return None
        return named.told(await load_node(info, named.name, named.key))


def found(*, description: str) -> Callable[[Any], Any]:
    """Declare a field by a method that returns an `ObjectKey`."""

    def field_of(resolver: Any) -> Any:
        return FoundField(description=description, base_resolver=StrawberryResolver(resolver))

    return field_of


async def load_node(info: Info, name: str, key: UUID) -> Any:
    """Return the object with this type and key; None if the viewer sees no such object."""
    return (await load_nodes(info, name, [key]))[0]


async def load_nodes(info: Info, name: str, keys: Sequence[UUID]) -> list[Any]:
    """Return the objects of one type by key; None for one that the viewer does not see."""
    of_type = rows_of_type(name)
    if of_type is None:
        return [None for _ in keys]
    kind, loader = of_type
    rows = await info.context.loaders.load_many(loader, keys)
    return [None if row is None else kind.of(row) for row in rows]


MOST_IDS = 100


@object_type
class NodeQueries:
    @found(
        description="Any object by its global id. Use it to refetch an object of a known "
        "type with `... on Type`."
    )
    def node(
        self,
        id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="Global id of the object, as its field `id` returns it."
            ),
        ],
    ) -> Node | None:
        return ObjectKey.typed(*_parsed(id, "id"))

    @strawberry.field(
        description="Several objects by their global ids, in the order of `ids`. Null for an "
        "id that does not exist."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(
                description="Global ids of the objects, 1 to 100, without repetitions."
            ),
        ],
    ) -> list[Node | None]:
        checks.size(list(set(ids)), "ids", least=1, most=MOST_IDS)
        return await _nodes(info, [_parsed(id, "ids", str(n)) for n, id in enumerate(ids)])


def _parsed(id: str, *path: str) -> tuple[str, UUID]:
    """Raises: Invalid."""
    parsed = parse_global_id(id)
    if parsed is None:
        raise Invalid(*path, rule="is not a global id")
    return parsed


async def _nodes(info: Info, names: Sequence[tuple[str, UUID]]) -> "list[Node | None]":
    """Return the objects with these names, with one load for each type."""
    keys: dict[str, list[UUID]] = {}
    for name, key in names:
        keys.setdefault(name, []).append(key)
    found: dict[tuple[str, UUID], Any] = {}
    for name, of_type in keys.items():
        if name in NODES:
            nodes = await load_nodes(info, name, of_type)
            found.update(zip(((name, key) for key in of_type), nodes, strict=True))
    return [found.get(name) for name in names]
