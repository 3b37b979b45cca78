"""Immutable value classes whose methods are compiled at their first use.

`dataclasses.dataclass` compiles six methods for each frozen class when its module is imported. A
start imports 200 value classes and instantiates few of them before the first response.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

T = TypeVar("T")

_FACTORY = object()
"""The default of a parameter whose value is made by a factory."""


@overload
def frozen(cls: type[T], /) -> type[T]: ...


@overload
def frozen(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(
    cls: type[Any] | None = None, /, *, kw_only: bool = False
) -> type[Any] | Callable[[type[Any]], type[Any]]:
    """Make a class a dataclass, as `dataclass(frozen=True, slots=True)` does.

    The first call of the class compiles `__init__`, `__eq__` and `__hash__` together. Fields with
    `init=False` and `InitVar` are not supported; `dataclasses.replace`, `copy` and `pickle` are.
    """
    if cls is None:
        return lambda decorated: _frozen(decorated, kw_only)
    return _frozen(cls, kw_only)


def _frozen(cls: type[Any], kw_only: bool) -> type[Any]:
    made = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)

    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        for method in _compiled(made):
            setattr(made, method.__name__, method)
        made.__init__(self, *args, **kwargs)

    methods = {
        "__init__": initialize,
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
    }
    for name, method in methods.items():
        setattr(made, name, method)
    return made


def _compiled(cls: type[Any]) -> list[Callable[..., Any]]:
    """Return `__eq__`, `__hash__` and `__init__` of a class, over its fields.

    `__init__` is the last: another thread must not compare instances without the other two.
    """
    names: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
    text = "\n".join([*_initializer(cls, names), *_comparison(cls)])
    exec(text, names)  # noqa: S102 - made of the names of fields in our own classes
    methods = [names["__eq__"], names["__hash__"], names["__init__"]]
    for method in methods:
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
    return methods


def _initializer(cls: type[Any], names: dict[str, Any]) -> Iterator[str]:
    by_position = [_parameter(one, names) for one in fields(cls) if not one.kw_only]
    by_keyword = [_parameter(one, names) for one in fields(cls) if one.kw_only]
    parameters = ["self", *by_position, *(["*", *by_keyword] if by_keyword else [])]
    yield f"def __init__({', '.join(parameters)}):"
    for one in fields(cls):
        given = one.name
        if one.default_factory is not MISSING:
            given = f"_make_{one.name}() if {one.name} is _FACTORY else {one.name}"
        yield f"  _set(self, {one.name!r}, {given})"
    yield "  self.__post_init__()" if hasattr(cls, "__post_init__") else "  return"


def _parameter(one: Field[Any], names: dict[str, Any]) -> str:
    if one.default_factory is not MISSING:
        names[f"_make_{one.name}"] = one.default_factory
        return f"{one.name}=_FACTORY"
    if one.default is not MISSING:
        names[f"_default_{one.name}"] = one.default
        return f"{one.name}=_default_{one.name}"
    return one.name


def _comparison(cls: type[Any]) -> Iterator[str]:
    compared = [one.name for one in fields(cls) if one.compare]
    own, others = ("".join(f"{of}.{name}, " for name in compared) for of in ("self", "other"))
    yield "def __eq__(self, other):"
    yield "  if other.__class__ is not self.__class__: return NotImplemented"
    yield f"  return ({own}) == ({others})"
    yield "def __hash__(self):"
    yield f"  return hash(({own}))"


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: Any) -> tuple[Any, ...]:
    """Make `pickle` and `copy` call the class, which compiles the methods."""
    return _made, (type(self), {one.name: getattr(self, one.name) for one in fields(self)})


def _made(cls: type[Any], values: dict[str, Any]) -> Any:
    return cls(**values)


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot change the field {name!r} of {type(self).__qualname__}")
