"""What bookings of every kind are asked alike, and each kind answers for itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.bookings.actions import Table
from resolvers.storage.tables import Booking
from resolvers.vocabulary import BookingKind


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind's table of transitions, and its values for the log.

    A booking that `follows_event` has its place and its times from its event alone.
    """

    transitions: Table
    facts: Callable[[Booking], Mapping[str, Any]]
    follows_event: bool = False


KINDS: dict[BookingKind, Kind] = {}
"""Filled by `resolvers.every_kind`, which knows the kinds; what all of them share does not."""


def kind_of(booking: Booking) -> Kind:
    return KINDS[booking.kind]
