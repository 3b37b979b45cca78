"""The places taken on the start dates of offers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import OfferPlace, ProductOffer, columns
from resolvers.storage.unit_of_work import UnitOfWork

Place = tuple[UUID, date]
"""An offer and one of its start dates."""

Booked = tuple[UUID, UUID]
"""An organization and a booking in it."""


class Places:
    """The places taken at the locked offers of a batch, updated during the batch."""

    def __init__(
        self, work: UnitOfWork, offers: Sequence[ProductOffer], bookings: Iterable[Booked]
    ) -> None:
        self._work = work
        self._taken = _counted(work, offers)
        self._of: dict[UUID, set[Place]] = {}
        for row in loading.of_keys(work, OfferPlace, "booking_id", bookings):
            self._of.setdefault(row.booking_id, set()).add((row.offer_id, row.starts_on))

    def free(self, offer: ProductOffer, day: date, booking_id: UUID) -> int | None:
        """The number of places left for a booking, including its own.

        None means unlimited. An offer above its capacity has no places.
        """
        if offer.capacity is None:
            return None
        own = (offer.id, day) in self._of.get(booking_id, set())
        return max(0, offer.capacity - self._taken[offer.id, day] + own)

    def take(self, booked: Booked, places: Iterable[Place]) -> None:
        """Set the places of a booking."""
        before, now = self._of.get(booked[1], set()), set(places)
        self._work.delete(OfferPlace, [_columns(booked, place) for place in sorted(before - now)])
        self._work.insert(
            OfferPlace,
            [new_row(OfferPlace, **_columns(booked, place)) for place in sorted(now - before)],
        )
        self._taken.subtract(before - now)
        self._taken.update(now - before)
        self._of[booked[1]] = now


def _columns(booked: Booked, place: Place) -> dict[str, Any]:
    return {
        "organization_id": booked[0],
        "offer_id": place[0],
        "starts_on": place[1],
        "booking_id": booked[1],
    }


def _counted(work: UnitOfWork, offers: Sequence[ProductOffer]) -> Counter[Place]:
    limited = [offer for offer in offers if offer.capacity is not None]
    if not limited:
        return Counter()
    c = columns(OfferPlace)
    read: Read[Any] = Read(
        "places taken",
        lambda _: (
            sa.select(c.offer_id, c.starts_on, sa.func.count().label("taken"))
            .where(one_of(c.organization_id, "organizations"), one_of(c.offer_id, "offers"))
            .group_by(c.offer_id, c.starts_on)
        ),
        {
            "organizations": list({offer.organization_id for offer in limited}),
            "offers": [offer.id for offer in limited],
        },
    )
    return Counter({(row.offer_id, row.starts_on): row.taken for row in work.rows(read)})
