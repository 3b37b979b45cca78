"""Registering learners, strict and lax; domain.md, 3.4, 8.1 and 8.2."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.storage.tables import Accommodation, Event, Registration
from resolvers.tests.forms import Form
from resolvers.viewer import PERMISSIONS, Scope
from resolvers.vocabulary import BookingStatus, OnNoMatch, Role, RuleOverride, SourceSystem
from tests.resolvers.registrations.conftest import Lax, Register
from tests.resolvers.world import World, codes


def done(result: Outcome | Refused) -> Outcome:
    assert isinstance(result, Outcome), result
    return result


def refused(result: Outcome | Refused) -> list[tuple[str, str, str]]:
    """Code, message and path of every refusal, in order."""
    assert isinstance(result, Refused), result
    return [(r.code.value, r.message, ".".join(r.path)) for r in result.refusals]


async def test_a_learner_is_registered_for_an_event(
    world: World, centre: UUID, room: UUID, candidate: UUID, register: Register
) -> None:
    """The booking has the event's time and place and the form; one change is recorded."""
    event = await world.event(centre=centre, room=room)
    identifier = uuid4()

    outcome = done(await register(event, registration=identifier, registrant_type="Private"))

    row = await world.row(outcome.subject)
    [registration] = await world.rows(Registration, "id", outcome.subject)
    assert row.status is BookingStatus.CONFIRMED
    assert (row.centre_id, row.room_id, row.event_id) == (centre, room, event)
    assert (row.start_at, row.end_at) == (world.tomorrow(10), world.tomorrow(11))
    assert row.reference == f"REG-{identifier.hex[:8]}"
    assert (registration.identifier, registration.registrant_type) == (identifier, "Private")
    assert registration.test_form_id is not None
    assert outcome.facts == {"event": event.hex, "eventCreated": False}
    [change] = [c for c in await world.changes() if c.booking_id == outcome.subject]
    assert change.booking_type == "CREATED"
    assert {"registrationStatus", "identifier", "testForm"} <= set(change.changed_fields)


async def test_a_strict_call_needs_neither_identifier_nor_form(
    world: World, centre: UUID, register: Register
) -> None:
    """An identifier is generated."""
    event = await world.event(centre=centre)

    outcome = done(await register(event, registration=None, test_form=None))

    [registration] = await world.rows(Registration, "id", outcome.subject)
    assert registration.identifier != UUID(int=0)
    assert registration.test_form_id is None


async def test_references_are_longer_where_identifiers_begin_alike(
    world: World, centre: UUID, register: Register
) -> None:
    """A reference has eight digits, and four more for each existing identifier with the same
    start.
    """
    event = await world.event(centre=centre)
    learners = await world.candidates(3)
    rest = ["0000-4000-8000-000000000001", "0000-4000-8000-000000000002"]
    rest.append("0001-4000-8000-000000000001")
    identifiers = [UUID(f"12345678-{end}") for end in rest]

    references = []
    for learner, identifier in zip(learners, identifiers, strict=True):
        outcome = done(await register(event, candidate=learner, registration=identifier))
        references.append((await world.row(outcome.subject)).reference)

    assert references == ["REG-12345678", "REG-123456780000", "REG-123456780001"]


async def test_an_identifier_is_used_once(world: World, centre: UUID, register: Register) -> None:
    """An identifier is refused for another learner at another event too."""
    event, other = await world.event(centre=centre), await world.event(centre=centre)
    identifier = uuid4()
    first = done(await register(event, registration=identifier))

    result = await register(other, registration=identifier, candidate=await world.candidate("C2"))

    assert refused(result) == [
        (
            "REGISTRATION_ALREADY_EXISTS",
            "Registration already exists. You cannot add a new registration with the same "
            "identifier.",
            "registration",
        )
    ]
    assert isinstance(result, Refused)
    assert result.refusals[0].conflicting == (first.subject,)  # type: ignore[attr-defined]


