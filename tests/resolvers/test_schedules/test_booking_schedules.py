"""Scheduling tests; domain.md, sections 2.3, 7, 8.2, 8.11 and 9."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.every_kind.cancelling import cancel
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference
from resolvers.refusals import PermissionRefusal, Refused
from resolvers.storage.tables import CandidateCentre, CandidateSubject, SessionPin, TestForm
from resolvers.test_schedules import preloaded
from resolvers.test_schedules.booking import book
from resolvers.test_schedules.commands import Adjustment
from resolvers.tests.commands import UpsertSubject, UpsertTest, upsert_subjects, upsert_tests
from resolvers.tests.forms import Form
from resolvers.viewer import Scope
from resolvers.vocabulary import BookingStatus, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, cancelling, in_role, places, warned
from tests.resolvers.test_schedules.conftest import DATES, Schedules
from tests.resolvers.world import codes


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_a_test_is_scheduled(world: Schedules) -> None:
    """A schedule has its window with the buffer, the test's length, a keycode and one change."""
    key = await world.scheduled()

    row, detail = await world.row(key), await world.detail(key)
    assert row.status is BookingStatus.CONFIRMED
    assert row.reference == f"TST-{key.hex[:8]}"
    assert (row.centre_id, row.test_id) == (world.centre_key, world.maths)
    assert row.subject_id == world.subject_key
    assert (row.start_at, row.end_at) == (at("2027-02-01T09:00"), at("2027-02-03T17:00"))
    assert row.local_start == datetime(2027, 2, 1, 9)
    assert (row.opens_at, row.closes_at) == (at("2027-01-31T21:00"), at("2027-02-04T05:00"))
    assert (row.duration_minutes, row.extra_time_minutes, row.version) == (100, 0, 1)
    assert len(detail.keycode) == 8
    assert not detail.keycode.isdigit()
    assert (detail.pin, detail.language, detail.test_tags) == (None, "en", [])
    [change] = [c for c in await world.changes() if c.booking_id == key]
    assert change.booking_type == "CREATED"
    assert change.after["scheduleStatus"] == "SCHEDULED"
    assert {"keycode", "pin"}.isdisjoint(change.changed_fields)


async def test_enforced_times_have_no_buffer(world: Schedules) -> None:
    """With `enforceTimes`, the window opens and closes exactly at the given times."""
    row = await world.row(await world.scheduled(enforce_times=True))

    assert (row.opens_at, row.closes_at) == (row.start_at, row.end_at)


async def test_minutes_win_over_percentage(world: Schedules) -> None:
    """30 minutes and 25 percent of 100 are 30; a percentage alone is rounded up."""
    both = Adjustment(extra_time_minutes=30, extra_time_percentage=25, reason="dyslexia")
    breaks = Adjustment(extra_time_percentage=25, extra_breaks_per_section=2)

    key = await world.scheduled(
        reasonable_adjustments=both, break_adjustments=breaks, unscheduled_break_minutes=15
    )

    row, granted = await world.row(key), await world.granted(key)
    assert {name: a.effective_minutes for name, a in granted.items()} == {
        "extra-test-time": 30,
        "extra-break-time": 8,  # of the 30 minutes of the test's breaks
        "unscheduled-break": 15,
    }
    assert granted["extra-break-time"].extra_breaks_per_section == 2
    assert granted["extra-test-time"].reason == "dyslexia"
    assert (row.extra_time_minutes, row.extra_break_minutes, row.accommodation_count) == (30, 23, 3)


