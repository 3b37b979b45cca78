"""Other forms, deletion, cancelling and accommodations; domain.md, 3.3, 3.6 to 3.9 and 8.2."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.actions import ActionContext, allowed
from resolvers.bookings.kinds import kind_of
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import (
    GrantAccommodation,
    RevokeAccommodation,
    grant,
    revoke,
)
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, Unreadable
from resolvers.refusals import Refused
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.commands import ChangeAssessment, DeleteRegistration
from resolvers.registrations.deleting import delete
from resolvers.storage.tables import Organization, Registration
from resolvers.tests.commands import UpsertTest, upsert_tests
from resolvers.tests.forms import Form
from resolvers.viewer import PERMISSIONS
from resolvers.vocabulary import BookingAction, BookingStatus, CancellationReason, Role
from tests.resolvers.registrations.conftest import Register
from tests.resolvers.registrations.test_booking_registrations import done, refused
from tests.resolvers.world import World, codes


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(centre=centre, room=room, capacity_maximum=1)


@pytest.fixture
async def registered(register: Register, event: UUID) -> UUID:
    return done(await register(event)).subject


async def reassess(world: World, key: UUID, code: str, **values: Any) -> Outcome | Refused:
    ref = values.pop("registration", ByKey(key))
    given = {"viewer": world.viewer, **values}
    return await world.one(
        change_assessments, ChangeAssessment(**given, registration=ref, test_form=code)
    )


async def remove(world: World, key: UUID, **values: Any) -> Outcome | Refused:
    given = {"viewer": world.viewer, **values}
    return await world.one(delete, DeleteRegistration(**given, registration=ByKey(key)))


async def called_off(world: World, key: UUID) -> Outcome | Refused:
    reason = CancellationReason.ILLNESS
    command = CancelBooking(viewer=world.viewer, booking=ByKey(key), reason=reason)
    return await world.one(cancel, command)


async def test_another_form_is_assigned(world: World, registered: UUID) -> None:
    """A new form records one ASSESSMENT_CHANGED change; the same form is refused."""
    done(await reassess(world, registered, "F2"))

    change = (await world.changes())[-1]
    assert change.booking_type == "ASSESSMENT_CHANGED"
    assert change.changed_fields == ["testForm"]
    assert (await world.row(registered)).version == 2
    assert refused(await reassess(world, registered, "F2")) == [
        (
            "ASSESSMENT_ALREADY_ASSIGNED",
            "Assessment already assigned to registration.",
            "test_form",
        )
    ]


async def test_what_is_not_found_is_told_together(world: World, registered: UUID) -> None:
    """404 for the registration, 400 for the form."""
    unknown = {"registration": Unreadable("x", "is not an id")}

    result = await reassess(world, registered, "none", **unknown)

    assert isinstance(result, Refused)
    assert [(r.message, r.http_status) for r in result.refusals] == [
        ("Registration not found.", 404),
        ("Assessment form not found.", 400),
    ]
    assert codes(await reassess(world, uuid4(), "F2")) == ["REGISTRATION_NOT_FOUND"]
    assert codes(await reassess(world, registered, "F2", expected_version=7)) == ["STALE_BOOKING"]


async def test_a_deleted_registration_frees_its_seat_and_keeps_its_identifier(
    world: World, event: UUID, registered: UUID, register: Register
) -> None:
    """Deleting again changes nothing."""
    other = await world.candidate("C2")
    [row] = await world.rows(Registration, "id", registered)
    assert codes(await register(event, candidate=other)) == ["EVENT_FULL"]

    done(await remove(world, registered))

    assert done(await remove(world, registered)).changed is False
    assert (await world.row(registered)).status is BookingStatus.DELETED
    again = await register(event, candidate=other, registration=row.identifier)
    assert codes(again) == ["REGISTRATION_ALREADY_EXISTS"]
    done(await register(event, candidate=other))
    assert (await world.booking_changes())[-2:] == ["DELETED", "CREATED"]


async def test_a_cancelled_registration_can_be_deleted_and_nothing_else(
    world: World, registered: UUID
) -> None:
    """A cancelled registration cannot be reassessed, and a deleted one cannot be cancelled."""
    done(await called_off(world, registered))

    assert (await world.row(registered)).status is BookingStatus.CANCELLED
    assert done(await called_off(world, registered)).changed is False
    assert codes(await reassess(world, registered, "F2")) == ["ILLEGAL_STATE"]
    done(await remove(world, registered))
    assert codes(await called_off(world, registered)) == ["ILLEGAL_STATE"]


async def test_extra_time_goes_with_the_event_and_comes_off_again(
    world: World, event: UUID, registered: UUID
) -> None:
    """Extra time extends the end while it is granted, also after the event moves."""
    granting = GrantAccommodation(
        viewer=world.viewer, booking=ByKey(registered), type="extra", time_extension_minutes=30
    )
    half_past = timedelta(minutes=30)

    granted = done(await world.one(grant, granting))
    longer = await world.row(registered)
    move = UpdateEvent(
        viewer=world.viewer, event=ByKey(event), changes={"start_at": world.tomorrow(13)}
    )
    await world.made(update_events, move)
    moved = await world.row(registered)
    revoking = RevokeAccommodation(viewer=world.viewer, booking=ByKey(registered), type="extra")
    done(await world.one(revoke, revoking))
    back = await world.row(registered)

    assert [w.code for w in granted.warnings] == ["ENDS_AFTER_EVENT"]
    assert longer.end_at == longer.busy_until_at == world.tomorrow(11) + half_past
    assert moved.end_at == moved.busy_until_at == world.tomorrow(14) + half_past
    assert back.end_at == back.busy_until_at == world.tomorrow(14)


async def test_a_registration_goes_where_its_event_goes(
    world: World, centre: UUID, event: UUID, registered: UUID
) -> None:
    """At another centre without a room, the booking uses that centre's time zone."""
    paris = await world.centre("PAR", "Europe/Paris")
    change = {"centre": ByKey(paris), "room": None}

    await world.made(
        update_events, UpdateEvent(viewer=world.viewer, event=ByKey(event), changes=change)
    )

    row = await world.row(registered)
    assert (row.centre_id, row.room_id, row.time_zone) == (paris, None, "Europe/Paris")


