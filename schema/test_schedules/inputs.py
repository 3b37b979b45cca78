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

MINUTES = "Extra minutes, 0 to 999. Take precedence over a percentage."
PERCENTAGE = "Extra time in percent, 0 to 999, rounded up to whole minutes."
REASON = "Why the adjustment is granted, at most 500 characters."


@input_type(
    description="Extra working time, in minutes or in percent.",
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
    description="Extra breaks, in minutes or in percent of the test's breaks.",
    command=CommandNames({"extra_time_minutes": "time_extension_minutes"}),
)
class BreakReasonableAdjustmentsInput:
    time_extension_minutes: int | None = described(MINUTES)
    extra_time_percentage: int | None = described(PERCENTAGE)
    extra_breaks_per_section: int | None = described(
        "Extra breaks in each section of the test, 0 to 99."
    )
    reason: str | None = described(REASON)

    def to_adjustment(self) -> Adjustment:
        return Adjustment(
            extra_time_minutes=given(self.time_extension_minutes),
            extra_time_percentage=given(self.extra_time_percentage),
            extra_breaks_per_section=given(self.extra_breaks_per_section),
            reason=given(self.reason),
        )


@input_type(description="Breaks that the candidate can take at any time.")
class UnscheduledBreakInput:
    time_extension_minutes: int = attribute(description="Minutes of unscheduled breaks, 0 to 999.")


def _adjustment(
    value: ReasonableAdjustmentsInput | BreakReasonableAdjustmentsInput | None,
) -> Adjustment:
    chosen = given(value)
    return Adjustment() if chosen is None else chosen.to_adjustment()


@input_type(
    description="A test for a candidate at a centre, on each date from `startDate` to "
    "`endDate` between `startTime` and `endTime`. At most 366 dates.",
    command=CommandNames(
        {
            "break_adjustments": "break_reasonable_adjustments",
            "unscheduled_break_minutes": "unscheduled_break.time_extension_minutes",
            "associate": "auto_sync_centre_subject",
        }
    ),
)
class BookTestScheduleInput:
    test: RefInput = attribute(description="The test that the candidate will take.")
    centre: RefInput = attribute(description="The centre where the candidate takes the test.")
    candidate: RefInput = attribute(description="The candidate who takes the test.")
    start_date: date = attribute(description="First date on which the test can be taken.")
    end_date: date = attribute(
        description="Last date on which the test can be taken, not before `startDate`."
    )
    start_time: time = attribute(
        description="Time from which the test can be started on each date, in the "
        "centre's local time."
    )
    end_time: time = attribute(
        description="Time until which the test can be started on each date, in the centre's "
        "local time. After `startTime`."
    )
    reasonable_adjustments: ReasonableAdjustmentsInput | None = described(
        "Extra working time for the candidate."
    )
    break_reasonable_adjustments: BreakReasonableAdjustmentsInput | None = described(
        "Extra breaks for the candidate."
    )
    unscheduled_break: UnscheduledBreakInput | None = described(
        "Unscheduled breaks for the candidate."
    )
    marked_externally: bool = attribute(
        default=False, description="True if another system marks the test."
    )
    allow_multiple_open_sessions: bool = attribute(
        default=False,
        description="True if the candidate may have another open schedule for the same test.",
    )
    requires_invigilation: bool | None = described(
        "True if the session needs a PIN, or an invigilator who unlocks it. Defaults to "
        "the setting of the test."
    )
    test_tags: list[str] | None = described(
        "Notes for invigilators, at most 50, each 1 to 250 characters."
    )
    test_form: RefInput | None = described(
        "A published form of the test. By default, the gateway chooses one in the "
        "language that the candidate has taken least often."
    )
    marker: RefInput | None = described("User who marks the test. Only if the test allows markers.")
    moderator: RefInput | None = described(
        "User who moderates the marking. Only if the test allows moderators."
    )
    purchase_order: str | None = described(
        "Number of an external invoice, 1 to 50 characters. Required if the "
        "organization's settings say so."
    )
    subject: RefInput | None = described(
        "Subject of the test. Needed if tests of several subjects have the same reference."
    )
    language: LanguageTag | None = described(
        "One of the languages of the test. Defaults to its default language."
    )
    enforce_times: bool | None = described(
        "True for exactly this window, false to extend it by the buffer of the "
        "organization's settings. Defaults to false; required if the settings say so."
    )
    auto_sync_centre_subject: bool = attribute(
        default=False,
        description="True associates the candidate with the centre and the subject if "
        "needed. The centre and the subject must already be associated.",
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
    description="The new centre, dates or times of a test schedule. Give at least one; "
    "an omitted field keeps its value.",
    command=CommandNames({"reason": "message"}),
)
class MoveTestScheduleInput:
    test_schedule_id: strawberry.ID = attribute(
        description="Global id of the test schedule to move."
    )
    to_centre: RefInput | None = described("The new centre.")
    start_date: date | None = described("The new first date.")
    end_date: date | None = described("The new last date.")
    start_time: time | None = described("The new start time on each date.")
    end_time: time | None = described("The new end time on each date.")
    expected_version: int | None = described(
        "The `version` that you read. If the test schedule has changed since then, nothing "
        "is written and the error is STALE_BOOKING."
    )
    message: str | None = described(
        "Why the test schedule is moved, at most 500 characters. Stored in the history."
    )
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


@input_type(description="The test schedule to delete.")
class DeleteTestScheduleInput:
    test_schedule: TestScheduleRef = attribute(description="The test schedule, by id or keycode.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> DeleteTestSchedule:
        return DeleteTestSchedule(
            viewer=viewer,
            test_schedule=self.test_schedule.to_ref(),
            origin=origin_of(self.origin),
        )


@input_type(
    description="A report of a delivery system about a session. An invigilated session "
    "starts with its PIN, or when it is unlocked."
)
class RecordSessionInput:
    test_schedule: TestScheduleRef = attribute(
        description="The test schedule of the session, by id or keycode."
    )
    state: SessionState = attribute(description="STARTED or COMPLETED.")
    at: datetime | None = described(
        "Time of the report, by default now. A start must be within a window of the test schedule."
    )
    pin: str | None = described("PIN that the candidate entered.")
    unlocked: bool = attribute(
        default=False, description="True if an invigilator unlocked the session."
    )
    expected_version: int | None = described(
        "The `version` that you read. If the test schedule has changed since then, nothing "
        "is written and the error is STALE_BOOKING."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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
