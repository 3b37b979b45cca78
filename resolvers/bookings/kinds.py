"""The operations that bookings of every kind share, and each kind's definition of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from resolvers.bookings.actions import Table
from resolvers.references import ByKey, Ref
from resolvers.refusals import NotFoundRefusal
from resolvers.storage.tables import Booking
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind, Permission

Facts = Mapping[str, Any]


class CancellationDetails(Protocol):
    """A kind's details of bookings, while a batch cancels some of them."""

    def cancel(self, booking: Booking) -> tuple[Facts, Facts]:
        """Write the other changes of a cancellation. Returns the facts before and after."""


@frozen
class KindDefinition:
    """A kind's table of transitions, its values for the log, and how it differs from others.

    A booking that `follows_event` has its place and its times from its event alone. One that
    `lasts_weeks` never conflicts with other bookings. `personal` has, by field, the parts of its
    value that require VIEW_PII. `cancelling` is called with the locked bookings that a batch may
    cancel; None if the kind has no details to change. `missing` is the refusal if there is no such
    booking.
    """

    transitions: Table
    facts: Callable[[Booking], Facts]
    follows_event: bool = False
    lasts_weeks: bool = False
    personal: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cancelling: Callable[[UnitOfWork, Sequence[Booking]], CancellationDetails] | None = None
    missing: type[NotFoundRefusal] = NotFoundRefusal


KINDS: dict[BookingKind, KindDefinition] = {}
"""Filled by `resolvers.every_kind`, which knows the kinds; this package does not."""


def kind_of(booking: Booking) -> KindDefinition:
    return KINDS[booking.kind]


def missing_of(ref: Ref) -> type[NotFoundRefusal]:
    """Return the not-found refusal of the kind in the global id, for commands that accept every
    kind.

    The id alone decides, so the refusal does not reveal whether the booking exists.
    """
    type_name = ref.type_name if isinstance(ref, ByKey) else None
    kinds = (kind for name, kind in KINDS.items() if name.type_name == type_name)
    return next((kind.missing for kind in kinds), NotFoundRefusal)


def masked(kind: BookingKind, facts: Facts | None, viewer: Viewer) -> Facts | None:
    """Return a booking's facts for a viewer: without VIEW_PII, personal data is null."""
    personal = KINDS[kind].personal
    if facts is None or viewer.may(Permission.VIEW_PII) or not personal.keys() & facts.keys():
        return facts
    return {name: _without(value, personal.get(name)) for name, value in facts.items()}


def _without(value: Any, personal: frozenset[str] | None) -> Any:
    if not personal or value is None:
        return value
    return {name: None if name in personal else part for name, part in value.items()}
