"""Maps the fields of commands to paths in the caller's input; derived from the inputs.

A refusal names a field of its command, such as `("payment", "due_by")`. The caller sent an input,
and receives `["input", "payment", "dueBy"]`. The field for a name of the command is, in this order,

- the one in the declaration of the input (`names`);
- the input's field of the same name;
- its field with the global id or the global ids: `eventId` for `event`, `centreIds` for `centres`;
- a field in a part whose fields are the command's own (`inlines`).

A path ends where the input has no field for the name.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from strawberry.types.base import StrawberryContainer, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from schema.grammar.declaring import command_names

INPUT: Final = "input"
"""The argument of every mutation; no command has a field of this name."""

Path = tuple[str, ...]

INPUTS: Final[list[Any]] = []
"""The inputs of the mutations, in their order; the package fills the list once."""


def sent_path(sent: Any, path: Sequence[str]) -> Path:
    """Return the path of a command's field in the input that was sent, starting with the argument.

    A path that starts with the argument is unchanged: a result that was stored under an idempotency
    key has the paths of its first response.
    """
    if path and path[0] == INPUT:
        return tuple(path)
    return (INPUT, *_inside(type(sent), sent, tuple(path)))


def kept_path(path: Sequence[str]) -> Path:
    """Return the path of a command's field for a warning that is stored without its input.

    For the fields that warnings of the history name, all inputs have the same path.
    """
    if not path or path[0] == INPUT:
        return tuple(path) or (INPUT,)
    declared = next((one for one in INPUTS if has_field(one, path)), None)
    return (INPUT, *_inside(declared, None, tuple(path)))


def has_field(declared: type, path: Sequence[str]) -> bool:
    """Whether an input has every field of a command's path."""
    name, *rest = (name for name in path if not name.isdigit())
    steps = _steps(declared, name)
    if steps is None:
        each = command_names(declared).each
        element = None if each is None else _part(declared, (each,))
        return element is not None and has_field(element, path)
    if not rest:
        return True
    part = _part(declared, steps)
    return part is not None and has_field(part, rest)


def _inside(declared: type | None, sent: Any, path: Path) -> Path:
    """Return a path inside an input of a type; `sent` is None if none was sent."""
    if declared is None:
        return ()
    definition = get_object_definition(declared, strict=True)
    options = command_names(declared)
    if definition.is_one_of and options.inlines:
        return _chosen(options.inlines, declared, sent, path)
    if not path:
        return ()
    if path[0].isdigit():
        return () if options.each is None else _field(declared, sent, options.each, path)
    steps = _steps(declared, path[0])
    if steps is None:
        return ()
    return _along(declared, sent, steps, path[1:])


def _along(declared: type, sent: Any, steps: Path, rest: Path) -> Path:
    """Return a path through nested inputs; `rest` continues it inside the innermost."""
    first, *inner = steps
    if not inner:
        return _field(declared, sent, first, rest)
    part = _part(declared, (first,))
    assert part is not None, "only an input has fields"
    name = _graphql_name(_fields(declared)[first])
    return (name, *_along(part, getattr(sent, first, None), tuple(inner), rest))


def _field(declared: type, sent: Any, name: str, rest: Path) -> Path:
    """Return a path through a field and the index of its element; `rest` continues it."""
    field, value = _fields(declared)[name], getattr(sent, name, None)
    index: Path = ()
    if rest and rest[0].isdigit():
        index, rest = rest[:1], rest[1:]
        elements = value if isinstance(value, list) else []
        value = next(iter(elements[int(index[0]) :]), None)
    return (_graphql_name(field), *index, *_inside(_input_in(field), value, rest))


def _chosen(members: Sequence[str], declared: type, sent: Any, path: Path) -> Path:
    """Return the path through the member that was sent, of members that exclude each other.

    If it is unknown which one was sent, return the path through one that has the field.
    """
    for name in members:
        if get_object_definition(type(getattr(sent, name, None))) is not None:
            return _field(declared, sent, name, path)
    steps = _steps(declared, path[0]) if path else None
    return () if steps is None else _along(declared, sent, steps, path[1:])


def _steps(declared: type, name: str) -> Path | None:
    """Return the fields that lead to a command's field; None if the input has no such field."""
    return next(_places(declared, name), None)


def _places(declared: type, name: str) -> Iterator[Path]:
    options, fields = command_names(declared), _fields(declared)
    if name in options.names:
        yield tuple(options.names[name].split("."))
    candidates = (name, f"{name}_id", f"{name.removesuffix('s')}_ids")
    yield from ((known,) for known in candidates if known in fields)
    for part in options.inlines:
        inside = _input_in(fields[part])
        if inside is not None and (steps := _steps(inside, name)) is not None:
            yield (part, *steps)


def _part(declared: type, steps: Path) -> type | None:
    """Return the input type of the last of the fields; None for a plain value."""
    part: type | None = declared
    for name in steps:
        assert part is not None, "only an input has fields"
        part = _input_in(_fields(part)[name])
    return part


@cache
def _fields(declared: type) -> Mapping[str, StrawberryField]:
    definition = get_object_definition(declared, strict=True)
    return {field.python_name: field for field in definition.fields}


def _graphql_name(field: StrawberryField) -> str:
    return field.graphql_name or to_camel_case(field.python_name)


def _input_in(field: StrawberryField) -> type | None:
    """Return the input type of a field, optional or in a list; None for plain values."""
    held: Any = field.type
    while isinstance(held, StrawberryContainer):
        held = held.of_type
    definition = get_object_definition(held)
    return held if definition is not None and definition.is_input else None