async def test_adjustments_have_limits(world: Schedules) -> None:
    """At most 999 minutes are allowed, percentages and breaks are limited, and nothing is
    negative.
    """
    most = Adjustment(
        extra_time_minutes=999, extra_time_percentage=999, extra_breaks_per_section=99
    )
    more = Adjustment(
        extra_time_minutes=1000, extra_time_percentage=1000, extra_breaks_per_section=100
    )
    less = Adjustment(extra_time_minutes=-1, extra_time_percentage=-1, reason="x" * 501)

    refused = await world.schedule(
        reasonable_adjustments=less, break_adjustments=more, unscheduled_break_minutes=1000
    )

    assert places(refused) == [
        ("OUT_OF_RANGE", "reasonable_adjustments.extra_time_minutes"),
        ("OUT_OF_RANGE", "reasonable_adjustments.extra_time_percentage"),
        ("STRING_LENGTH", "reasonable_adjustments.reason"),
        ("OUT_OF_RANGE", "break_adjustments.extra_time_minutes"),
        ("OUT_OF_RANGE", "break_adjustments.extra_time_percentage"),
        ("OUT_OF_RANGE", "break_adjustments.extra_breaks_per_section"),
        ("OUT_OF_RANGE", "unscheduled_break_minutes"),
    ]
    await world.scheduled(reasonable_adjustments=most, break_adjustments=most)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"end_date": date(2027, 1, 31)}, [("OUT_OF_RANGE", "end_date")]),
        ({"end_time": time(9)}, [("OUT_OF_RANGE", "end_time")]),
        ({"end_date": date(2028, 2, 2)}, [("OUT_OF_RANGE", "end_date")]),
        ({"start_date": date(1, 1, 1)}, None),
        ({"end_date": date(9999, 12, 31)}, None),
        ({"start_date": date(2027, 1, 31), "end_date": date(2028, 1, 31)}, []),
    ],
)
async def test_dates_and_times_have_limits(
    world: Schedules, given: dict[str, Any], refused: list[tuple[str, str]] | None
) -> None:
    """The end is not before the start, no window crosses midnight, and the limit is 366 days."""
    result = await world.schedule(**given)

    if refused is None:
        assert set(codes(result)) == {"OUT_OF_RANGE"}
    else:
        assert places(result) == refused


async def test_a_skipped_time_is_refused(world: Schedules) -> None:
    """An ambiguous time is accepted with a warning."""
    spring = {"start_date": date(2027, 3, 27), "end_date": date(2027, 3, 28)}
    autumn = {"start_date": date(2027, 10, 30), "end_date": date(2027, 10, 31)}

    refused = await world.schedule(**spring, start_time=time(1, 30))
    warned_of = await world.schedule(**autumn, start_time=time(1, 30))

    assert places(refused) == [("OUT_OF_RANGE", "start_time")]
    assert isinstance(refused, Refused)
    assert "2027-03-28T00:59:00 and 2027-03-28T02:00:00" in refused.refusals[0].message
    assert warned(warned_of) == ["AMBIGUOUS_TIME"]


async def test_all_mistakes_of_the_input_come_back_together(world: Schedules) -> None:
    """References, dates, adjustments, tags, users, settings and the test's rules are checked
    together.
    """
    await world.set(purchase_order_number_for_scheduling=True, enforce_times_required=True)
    await world.set(test_scheduling_over_multiple_days=False)
    strict = await world.test("STRICT", requires_invigilation=True)

    refused = await world.schedule(
        test=strict,
        centre=uuid4(),
        candidate=uuid4(),
        end_time=time(8),
        unscheduled_break_minutes=-1,
        test_tags=(" ", "x" * 251),
        requires_invigilation=False,
        test_form=ByReference("F9"),
        marker=ByReference("U9"),
        language="xx",
    )

    assert places(refused) == [
        ("NOT_FOUND", "centre"),
        ("NOT_FOUND", "candidate"),
        ("OUT_OF_RANGE", "end_time"),
        ("MULTI_DAY_SCHEDULING_DISABLED", "end_date"),
        ("OUT_OF_RANGE", "unscheduled_break_minutes"),
        ("STRING_LENGTH", "test_tags.0"),
        ("STRING_LENGTH", "test_tags.1"),
        ("NOT_FOUND", "marker"),
        ("PURCHASE_ORDER_REQUIRED", "purchase_order"),
        ("ENFORCE_TIMES_REQUIRED", "enforce_times"),
        ("NOT_FOUND", "test_form"),
        ("INVIGILATION_REQUIRED_BY_TEST", "requires_invigilation"),
        ("INVALID_VALUE", "language"),
    ]
    assert await world.booking_changes() == []


async def test_tags_are_trimmed_and_kept_once(world: Schedules) -> None:
    """At most 50 distinct tags of 250 characters each are accepted."""
    tags = tuple(f"tag {n}" for n in range(50))

    key = await world.scheduled(test_tags=(" late ", "late", "x" * 250, "early"))
    many = await world.schedule(test_tags=(*tags, " tag 0 "), allow_multiple_open_sessions=True)
    refused = await world.schedule(test_tags=(*tags, "one more"))

    assert (await world.detail(key)).test_tags == ["late", "x" * 250, "early"]
    assert isinstance(many, Outcome)
    assert places(refused) == [("OUT_OF_RANGE", "test_tags")]


