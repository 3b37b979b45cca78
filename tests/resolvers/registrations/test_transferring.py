"""Transferring registrations, strict and lax; domain.md, 3.5 and 8.2."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import GrantAccommodation, grant
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.commands import ChangeAssessment
from resolvers.storage.tables import Accommodation, Event, Registration, RegistrationTransfer
from resolvers.tests.forms import Form
from resolvers.viewer import PERMISSIONS, Scope
from resolvers.vocabulary import (
    AccommodationScope,
    BookingStatus,
    CancellationReason,
    OnNoMatch,
    Role,
    RuleOverride,
)
from tests.resolvers.registrations.conftest import Lax, Register
from tests.resolvers.registrations.test_booking_registrations import done, refused
from tests.resolvers.world import World, codes


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(
        centre=centre, room=room, exam_type="Oral", exam_format="Live", billing_code="B9"
    )


@pytest.fixture
async def registered(register: Register, event: UUID) -> UUID:
    return done(await register(event)).subject


async def test_a_transfer_takes_the_new_seat_and_frees_the_old(
    world: World, centre: UUID, event: UUID, registered: UUID, move_to: Register
) -> None:
    """The form stays, the chain grows, and one TRANSFERRED change has the reason."""
    other = await world.event(centre=centre, start_at=world.tomorrow(14), capacity_maximum=1)
    [before] = await world.rows(Registration, "id", registered)

    outcome = done(await move_to(registered, other))

    row = await world.row(registered)
    assert (row.event_id, row.room_id, row.version) == (other, None, 2)
    assert (row.start_at, row.end_at) == (world.tomorrow(14), world.tomorrow(15))
    assert await world.rows(Registration, "id", registered) == [before]
    [moved] = await world.rows(RegistrationTransfer, "booking_id", registered)
    assert (moved.from_event_id, moved.to_event_id) == (event, other)
    assert moved.reason == "Ill on the day"
    assert outcome.facts == {"from": event.hex, "to": other.hex, "eventCreated": False}
    change = (await world.changes())[-1]
    assert (change.booking_type, change.reason) == ("TRANSFERRED", "Ill on the day")
    assert {"event", "times", "room"} <= set(change.changed_fields)


async def test_a_lax_transfer_makes_the_event_like_the_one_it_leaves(
    world: World, centre: UUID, registered: UUID, move_to: Register, lax: Lax
) -> None:
    """The call has no format or billing code, so the old event's are used."""
    later = world.tomorrow(16).isoformat()
    target = lax(start=later, exam_type="Written", exam_format=None, billing_code=None)

    outcome = done(await move_to(registered, target))

    [made] = await world.rows(Event, "id", UUID(outcome.facts["to"]))
    assert outcome.facts["eventCreated"] is True
    assert (made.exam_type, made.exam_format, made.billing_code) == ("Written", "Live", "B9")
    assert (await world.row(registered)).event_id == made.id


async def test_the_named_messages(
    world: World,
    centre: UUID,
    event: UUID,
    registered: UUID,
    register: Register,
    move_to: Register,
    lax: Lax,
) -> None:
    """Acceptance example 8 and the other errors are reported together, in the order of the
    checks.
    """
    other = await world.candidate("C2")
    bare = done(await register(event, candidate=other, test_form=None)).subject
    there = lax(start=world.tomorrow(10).isoformat(), exam_type=None)
    nowhere = lax(start=world.tomorrow(20).isoformat(), exam_type=None)
    unknown = {"registration": ByKey(uuid4())}

    at_event = await move_to(registered, there)
    everything = await move_to(bare, there)
    new_event = await move_to(registered, nowhere, reason="", candidate=ByReference("nobody"))
    unknown_one = await move_to(registered, lax(start="x", centre=None), **unknown)
    bodily = {"exam_format": None, "billing_code": None}  # [002] has neither in this body
    unknown_there = await move_to(registered, replace(nowhere, **bodily), **unknown)
    no_id = await move_to(registered, event, registration=Unreadable("Event:1", "is not one"))

    assert [(code, message) for code, message, _ in refused(at_event)] == [
        ("REGISTRATION_ALREADY_ASSIGNED_TO_EVENT", "Registration already assigned to event.")
    ]
    assert [message for _, message, _ in refused(everything)] == [
        "Learner does not belong to registration.",
        "Registration has no assessment form.",
        "Registration already assigned to event.",
    ]
    assert [(message, path) for _, message, path in refused(new_event)] == [
        ("Learner not found.", "candidate"),
        ("EventExamType not specified.", "target.exam_type"),
        ("A reason is required.", "reason"),
    ]
    assert [message for _, message, _ in refused(unknown_one)] == [
        "Registration not found.",
        "Invalid EventStartTime value.",
        "Venue not found.",
    ]
    assert [message for _, message, _ in refused(unknown_there)] == [
        "Registration not found.",
        "EventExamType not specified.",
    ]
    assert [message for _, message, _ in refused(no_id)] == ["Registration not found."]


