"""Finds the object that a query names by a reference."""

from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.references import NAMES, ByExternalId, ByReference, Lookup, Ref
from resolvers.refusals import NotFoundRefusal
from schema.grammar.context import Info
from schema.grammar.found import ObjectKey
from schema.grammar.references import RefInput


async def named(info: Info, model: type[Any], ref: RefInput) -> Any:
    """Return the `ObjectKey` of the object that a query's `ref` names; None if there is none.

    Raises: Invalid, AmbiguousReference.
    """
    name = NAMES[model][0]
    key = await _key(info, model, ref.to_ref(name))
    return None if key is None else ObjectKey(name, key)


async def _key(info: Info, model: type[Any], ref: Ref) -> UUID | None:
    _require_askable(ref)
    viewer = info.context.viewer
    lookup: Lookup[Any] = Lookup(model, [(viewer, ref)])
    lookup.found(
        [(group, row) for group, read in lookup.reads() for row in await info.context.read(read)]
    )
    try:
        key: UUID = lookup.one(viewer, ref, "ref").id
    except NotFoundRefusal:
        return None
    return key


def _require_askable(ref: Ref) -> None:
    """Refuse texts that the database does not accept in a query. Raises: Invalid."""
    match ref:
        case ByReference(reference):
            texts = {"reference": reference}
        case ByExternalId(_, kind, value):
            texts = {"kind": kind, "value": value}
        case _:
            texts = {}
    for name, text in texts.items():
        checks.code(text, "ref", name, least=0, most=len(text))