async def test_a_lax_call_makes_the_event_that_is_missing(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """The event is created once; the next call needs no type, format or billing code (acceptance
    example 5).
    """
    first = done(await register(lax()))
    bare = lax(exam_type=None, exam_format=None, billing_code=None)
    second = done(await register(bare, candidate=await world.candidate("C2")))

    [event] = await world.rows(Event, "venue_id", centre)
    assert first.facts == {"event": event.id.hex, "eventCreated": True}
    assert second.facts == {"event": event.id.hex, "eventCreated": False}
    assert (event.title, event.created_automatically) == ("Written at LON centre", True)
    assert (event.exam_type, event.exam_format, event.billing_code) == ("Written", "Paper", "B1")
    assert (event.capacity_maximum, event.start_at) == (None, world.tomorrow(10))
    made = [c for c in await world.changes() if c.event_type is not None]
    assert [c.event_type for c in made] == ["CREATED"]


async def test_all_that_a_new_event_lacks_is_told_together(register: Register, lax: Lax) -> None:
    """Missing values of a new event are reported with all other errors, in the order of the checks
    (acceptance example 6).
    """
    nothing = lax(exam_type=None, exam_format=" ", billing_code="")

    result = await register(
        nothing,
        registration=None,
        candidate=ByReference("nobody"),
        test_form="none",
        accommodations=(InitialAccommodation(type=""),),
    )

    assert refused(result) == [
        ("REQUIRED", "'registration' is required", "registration"),
        ("LEARNER_NOT_FOUND", "Learner not found.", "candidate"),
        (
            "ACCOMMODATION_TYPE_EMPTY",
            "Accommodation type cannot be empty.",
            "accommodations.0.type",
        ),
        ("ASSESSMENT_FORM_NOT_FOUND", "Assessment form not found.", "test_form"),
        (
            "EVENT_EXAM_TYPE_NOT_SPECIFIED",
            "EventExamType not specified.",
            "target.exam_type",
        ),
        (
            "EVENT_EXAM_FORMAT_NOT_SPECIFIED",
            "EventExamFormat not specified.",
            "target.exam_format",
        ),
        (
            "EVENT_BILLING_CODE_NOT_SPECIFIED",
            "EventBillingCode not specified.",
            "target.billing_code",
        ),
    ]


async def test_missing_texts_are_reported_before_invalid_ones(
    world: World, register: Register, lax: Lax
) -> None:
    """[002] reports missing values before invalid ones."""
    settings = UpdateSettings(viewer=world.viewer, exam_types=("Written",))
    await world.one(update_settings, settings)

    result = await register(lax(exam_type="Swum", exam_format=None, billing_code=None))

    assert codes(result) == [
        "EVENT_EXAM_FORMAT_NOT_SPECIFIED",
        "EVENT_BILLING_CODE_NOT_SPECIFIED",
        "INVALID_EVENT_EXAM_TYPE",
    ]


async def test_empty_accommodation_types_have_the_message_of_the_source_alone(
    world: World, centre: UUID, register: Register
) -> None:
    """Empty types are not reported as repeated; a repeated type is."""
    event = await world.event(centre=centre)

    empty = await register(
        event, accommodations=(InitialAccommodation(type=""), InitialAccommodation(type=" "))
    )
    repeated = await register(
        event, accommodations=(InitialAccommodation(type="A"), InitialAccommodation(type="A"))
    )

    assert {message for _, message, _ in refused(empty)} == {"Accommodation type cannot be empty."}
    assert codes(repeated) == ["INVALID_VALUE"]


async def test_place_and_time_are_told_together_and_before_what_needs_them(
    register: Register, lax: Lax
) -> None:
    """Without a place and time, no event is searched for or reported."""
    result = await register(lax(centre=uuid4(), start="tomorrow", exam_type=None))

    assert refused(result) == [
        (
            "INVALID_EVENT_START_TIME",
            "Invalid EventStartTime value.",
            "target.start",
        ),
        ("VENUE_NOT_FOUND", "Venue not found.", "target.centre"),
    ]


@pytest.mark.parametrize(
    "start",
    [
        None,
        "",
        "2027-01-10",
        "2027-01-10T10:00:00",
        "2027-01-10 10:00:00Z",
        "2027-02-30T10:00:00Z",
        "2027-01-10T25:00:00Z",
        "10/01/2027T10:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2027-W01-1T10:00Z",
        "٢٠٢٧-01-10T10:00Z",
    ],
)
async def test_a_start_is_iso_8601_with_an_offset(
    register: Register, lax: Lax, start: str | None
) -> None:
    assert codes(await register(lax(start=start))) == ["INVALID_EVENT_START_TIME"]


async def test_one_instant_can_be_written_in_many_ways(
    world: World, register: Register, lax: Lax
) -> None:
    """Another offset, fractions of a second or no seconds identify the same sitting."""
    day = world.tomorrow(10).date().isoformat()
    starts = [
        f"{day}T10:00:00Z",
        f"{day}T12:00:00+02:00",
        f"{day}T10:00:00.999z",
        f"{day}T05:30-0430",
    ]
    learners = await world.candidates(len(starts))

    events = {
        done(await register(lax(start=start), candidate=learner)).facts["event"]
        for start, learner in zip(starts, learners, strict=True)
    }

    assert len(events) == 1


async def test_a_centre_goes_by_the_ids_of_shift_iq(
    world: World, register: Register, lax: Lax
) -> None:
    """Both Shift iQ versions share their ids; the nil UUID is not an id."""
    known = uuid4()
    centre = await world.centre("PAR", "Europe/Paris")
    ids = (ByExternalId(SourceSystem.SHIFT_IQ_V2, "venue", str(known)),)
    command = UpsertCentre(
        viewer=world.viewer,
        reference="PAR",
        name="PAR centre",
        time_zone="Europe/Paris",
        external_ids=ids,
    )
    assert await world.made(upsert_centres, command) == centre

    outcome = done(await register(lax(centre=known)))

    [event] = await world.rows(Event, "id", UUID(outcome.facts["event"]))
    assert (event.venue_id, event.time_zone) == (centre, "Europe/Paris")
    assert codes(await register(lax(centre=UUID(int=0)))) == ["VENUE_NOT_FOUND"]
    assert codes(await register(lax(centre=None))) == ["VENUE_NOT_FOUND"]


async def test_nothing_is_made_where_the_caller_says_so(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    result = await register(lax(on_no_match=OnNoMatch.REJECT))

    assert codes(result) == ["EVENT_NOT_FOUND"]
    assert await world.rows(Event, "venue_id", centre) == []


async def test_a_refused_booking_leaves_no_event(
    world: World, centre: UUID, candidate: UUID, register: Register, lax: Lax
) -> None:
    """The event would have been created for this booking only."""
    elsewhere = await world.event(centre=centre, start_at=world.tomorrow(10))
    done(await register(elsewhere))
    other = await world.centre("PAR", "Europe/Paris")

    result = await register(lax(centre=other))

    assert codes(result) == ["CANDIDATE_TIME_CONFLICT"]
    assert await world.rows(Event, "venue_id", other) == []


async def test_texts_of_a_new_event_are_those_of_the_settings(
    world: World, register: Register, lax: Lax
) -> None:
    """Texts match the settings in any case and are stored as in the settings; others are refused
    together.
    """
    settings = UpdateSettings(
        viewer=world.viewer,
        exam_types=("Written", "Oral"),
        exam_formats=("Paper",),
        billing_codes=("B1",),
    )
    await world.one(update_settings, settings)
    wrong = lax(exam_type="Swum", exam_format="Film", billing_code="B2")

    result = await register(wrong)
    outcome = done(await register(lax(exam_type="oRAL", exam_format="paper", billing_code="b1")))

    assert [(code, message) for code, message, _ in refused(result)] == [
        ("INVALID_EVENT_EXAM_TYPE", "Invalid EventExamType value."),
        ("INVALID_EVENT_EXAM_FORMAT", "Invalid EventExamFormat value."),
        ("INVALID_EVENT_BILLING_CODE", "Invalid EventBillingCode value."),
    ]
    [event] = await world.rows(Event, "id", UUID(outcome.facts["event"]))
    assert (event.exam_type, event.exam_format, event.billing_code) == ("Oral", "Paper", "B1")


async def test_of_several_sittings_the_texts_choose_then_the_number_then_the_age(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """Other differences of the chosen event are warnings."""
    oldest = await world.event(centre=centre, exam_type="Oral")
    numbered = await world.event(centre=centre, exam_type="Oral", number=7)
    written = await world.event(centre=centre, exam_type="written", number=9)
    learners = await world.candidates(5)
    bare = {"exam_type": None, "exam_format": None, "billing_code": None}

    async def chosen(learner: UUID, **values: Any) -> tuple[UUID, list[str]]:
        outcome = done(await register(lax(**{**bare, **values}), candidate=learner))
        return UUID(outcome.facts["event"]), [w.path[-1] for w in outcome.warnings]

    assert await chosen(learners[0]) == (numbered, [])
    assert await chosen(learners[1], exam_type="WRITTEN") == (written, [])
    assert await chosen(learners[2], exam_type="Swum") == (numbered, ["exam_type"])
    both = {"exam_type": "Written", "billing_code": "nobody's"}
    assert await chosen(learners[4], **both) == (written, ["billing_code"])
    await world.made(
        update_events,
        UpdateEvent(viewer=world.viewer, event=ByKey(numbered), changes={"number": None}),
    )
    await world.made(
        update_events,
        UpdateEvent(viewer=world.viewer, event=ByKey(written), changes={"number": None}),
    )
    assert await chosen(learners[3]) == (oldest, [])


async def test_an_event_that_was_moved_or_cancelled_is_made_anew(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """A moved or cancelled event no longer matches the lax call."""
    learners = await world.candidates(3)
    first = UUID(done(await register(lax(), candidate=learners[0])).facts["event"])
    later = {"start_at": world.tomorrow(15)}
    await world.made(
        update_events, UpdateEvent(viewer=world.viewer, event=ByKey(first), changes=later)
    )

    second = UUID(done(await register(lax(), candidate=learners[1])).facts["event"])
    third = UUID(done(await register(lax(), candidate=learners[2])).facts["event"])

    assert first != second == third
    assert len(await world.rows(Event, "venue_id", centre)) == 2


async def test_a_form_is_published_and_in_one_language(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """Acceptance example 7; of several forms, the most recently published is used."""
    now = world.storage.clock()
    forms = (
        Form(code="U", name="Unpublished", published=False),
        Form(code="B", name="Bilingual", bilingual=True),
        Form(code="S", name="Old", published_at=now - timedelta(days=9)),
    )
    await world.test("OTHER", forms=forms)
    newer = Form(code="S", name="New", published_at=now - timedelta(days=1))
    test = await world.test("NEWER", forms=(newer,))
    event = await world.event(centre=centre)

    for code in ("U", "B", "x" * 5000, "a\0b"):
        result = await register(event, test_form=code)
        assert codes(result) == ["ASSESSMENT_FORM_NOT_FOUND"], code
        assert isinstance(result, Refused)
        assert result.refusals[0].http_status == 400
    assert codes(await register(lax(), test_form=None)) == ["ASSESSMENT_FORM_NOT_FOUND"]
    outcome = done(await register(event, test_form="s"))

    assert (await world.row(outcome.subject)).test_id == test


async def test_a_seat_is_asked_for_like_any_other(
    world: World, centre: UUID, candidate: UUID, register: Register
) -> None:
    """Capacity, duplicates, the window and conflicts count bookings of every kind."""
    room = await world.room(centre)
    event = await world.event(centre=centre, room=room, capacity_maximum=2)
    closed = await world.event(centre=centre, room=room, start_at=world.tomorrow(15))
    change = {"registration_locked": world.storage.clock()}
    await world.made(
        update_events, UpdateEvent(viewer=world.viewer, event=ByKey(closed), changes=change)
    )
    enrolled, other, last = await world.candidates(3)
    await world.booked(enrolled, event)

    assert codes(await register(event, candidate=enrolled)) == ["DUPLICATE_BOOKING"]
    assert codes(await register(closed, candidate=other)) == ["REGISTRATION_CLOSED"]
    done(await register(event, candidate=other))
    assert codes(await world.book(other, event)) == ["DUPLICATE_BOOKING"]
    assert codes(await register(event, candidate=last)) == ["EVENT_FULL"]
    assert codes(await world.book(last, event)) == ["EVENT_FULL"]
    over = done(await register(event, candidate=last, overrides=(RuleOverride.CAPACITY,)))
    assert [w.code for w in over.warnings] == ["EVENT_FULL"]


async def test_the_room_of_an_event_counts(world: World, centre: UUID, register: Register) -> None:
    """Two events at one time share a room with one seat."""
    small = await world.room(centre, "Small", capacity=1)
    one, two = [await world.event(centre=centre, room=small) for _ in range(2)]
    first, second = await world.candidates(2)
    done(await register(one, candidate=first))

    assert codes(await register(two, candidate=second)) == ["ROOM_FULL"]
    assert codes(await world.book(second, two)) == ["ROOM_FULL"]


async def test_an_event_on_demand_takes_no_registrations(
    world: World, centre: UUID, register: Register
) -> None:
    """A registration has its event's time, which an on-demand event lacks."""
    event = await world.event(centre=centre, on_demand=True)

    assert codes(await register(event)) == ["ON_DEMAND_TIME_REQUIRED"]


async def test_extra_time_ends_after_the_event_with_a_warning(
    world: World, centre: UUID, register: Register
) -> None:
    """The end is the later of the event's end and the start plus duration and extra time."""
    short = await world.event(centre=centre)
    long = await world.event(
        centre=centre, start_at=world.tomorrow(12), given_end_at=world.tomorrow(17)
    )
    extra = (InitialAccommodation(type="extra", extra_time_percentage=50),)

    at_short = done(await register(short, accommodations=extra))
    at_long = done(await register(long, accommodations=extra))

    row = await world.row(at_short.subject)
    assert row.end_at == row.busy_until_at == world.tomorrow(11) + timedelta(minutes=30)
    assert (row.extra_time_minutes, row.accommodation_count) == (30, 1)
    assert [w.code for w in at_short.warnings] == ["ENDS_AFTER_EVENT"]
    assert (await world.row(at_long.subject)).end_at == world.tomorrow(17)
    assert at_long.warnings == ()
    [granted] = await world.rows(Accommodation, "booking_id", at_short.subject)
    assert (granted.type, granted.effective_minutes) == ("extra", 30)


async def test_accommodations_are_checked_each_by_itself(
    world: World, centre: UUID, register: Register
) -> None:
    event = await world.event(centre=centre)
    wrong = (
        InitialAccommodation(type="a", time_extension_minutes=1000),
        InitialAccommodation(type=" a ", extra_time_percentage=-1, extra_breaks_per_section=100),
    )

    result = await register(event, accommodations=wrong, registrant_type=" ")

    assert [(code, path) for code, _, path in refused(result)] == [
        ("STRING_LENGTH", "registrant_type"),
        ("OUT_OF_RANGE", "accommodations.0.time_extension_minutes"),
        ("OUT_OF_RANGE", "accommodations.1.extra_time_percentage"),
        ("OUT_OF_RANGE", "accommodations.1.extra_breaks_per_section"),
        ("INVALID_VALUE", "accommodations.1.type"),
    ]


async def test_what_is_no_id_of_a_learner_is_not_found(
    world: World, centre: UUID, register: Register
) -> None:
    event = await world.event(centre=centre)

    result = await register(event, candidate=Unreadable("Test:1", "is not the id of a Candidate"))

    assert refused(result) == [("LEARNER_NOT_FOUND", "Learner not found.", "candidate")]


async def test_permission_and_scope(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """BOOK lets a lax call create an event, but only at the viewer's centres."""
    marker = replace(world.viewer, permissions=PERMISSIONS[Role.MARKER])
    elsewhere = await world.centre("PAR", "Europe/Paris")
    staff = replace(
        world.viewer,
        permissions=PERMISSIONS[Role.CENTRE_STAFF],
        scope=Scope(centres=frozenset({elsewhere})),
    )

    assert codes(await register(lax(), viewer=marker)) == ["FORBIDDEN"]
    assert codes(await register(lax(), viewer=staff)) == ["LEARNER_NOT_FOUND", "FORBIDDEN"]


async def test_an_import_is_past_the_rules_about_now(
    world: World, centre: UUID, register: Register, lax: Lax
) -> None:
    """An import records the past: permission and window do not apply, all other rules do."""
    nobody = replace(world.viewer, permissions=frozenset())
    past = (world.storage.clock() - timedelta(days=30)).isoformat()
    given = {"viewer": nobody, "imported": True}

    outcome = done(await register(lax(start=past), **given))

    assert outcome.facts["eventCreated"] is True
    assert codes(await register(lax(start=past), **given)) == ["DUPLICATE_BOOKING"]
