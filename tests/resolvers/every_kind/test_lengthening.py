"""Extra time and the seats of a room; domain.md, section 8.4."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import BookRegistration, ChangeAssessment
from resolvers.tests.forms import Form
from resolvers.vocabulary import AccommodationScope, ConflictPolicy
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, granting, revoking, warned
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

HALF_AN_HOUR = 30


@pytest.fixture
async def two_hours(world: World, centre: UUID) -> tuple[UUID, UUID]:
    """An event from ten to eleven and one from eleven to twelve, in a room with one seat."""
    cell = await world.room(centre, "Cell", capacity=1)
    first = await world.event(centre=centre, room=cell)
    return first, await world.event(centre=centre, room=cell, start_at=world.tomorrow(11))


async def extended(world: World, booking: UUID, minutes: int = HALF_AN_HOUR, **values: Any) -> Any:
    command = granting(world, booking, time_extension_minutes=minutes, **values)
    return await world.one(grant, command)


async def test_extra_time_without_a_seat_is_granted_with_a_warning_that_the_change_records(
    world: World, two_hours: tuple[UUID, UUID]
) -> None:
    """If the next candidate has the seat, extra time is granted with a recorded warning; revoking
    it adds none.
    """
    one, other = await world.candidates(2)
    booked = await world.booked(one, two_hours[0])
    await world.booked(other, two_hours[1])

    outcome = await extended(world, booked)
    back = await world.one(revoke, revoking(world, booked))

    assert (warned(outcome), warned(back)) == (["ROOM_FULL"], [])
    granted, revoked = (await world.changes())[-2:]
    text = "The room has more bookings than seats in the added time."
    assert granted.warnings == [["ROOM_FULL", text, []]]
    assert revoked.warnings is None


async def test_only_the_added_time_is_asked_about(
    world: World, centre: UUID, two_hours: tuple[UUID, UUID]
) -> None:
    """Only the added time is checked: seats before, after, in other rooms and of lapsed bookings do
    not matter.
    """
    hall = await world.room(centre, "Hall", capacity=2)
    one, two, three, four = await world.candidates(4)
    booked = await world.booked(one, two_hours[0])
    start = world.tomorrow(10)
    later = await world.event(centre=centre, room=hall, start_at=start + timedelta(minutes=90))
    beside = await world.event(centre=centre, room=hall, start_at=start)
    in_hall = await world.booked(two, beside)
    await world.booked(three, beside)
    await world.booked(four, later)

    outcomes = [
        await extended(world, booked),
        await extended(world, in_hall),
        await extended(world, in_hall, 90),
    ]

    assert [warned(outcome) for outcome in outcomes] == [[], [], []]


async def test_a_lapsed_booking_holds_no_seat_against_extra_time(
    world: World, clock: SettableClock, two_hours: tuple[UUID, UUID]
) -> None:
    """Overdue bookings in the room expire before its seats are counted."""
    one, other = await world.candidates(2)
    booked = await world.booked(one, two_hours[0])
    due = clock.now + timedelta(hours=1)
    await world.booked(other, two_hours[1], payment=PaymentTerms(amount=Decimal("40"), due_by=due))

    clock.now = due + timedelta(seconds=1)
    outcome = await extended(world, booked)

    assert warned(outcome) == []
    assert await world.booking_changes() == [
        *("CREATED", "CREATED", "EXPIRED", "ACCOMMODATION_GRANTED")
    ]


async def test_another_form_may_lengthen_breaks_beyond_the_seats(
    world: World, two_hours: tuple[UUID, UUID]
) -> None:
    """A percentage of the new form's breaks is checked like a grant."""
    short = await world.test("SHORT", forms=(Form(code="S", name="S"),))
    long = await world.test("LONG", break_minutes=60, forms=(Form(code="L", name="L"),))
    one, other = await world.candidates(2)
    [registered] = await world.storage.write(
        register,
        [
            BookRegistration(
                viewer=world.viewer,
                registration=uuid4(),
                target=ByKey(two_hours[0]),
                candidate=ByKey(one),
                test_form="S",
            )
        ],
    )
    assert isinstance(registered, Outcome), registered
    await world.booked(other, two_hours[1])
    shares = {"extra_time_percentage": 50, "scope": AccommodationScope.BREAK_TIME}
    granted = await world.one(grant, granting(world, registered.subject, **shares))

    command = ChangeAssessment(
        viewer=world.viewer, registration=ByKey(registered.subject), test_form="L"
    )
    changed = await world.one(change_assessments, command)

    assert (short == long, warned(granted), warned(changed)) == (False, [], ["ROOM_FULL"])
    assert (await world.changes())[-1].warnings[0][0] == "ROOM_FULL"


async def test_statements_do_not_grow_with_the_grants(world: World, centre: UUID) -> None:
    """The number of statements does not grow with the grants."""
    settings = UpdateSettings(viewer=world.viewer, conflict_policy=ConflictPolicy.ALLOW)
    await world.one(update_settings, settings)
    hall = await world.room(centre, "Hall", capacity=60)
    events = [await world.event(centre=centre, room=hall) for _ in range(4)]
    people = await world.candidates(52)
    bookings = [await world.booked(who, events[n % 4]) for n, who in enumerate(people)]
    statements = Statements()

    def grants(keys: list[UUID]) -> list[Any]:
        return [granting(world, key, time_extension_minutes=5) for key in keys]

    few = await statements.needed(world, grant, grants(bookings[:2]))
    many = await statements.needed(world, grant, grants(bookings[2:]))

    assert few == many