async def test_an_enrolment_is_no_registration(
    world: World, centre: UUID, room: UUID, candidate: UUID, event: UUID, move_to: Register
) -> None:
    enrolled = await world.booked(candidate, event)
    other = await world.event(centre=centre, start_at=world.tomorrow(14))

    assert codes(await move_to(enrolled, other)) == ["REGISTRATION_NOT_FOUND"]


async def test_a_seat_at_the_target_or_no_transfer(
    world: World, centre: UUID, event: UUID, registered: UUID, move_to: Register, lax: Lax
) -> None:
    """A refused transfer keeps the old seat and creates no event (S-20)."""
    full = await world.event(centre=centre, start_at=world.tomorrow(14), capacity_maximum=1)
    await world.book(await world.candidate("C2"), full, online=True)
    at_ten = await world.event(centre=centre, start_at=world.tomorrow(18))
    await world.book((await world.row(registered)).candidate_id, at_ten, online=True)

    assert codes(await move_to(registered, full)) == ["EVENT_FULL"]
    assert codes(await move_to(registered, at_ten)) == ["DUPLICATE_BOOKING"]
    overlapping = lax(start=(world.tomorrow(18) + timedelta(minutes=30)).isoformat())
    assert codes(await move_to(registered, overlapping)) == ["CANDIDATE_TIME_CONFLICT"]
    assert codes(
        await move_to(
            registered, lax(on_no_match=OnNoMatch.REJECT, start=world.tomorrow(20).isoformat())
        )
    ) == ["EVENT_NOT_FOUND"]
    assert (await world.row(registered)).event_id == event
    assert len(await world.rows(Event, "venue_id", centre)) == 3
    over = done(await move_to(registered, full, overrides=(RuleOverride.CAPACITY,)))
    assert [w.code for w in over.warnings] == ["EVENT_FULL"]


async def test_a_cancelled_registration_stays_where_it_is(
    world: World, centre: UUID, registered: UUID, move_to: Register
) -> None:
    """S-20; the version must be the expected one too."""
    other = await world.event(centre=centre, start_at=world.tomorrow(14))

    assert codes(await move_to(registered, other, expected_version=2)) == ["STALE_BOOKING"]
    reason = CancellationReason.ILLNESS
    command = CancelBooking(viewer=world.viewer, booking=ByKey(registered), reason=reason)
    await world.made(cancel, command)
    assert codes(await move_to(registered, other)) == ["ILLEGAL_STATE"]
    assert (await world.row(registered)).status is BookingStatus.CANCELLED


async def test_accommodations_are_counted_anew_for_the_other_length(
    world: World, centre: UUID, event: UUID, register: Register, move_to: Register
) -> None:
    """25 percent is computed from 60 minutes, then from 120."""
    granted = (InitialAccommodation(type="extra", extra_time_percentage=25),)
    registered = done(await register(event, accommodations=granted)).subject
    longer = await world.event(
        centre=centre, start_at=world.tomorrow(14), exam_duration_in_minutes=120
    )

    done(await move_to(registered, longer))

    [extra] = await world.rows(Accommodation, "booking_id", registered)
    row = await world.row(registered)
    assert (extra.effective_minutes, row.extra_time_minutes) == (30, 30)
    assert row.end_at == world.tomorrow(16) + timedelta(minutes=30)


