"""The checks of `booking-gateway doctor`: whether counters match the bookings."""

from typing import Final

from gateway.settings import Settings
from resolvers.bookings.recounting import (
    CORRECTED,
    RepairSeats,
    described,
    miscounted,
    repair_seats,
)
from resolvers.notifications import outbox
from resolvers.organizations.reads import every_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, storage_at
from resolvers.storage.tables import Organization

SECONDS: Final = 3_600.0
"""The timeout of a statement, which reads every booking of an organization."""


async def miscounted_seats(settings: Settings, *, repair: bool) -> list[str]:
    """The seat counters that differ from their bookings, one line for each.

    With `repair`, the counters are corrected.
    """
    storage = storage_at(settings.database_url, outbox.fill, statement_seconds=SECONDS)
    try:
        await storage.open()
        return [
            f"{organization.name}: {difference}"
            for organization in await storage.read(every_organization())
            for difference in await _differences(storage, organization, repair=repair)
        ]
    finally:
        await storage.close()


async def _differences(storage: Storage, organization: Organization, *, repair: bool) -> list[str]:
    if not repair:
        reads = miscounted(organization.id)
        return [described(row) for read in reads for row in await storage.read(read)]
    [outcome] = await storage.write(repair_seats, [RepairSeats(organization.id)])
    assert isinstance(outcome, Outcome)
    corrected: list[str] = outcome.facts[CORRECTED]
    return corrected