async def test_invigilation_follows_the_test(world: Schedules) -> None:
    """Invigilation can be added to a test without it, but not removed from one with it."""
    strict = await world.test(
        "STRICT", requires_invigilation=True, subject=ByKey(world.subject_key)
    )

    as_test = await world.scheduled(test=strict)
    added = await world.scheduled(requires_invigilation=True)
    refused = await world.schedule(test=strict, requires_invigilation=False)

    assert (await world.detail(as_test)).requires_invigilation
    assert (await world.detail(added)).requires_invigilation
    assert places(refused) == [("INVIGILATION_REQUIRED_BY_TEST", "requires_invigilation")]


async def test_who_sit_together_have_one_pin(world: Schedules) -> None:
    """Schedules of the same centre, test and first date share a PIN, in one batch and later; others
    do not.
    """
    others = [await world.associated(f"N{n}") for n in range(3)]
    together = [
        world.booking_of(candidate=other, requires_invigilation=True) for other in others[:2]
    ]
    results = await world.storage.write(book, together)
    later = await world.scheduled(candidate=others[2], requires_invigilation=True)
    day_after = {"start_date": date(2027, 2, 2), "allow_multiple_open_sessions": True}
    other_day = await world.scheduled(requires_invigilation=True, **day_after)

    first, second = [(await world.detail(r.subject)).pin for r in results]  # type: ignore[union-attr]
    assert first == second == (await world.detail(later)).pin
    assert first.isdigit()
    assert len(first) == 6
    pins = await world.rows(SessionPin, "centre_id", world.centre_key)
    assert sorted(row.on_date for row in pins) == [date(2027, 2, 1), date(2027, 2, 2)]
    [other_pin] = [row.pin for row in pins if row.on_date == date(2027, 2, 2)]
    assert (await world.detail(other_day)).pin == other_pin


async def test_keycodes_differ(world: Schedules) -> None:
    """Each schedule has its own reference and keycode, which contains a letter."""
    commands = [world.booking_of(candidate=await world.associated(f"N{n}")) for n in range(30)]

    results = await world.storage.write(book, commands)

    details = [await world.detail(r.subject) for r in results]  # type: ignore[union-attr]
    rows = [await world.row(r.subject) for r in results]  # type: ignore[union-attr]
    assert len({d.keycode for d in details}) == 30
    assert all(any(c.isalpha() for c in d.keycode) for d in details)
    assert len({row.reference for row in rows}) == 30


async def test_a_reference_is_longer_where_another_has_the_same(world: Schedules, insert) -> None:
    """A reference has the first 8 digits of the key, and more if another schedule begins with
    them.
    """
    key = await world.scheduled()
    like_it = UUID(hex=key.hex[:8] + "f" * 24)
    org = world.viewer.organization_id
    found: list[list[str]] = []

    def ask(work: Any, commands: Any) -> list[Outcome]:
        found.append(preloaded.references(work, [(org, like_it), (org, UUID(int=like_it.int - 1))]))
        return [Outcome(key) for _ in commands]

    await world.storage.write(ask, [None])

    assert found == [[f"TST-{like_it.hex[:9]}", f"TST-{like_it.hex[:10]}"]]


async def test_one_open_schedule_for_a_test(world: Schedules, clock: SettableClock) -> None:
    """A schedule is open until its window and buffer end; a second one is refused unless several
    are allowed.
    """
    first = await world.scheduled()
    other = await world.test("OTHER", subject=ByKey(world.subject_key))

    refused = await world.schedule()

    assert places(refused) == [("OPEN_SCHEDULE_EXISTS", "candidate")]
    assert isinstance(refused, Refused)
    assert refused.refusals[0].conflicting == (first,)  # type: ignore[attr-defined]
    await world.scheduled(test=other)
    await world.scheduled(allow_multiple_open_sessions=True)
    clock.now = at("2027-02-04T04:59:59.999999")
    assert codes(await world.schedule()) == ["OPEN_SCHEDULE_EXISTS"]
    clock.now = at("2027-02-04T05:00")
    assert codes(await world.schedule()) == []


async def test_a_voided_schedule_is_not_open(world: Schedules) -> None:
    """After a cancellation, the candidate can be scheduled again."""
    first = await world.scheduled()

    await world.made(cancel, cancelling(world, first))

    await world.scheduled()


