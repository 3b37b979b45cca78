"""Listed actions succeed, and unlisted actions are refused; domain.md, section 8.2."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.actions import ActionContext, allowed
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.tables import Booking, Organization, Subject
from resolvers.viewer import EVERYTHING, NOTHING, Scope, Viewer, scope_of
from resolvers.vocabulary import BookingAction, CancellationReason, EnrolmentResult, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import (
    cancelling,
    granting,
    in_role,
    moving,
    paying,
    resulting,
    revoking,
)
from tests.resolvers.world import World, codes

A = BookingAction
CUT_OFF = timedelta(minutes=60)
MAY_BE_SAID = {
    "FORBIDDEN",
    "ILLEGAL_STATE",
    "CANCELLATION_CLOSED",
    "ACCOMMODATION_NOT_GRANTED",
    "NOT_FOUND",
}


@dataclass
class Place:
    """A booking, and the objects needed to move it."""

    world: World
    clock: SettableClock
    booked: UUID
    start: Any
    elsewhere: UUID
    centre: UUID
    subject: UUID
    candidate: UUID
    viewers: list[Viewer] = field(default_factory=list)


async def _starts(place: Place, after: timedelta) -> None:
    place.clock.now = place.start + after


async def _pays(place: Place) -> None:
    await place.world.made(record_payments, await paying(place.world, place.booked))


async def unpaid(place: Place) -> None: ...


async def at_the_deadline(place: Place) -> None:
    place.clock.now += timedelta(hours=24)


async def overdue(place: Place) -> None:
    place.clock.now += timedelta(hours=24, microseconds=1)


async def expired(place: Place) -> None:
    await overdue(place)
    await place.world.one(expire_due, ExpireDue())


async def before_the_cut_off(place: Place) -> None:
    await _pays(place)
    await _starts(place, -CUT_OFF)


async def after_the_cut_off(place: Place) -> None:
    await _pays(place)
    await _starts(place, timedelta(microseconds=1) - CUT_OFF)


async def started(place: Place) -> None:
    await _pays(place)
    await _starts(place, timedelta())


async def completed(place: Place) -> None:
    await _pays(place)
    await place.world.made(assign_results, resulting(place.world, place.booked))


async def absent(place: Place) -> None:
    await started(place)
    reason = CancellationReason.ABSENT
    await place.world.made(cancel, cancelling(place.world, place.booked, reason=reason))


async def cancelled(place: Place) -> None:
    await place.world.made(cancel, cancelling(place.world, place.booked))


BEFORE = {A.MOVE, A.CANCEL, A.GRANT_ACCOMMODATION, A.REVOKE_ACCOMMODATION}
SITUATIONS: dict[Callable[[Place], Awaitable[None]], set[BookingAction]] = {
    unpaid: BEFORE,
    at_the_deadline: BEFORE,
    overdue: set(),
    expired: set(),
    before_the_cut_off: {*BEFORE, A.ASSIGN_RESULT},
    after_the_cut_off: {*BEFORE, A.ASSIGN_RESULT} - {A.CANCEL},
    started: {*BEFORE, A.ASSIGN_RESULT} - {A.MOVE},
    completed: {A.ASSIGN_RESULT},
    absent: set(),
    cancelled: set(),
}
"""An administrator's actions in each state, with an accommodation to revoke."""

Asked = tuple[Any, Any]


def ways(place: Place, viewer: Viewer) -> dict[BookingAction, list[Asked]]:
    """Return the inputs with which each action might succeed."""
    world, booked = place.world, place.booked
    reasons = (CancellationReason.ILLNESS, CancellationReason.ABSENT)
    as_viewer: dict[str, Any] = {"viewer": viewer}
    return {
        A.MOVE: [(move, moving(world, booked, to_event=place.elsewhere, **as_viewer))],
        A.CANCEL: [
            (cancel, cancelling(world, booked, reason=reason, **as_viewer)) for reason in reasons
        ],
        A.GRANT_ACCOMMODATION: [(grant, granting(world, booked, "reader", **as_viewer))],
        A.REVOKE_ACCOMMODATION: [(revoke, revoking(world, booked, **as_viewer))],
        A.ASSIGN_RESULT: [
            (assign_results, resulting(world, booked, result, **as_viewer))
            for result in EnrolmentResult
        ],
    }


async def tried(place: Place, asked: Asked) -> Outcome | Refused:
    """Return a command's result, and undo it."""
    run, command = asked

    def and_undone(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome | Refused]:
        with work.trial():
            results: list[Outcome | Refused] = run(work, commands)
        return results

    return await place.world.one(and_undone, command)


