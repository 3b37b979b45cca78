"""Refusals as JSON, for results that are stored under an idempotency key.

The stored form is what `errors` of a payload shows, not the class: it may be read by a version of
the gateway that words a refusal differently, or no longer has it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from resolvers.refusals import (
    CapacityRefusal,
    ConflictRefusal,
    InputRefusal,
    NotFoundRefusal,
    PermissionRefusal,
    PolicyRefusal,
    Refusal,
    Refused,
    StateRefusal,
)
from resolvers.vocabulary import (
    AccessScope,
    BookingAction,
    BookingStatus,
    ErrorCode,
    EventStatus,
    Permission,
    RuleOverride,
)


def _as_it_is(value: Any) -> Any:
    return value


def _each(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: tuple(read(value) for value in values)


SHOWN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "code": ErrorCode,
    "message": _as_it_is,
    "path": tuple,
    "http_status": _as_it_is,
    "override": RuleOverride,
}
SHOWN_OF: Final[Mapping[type[Refusal], Mapping[str, Callable[[Any], Any]]]] = {
    InputRefusal: {
        "field_name": _as_it_is,
        "min_length": _as_it_is,
        "max_length": _as_it_is,
        "allowed_values": tuple,
    },
    NotFoundRefusal: {"object_type": _as_it_is, "identifier": _as_it_is},
    CapacityRefusal: {"capacity": _as_it_is, "taken": _as_it_is},
    ConflictRefusal: {"conflicting": _each(UUID)},
    StateRefusal: {
        "status": BookingStatus,
        "event_status": EventStatus,
        "version": _as_it_is,
        "allowed": _each(BookingAction),
        "booking": UUID,
    },
    PolicyRefusal: {"setting": _as_it_is, "deadline": datetime.fromisoformat},
    PermissionRefusal: {"required": Permission, "missing_scope": AccessScope},
}
"""The stored facts of each family of refusals, with their readers; null stays null."""


def refused_to_json(refused: Refused) -> list[dict[str, Any]]:
    return [_to_json(refusal) for refusal in refused.refusals]


def refused_from_json(kept: list[dict[str, Any]]) -> Refused:
    """Return the refusals of one command, with the same data as the stored ones."""
    return Refused([_from_json(one) for one in kept])


def _to_json(refusal: Refusal) -> dict[str, Any]:
    family = next(family for family in SHOWN_OF if isinstance(refusal, family))
    names = [*SHOWN, *SHOWN_OF[family]]
    return {"family": family.__name__, **{name: _plain(getattr(refusal, name)) for name in names}}


def _plain(value: Any) -> Any:
    """Return a value in its JSON form; enums are texts already."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _from_json(kept: Mapping[str, Any]) -> Refusal:
    family, kind = _KEPT[kept["family"]]
    readers = {**SHOWN, **SHOWN_OF[family]}
    refusal: Refusal = kind()
    for name, read in readers.items():
        value = kept.get(name)  # an earlier version stored fewer facts
        refusal.__dict__[name] = None if value is None else read(value)
    return refusal


def _kept_kind(family: type[Refusal]) -> Any:
    """Return a subclass of a family whose members have attributes in place of the properties."""

    def __init__(self: Refusal) -> None:  # noqa: N807 - of the class that is made
        Exception.__init__(self)

    properties = {"message": "", "field_name": ""}
    return type(f"Kept{family.__name__}", (family,), {"__init__": __init__, **properties})


_KEPT: Final[Mapping[str, tuple[type[Refusal], Any]]] = {
    family.__name__: (family, _kept_kind(family)) for family in SHOWN_OF
}
