"""`frozen` makes what `dataclass(frozen=True, slots=True)` makes, with less work at import."""

import ast
import copy
import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolvers.values import frozen

ROOT = Path(__file__).parents[2]
PACKAGES = ("resolvers", "schema", "gateway", "demo")


def seat_class(decorate: Callable[[type], type]) -> Any:
    class Seat:
        """One of each kind of field."""

        room: str
        number: int = 1
        tags: list[str] = dataclasses.field(default_factory=list)
        note: str | None = dataclasses.field(default=None, compare=False, repr=False)

    return decorate(Seat)


STANDARD = seat_class(dataclasses.dataclass(frozen=True, slots=True))
OWN = seat_class(frozen)


@frozen(kw_only=True)
class Named:
    name: str
    at: int = 0


@frozen
class Checked:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


@frozen
class CheckedTwice(Checked):
    other: int = 2


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [(("A",), {}), (("A", 2, ["x"], "n"), {}), (("A",), {"tags": ["y"], "number": 3})],
)
def test_instances_equal_those_of_a_dataclass(arguments: tuple[Any, ...], keywords: dict[str, Any]):
    own, standard = OWN(*arguments, **keywords), STANDARD(*arguments, **keywords)

    assert dataclasses.asdict(own) == dataclasses.asdict(standard)
    assert repr(own) == repr(standard)
    assert OWN.__match_args__ == STANDARD.__match_args__
    assert OWN.__slots__ == STANDARD.__slots__


@pytest.mark.parametrize("seat", [STANDARD, OWN])
def test_only_compared_fields_count(seat: Any):
    assert seat("A", tags=()) == seat("A", 1, (), "a note")
    assert hash(seat("A", tags=())) == hash(seat("A", 1, (), "a note"))
    assert seat("A") != seat("A", 2)
    assert seat("A") != ("A", 1, [], None)
    with pytest.raises(TypeError, match="unhashable"):
        hash(seat("A"))


def test_instances_of_different_classes_differ():
    assert STANDARD("A") != OWN("A")


def test_each_instance_has_a_list_of_its_own():
    assert OWN("A").tags is not OWN("A").tags


@pytest.mark.parametrize("arguments", [(), ("A", 1, [], None, "more")])
def test_wrong_arguments_name_the_class(arguments: tuple[Any, ...]):
    for seat in (STANDARD, OWN):
        with pytest.raises(TypeError, match=r"Seat\.__init__\(\)"):
            seat(*arguments)


def test_fields_cannot_change():
    seat = OWN("A")

    with pytest.raises(dataclasses.FrozenInstanceError):
        seat.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del seat.number
    with pytest.raises(dataclasses.FrozenInstanceError):
        seat.unknown = 2
    assert seat.number == 1


def test_a_copy_can_have_another_value():
    assert dataclasses.replace(OWN("A"), number=2) == OWN("A", 2)


def test_an_instance_can_be_sent_to_another_process():
    """As the settings are: `serve --processes` pickles them."""
    for value in (Named(name="A", at=2), CheckedTwice(1)):
        for same in (pickle.loads(pickle.dumps(value)), copy.copy(value)):
            assert same == value
            assert hash(same) == hash(value)


def test_fields_can_be_given_by_name_only():
    assert Named(at=1, name="x") == Named(name="x", at=1)
    with pytest.raises(TypeError):
        Named("x")  # type: ignore[misc]


def test_a_subclass_has_the_fields_and_the_check_of_its_base():
    assert CheckedTwice(1) == CheckedTwice(1, 2)
    assert CheckedTwice(1) != Checked(1)
    with pytest.raises(ValueError, match="negative"):
        CheckedTwice(-1)


def test_value_classes_are_declared_with_frozen():
    """`dataclass(frozen=True, slots=True)` would add its compilations to every start again."""
    assert not [
        f"{file.relative_to(ROOT)}:{decorator.lineno}"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass(frozen=True, slots=True")
    ]
