"""Limits the depth of a document, in time linear in its length."""

from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from resolvers.values import frozen

DEEPEST: Final = 20
"""Levels of fields. GraphiQL's own introspection has 14."""


@frozen
class _Outline:
    """A selection set: its deepest field, and the depth at which it spreads each fragment."""

    depth: int
    spreads: dict[str, int]


def require_shallow(document: DocumentNode) -> list[GraphQLError]:
    """An error if an operation of a valid document is deeper than DEEPEST, else None."""
    fragments = _fragment_depths(document)
    return [
        GraphQLError(f"The selections are nested deeper than {DEEPEST} levels.", definition)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and _depth(_outline(definition.selection_set), fragments) > DEEPEST
    ]


def _fragment_depths(document: DocumentNode) -> dict[str, int]:
    """The depth of each fragment, including the fragments that it spreads.

    Each fragment is measured once, after the fragments that it spreads. The function uses its own
    stack, because a chain of fragments may exceed Python's. A valid document has no cycle of
    fragments.
    """
    outlines = {
        definition.name.value: _outline(definition.selection_set)
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    depths: dict[str, int] = {}
    waiting = list(outlines)
    while waiting:
        if waiting[-1] in depths:
            waiting.pop()
            continue
        outline = outlines[waiting[-1]]
        needed = [name for name in outline.spreads if name not in depths]
        if needed:
            waiting.extend(needed)
        else:
            depths[waiting.pop()] = _depth(outline, depths)
    return depths


def _depth(outline: _Outline, fragments: dict[str, int]) -> int:
    deepest = outline.depth
    for name, depth in outline.spreads.items():
        deepest = max(deepest, depth + fragments[name])
    return deepest


def _outline(selection_set: SelectionSetNode) -> _Outline:
    deepest = 0
    spreads: dict[str, int] = {}
    waiting = [(selection_set, 0)]
    while waiting:
        selected, above = waiting.pop()
        for selection in selected.selections:
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                spreads[name] = max(spreads.get(name, 0), above)
                continue
            depth = above + 1 if isinstance(selection, FieldNode) else above
            deepest = max(deepest, depth)
            if (inner := selection.selection_set) is not None:  # type: ignore[attr-defined]
                waiting.append((inner, depth))
    return _Outline(deepest, spreads)