async def test_two_of_one_batch_find_each_other(world: Schedules) -> None:
    """The second schedule of a candidate for a test is refused before the first one is written."""
    results = await world.storage.write(book, [world.booking_of(), world.booking_of()])

    assert [codes(result) for result in results] == [[], ["OPEN_SCHEDULE_EXISTS"]]


async def test_a_window_that_is_over_has_expired(world: Schedules) -> None:
    """It is accepted with a warning, starts no session and is not open."""
    past = {"start_date": date(2027, 1, 4), "end_date": date(2027, 1, 5)}

    result = await world.schedule(**past)

    assert warned(result) == ["WINDOW_IS_OVER"]
    assert isinstance(result, Outcome)
    assert (await world.row(result.subject)).status is BookingStatus.EXPIRED
    [change] = [c for c in await world.changes() if c.booking_id == result.subject]
    assert change.after["scheduleStatus"] == "EXPIRED"
    await world.scheduled()


async def test_the_candidate_must_be_associated(world: Schedules) -> None:
    """The candidate must be associated with the centre and the subject, or the command must request
    it.
    """
    stranger = await world.candidate("C2")
    centre = await world.centre("OXF")

    without = await world.schedule(candidate=stranger)
    nowhere = await world.schedule(candidate=stranger, centre=centre, associate=True)
    before = await world.rows(CandidateCentre, "candidate_id", stranger)
    associated = await world.scheduled(candidate=stranger, associate=True)

    assert places(without) == [("CANDIDATE_NOT_ASSOCIATED", "candidate")]
    assert places(nowhere) == [("CENTRE_SUBJECT_NOT_ASSOCIATED", "centre")]
    assert before == []
    centres = await world.rows(CandidateCentre, "candidate_id", stranger)
    subjects = await world.rows(CandidateSubject, "candidate_id", stranger)
    assert [row.centre_id for row in centres] == [world.centre_key]
    assert [row.subject_id for row in subjects] == [world.subject_key]
    assert (await world.row(associated)).candidate_id == stranger


async def test_who_is_associated_already_stays_so(world: Schedules) -> None:
    """Repeating the request adds no second association."""
    await world.scheduled(associate=True)

    await world.scheduled(associate=True, allow_multiple_open_sessions=True)

    rows = await world.rows(CandidateCentre, "candidate_id", world.candidate_key)
    assert len(rows) == 1


async def test_a_test_without_a_subject_needs_the_centre_only(world: Schedules) -> None:
    """A test without a subject requires an association with the centre only."""
    plain = await world.test("PLAIN")
    at_centre = await world.candidate("C2", centre_ids=(ByKey(world.centre_key),))

    await world.scheduled(test=plain, candidate=at_centre)

    stranger = await world.candidate("C3")
    refused = await world.schedule(test=plain, candidate=stranger)
    assert codes(refused) == ["CANDIDATE_NOT_ASSOCIATED"]


@pytest.mark.parametrize(
    ("setting", "broken", "kept", "code"),
    [
        (
            {"test_scheduling_over_multiple_days": False},
            {},
            {"end_date": DATES["start_date"]},
            "MULTI_DAY_SCHEDULING_DISABLED",
        ),
        (
            {"purchase_order_number_for_scheduling": True},
            {"purchase_order": "  "},
            {"purchase_order": "PO-1"},
            "PURCHASE_ORDER_REQUIRED",
        ),
        (
            {"enforce_times_required": True},
            {},
            {"enforce_times": False},
            "ENFORCE_TIMES_REQUIRED",
        ),
    ],
)
async def test_a_site_setting_changes_its_own_rule(
    world: Schedules, setting: Any, broken: Any, kept: Any, code: str
) -> None:
    """A setting that is off requires nothing; one that is on refuses only its own case."""
    off = await world.schedule(**{**broken, "purchase_order": None})
    await world.set(**setting)

    on = await world.schedule(**broken, allow_multiple_open_sessions=True)
    obeyed = await world.schedule(**kept, allow_multiple_open_sessions=True)

    assert codes(off) == []
    assert codes(on) == [code]
    assert codes(obeyed) == []


async def test_buffer_hours_widen_new_windows_only(world: Schedules) -> None:
    """Existing schedules keep the buffer of their creation."""
    before = await world.scheduled()

    await world.set(window_buffer_hours=2)
    after = await world.scheduled(allow_multiple_open_sessions=True)
    exact = await world.scheduled(allow_multiple_open_sessions=True, enforce_times=True)

    assert (await world.row(before)).opens_at == at("2027-01-31T21:00")
    assert (await world.row(after)).opens_at == at("2027-02-01T07:00")
    assert (await world.row(after)).closes_at == at("2027-02-03T19:00")
    assert (await world.row(exact)).opens_at == at("2027-02-01T09:00")


