"""The printed contract explains itself."""

from collections.abc import Iterator
from typing import Any

from graphql import is_enum_type, is_input_object_type, is_interface_type, is_object_type


def undescribed(schema: Any) -> Iterator[str]:
    for name, kind in schema._schema.type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description and name not in {"Boolean", "Float", "ID", "Int", "String"}:
            yield name
        if is_enum_type(kind):
            yield from (f"{name}.{v}" for v, value in kind.values.items() if not value.description)
        if is_object_type(kind) or is_interface_type(kind) or is_input_object_type(kind):
            for field_name, field in kind.fields.items():
                if not field.description:
                    yield f"{name}.{field_name}"
                for argument, value in getattr(field, "args", {}).items():
                    if not value.description:
                        yield f"{name}.{field_name}({argument})"


def test_everything_is_described(schema):
    """Every type, field, argument, input field and enum value says what it means."""
    assert list(undescribed(schema)) == []
