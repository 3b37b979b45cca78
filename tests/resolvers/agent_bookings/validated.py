"""Stage 2 in two steps, as in the worker."""

from uuid import UUID

from resolvers.agent_bookings.validating import ClaimWaiting, Validate, take_up, validate
from resolvers.outcomes import Outcome
from tests.resolvers.world import World


async def taken_up(world: World, *, most: int = 100, lease_seconds: float = 60) -> list[Validate]:
    """Claim all waiting bookings; return the commands with their results."""
    of = world.viewer.organization_id
    ask = ClaimWaiting(organization_id=of, most=most, lease_seconds=lease_seconds)
    [outcome] = await world.storage.write(take_up, [ask])
    assert isinstance(outcome, Outcome)
    return [
        Validate(organization_id=UUID(of), booking_id=UUID(key), lease=UUID(lease))
        for of, key, lease in outcome.facts["taken"]
    ]


async def validated(world: World) -> list[Outcome]:
    """Claim and validate all waiting bookings."""
    outcomes = await world.storage.write(validate, await taken_up(world))
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
