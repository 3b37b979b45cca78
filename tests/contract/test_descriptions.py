"""Every type, field, argument and enum value has a description that helps a newcomer."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

from schema import build_schema

BUILT_IN: Final = {"String", "Int", "Float", "Boolean", "ID"}

BANNED: Final = re.compile(
    r"(?i)\b(whoever|whom|null where|null with|is told|are told|is asked|asked for|of its own|sat"
    r"|sits|called off|taken back|take back|worth knowing|goes up|stands|lapses?|what is|what it is"
    r"|as it is now|so given|unless given|the one before|is as good as)\b"
)
"""Words of an earlier edition that read as translated, or that are padding."""


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str, str | None]]:
    """Yield the path, the name and the description of everything that can have one."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__") or kind.name in BUILT_IN:
            continue
        yield kind.name, kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield f"{kind.name}.{name}", name, value.description
        if isinstance(kind, GraphQLInputObjectType):
            for name, given in kind.fields.items():
                yield f"{kind.name}.{name}", name, given.description
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", name, field.description
                for argument, one in field.args.items():
                    yield f"{kind.name}.{name}({argument}:)", argument, one.description


@pytest.fixture(scope="module")
def descriptions() -> list[tuple[str, str, str]]:
    return [
        (path, name, " ".join((text or "").split()))
        for path, name, text in described(build_schema()._schema)
    ]


def test_everything_is_described(descriptions: list[tuple[str, str, str]]) -> None:
    """A description is at least three words, and a sentence or a phrase with a full stop."""
    bad = [
        f"{path}: {text!r}"
        for path, _, text in descriptions
        if len(text.split()) < 3 or not text[0].isupper() or text[-1] not in ".…"
    ]

    assert bad == []


def test_no_description_has_words_that_read_as_translated(
    descriptions: list[tuple[str, str, str]],
) -> None:
    bad = [f"{path}: {text}" for path, _, text in descriptions if BANNED.search(text)]

    assert bad == []


def test_a_description_is_that_of_one_name(descriptions: list[tuple[str, str, str]]) -> None:
    """Types and inputs may share it. `input` has that of its type; pages of lists are alike."""
    names = defaultdict(set)
    for _, name, text in descriptions:
        if name != "input" and not name.endswith(("Connection", "Edge")):
            names[text].add(name.removesuffix("Input").replace("_", "").lower())

    assert {text: found for text, found in names.items() if len(found) > 1} == {}
