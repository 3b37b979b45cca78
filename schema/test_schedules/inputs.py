"""Inputs of the mutations of test schedules."""

from datetime import date, datetime, time

import strawberry

from resolvers.test_schedules.commands import (
    Adjustment,
    BookTestSchedule,
    DeleteTestSchedule,
    MoveTestSchedule,
    RecordSession,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import SessionState
from schema.grammar.declaring import CommandNames, input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.grammar.references import RefInput, TestScheduleRef, optional_ref, ref_of
from schema.grammar.scalars import LanguageTag

MINUTES = "Extra minutes, 0 to 999; they win over a percentage."
PERCENTAGE = "Extra time in percent, 0 to 999, rounded up to minutes."
REASON = "Why; at most 500 characters."


@input_type(
    description="Extra time to work.",
    command=CommandNames({"extra_time_minutes": "time_extension_minutes"}),
)
class ReasonableAdjustmentsInput:
    time_extension_minutes: int | None = described(MINUTES)
    extra_time_percentage: int | None = described(PERCENTAGE)
    reason: str | None = described(REASON)

    def to_adjustment(self) -> Adjustment:
        return Adjustment(
            extra_time_minutes=given(self.time_extension_minutes),
            extra_time_percentage=given(self.extra_time_percentage),
            reason=given(self.reason),
        )


@input_type(
    description="Extra breaks; a percentage counts on the breaks of the test.",
    command=CommandNames({"extra_time_minutes": "time_extension_minutes"}),
)
class BreakReasonableAdjustmentsInput:
    time_extension_minutes: int | None = described(MINUTES)
    extra_time_percentage: int | None = described(PERCENTAGE)
    extra_breaks_per_section: int | None = described("Extra breaks, 0 to 99.")
    reason: str | None = described(REASON)

    def to_adjustment(self) -> Adjustment:
        return Adjustment(
            extra_time_minutes=given(self.time_extension_minutes),
            extra_time_percentage=given(self.extra_time_percentage),
            extra_breaks_per_section=given(self.extra_breaks_per_section),
            reason=given(self.reason),
        )


@input_type(description="Breaks that the candidate takes at any time.")
class UnscheduledBreakInput:
    time_extension_minutes: int = attribute(description="Minutes, 0 to 999.")


def _adjustment(
    value: ReasonableAdjustmentsInput | BreakReasonableAdjustmentsInput | None,
) -> Adjustment:
    chosen = given(value)
    return Adjustment() if chosen is None else chosen.to_adjustment()


@input_type(
    description="A test for a candidate at a centre. Dates and times are independent: there is one "
    "window for each date, at most 366.",
    command=CommandNames(
        {
            "break_adjustments": "break_reasonable_adjustments",
            "unscheduled_break_minutes": "unscheduled_break.time_extension_minutes",
            "associate": "auto_sync_centre_subject",
        }
    ),
)
class BookTestScheduleInput:
    test: RefInput = attribute(description="What is sat.")
    centre: RefInput = attribute(description="Where.")
    candidate: RefInput = attribute(description="Who sits.")
    start_date: date = attribute(description="The first date.")
    end_date: date = attribute(description="The last date; not before the first.")
    start_time: time = attribute(
        description="From when on each date, as the centre's clock shows it."
    )
    end_time: time = attribute(description="Until when on each date; later than the start time.")
    reasonable_adjustments: ReasonableAdjustmentsInput | None = described("Extra time to work.")
    break_reasonable_adjustments: BreakReasonableAdjustmentsInput | None = described(
        "Extra breaks."
    )
    unscheduled_break: UnscheduledBreakInput | None = described("Unscheduled breaks.")
    marked_externally: bool = attribute(
        default=False, description="Whether the test bypasses marking once it is completed."
    )
    allow_multiple_open_sessions: bool = attribute(
        default=False,
        description="Whether the candidate may have another open schedule for the test.",
    )
    requires_invigilation: bool | None = described(
        "Whether the session needs a PIN or to be unlocked; as the test has it unless given."
    )
    test_tags: list[str] | None = described(
        "What invigilators see beside it: at most 50, each 1 to 250 characters once trimmed."
    )
    test_form: RefInput | None = described(
        "Which published form of the test; chosen automatically unless given: in the language, "
        "least used by the candidate, then by code."
    )
    marker: RefInput | None = described("The user who marks it, where the test allows markers.")
    moderator: RefInput | None = described(
        "The user who moderates it, where the test allows moderators."
    )
    purchase_order: str | None = described(
        "The number of an external invoice, 1 to 50 characters; required where the site settings "
        "say so."
    )
    subject: RefInput | None = described(
        "The subject of the test, which tells tests of the same reference apart."
    )
    language: LanguageTag | None = described(
        "One of the test's languages; its default language unless given."
    )
    enforce_times: bool | None = described(
        "Whether the window is meant exactly; else it is widened by the buffer of the site "
        "settings. No unless given; required where the site settings say so."
    )
    auto_sync_centre_subject: bool = attribute(
        default=False,
        description="Whether the candidate is associated with the centre and with the subject, "
        "where not associated yet; those two must be associated with each other.",
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> BookTestSchedule:
        unscheduled = given(self.unscheduled_break)
        return BookTestSchedule(
            viewer=viewer,
            test=self.test.to_ref("Test"),
            centre=self.centre.to_ref("Centre"),
            candidate=self.candidate.to_ref("Candidate"),
            start_date=self.start_date,
            end_date=self.end_date,
            start_time=self.start_time,
            end_time=self.end_time,
            reasonable_adjustments=_adjustment(self.reasonable_adjustments),
            break_adjustments=_adjustment(self.break_reasonable_adjustments),
            unscheduled_break_minutes=None
            if unscheduled is None
            else unscheduled.time_extension_minutes,
            marked_externally=self.marked_externally,
            allow_multiple_open_sessions=self.allow_multiple_open_sessions,
            requires_invigilation=given(self.requires_invigilation),
            test_tags=given_tuple(self.test_tags),
            test_form=optional_ref(self.test_form, "TestForm"),
            marker=optional_ref(self.marker, "User"),
            moderator=optional_ref(self.moderator, "User"),
            purchase_order=given(self.purchase_order),
            subject=optional_ref(self.subject, "Subject"),
            language=given(self.language),
            enforce_times=given(self.enforce_times),
            associate=self.auto_sync_centre_subject,
            origin=origin_of(self.origin),
        )


@input_type(
    description="Where a test schedule goes: at least one of its centre, dates and times. What is "
    "left out stays as it is.",
    command=CommandNames({"reason": "message"}),
)
class MoveTestScheduleInput:
    test_schedule_id: strawberry.ID = attribute(description="The schedule's global id.")
    to_centre: RefInput | None = described("Another centre.")
    start_date: date | None = described("Another first date.")
    end_date: date | None = described("Another last date.")
    start_time: time | None = described("Another time of day to start.")
    end_time: time | None = described("Another time of day to end.")
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    message: str | None = described("Why; at most 500 characters, recorded.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> MoveTestSchedule:
        return MoveTestSchedule(
            viewer=viewer,
            test_schedule=ref_of(self.test_schedule_id, "TestSchedule"),
            to_centre=optional_ref(self.to_centre, "Centre"),
            start_date=given(self.start_date),
            end_date=given(self.end_date),
            start_time=given(self.start_time),
            end_time=given(self.end_time),
            expected_version=given(self.expected_version),
            reason=given(self.message),
            origin=origin_of(self.origin),
        )


@input_type(description="Which test schedule to take back.")
class DeleteTestScheduleInput:
    test_schedule: TestScheduleRef = attribute(description="By its id or its keycode.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> DeleteTestSchedule:
        return DeleteTestSchedule(
            viewer=viewer,
            test_schedule=self.test_schedule.to_ref(),
            origin=origin_of(self.origin),
        )


@input_type(
    description="What a delivery system reports. An invigilated session starts with its PIN or "
    "unlocked."
)
class RecordSessionInput:
    test_schedule: TestScheduleRef = attribute(description="By its id or its keycode.")
    state: SessionState = attribute(description="What has happened.")
    at: datetime | None = described(
        "When; now unless given. A start must be inside a window of the schedule."
    )
    pin: str | None = described("The PIN that the candidate gave.")
    unlocked: bool = attribute(
        default=False, description="Whether an invigilator unlocked the session."
    )
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RecordSession:
        return RecordSession(
            viewer=viewer,
            test_schedule=self.test_schedule.to_ref(),
            state=self.state,
            at=given(self.at),
            pin=given(self.pin),
            unlocked=self.unlocked,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )
