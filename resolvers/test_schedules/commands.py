"""What can be asked about test schedules: the commands, as plain values."""

from dataclasses import field
from datetime import date, datetime, time

from resolvers.changes import Origin
from resolvers.references import Ref
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import SessionState


@frozen(kw_only=True)
class Adjustment:
    """Extra time that a schedule begins with: minutes win over percentage `[001]`."""

    extra_time_minutes: int | None = None
    extra_time_percentage: int | None = None
    extra_breaks_per_section: int | None = None
    reason: str | None = None

    @property
    def says_something(self) -> bool:
        return self != Adjustment()


@frozen(kw_only=True)
class BookTestSchedule:
    """Schedule a candidate for a test at a centre.

    `associate` ties the candidate to the centre and to the test's subject, where it is not yet
    (`autoSyncCentreSubject`). `happened`: an import brings it, so permissions do not apply.
    """

    viewer: Viewer = field(repr=False)
    test: Ref
    centre: Ref
    candidate: Ref
    start_date: date
    end_date: date
    start_time: time
    end_time: time
    reasonable_adjustments: Adjustment = Adjustment()
    break_adjustments: Adjustment = Adjustment()
    unscheduled_break_minutes: int | None = None
    marked_externally: bool = False
    allow_multiple_open_sessions: bool = False
    requires_invigilation: bool | None = None
    test_tags: tuple[str, ...] = ()
    test_form: Ref | None = None
    marker: Ref | None = None
    moderator: Ref | None = None
    purchase_order: str | None = None
    subject: Ref | None = None
    language: str | None = None
    enforce_times: bool | None = None
    associate: bool = False
    origin: Origin | None = None
    imported: bool = False


@frozen(kw_only=True)
class MoveTestSchedule:
    """Give a test schedule another window or centre; what is None stays as it is."""

    viewer: Viewer = field(repr=False)
    test_schedule: Ref
    to_centre: Ref | None = None
    start_date: date | None = None
    end_date: date | None = None
    start_time: time | None = None
    end_time: time | None = None
    expected_version: int | None = None
    reason: str | None = None
    origin: Origin | None = None


@frozen(kw_only=True)
class DeleteTestSchedule:
    """Take a test schedule back; only its record remains. A `ByReference` is its keycode."""

    viewer: Viewer = field(repr=False)
    test_schedule: Ref
    origin: Origin | None = None


@frozen(kw_only=True)
class RecordSession:
    """What a delivery system reports of the session. A `ByReference` is the keycode."""

    viewer: Viewer = field(repr=False)
    test_schedule: Ref
    state: SessionState
    at: datetime | None = None
    pin: str | None = field(default=None, repr=False)
    unlocked: bool = False
    expected_version: int | None = None
    origin: Origin | None = None
