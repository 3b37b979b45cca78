"""Cancels the details of agent bookings: no revision stays in force, and places become free."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.agent_bookings.facts import detail_facts
from resolvers.agent_bookings.places import Places
from resolvers.bookings import loading
from resolvers.leases import NOT_LEASED
from resolvers.storage.rows import changed
from resolvers.storage.tables import AgentBooking, Booking
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import AgentBookingStatus


class CancellingAgentBookings:
    """The details of locked agent bookings, some of which are cancelled."""

    def __init__(self, work: UnitOfWork, bookings: Sequence[Booking]) -> None:
        self._work = work
        keys = [(booking.organization_id, booking.id) for booking in bookings]
        self._details: dict[UUID, AgentBooking] = loading.lock(work, AgentBooking, keys)
        self._places = Places(work, (), keys)

    def cancel(self, booking: Booking) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take the booking out of force. Returns its facts before and after."""
        before = self._details[booking.id]
        after = changed(
            before, status=AgentBookingStatus.CANCELLED, confirmed_revision=None, **NOT_LEASED
        )
        self._details[booking.id] = after
        self._work.save(AgentBooking, [(before, after)])
        self._places.take((booking.organization_id, booking.id), ())
        return detail_facts(before), detail_facts(after)