async def test_markers_and_moderators_only_where_the_test_has_them(world: Schedules) -> None:
    """Only permitted users are accepted; their names are stored as they are now."""

    async def user(reference: str, **values: Any) -> UUID:
        command = UpsertUser(
            viewer=world.viewer, reference=reference, name=reference, role=Role.MARKER, **values
        )
        return await world.made(upsert_users, command)

    marker = await user("MO", may_mark=True)
    moderator = await user("MA", may_moderate=True)
    marked = await world.test(
        "MARKED", subject=ByKey(world.subject_key), allows_markers=True, allows_moderators=True
    )

    neither = await world.schedule(marker=marker, moderator=moderator)
    swapped = await world.schedule(test=marked, marker=moderator, moderator=marker)
    both = await world.scheduled(test=marked, marker=marker, moderator=moderator)

    assert places(neither) == [
        ("MARKER_NOT_ENABLED", "marker"),
        ("MODERATOR_NOT_ENABLED", "moderator"),
    ]
    assert places(swapped) == [
        ("INVALID_VALUE", "marker"),
        ("INVALID_VALUE", "moderator"),
    ]
    detail = await world.detail(both)
    assert (detail.marker_name, detail.moderator_name) == ("MO", "MA")


async def test_the_subject_tells_tests_of_one_reference_apart(world: Schedules) -> None:
    """Without the subject, the reference is ambiguous; another test's subject is wrong."""
    subject = UpsertSubject(
        viewer=world.viewer, reference="ART", name="Art", centre_ids=(ByKey(world.centre_key),)
    )
    art = await world.made(upsert_subjects, subject)
    await world.test("MATHS", subject=ByKey(art))

    ambiguous = await world.schedule(test=ByReference("MATHS"))
    wrong = await world.schedule(subject=art)
    right = await world.scheduled(test=ByReference("MATHS"), subject=ByReference("SUM"))

    assert places(ambiguous) == [("AMBIGUOUS_REFERENCE", "test")]
    assert places(wrong) == [("INVALID_VALUE", "subject")]
    assert (await world.row(right)).test_id == world.maths


async def test_the_form_is_chosen_automatically(world: Schedules) -> None:
    """The form is published, in the language, least used by the candidate, then first by code; or
    null.
    """
    forms = (
        Form(code="B", name="B", language="en"),
        Form(code="A", name="A", language="en"),
        Form(code="0", name="unpublished", language="en", published=False),
        Form(code="1", name="Welsh", language="cy"),
    )
    test = await world.test(
        "FORMS", subject=ByKey(world.subject_key), forms=forms, languages=("cy", "fr")
    )
    again = {"test": test, "allow_multiple_open_sessions": True}

    async def chosen(**values: Any) -> tuple[Any, bool]:
        key = await world.scheduled(**again, **values)
        detail = await world.detail(key)
        return detail.test_form_id, detail.test_form_auto_selected

    codes_of = {row.id: row.code for row in await world.rows(TestForm, "test_id", test)}
    codes_of[None] = None
    given = [await chosen() for _ in range(3)]
    welsh, french = await chosen(language="CY"), await chosen(language="fr")
    asked = await chosen(test_form=ByReference("B"))

    assert [(codes_of[form], auto) for form, auto in given] == [
        ("A", True),
        ("B", True),
        ("A", True),
    ]
    assert (codes_of[welsh[0]], welsh[1]) == ("1", True)
    assert (codes_of[french[0]], french[1]) == (None, False)
    assert (codes_of[asked[0]], asked[1]) == ("B", False)
    unpublished = await world.schedule(**again, test_form=ByReference("0"))
    assert places(unpublished) == [("INVALID_VALUE", "test_form")]


async def test_a_form_of_another_test_is_refused(world: Schedules) -> None:
    """A form's code refers to the test's own forms; the code of another test's form is refused."""
    await world.test("OTHER", forms=(Form(code="F1", name="F1"),))

    refused = await world.schedule(test_form=ByReference("F1"))

    assert places(refused) == [("INVALID_VALUE", "test_form")]


