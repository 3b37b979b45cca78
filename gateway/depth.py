"""How deep a document's selections go, in time that grows with its length only."""

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
    """A selection set by itself: its deepest field, and how deep it spreads each fragment."""

    depth: int
    spreads: dict[str, int]


def require_shallow(document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with a valid document: an operation deeper than DEEPEST, or nothing."""
    fragments = _fragment_depths(document)
    return [
        GraphQLError(f"The selections are nested deeper than {DEEPEST} levels.", definition)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and _depth(_outline(definition.selection_set), fragments) > DEEPEST
    ]


def _fragment_depths(document: DocumentNode) -> dict[str, int]:
    """The depth of each fragment, those that it spreads included.

    Each is judged once, after the ones it needs; with a stack, since a chain of fragments may be
    longer than Python's. A valid document has no cycle of fragments.
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