async def test_what_is_allowed_is_what_succeeds(world: World, registered: UUID) -> None:
    [settings] = await world.rows(Organization, "id", world.viewer.organization_id)

    async def actions() -> set[BookingAction]:
        row = await world.row(registered)
        situation = ActionContext(row, settings, world.storage.clock())
        return set(allowed(kind_of(row).transitions, situation, world.viewer))

    held = {
        BookingAction.TRANSFER,
        BookingAction.CANCEL,
        BookingAction.DELETE,
        BookingAction.CHANGE_ASSESSMENT,
        BookingAction.GRANT_ACCOMMODATION,
    }
    assert await actions() == held
    done(await called_off(world, registered))
    assert await actions() == {BookingAction.DELETE}
    done(await remove(world, registered))
    assert await actions() == set()


async def test_each_command_needs_its_permission(world: World, registered: UUID) -> None:
    marker = replace(world.viewer, permissions=PERMISSIONS[Role.MARKER])

    assert codes(await reassess(world, registered, "F2", viewer=marker)) == ["FORBIDDEN"]
    assert codes(await remove(world, registered, viewer=marker)) == ["FORBIDDEN"]


async def test_a_form_that_is_assigned_stays_with_its_test(world: World, registered: UUID) -> None:
    """A test cannot remove an assigned form; it can remove an unused one."""
    left_out = UpsertTest(
        viewer=world.viewer,
        reference="MATHS",
        name="MATHS",
        duration_minutes=60,
        forms=(Form(code="F2", name="Form two"),),
    )

    assert refused(await world.one(upsert_tests, left_out)) == [
        (
            "INVALID_VALUE",
            "'forms' must keep 'F1', which bookings have; it can be unpublished",
            "forms",
        )
    ]
    unpublished = Form(code="F1", name="Form one", published=False)
    done(await world.one(upsert_tests, replace(left_out, forms=(unpublished,))))