async def listed(place: Place, viewer: Viewer) -> set[BookingAction]:
    """Return the viewer's `allowedActions`."""
    row: Booking = await place.world.row(place.booked)
    [settings] = await place.world.rows(Organization, "id", row.organization_id)
    situation = ActionContext(row, settings, place.clock.now)
    return set(allowed(kind_of(row).transitions, situation, viewer))


@pytest.fixture
async def place(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID, insert: Any
) -> Place:
    """An unpaid booking in a week at a test of a subject, and the same test in a month."""
    await world.made(
        update_settings,
        UpdateSettings(viewer=world.viewer, cancel_cut_off_minutes=CUT_OFF // timedelta(minutes=1)),
    )
    subject = await insert(Subject, reference="S1", name="S1", search_text="")
    test = await world.test("T", subject=ByKey(subject.id))
    start = world.tomorrow(10) + timedelta(days=7)
    event, elsewhere = [
        await world.event(centre=centre, room=room, test=test, start_at=at)
        for at in (start, start + timedelta(days=30))
    ]
    terms = PaymentTerms(amount=Decimal("40.00"), currency="GBP")
    booked = await world.booked(candidate, event, payment=terms)
    place = Place(world, clock, booked, start, elsewhere, centre, subject.id, candidate)
    place.viewers = [in_role(world, role, scope) for role in Role for scope in scopes(place, role)]
    return place


def scopes(place: Place, role: Role) -> list[Scope]:
    """Scopes: unrestricted, with the booking, with other places, and empty."""
    others = frozenset({uuid4()})
    here = scope_of(
        role,
        centres=frozenset({place.centre}),
        subjects=frozenset({place.subject}),
        candidate=place.candidate,
    )
    there = scope_of(role, centres=others, subjects=others, candidate=uuid4())
    return [EVERYTHING, here, there, NOTHING]


@pytest.mark.parametrize("with_some", [True, False], ids=["granted", "none granted"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
async def test_allowed_actions_and_commands_agree(
    place: Place, situation: Callable[[Place], Awaitable[None]], with_some: bool
) -> None:
    """For each role and scope, listed actions succeed and others are refused with the right code.

    A repeat that changes nothing is neither listed nor refused.
    """
    if with_some:
        await place.world.made(grant, granting(place.world, place.booked))
    await situation(place)

    for viewer in place.viewers:
        may = await listed(place, viewer)
        for action, asked in ways(place, viewer).items():
            results = [await tried(place, one) for one in asked]
            done = any(isinstance(result, Outcome) and result.changed for result in results)
            assert done == (action in may), (viewer.key, action, results)
            if not done:
                assert {code for r in results for code in codes(r)} <= MAY_BE_SAID, results


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
async def test_what_an_administrator_may_do(
    place: Place, situation: Callable[[Place], Awaitable[None]]
) -> None:
    """The actions match the table of states in domain.md."""
    await place.world.made(grant, granting(place.world, place.booked))
    await situation(place)

    assert await listed(place, place.world.viewer) == SITUATIONS[situation]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.ADMIN, {*BEFORE, A.ASSIGN_RESULT}),
        (Role.SCHEDULER, {*BEFORE, A.ASSIGN_RESULT}),
        (Role.CENTRE_STAFF, BEFORE),
        (Role.INVIGILATOR, set()),
        (Role.MARKER, {A.ASSIGN_RESULT}),
        (Role.AGENT, set()),
        (Role.CANDIDATE, {A.CANCEL}),
    ],
)
async def test_what_each_role_may_do_with_a_booking_of_theirs(
    place: Place, role: Role, expected: set[BookingAction]
) -> None:
    """Each role has the state's actions that its permissions cover; an agent has none."""
    await place.world.made(grant, granting(place.world, place.booked))
    await before_the_cut_off(place)
    here = scopes(place, role)[1]

    assert await listed(place, in_role(place.world, role, here)) == expected


async def test_repeats_are_neither_listed_nor_refused(place: Place) -> None:
    """Cancelling again and moving to the same place succeed and change nothing."""
    world, booked = place.world, place.booked
    event = (await world.row(booked)).event_id
    await place.world.made(grant, granting(place.world, place.booked))
    await started(place)

    same_place = await tried(place, (move, moving(world, booked, to_event=event)))
    reason = CancellationReason.ABSENT
    await world.made(cancel, cancelling(world, booked, reason=reason))
    again = await tried(place, (cancel, cancelling(world, booked)))

    for result in (same_place, again):
        assert isinstance(result, Outcome)
        assert not result.changed