async def test_breaks_are_those_of_the_form_s_test(
    world: World, centre: UUID, event: UUID, register: Register, move_to: Register
) -> None:
    """Half of 40 minutes at every event; for another test, its share of that test's breaks."""
    await world.test("BREAKS", break_minutes=40, forms=(Form(code="FB", name="With breaks"),))
    half = InitialAccommodation(
        type="pause", extra_time_percentage=50, scope=AccommodationScope.BREAK_TIME
    )
    registered = done(await register(event, test_form="FB", accommodations=(half,))).subject
    other = await world.event(centre=centre, start_at=world.tomorrow(14))

    async def minutes() -> tuple[int, int]:
        [granted] = await world.rows(Accommodation, "booking_id", registered)
        return granted.effective_minutes, (await world.row(registered)).extra_break_minutes

    assert await minutes() == (20, 20)
    done(await move_to(registered, other))
    assert await minutes() == (20, 20)
    longer = UpdateEvent(
        viewer=world.viewer, event=ByKey(other), changes={"exam_duration_in_minutes": 120}
    )
    await world.made(update_events, longer)
    assert await minutes() == (20, 20)
    again = GrantAccommodation(
        viewer=world.viewer,
        booking=ByKey(registered),
        type="pause",
        extra_time_percentage=50,
        scope=AccommodationScope.BREAK_TIME,
    )
    assert not done(await world.one(grant, again)).changed
    without = ChangeAssessment(viewer=world.viewer, registration=ByKey(registered), test_form="F1")
    await world.made(change_assessments, without)
    assert await minutes() == (0, 0)


async def test_two_transfers_in_one_batch_are_a_chain(
    world: World, centre: UUID, event: UUID, registered: UUID, candidate: UUID, move_to: Register
) -> None:
    """The registration moves there and back."""
    other = await world.event(centre=centre, start_at=world.tomorrow(14))

    done(await move_to(registered, other))
    done(await move_to(registered, event))

    chain = await world.rows(RegistrationTransfer, "booking_id", registered)
    assert [(one.from_event_id, one.to_event_id) for one in sorted(chain, key=lambda t: t.id)] == [
        (event, other),
        (other, event),
    ]


async def test_permission_and_scope(
    world: World, centre: UUID, event: UUID, registered: UUID, move_to: Register
) -> None:
    """A transfer requires TRANSFER and a target in the viewer's scope; a hidden registration is not
    found.
    """
    elsewhere = await world.centre("PAR", "Europe/Paris")
    there = await world.event(centre=elsewhere, start_at=world.tomorrow(14))
    scheduler = replace(
        world.viewer,
        permissions=PERMISSIONS[Role.SCHEDULER],
        scope=Scope(centres=frozenset({centre})),
    )
    staff = replace(world.viewer, permissions=PERMISSIONS[Role.CENTRE_STAFF])
    other = replace(scheduler, scope=Scope(centres=frozenset({elsewhere})))

    assert codes(await move_to(registered, there, viewer=staff)) == ["FORBIDDEN"]
    assert codes(await move_to(registered, there, viewer=scheduler)) == ["FORBIDDEN"]
    result = await move_to(registered, there, viewer=other)
    assert isinstance(result, Refused)
    assert codes(result)[0] == "REGISTRATION_NOT_FOUND"


def test_outcomes_are_told_apart() -> None:
    """The other tests rely on `done` and `refused`."""
    with pytest.raises(AssertionError):
        done(Refused([]))
    with pytest.raises(AssertionError):
        refused(Outcome(uuid4()))


async def test_a_new_event_without_format_and_billing_code_is_a_warning(
    world: World, centre: UUID, register: Register, move_to: Register, lax: Lax
) -> None:
    """They are copied from the old event; the warning names each missing one."""
    bare = await world.event(centre=centre)
    full = await world.event(centre=centre, exam_format="Paper", start_at=world.tomorrow(15))
    texts = {"exam_format": None, "billing_code": None}
    first = done(await register(bare)).subject
    second = done(await register(full, candidate=(other := await world.candidate("C2")))).subject

    both = done(await move_to(first, lax(start=world.tomorrow(18).isoformat(), **texts)))
    there = lax(start=world.tomorrow(20).isoformat(), **texts)
    one = done(await move_to(second, there, candidate=other))

    assert [(w.code, w.path[-1]) for w in both.warnings] == [
        ("EVENT_INCOMPLETE", "exam_format"),
        ("EVENT_INCOMPLETE", "billing_code"),
    ]
    assert [(w.code, w.path[-1]) for w in one.warnings] == [("EVENT_INCOMPLETE", "billing_code")]