async def test_the_permission_and_each_association_are_told(world: Schedules) -> None:
    """Missing SCHEDULE_TEST, centre and subject each add a PermissionError."""
    nobody = in_role(world, Role.CENTRE_STAFF)
    elsewhere = in_role(
        world,
        Role.SCHEDULER,
        Scope(centres=frozenset({uuid4()}), subjects=frozenset({uuid4()})),
    )
    centre_only = in_role(
        world,
        Role.SCHEDULER,
        Scope(centres=frozenset({world.centre_key}), subjects=frozenset({uuid4()})),
    )
    both = in_role(
        world,
        Role.SCHEDULER,
        Scope(centres=frozenset({world.centre_key}), subjects=frozenset({world.subject_key})),
    )

    def missing(result: Any) -> list[tuple[Any, str]]:
        return [
            (refusal.missing_scope, ".".join(refusal.path))
            for refusal in result.refusals
            if isinstance(refusal, PermissionRefusal)
        ]

    assert missing(await world.schedule(viewer=nobody)) == [(None, "")]
    assert missing(await world.schedule(viewer=elsewhere)) == [
        ("CENTRE", "centre"),
        ("SUBJECT", "test"),
    ]
    named = await world.schedule(viewer=centre_only, subject=world.subject_key)
    assert missing(named) == [("SUBJECT", "subject")]
    assert codes(await world.schedule(viewer=both)) == []


async def test_a_confined_scheduler_associates_the_candidates_that_it_sees(
    world: Schedules,
) -> None:
    """A candidate of the scheduler's centre is associated with the subject; one of another centre
    is not found.
    """
    own = await world.candidate("C2", centre_ids=(ByKey(world.centre_key),))
    stranger = await world.candidate("C3")
    scope = Scope(centres=frozenset({world.centre_key}), subjects=frozenset({world.subject_key}))
    confined = in_role(world, Role.SCHEDULER, scope)

    alone = await world.schedule(viewer=confined, candidate=own)
    associated = await world.schedule(viewer=confined, candidate=own, associate=True)
    hidden = await world.schedule(viewer=confined, candidate=stranger, associate=True)

    assert places(alone) == [("CANDIDATE_NOT_ASSOCIATED", "candidate")]
    assert codes(associated) == []
    assert places(hidden) == [("NOT_FOUND", "candidate")]


async def test_statements_do_not_grow_with_the_batch(world: Schedules) -> None:
    """Fifty schedules take as many statements as five."""
    statements = Statements()
    candidates = await world.candidates(55)

    def commands(some: list[UUID]) -> list[Any]:
        extra = Adjustment(extra_time_minutes=5)
        return [
            world.booking_of(
                candidate=c,
                associate=True,
                requires_invigilation=True,
                reasonable_adjustments=extra,
            )
            for c in some
        ]

    few = await statements.needed(world, book, commands(candidates[:5]))
    many = await statements.needed(world, book, commands(candidates[5:]))

    assert many <= few


async def test_what_a_schedule_needs_is_kept(world: Schedules, clock: SettableClock) -> None:
    """A test cannot remove the schedule's form, and the centre's time zone cannot change until the
    window closes.
    """
    both = (Form(code="A", name="A"), Form(code="B", name="B"))
    test = await world.test("FORMS", subject=ByKey(world.subject_key), forms=both)
    await world.scheduled(test=test)
    without = UpsertTest(
        viewer=world.viewer,
        reference="FORMS",
        name="Forms",
        subject=ByKey(world.subject_key),
        duration_minutes=60,
        forms=both[1:],
    )
    elsewhere = UpsertCentre(
        viewer=world.viewer, reference="LON", name="London", time_zone="Asia/Tokyo"
    )

    assert places(await world.one(upsert_tests, without)) == [("INVALID_VALUE", "forms")]
    clock.now = at("2027-02-04T04:59")
    assert places(await world.one(upsert_centres, elsewhere)) == [("INVALID_VALUE", "time_zone")]
    clock.now = at("2027-02-04T05:00")
    assert places(await world.one(upsert_centres, elsewhere)) == []


async def test_the_example_of_the_source(world: Schedules) -> None:
    """18 to 21 December 2015, 9 to 5: the schedule has expired; its window opens 12 hours
    earlier.
    """
    example = {"start_date": date(2015, 12, 18), "end_date": date(2015, 12, 21)}

    row = await world.row(await world.scheduled(**example))

    assert (row.start_at, row.end_at) == (at("2015-12-18T09:00"), at("2015-12-21T17:00"))
    assert (row.opens_at, row.closes_at) == (at("2015-12-17T21:00"), at("2015-12-22T05:00"))
