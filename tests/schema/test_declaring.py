"""The schema's decorators and fields avoid slow work at startup."""

import inspect
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition

from schema import build_schema
from schema.grammar.fields import LateField

DEFINITIONS = [
    made.definition
    for made in build_schema().schema_converter.type_map.values()
    if isinstance(made.definition, StrawberryObjectDefinition)
    and made.definition.origin.__module__.startswith("schema.")
]


def test_classes_have_their_descriptions_as_docstrings():
    """Without a docstring, `dataclasses` builds one from the signature, which is slow."""
    described = {one.origin for one in DEFINITIONS if one.description is not None}

    assert len(described) > 150
    assert not [kind for kind in described if (kind.__doc__ or "").startswith(f"{kind.__name__}(")]


def test_fields_without_a_resolver_resolve_their_types_late():
    """`dataclasses` reads a field's type before Strawberry can resolve it."""
    fields: set[Any] = {
        field for one in DEFINITIONS for field in one.fields if field.base_resolver is None
    }

    assert len(fields) > 1000
    early = [field for field in fields if not isinstance(field, LateField)]
    assert not [f"{inspect.getmodule(one.origin)} {one.python_name}" for one in early]
