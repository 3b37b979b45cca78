"""Limits how often a document selects the same response name at one place.

Validation compares all fields with the same response name, and its recursion grows with their
number.
"""

from collections.abc import Iterable
from typing import Final

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionSetNode,
)

MOST_REPEATS: Final = 50


def require_few_repeats(document: DocumentNode) -> list[GraphQLError]:
    """An error for the first place where a document repeats a response name too often, or None.

    Fields with the same response name merge, so their selections are at one place. The time is
    linear in the length of the document. The document need not be valid.
    """
    places = [
        [definition.selection_set]
        for definition in document.definitions
        if isinstance(definition, ExecutableDefinitionNode)
    ]
    while places:
        by_name: dict[str, list[FieldNode]] = {}
        for field in _fields(places.pop()):
            by_name.setdefault((field.alias or field.name).value, []).append(field)
        for name, fields in by_name.items():
            if len(fields) > MOST_REPEATS:
                rule = f"'{name}' is selected more than {MOST_REPEATS} times at one place."
                return [GraphQLError(rule, fields[MOST_REPEATS])]
            selected = [each.selection_set for each in fields if each.selection_set is not None]
            if selected:
                places.append(selected)
    return []


def _fields(selection_sets: Iterable[SelectionSetNode]) -> list[FieldNode]:
    """The fields of selection sets, and of the inline fragments in them."""
    fields: list[FieldNode] = []
    waiting = list(selection_sets)
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                fields.append(selection)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
    return fields
